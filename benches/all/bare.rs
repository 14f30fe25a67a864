//! The physical limit beside our API: axum's own server with routes that read and answer the same, do nothing, and ask
//! Redis at most once, with the client that the program uses. It is a process of its own, which the bench starts of
//! itself.

use std::{env, net::SocketAddr};

use axum::{
    Json, Router,
    extract::{Path, State},
    http::StatusCode,
    routing::{get, post},
};
use fred::{
    clients::Client,
    interfaces::{ClientLike, KeysInterface},
    types::{Builder, config::Config},
};
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;
use tradingagents::jobs::JobId;

use crate::{
    process::{MEASURED, Process},
    support::redis::{Redis, free_port},
};

/// The argument with which the bench becomes this server.
pub const ROLE: &str = "bare";

#[derive(Deserialize)]
struct Submission {
    ticker: String,
    date: String,
}

#[derive(Serialize)]
struct Job {
    #[serde(rename = "job_id")]
    id: JobId,
    status: &'static str,
    ticker: String,
    date: String,
}

/// Starts it, with a Redis or without.
pub fn start(name: &'static str, redis: Option<&Redis>) -> (Process, SocketAddr) {
    let port = free_port();
    let url = redis.map(Redis::url).unwrap_or_default();
    let mut process = Process::start(name, Some(MEASURED), env::current_exe().unwrap(), |program| {
        program.args([ROLE, &port.to_string(), &url]);
    });
    let address = process.listens(port);
    (process, address)
}

/// Serves until the process ends.
pub async fn serve(port: u16, redis: &str) {
    let client = if redis.is_empty() { None } else { Some(connect(redis).await) };
    let routes = Router::new().route("/jobs", post(submit)).route("/jobs/{id}", get(status)).with_state(client);
    let listener = TcpListener::bind(("127.0.0.1", port)).await.unwrap();
    axum::serve(listener, routes).await.unwrap();
}

async fn connect(url: &str) -> Client {
    let config = Config::from_url(url).unwrap();
    let client = Builder::from_config(config)
        .with_connection_config(|connection| connection.tcp.nodelay = Some(true))
        .build()
        .unwrap();
    client.init().await.unwrap();
    client
}

async fn submit(State(client): State<Option<Client>>, Json(asked): Json<Submission>) -> (StatusCode, Json<Job>) {
    let job = Job { id: JobId::new(), status: "pending", ticker: asked.ticker, date: asked.date };
    if let Some(client) = client {
        let record = serde_json::to_string(&job).unwrap();
        client.set::<(), _, _>(job.id.to_string(), record, None, None, false).await.unwrap();
    }
    (StatusCode::ACCEPTED, Json(job))
}

async fn status(State(client): State<Option<Client>>, Path(id): Path<JobId>) -> String {
    match client {
        Some(client) => client.get(id.to_string()).await.unwrap(),
        None => serde_json::to_string(&Job { id, status: "pending", ticker: "AAPL".into(), date: "2012-09-19".into() })
            .unwrap(),
    }
}
