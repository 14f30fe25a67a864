//! The physical limits beside our API: axum's own server with routes that read and answer the same, and ask Redis at most
//! once, with the client that the program uses. Each is a process of its own, which the bench starts of itself.

use std::{env, net::SocketAddr, sync::Arc};

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
use tradingagents::{
    domain::{Ticker, TradeDate},
    jobs::{JobConfig, JobId, JobRequest, RedisStore, Store, Submission as Submitted},
};

use crate::{
    process::{MEASURED, Process},
    scale::LONG,
    support::redis::{Redis, free_port},
};

/// The argument with which the bench becomes this server.
pub const ROLE: &str = "bare";

/// What a route asks of Redis.
#[derive(Clone)]
enum Backend {
    Nothing,
    /// One `SET` or `GET`.
    Command(Client),
    /// What the program asks, by its own store.
    Store(Arc<RedisStore>),
}

#[derive(Deserialize)]
struct Submission {
    ticker: Ticker,
    date: TradeDate,
}

#[derive(Serialize)]
struct Job {
    #[serde(rename = "job_id")]
    id: JobId,
    status: &'static str,
    ticker: Ticker,
    date: TradeDate,
}

/// Starts the one that asks Redis this: `nothing`, a `command`, or what our `store` does.
pub fn start(asks: &str, redis: &Redis) -> (Process, SocketAddr) {
    let port = free_port();
    let mut process = Process::start("bare", Some(MEASURED), env::current_exe().unwrap(), |program| {
        program.args([ROLE, &port.to_string(), asks, &redis.url()]);
    });
    let address = process.listens(port);
    (process, address)
}

/// Serves until the process ends.
pub async fn serve(port: u16, asks: &str, redis: &str) {
    let backend = match asks {
        "nothing" => Backend::Nothing,
        "command" => Backend::Command(connect(redis).await),
        "store" => Backend::Store(Arc::new(RedisStore::connect(redis, LONG, LONG).unwrap())),
        _ => panic!("there is no bare server that asks {asks}"),
    };
    let routes = Router::new().route("/jobs", post(submit)).route("/jobs/{id}", get(status)).with_state(backend);
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

async fn submit(State(backend): State<Backend>, Json(asked): Json<Submission>) -> (StatusCode, Json<Job>) {
    let job = Job { id: JobId::new(), status: "pending", ticker: asked.ticker, date: asked.date };
    match backend {
        Backend::Nothing => (),
        Backend::Command(client) => {
            let record = serde_json::to_string(&job).unwrap();
            client.set::<(), _, _>(job.id.to_string(), record, None, None, false).await.unwrap();
        }
        Backend::Store(store) => {
            let request = JobRequest::new(job.ticker.clone(), job.date, JobConfig::default());
            store.submit(&Submitted::of_job(job.id, request)).await.unwrap();
        }
    }
    (StatusCode::ACCEPTED, Json(job))
}

async fn status(State(backend): State<Backend>, Path(id): Path<JobId>) -> String {
    let (ticker, date) = match backend {
        Backend::Nothing => ("AAPL".parse().unwrap(), "2012-09-19".parse().unwrap()),
        Backend::Command(client) => return client.get(id.to_string()).await.unwrap(),
        Backend::Store(store) => {
            let request = store.get(id).await.unwrap().unwrap().request;
            (request.ticker, request.date)
        }
    };
    serde_json::to_string(&Job { id, status: "pending", ticker, date }).unwrap()
}
