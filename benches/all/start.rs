//! From start to ready, idle memory, and sizes.

use std::{
    env, fs,
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

use tokio::time::sleep;

use crate::{
    ours,
    peer::Peer,
    process::PROGRAM,
    support::redis::Redis,
    table::{Table, at, bar, in_order, megabytes, time},
};

const STARTS: usize = 5;

/// How long a process is idle before its memory is looked at: the first heartbeats are over then.
const IDLE: Duration = Duration::from_secs(3);

const READY: Duration = Duration::from_millis(200);

pub async fn measure() -> Table {
    let redis = Redis::start(&[]).await;
    let mut table = Table::new("Start, memory and size", ["", "ours", "peer", "bar"]);
    let peer = Peer::installed();

    let api = median(|| ours::api(None, &redis));
    let worker = median(|| ours::worker(None, &redis, &[]));
    let peers_api = peer.as_ref().map_or("–".into(), |peer| time(median(|| peer.api(&redis))));
    let peers_worker = peer.as_ref().map_or("–".into(), |peer| time(median(|| peer.worker(&redis, 2))));
    table.row(["API, start to ready".into(), time(api), peers_api, bar("200 ms", api <= READY)]);
    table.row(["worker, start to ready".into(), time(worker), peers_worker, bar("200 ms", worker <= READY)]);

    let (api, _) = ours::api(None, &redis);
    let worker = ours::worker(None, &redis, &[]);
    sleep(IDLE).await;
    let (api, worker) = (api.process.resident(), worker.process.resident());
    let peers = peer.as_ref().map(|peer| (peer.api(&redis).0, peer.worker(&redis, 2)));
    sleep(IDLE).await;
    let shown = |family: Option<u64>| family.map_or("–".into(), megabytes);
    let peers_api = shown(peers.as_ref().map(|(api, _)| api.family()));
    let peers_worker = shown(peers.as_ref().map(|(_, worker)| worker.family()));
    table.row(["API, idle memory".into(), megabytes(api), peers_api, bar("30 MB", api <= 30_000_000)]);
    table.row(["worker, idle memory".into(), megabytes(worker), peers_worker, bar("50 MB", worker <= 50_000_000)]);

    let size = |path: &Path| fs::metadata(path).map_or("not built".into(), |file| megabytes(file.len()));
    let built = |profile| Path::new(PROGRAM).parent().unwrap().with_file_name(profile).join("tradingagents");
    table.row(["program, profile `release`", &size(&built("release")), "", ""]);
    table.row(["program, profile `dist`, as in the images", &size(&built("dist")), "", ""]);
    for image in ["api", "worker"] {
        table.row([&format!("image of the {image}, unpacked"), &image_size(image), "", ""]);
    }
    table.note(
        "The peer's memory is that of a process and its children, what they share counted once; its worker runs two jobs \
         at once, as ours. Of starts it is the median of five, on all cores.",
    );
    table
}

/// The median time of a few starts; how it ends does not count.
fn median<T>(start: impl Fn() -> T) -> Duration {
    let times = (0..STARTS)
        .map(|_| {
            let began = Instant::now();
            let started = start();
            let took = began.elapsed();
            drop(started);
            took
        })
        .collect();
    at(&in_order(times), 50)
}

/// The size of a loaded image. `DOCKER` is the command to ask.
fn image_size(part: &str) -> String {
    let docker = env::var("DOCKER").unwrap_or_else(|_| "docker".into());
    let mut words = docker.split(' ');
    let image = format!("tradingagents-{part}:{}", env!("CARGO_PKG_VERSION"));
    let output =
        Command::new(words.next().unwrap()).args(words).args(["image", "inspect", "-f", "{{.Size}}", &image]).output();
    let size = output.ok().and_then(|output| String::from_utf8(output.stdout).ok()?.trim().parse().ok());
    size.map_or("not loaded".into(), megabytes)
}
