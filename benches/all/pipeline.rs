//! What the firm adds to the time of its models.
//!
//! Runs jobs against a model server that answers each call after a fixed time, and compares a job's wall time with its
//! critical path: the calls that have to wait for each other. Analysts work at the same time, so of them only the one
//! with the most calls counts.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{StatusCode, Uri, header::CONTENT_TYPE},
    routing::any,
};
use chrono::{DateTime, Utc};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::{
    support::{llm::FakeLlm, program::Sandbox, redis::Redis, server::Server, service::Service},
    table::{Table, at, bar, in_order, time},
};

const JOBS: usize = 5;
const ANALYSTS: [&str; 4] = ["market_analyst", "sentiment_analyst", "news_analyst", "fundamentals_analyst"];

pub async fn measure() -> Table {
    let heads = ["a call takes", "calls", "on the critical path", "which takes", "the firm adds", "of that", "bar"];
    let mut table =
        Table::new("What the firm adds to its models, all four analysts and a round of both debates", heads);
    for answer_time in [0, 200, 1000].map(Duration::from_millis) {
        table.row(with(answer_time).await);
    }
    table.note(format!("The median of {JOBS} jobs each. A call takes what the model server itself saw it take."));
    table
}

async fn with(answer_time: Duration) -> [String; 7] {
    let (llm, redis) = (FakeLlm::start().await, Redis::start(&[]).await);
    let slowed = Slowed::start(llm.url(), answer_time).await;
    let sandbox = Sandbox::new()
        .set("REDIS_URL", redis.url())
        .set("API_LISTEN", "127.0.0.1:0")
        .set("OLLAMA_BASE_URL", slowed.server.url())
        .set("LLM_CONCURRENCY", 4)
        .set("PRICE_VENDORS", "sample")
        .set("WORKER_CONCURRENCY", 1);
    let api = sandbox.start(&["api"]);
    let service = Service::at(&api.url().await);
    let worker = sandbox.start(&["worker"]);
    worker.line("the worker is ready").await;
    let mut walls = Vec::new();
    let (mut calls, mut path) = (0, 0);
    for _ in 0..JOBS {
        let id = service.submit("AAPL", "2012-09-19", json!({})).await;
        let job = service.ended(&id).await;
        assert_eq!(job["status"], "completed", "{job}");
        let (_, result) = service.get(&format!("/jobs/{id}/result")).await;
        (calls, path) = counted(&result);
        walls.push((moment(&job, "completed_at") - moment(&job, "started_at")).to_std().unwrap());
    }
    let fixed = slowed.answer_time() * path;
    let added = at(&in_order(walls), 50).saturating_sub(fixed);
    let share = added.as_secs_f64() / fixed.as_secs_f64();
    [
        format!("{answer_time:.0?}"),
        calls.to_string(),
        path.to_string(),
        time(fixed),
        time(added),
        format!("{:.2} %", 100.0 * share),
        if answer_time.is_zero() { String::new() } else { bar("2 %", share <= 0.02) },
    ]
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

fn moment(job: &Value, name: &str) -> DateTime<Utc> {
    job[name].as_str().unwrap().parse().unwrap()
}

/// A server that hands everything on to another, and answers a chat after a time.
struct Slowed {
    server: Server,
    chats: Chats,
}

/// How long each chat took, from its arrival to its answer: a timer is a millisecond late, or two.
type Chats = Arc<Mutex<Vec<Duration>>>;

impl Slowed {
    async fn start(target: String, answer_time: Duration) -> Self {
        let client = tradingagents::http_client::client_builder(&target.parse().unwrap()).build().unwrap();
        let chats = Chats::default();
        let state = (chats.clone(), target, client, answer_time);
        let routes = Router::new().fallback(any(hand_on)).with_state(state);
        Self { server: Server::start(routes).await, chats }
    }

    /// The mean time of a chat.
    fn answer_time(&self) -> Duration {
        let chats = self.chats.lock().unwrap();
        chats.iter().sum::<Duration>() / u32::try_from(chats.len()).unwrap()
    }
}

async fn hand_on(
    State((chats, target, client, answer_time)): State<(Chats, String, reqwest::Client, Duration)>,
    method: Method,
    uri: Uri,
    body: Bytes,
) -> (StatusCode, Bytes) {
    let (arrival, is_chat) = (Instant::now(), uri.path() == "/api/chat");
    let pause = sleep(if is_chat { answer_time } else { Duration::ZERO });
    let question = client.request(method, format!("{target}{uri}")).header(CONTENT_TYPE, "application/json");
    let (answer, ()) = tokio::join!(question.body(body).send(), pause);
    let answer = answer.unwrap();
    let reply = (answer.status(), answer.bytes().await.unwrap());
    if is_chat {
        chats.lock().unwrap().push(arrival.elapsed());
    }
    reply
}
