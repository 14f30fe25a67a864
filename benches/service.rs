//! What the service costs and how fast it answers: `cargo bench --bench service`.
//!
//! Starts redis-server, the API and one worker as processes of their own, on this machine, and prints start-up time,
//! idle memory, and the time from sending a submission to hearing over SSE that a worker runs it. The physical limit
//! beside it is the round trip of `GET /health/live`, which does nothing.

#![allow(clippy::unwrap_used, reason = "a bench that can't go on has failed")]
#![allow(clippy::needless_pass_by_value, dead_code, reason = "the stories' harness, of which this uses a part")]

#[path = "../tests/stories/support/program.rs"]
mod program;
#[path = "../tests/stories/support/redis.rs"]
mod redis;
#[path = "../tests/stories/support/service.rs"]
mod service;

use std::{fs, time::Instant};

use program::{Program, Sandbox};
use redis::Redis;
use serde_json::json;
use service::Service;

const JOBS: usize = 1000;

#[tokio::main]
async fn main() {
    let redis = Redis::start(&[]).await;
    let sandbox = Sandbox::new()
        .set("REDIS_URL", redis.url())
        .set("API_LISTEN", "127.0.0.1:0")
        .set("LLM_PROVIDER", "rules")
        .set("LOG", "info");

    let began = Instant::now();
    let api = sandbox.start(&["api"]);
    let service = Service::at(&api.url().await);
    assert_eq!(service.get("/health/ready").await.0, 200);
    let api_ready = began.elapsed();
    let began = Instant::now();
    let worker = sandbox.start(&["worker"]);
    worker.line("the worker is ready").await;
    let worker_ready = began.elapsed();

    println!("start to ready: api {api_ready:.0?}, worker {worker_ready:.0?} (to reach: 200 ms)");
    println!("idle memory: api {} MB (to reach: 30), worker {} MB (to reach: 50)", resident(&api), resident(&worker));

    let mut floor = Vec::with_capacity(JOBS);
    let mut submit = Vec::with_capacity(JOBS);
    let mut running = Vec::with_capacity(JOBS);
    for _ in 0..JOBS {
        let began = Instant::now();
        service.get("/health/live").await;
        floor.push(began.elapsed());

        let began = Instant::now();
        let job = service.submit("AAPL", "2012-09-19", json!({"selected_analysts": ["market"]})).await;
        submit.push(began.elapsed());
        service.events_until(&job, |event| event["type"] == "claimed").await;
        running.push(began.elapsed());
        service.ended(&job).await;
    }
    println!("{JOBS} jobs, one after another on an idle worker:");
    for (what, mut times) in [
        ("GET /health/live", floor),
        ("POST /jobs", submit),
        ("submit to running, heard over SSE (to reach: p99 10 ms)", running),
    ] {
        times.sort_unstable();
        println!("  p50 {:>7.2?}  p99 {:>7.2?}  {what}", times[JOBS / 2], times[JOBS * 99 / 100]);
    }
}

/// Resident memory in MB, as the kernel counts it.
fn resident(program: &Program) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", program.id())).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1000
}
