//! A job service that runs a team of LLM trading agents over market data.
//!
//! ```text
//! n8n, curl, browser ──HTTP──▶ api ──▶ jobs (Redis or embedded) ◀── worker ──▶ agents ──▶ llm, market
//!                                                                    └──────▶ results
//! ```
//!
//! Who may know whom: [`api`] and [`worker`] know [`jobs`]; [`worker`] knows [`agents`], and [`api`] no more of them than the
//! state of an analysis; [`agents`] knows [`llm`] and [`market`] through their traits, and keeps what it learns in
//! [`memory`]; [`jobs`] knows nobody. [`domain`] is the vocabulary that all of them share.
//! [`egress`] says how far the URLs of clients may lead; [`metrics`] is what all of them count, and
//! [`telemetry`] where their time goes.
//! [`charts`] draws prices for [`results`] and [`api`], which show people what came out.
//! [`backtest`] measures decisions on past prices. [`cli`] puts the parts together as [`config`] says.

pub mod agents;
pub mod api;
pub mod backtest;
pub mod charts;
pub mod cli;
pub mod config;
pub mod domain;
pub mod egress;
mod file_lock;
pub mod http_client;
pub mod jobs;
pub mod llm;
pub mod market;
pub mod memory;
pub mod metrics;
mod redact;
pub mod results;
pub mod telemetry;
pub mod worker;
