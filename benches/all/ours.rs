//! Our program, as it is measured: the usual settings, and room for as many jobs as a bench submits.

use std::net::SocketAddr;

use tempfile::TempDir;

use crate::{
    process::Process,
    support::redis::{Redis, free_port},
};

/// A running program, in a folder of its own.
pub struct Ours {
    pub process: Process,
    /// It goes with the process.
    pub folder: TempDir,
}

/// Starts the API, and waits until it says that it is ready.
pub fn api(core: Option<usize>, redis: &Redis) -> (Ours, SocketAddr) {
    let port = free_port();
    let listen = format!("127.0.0.1:{port}");
    let room = [("MAX_PENDING", "100000000"), ("MAX_CONNECTIONS_PER_ADDRESS", "20000")];
    let mut ours = start("api", core, redis, &[&[("API_LISTEN", listen.as_str())], &room[..]].concat());
    let address = ours.process.is_well(port, "/health/ready");
    (ours, address)
}

/// Starts a worker, and waits until it says that it is ready.
pub fn worker(core: Option<usize>, redis: &Redis, settings: &[(&str, &str)]) -> Ours {
    let mut ours = start("worker", core, redis, settings);
    ours.process.says("the worker is ready");
    ours
}

fn start(command: &'static str, core: Option<usize>, redis: &Redis, settings: &[(&str, &str)]) -> Ours {
    let folder = tempfile::tempdir().unwrap();
    let url = redis.url();
    let mut all = vec![("REDIS_URL", url.as_str()), ("LLM_PROVIDER", "rules"), ("PRICE_VENDORS", "sample")];
    all.extend(settings);
    let process = Process::ours(command, core, folder.path(), command, &all);
    Ours { process, folder }
}
