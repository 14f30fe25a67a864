//! Submitting jobs and looking at one, by connections: our API, the peer's, and bare axum servers, each alone on a core;
//! Redis and whoever asks share the other.

use std::{any::Any, net::SocketAddr, time::Duration};

use crate::{
    bare,
    load::{Asked, Connection, Load, Question, get, in_turns, post},
    ours::{self, Ours},
    peer::Peer,
    process::{MEASURED, OTHERS, Process, bind},
    support::redis::Redis,
    table::{Table, at, bar, megabytes, percent, percentiles, rate, ratio},
};

const CONNECTIONS: [usize; 3] = [1, 16, 64];

/// A submission as programs send it.
pub const JOB: &str = r#"{"ticker": "AAPL", "date": "2012-09-19"}"#;

/// A server, and how it is asked to take a job, and for that job.
struct Server {
    address: SocketAddr,
    questions: [Question; 2],
    process: Process,
    /// What it needs as long as it runs.
    _needs: Box<dyn Any>,
}

impl Server {
    async fn new(address: SocketAddr, process: Process, needs: impl Any) -> Self {
        let submission = post("/jobs", JOB);
        let id = Connection::open(address).await.ask_json(&submission).await["job_id"].as_str().unwrap().to_owned();
        Self { address, questions: [submission, get(&format!("/jobs/{id}"))], process, _needs: Box::new(needs) }
    }

    fn asked(&self, step: usize) -> Asked<'_> {
        Asked { server: &self.process, address: self.address, question: &self.questions[step] }
    }
}

pub async fn measure() -> Table {
    bind(Some(OTHERS));
    let redis = Redis::start(&[]).await;
    let (Ours { process, folder }, address) = ours::api(Some(MEASURED), &redis);
    let mut servers = vec![Server::new(address, process, (redis, folder)).await];
    for asks in ["store", "command", "nothing"] {
        servers.push(bare(asks).await);
    }
    servers.extend(peer().await);
    let idle = servers[0].process.resident();

    let heads = [
        "",
        "ours",
        "peer",
        "to peer",
        "axum, the same of Redis",
        "of that",
        "axum, one `SET` or `GET`",
        "of that",
        "axum",
        "bars",
    ];
    let mut table = Table::new("Submitting and looking, on one core", heads);
    for (step, name) in ["`POST /jobs`", "`GET /jobs/{id}`"].into_iter().enumerate() {
        let asked: Vec<_> = servers.iter().map(|server| server.asked(step)).collect();
        for connections in CONNECTIONS {
            let loads = in_turns(&asked, connections).await;
            let [ours, same, command, alone, peer @ ..] = &loads[..] else { unreachable!("there are four at least") };
            let peer = peer.first();
            table.row([
                format!("{name}, {connections} connections"),
                shown(ours),
                peer.map_or("–".into(), shown),
                peer.map_or("–".into(), |peer| both(ours, peer, ratio)),
                shown(same),
                both(ours, same, percent),
                shown(command),
                both(ours, command, percent),
                shown(alone),
                bars(ours, peer, [same, command], step == 0 && connections == 64),
            ]);
        }
    }
    bind(None);
    let api = &servers[0].process;
    let memory = [idle, api.peak(), api.resident()].map(megabytes);
    table.note(format!(
        "Each: answers a second, by the clock and by the time that the server itself ran on its core; and p50 / p99 of their \
         times; in turns of a second. Ratios are of the first and of the second. The API's memory: {} before, {} at most, {} at \
         the end.",
        memory[0], memory[1], memory[2]
    ));
    table
}

async fn peer() -> Option<Server> {
    let peer = Peer::installed()?;
    let redis = Redis::start(&[]).await;
    let (api, address) = peer.api(&redis);
    Some(Server::new(address, api, redis).await)
}

async fn bare(asks: &str) -> Server {
    let redis = Redis::start(&[]).await;
    let (server, address) = bare::start(asks, &redis);
    Server::new(address, server, redis).await
}

fn shown(load: &Load) -> String {
    format!("{}, {}, {}", rate(load.per_second), rate(load.per_core), percentiles(&load.times))
}

/// How one compares with the other, by the clock and by the time that each ran.
fn both(ours: &Load, other: &Load, compare: impl Fn(f64, f64) -> String) -> String {
    format!("{}, {}", compare(ours.per_second, other.per_second), compare(ours.per_core, other.per_core))
}

fn bars(ours: &Load, peer: Option<&Load>, [same, command]: [&Load; 2], is_full: bool) -> String {
    let p99 = |load: &Load| at(&load.times, 99);
    let mut bars = Vec::new();
    if let Some(peer) = peer {
        bars.push(bar("10 × peer", ours.per_second >= 10.0 * peer.per_second));
        bars.push(bar("10 × peer per core", ours.per_core >= 10.0 * peer.per_core));
        bars.push(bar("p99 of peer", p99(ours) <= p99(peer)));
    }
    bars.push(bar("50 % of the same", ours.per_second >= 0.5 * same.per_second));
    bars.push(bar("50 % of one command", ours.per_second >= 0.5 * command.per_second));
    if is_full {
        bars.push(bar("p99 10 ms", p99(ours) <= Duration::from_millis(10)));
    }
    bars.join("; ")
}
