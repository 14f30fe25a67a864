//! The promise of a 202, held against every fault that one machine can play: `cargo test --test faults`.
//!
//! The real program runs as API and workers around a real Redis. A [`schedule`] that follows from a seed kills, pauses and
//! cuts off what there is ([`stack`]) while clients submit jobs and listen ([`clients`]). Then it is quiet, the last jobs
//! end, and an [`audit`] compares what was promised with what is there. docs/FAULTS.md tells what is injected and checked.
//!
//! `FAULTS_SEED` repeats a schedule, `FAULTS_JOBS` says how many jobs there are in the great runs.

#![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]
#![allow(clippy::needless_pass_by_value, dead_code, reason = "the stories' harness, of which this uses a part")]

#[path = "../stories/support/disk.rs"]
mod disk;
#[path = "../stories/support/program.rs"]
mod program;
#[path = "../stories/support/proxy.rs"]
mod proxy;
#[path = "../stories/support/redis.rs"]
mod redis;

mod audit;
mod clients;
mod clocks;
mod full;
mod protocol;
mod runs;
mod schedule;
mod stack;
