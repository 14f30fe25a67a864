//! How fast jobs go through a worker that has nothing to do for them.
//!
//! Ours name a provider for which the worker has no key: it claims the job, takes its lease, follows its events, finds
//! that it can't be worked on, and ends it. All that a worker does for a job happens but the analysis. The peer's task
//! writes that it began and that it ended.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
    time::sleep,
};

use crate::{
    load::{ask_often, post},
    ours,
    peer::Peer,
    process::{MEASURED, OTHERS, bind},
    support::redis::Redis,
    table::{Table, megabytes, rate, ratio},
};

const JOBS: usize = 10_000;
const JOB: &str = r#"{"ticker": "AAPL", "date": "2012-09-19", "config": {"llm_provider": "openai"}}"#;

pub async fn measure() -> Table {
    bind(Some(OTHERS));
    let heads = ["", "ours", "peer", "to peer", "our worker's memory, at most"];
    let mut table = Table::new("Ten thousand jobs in which nothing is done, a worker on one core", heads);
    let peer = Peer::installed();
    for concurrency in [2, 16] {
        let (ours, memory) = ours(concurrency).await;
        let peers = match &peer {
            Some(peer) => Some(peers(peer, concurrency).await),
            None => None,
        };
        table.row([
            format!("{concurrency} at once"),
            rate(ours),
            peers.map_or("–".into(), rate),
            peers.map_or("–".into(), |peers| ratio(ours, peers)),
            megabytes(memory),
        ]);
    }
    bind(None);
    table
}

/// Jobs a second, and the worker's memory at most.
async fn ours(concurrency: usize) -> (f64, u64) {
    let redis = Redis::start(&[]).await;
    let (api, address) = ours::api(Some(MEASURED), &redis);
    submit(address).await;
    drop(api);
    let at_once = concurrency.to_string();
    let worker = ours::worker(Some(MEASURED), &redis, &[("WORKER_CONCURRENCY", &at_once), ("LLM_PROVIDER", "rules")]);
    let mut counter = Counter::open(&redis).await;
    let left = async |counter: &mut Counter| {
        counter.count("ZCARD {ta:0}:jobs:status:pending").await
            + counter.count("ZCARD {ta:0}:jobs:status:running").await
    };
    let speed = speed(&mut counter, left).await;
    assert_eq!(counter.count("ZCARD {ta:0}:jobs:status:failed").await, JOBS);
    (speed, worker.process.peak())
}

async fn peers(peer: &Peer, concurrency: usize) -> f64 {
    let redis = Redis::start(&[]).await;
    let (api, address) = peer.api(&redis);
    submit(address).await;
    drop(api);
    let _worker = peer.worker(&redis, concurrency);
    let mut counter = Counter::open(&redis).await;
    let left = async |counter: &mut Counter| counter.count("LLEN celery").await + counter.count("HLEN unacked").await;
    speed(&mut counter, left).await
}

async fn submit(server: SocketAddr) {
    ask_often(server, 16, &post("/jobs", JOB), JOBS).await;
}

/// Jobs a second, from the first look to the last job's end.
async fn speed(counter: &mut Counter, left: impl AsyncFn(&mut Counter) -> usize) -> f64 {
    let (first, began) = (left(counter).await, Instant::now());
    while left(counter).await > 0 {
        sleep(Duration::from_millis(5)).await;
    }
    first as f64 / began.elapsed().as_secs_f64()
}

/// A connection to Redis that asks for numbers.
struct Counter(BufReader<TcpStream>);

impl Counter {
    async fn open(redis: &Redis) -> Self {
        Self(BufReader::new(TcpStream::connect(redis.address()).await.unwrap()))
    }

    async fn count(&mut self, command: &str) -> usize {
        self.0.write_all(format!("{command}\r\n").as_bytes()).await.unwrap();
        let mut line = String::new();
        self.0.read_line(&mut line).await.unwrap();
        line.trim().strip_prefix(':').unwrap_or_else(|| panic!("{command}: {line}")).parse().unwrap()
    }
}
