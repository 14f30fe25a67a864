//! Stories of what the service does, told against the real things: a real Redis, files, processes. Only what lies
//! outside, a model server, is a fake at the wire.

#![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]

mod analyze;
mod firm;
mod service;
mod store;
mod support;
