//! Submitting jobs and looking at one, by connections: our API, the peer's, and a bare axum server, each alone on a core;
//! Redis and whoever asks share the other.

use std::{net::SocketAddr, time::Duration};

use crate::{
    bare,
    load::{Connection, Load, Question, get, load, post},
    ours,
    peer::Peer,
    process::{MEASURED, OTHERS, Process, bind},
    support::redis::Redis,
    table::{Table, at, bar, megabytes, percent, percentiles, rate, ratio},
};

const CONNECTIONS: [usize; 3] = [1, 16, 64];

/// A submission as programs send it.
pub const JOB: &str = r#"{"ticker": "AAPL", "date": "2012-09-19"}"#;

/// Loads of submissions and of looks, by connections.
type Loads = [Vec<Load>; 2];

pub async fn measure() -> Table {
    bind(Some(OTHERS));
    let (ours, memory) = ours().await;
    let peer = peer().await;
    let with_redis = bare(true).await;
    let alone = bare(false).await;
    bind(None);

    let heads = ["", "ours", "peer", "to peer", "axum, one Redis round trip", "of that", "axum", "bars"];
    let mut table = Table::new("Submitting and looking, on one core", heads);
    for (step, name) in ["`POST /jobs`", "`GET /jobs/{id}`"].into_iter().enumerate() {
        for (place, connections) in CONNECTIONS.into_iter().enumerate() {
            let pick = |loads: &Loads| shown(&loads[step][place]);
            let speed = |loads: &Loads| loads[step][place].per_second;
            let peers = peer.as_ref().map(|loads| &loads[step][place]);
            table.row([
                format!("{name}, {connections} connections"),
                pick(&ours),
                peers.map_or("–".into(), shown),
                peers.map_or("–".into(), |peer| ratio(speed(&ours), peer.per_second)),
                pick(&with_redis),
                percent(speed(&ours), speed(&with_redis)),
                pick(&alone),
                bars(&ours[step][place], peers, speed(&with_redis), step == 0 && connections == 64),
            ]);
        }
    }
    table.note(format!("Each: answers a second, and p50 / p99 of their times. The API's memory after that: {memory}."));
    table
}

async fn ours() -> (Loads, String) {
    let redis = Redis::start(&[]).await;
    let (api, address) = ours::api(Some(MEASURED), &redis);
    let idle = api.process.resident();
    let loads = loads(address).await;
    let (now, peak) = (api.process.resident(), api.process.peak());
    (loads, format!("{} before, {} at most, {} at the end", megabytes(idle), megabytes(peak), megabytes(now)))
}

async fn peer() -> Option<Loads> {
    let peer = Peer::installed()?;
    let redis = Redis::start(&[]).await;
    let (_api, address) = peer.api(&redis);
    Some(loads(address).await)
}

async fn bare(with_redis: bool) -> Loads {
    let redis = Redis::start(&[]).await;
    let (_server, address): (Process, SocketAddr) = bare::start("bare", with_redis.then_some(&redis));
    loads(address).await
}

async fn loads(server: SocketAddr) -> Loads {
    let submission = post("/jobs", JOB);
    let id = Connection::open(server).await.ask_json(&submission).await["job_id"].as_str().unwrap().to_owned();
    let look = get(&format!("/jobs/{id}"));
    [by_connections(server, &submission).await, by_connections(server, &look).await]
}

async fn by_connections(server: SocketAddr, question: &Question) -> Vec<Load> {
    let mut loads = Vec::new();
    for connections in CONNECTIONS {
        let mut load = load(server, connections, question).await;
        load.times.sort_unstable();
        println!("  {connections} connections: {}", shown(&load));
        loads.push(load);
    }
    loads
}

fn shown(load: &Load) -> String {
    format!("{}, {}", rate(load.per_second), percentiles(&mut load.times.clone()))
}

fn bars(ours: &Load, peer: Option<&Load>, limit: f64, is_full: bool) -> String {
    let p99 = |load: &Load| at(&load.times, 99);
    let mut bars = Vec::new();
    if let Some(peer) = peer {
        bars.push(bar("10 × peer", ours.per_second >= 10.0 * peer.per_second));
        bars.push(bar("p99 of peer", p99(ours) <= p99(peer)));
    }
    bars.push(bar("50 %", ours.per_second >= 0.5 * limit));
    if is_full {
        bars.push(bar("p99 10 ms", p99(ours) <= Duration::from_millis(10)));
    }
    bars.join("; ")
}
