//! The peer: the same contract in `FastAPI` and Celery, from `../peer`.

use std::{env, net::SocketAddr, path::PathBuf, process::Command};

use crate::{
    machine,
    process::{MEASURED, Process},
    support::redis::{Redis, free_port},
};

const SOURCES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/peer");

/// The peer's programs.
pub struct Peer(PathBuf);

impl Peer {
    /// Installs it where that has not been done; none if `PEER=none` says so.
    pub fn installed() -> Option<Self> {
        if env::var("PEER").is_ok_and(|peer| peer == "none") {
            return None;
        }
        let folder = machine::folder().join("peer");
        let installed = Command::new(format!("{SOURCES}/install")).arg(&folder).status().unwrap();
        assert!(installed.success(), "the peer can't be installed; PEER=none goes without it");
        Some(Self(folder.join("bin")))
    }

    /// Its API: one process, for it has one core.
    pub fn api(&self, redis: &Redis) -> (Process, SocketAddr) {
        let port = free_port();
        let mut process = self.program(
            "peer-api",
            "uvicorn",
            redis,
            &["service:app", "--port", &port.to_string(), "--loop", "uvloop", "--http", "httptools"],
        );
        let address = process.is_well(port, "/health");
        (process, address)
    }

    /// Its worker, ready.
    pub fn worker(&self, redis: &Redis, concurrency: usize) -> Process {
        let mut process = self.program(
            "peer-worker",
            "celery",
            redis,
            &[
                "--app=tasks",
                "worker",
                &format!("--concurrency={concurrency}"),
                "--loglevel=WARNING",
                "--without-gossip",
                "--without-mingle",
            ],
        );
        // It lists its queues once it is connected.
        process.says("[queues]");
        process
    }

    fn program(&self, name: &'static str, program: &str, redis: &Redis, arguments: &[&str]) -> Process {
        Process::start(name, Some(MEASURED), self.0.join(program), |command| {
            command
                .args(arguments)
                .current_dir(SOURCES)
                .env("REDIS_URL", redis.url())
                .env("PYTHONDONTWRITEBYTECODE", "1");
        })
    }
}
