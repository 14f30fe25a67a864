//! Stories of what the service does, told against the real things: a real Redis, files, processes. Only what lies
//! outside, a model server, is a fake at the wire.

#![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]
#![allow(clippy::needless_pass_by_value, reason = "stories read better without references")]

mod analyze;
mod api;
mod backtest;
mod bedrock;
mod canaries;
mod client;
mod command_line;
mod company;
mod deployment;
mod evidence;
mod firm;
mod golden;
mod indicators;
mod llm;
mod llm_robustness;
mod look_ahead;
mod made_up;
mod market;
mod memory;
mod model_server;
mod operations;
mod pages;
mod providers;
mod results;
mod rules;
mod security;
mod service;
mod store;
mod support;
mod topologies;
mod traces;
mod vendor_quirks;
mod vendors;
mod webhooks;
mod writing;
