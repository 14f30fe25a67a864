//! What the firm adds to the time of its models: `cargo bench --bench pipeline`.
//!
//! Runs jobs against a model server that answers each call after a fixed time, and compares a job's wall time with its
//! critical path: the calls that have to wait for each other. Analysts work at the same time, so of them only the one
//! with the most calls counts.

#![allow(clippy::unwrap_used, reason = "a bench that can't go on has failed")]
#![allow(clippy::needless_pass_by_value, dead_code, reason = "the stories' harness, of which this uses a part")]

#[path = "../tests/stories/support/mod.rs"]
mod support;

use std::time::Duration;

use axum::{Router, body::Bytes, extract::State, http::Uri, routing::any};
use chrono::{DateTime, Utc};
use reqwest::Method;
use serde_json::{Value, json};
use support::{llm::FakeLlm, program::Sandbox, redis::Redis, service::Service};
use tokio::{net::TcpListener, time::sleep};

const JOBS: usize = 10;
const ANALYSTS: [&str; 4] = ["market_analyst", "sentiment_analyst", "news_analyst", "fundamentals_analyst"];

#[tokio::main]
async fn main() {
    println!("{JOBS} jobs each, all four analysts, a round of both debates:");
    for answer_time in [0, 200, 1000].map(Duration::from_millis) {
        measure(answer_time).await;
    }
}

async fn measure(answer_time: Duration) {
    let (llm, redis) = (FakeLlm::start().await, Redis::start(&[]).await);
    let sandbox = Sandbox::new()
        .set("REDIS_URL", redis.url())
        .set("API_LISTEN", "127.0.0.1:0")
        .set("OLLAMA_BASE_URL", slowed(llm.url(), answer_time).await)
        .set("PRICE_VENDORS", "sample")
        .set("WORKER_CONCURRENCY", 1);
    let api = sandbox.start(&["api"]);
    let service = Service::at(&api.url().await);
    let worker = sandbox.start(&["worker"]);
    worker.line("the worker is ready").await;
    let mut added = Vec::new();
    let (mut calls, mut path) = (0, 0);
    for _ in 0..JOBS {
        let id = service.submit("AAPL", "2012-09-19", json!({})).await;
        let job = service.ended(&id).await;
        assert_eq!(job["status"], "completed", "{job}");
        let (_, result) = service.get(&format!("/jobs/{id}/result")).await;
        (calls, path) = counted(&result);
        let wall = (time(&job, "completed_at") - time(&job, "started_at")).to_std().unwrap();
        added.push(wall.saturating_sub(answer_time * path));
    }
    added.sort_unstable();
    let (median, fixed) = (added[JOBS / 2], answer_time * path);
    let share = if fixed.is_zero() {
        String::new()
    } else {
        format!(", {:.2} %", 100.0 * median.as_secs_f64() / fixed.as_secs_f64())
    };
    println!(
        "  {answer_time:>6.0?} a call, {calls} calls, {path} of them on the critical path: {fixed:.1?}, and the firm adds {median:.1?}{share}"
    );
}

/// All calls, and those on the critical path.
fn counted(result: &Value) -> (u32, u32) {
    let (mut all, mut analysts, mut others) = (0, 0, 0);
    for step in result["steps"].as_array().unwrap() {
        let calls = u32::try_from(step["calls"].as_array().unwrap().len()).unwrap();
        all += calls;
        if ANALYSTS.contains(&step["agent"].as_str().unwrap()) {
            analysts = analysts.max(calls);
        } else {
            others += calls;
        }
    }
    (all, analysts + others)
}

fn time(job: &Value, name: &str) -> DateTime<Utc> {
    job[name].as_str().unwrap().parse().unwrap()
}

/// The URL of a server that hands everything on to another, chats after a time.
async fn slowed(url: String, answer_time: Duration) -> String {
    let hand_on =
        async move |State((url, client)): State<(String, reqwest::Client)>, method: Method, uri: Uri, body: Bytes| {
            if uri.path() == "/api/chat" {
                sleep(answer_time).await;
            }
            client.request(method, format!("{url}{uri}")).body(body).send().await.unwrap().bytes().await.unwrap()
        };
    let client = tradingagents::tls::client_builder(&url.parse().unwrap()).build().unwrap();
    let routes = Router::new().fallback(any(hand_on)).with_state((url, client));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let place = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async { axum::serve(listener, routes).await.unwrap() });
    place
}
