//! From sending a submission to the news that a worker runs the job, on an idle worker: to a listener that was there
//! before, and to a client that asks for the job's events once it is answered. The peer has no events; its client asks
//! for the status until it is no longer pending.

use std::{
    collections::HashMap,
    net::SocketAddr,
    time::{Duration, Instant},
};

use futures_util::StreamExt;
use serde_json::json;
use tokio::sync::mpsc;

use crate::{
    http::JOB,
    load::{Connection, get, post},
    ours,
    peer::Peer,
    support::{redis::Redis, service::Service},
    table::{Table, at, bar, in_order, percentiles},
};

const JOBS: usize = 1000;

pub async fn measure() -> Table {
    let mut table = Table::new("From a submission to its start, p50 / p99", ["", "time", "bar"]);
    let [submit, heard, asked] = ours().await.map(in_order);
    table.row(["`POST /jobs` itself", &percentiles(&submit), ""]);
    for (name, times) in [("heard on `GET /events`", heard), ("asked for at `GET /jobs/{id}/events`", asked)] {
        let reached = at(&times, 99) <= Duration::from_millis(10);
        table.row([name, &percentiles(&times), &bar("p99 10 ms", reached)]);
    }
    if let Some(peer) = Peer::installed() {
        let times = in_order(peers(&peer).await);
        table.row(["peer, its status asked for again and again", &percentiles(&times), ""]);
    }
    table.note(format!(
        "{JOBS} jobs one after another, each with the rules model and one analyst; the peer's do nothing. No process is \
         bound to a core."
    ));
    table
}

/// The times of submissions, and until their start was known in either way.
async fn ours() -> [Vec<Duration>; 3] {
    let redis = Redis::start(&[]).await;
    let (_api, address) = ours::api(None, &redis);
    let _worker = ours::worker(None, &redis, &[]);
    let service = Service::at(&format!("http://{address}"));
    let mut claims = listen(&service).await;
    let mut early: HashMap<String, Instant> = HashMap::new();
    let (mut submit, mut heard, mut asked) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..JOBS {
        let began = Instant::now();
        let job = service.submit("AAPL", "2012-09-19", json!({"selected_analysts": ["market"]})).await;
        submit.push(began.elapsed());
        service.events_until(&job, |event| event["type"] == "claimed").await;
        asked.push(began.elapsed());
        while !early.contains_key(&job) {
            let (id, at) = claims.recv().await.unwrap();
            early.insert(id, at);
        }
        heard.push(early[&job] - began);
        service.ended(&job).await;
    }
    [submit, heard, asked]
}

/// The jobs that are claimed from now on, and when that was heard.
async fn listen(service: &Service) -> mpsc::UnboundedReceiver<(String, Instant)> {
    let answer = service.http.get(format!("{}/events", service.url)).send().await.unwrap();
    let (tell, claims) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        let mut blocks = sse_stream::SseStream::from_bytes_stream(answer.bytes_stream());
        while let Some(Ok(block)) = blocks.next().await {
            let at = Instant::now();
            if block.event.as_deref() == Some("claimed") {
                let event: serde_json::Value = serde_json::from_str(&block.data.unwrap()).unwrap();
                // The bench may have ended.
                let _ = tell.send((event["job_id"].as_str().unwrap().to_owned(), at));
            }
        }
    });
    claims
}

async fn peers(peer: &Peer) -> Vec<Duration> {
    let redis = Redis::start(&[]).await;
    let (_api, address) = peer.api(&redis);
    let _worker = peer.worker(&redis, 2);
    let mut times = Vec::new();
    for _ in 0..JOBS {
        times.push(until_begun(address).await);
    }
    times
}

async fn until_begun(server: SocketAddr) -> Duration {
    let mut connection = Connection::open(server).await;
    let began = Instant::now();
    let id = connection.ask_json(&post("/jobs", JOB)).await["job_id"].as_str().unwrap().to_owned();
    let look = get(&format!("/jobs/{id}"));
    while connection.ask_json(&look).await["status"] == "pending" {}
    began.elapsed()
}
