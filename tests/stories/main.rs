//! Stories of what the service does, told against the real things: a real Redis, files, processes.

#![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]

mod store;
mod support;
