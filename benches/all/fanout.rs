//! Ten thousand listeners of one API process, each of which hears of everything. What they hear of is submitted beside the
//! API, in one step: it has all the work of telling at once.

use std::{net::SocketAddr, sync::Arc, time::Instant};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::Barrier,
    task::JoinSet,
};
use tradingagents::jobs::{BatchId, JobId, RedisStore, Store, Submission};

use crate::{
    ours,
    process::{MEASURED, OTHERS, bind},
    scale::{LONG, request},
    support::redis::Redis,
    table::{Table, bar, megabytes, rate, time},
};

const LISTENERS: usize = 10_000;

/// Jobs that are submitted, each of which is one event.
const EVENTS: usize = 100;

/// Listeners that connect at the same time.
const AT_ONCE: usize = 20;

const MOST_MEMORY: u64 = 500_000_000;

pub async fn measure() -> Table {
    bind(Some(OTHERS));
    raise_open_files();
    let redis = Redis::start(&[]).await;
    let (api, address) = ours::api(Some(MEASURED), &redis);
    let idle = api.process.resident();
    let store = RedisStore::connect(&redis.url(), LONG, LONG).unwrap();
    store.last_event().await.unwrap();
    let began = Instant::now();
    let (mut listeners, start) = connect(address).await;
    let (connected, waiting) = (began.elapsed(), api.process.resident());

    start.wait().await;
    let began = Instant::now();
    let jobs = (0..EVENTS).map(|number| (JobId::new(), request(number))).collect();
    let batch = Submission { jobs, batch: Some(BatchId::new()), key: None, most_pending: None };
    store.submit(&batch).await.unwrap();
    let mut heard = listeners.join_next().await.unwrap().unwrap();
    let all = heard.clone();
    let mut missed = 0;
    while let Some(other) = listeners.join_next().await {
        heard = other.unwrap();
        missed += usize::from(heard != all);
    }
    let (took, peak) = (began.elapsed(), api.process.peak());
    bind(None);

    let mut table = Table::new("Ten thousand listeners of all jobs, one API process on one core", ["", "", "bar"]);
    table.row(["to connect them".to_owned(), time(connected), String::new()]);
    table.row([
        "memory idle, with them, at most".to_owned(),
        format!("{}, {}, {}", megabytes(idle), megabytes(waiting), megabytes(peak)),
        bar("500 MB", peak <= MOST_MEMORY),
    ]);
    let told = format!("{EVENTS} events told to {LISTENERS}");
    table.row([told, time(took), rate((EVENTS * LISTENERS) as f64 / took.as_secs_f64())]);
    table.row([
        "listeners that missed one, or heard one twice or out of order".to_owned(),
        missed.to_string(),
        bar("none", missed == 0 && all.len() == EVENTS),
    ]);
    table
}

/// Connects all, and gives what each will have heard, and what lets them begin to read.
async fn connect(api: SocketAddr) -> (JoinSet<Vec<String>>, Arc<Barrier>) {
    let start = Arc::new(Barrier::new(LISTENERS + 1));
    let mut listeners = JoinSet::new();
    for _ in 0..LISTENERS / AT_ONCE {
        let mut connecting: JoinSet<_> = (0..AT_ONCE).map(|_| Listener::connect(api)).collect();
        while let Some(listener) = connecting.join_next().await {
            let (listener, start) = (listener.unwrap(), start.clone());
            listeners.spawn(async move {
                start.wait().await;
                listener.hear().await
            });
        }
    }
    (listeners, start)
}

/// A connection on which events come.
struct Listener {
    stream: TcpStream,
    /// What came and is no whole line yet.
    rest: Vec<u8>,
}

impl Listener {
    /// Asks for all events; they come once this has the answer's head.
    async fn connect(api: SocketAddr) -> Self {
        let mut stream = TcpStream::connect(api).await.unwrap();
        stream.write_all(b"GET /events HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
        let mut listener = Self { stream, rest: Vec::new() };
        loop {
            let line = listener.line().await;
            assert!(line.is_empty() || !line.starts_with(b"HTTP/1.1") || line.starts_with(b"HTTP/1.1 200"), "{line:?}");
            if line.is_empty() {
                return listener;
            }
        }
    }

    /// The ids of the events, once all have come.
    async fn hear(mut self) -> Vec<String> {
        let mut ids = Vec::with_capacity(EVENTS);
        while ids.len() < EVENTS {
            let line = self.line().await;
            if let Some(id) = line.strip_prefix(b"id: ") {
                ids.push(String::from_utf8(id.to_vec()).unwrap());
            }
        }
        ids
    }

    /// The next line, without its end.
    async fn line(&mut self) -> Vec<u8> {
        loop {
            if let Some(end) = self.rest.iter().position(|byte| *byte == b'\n') {
                let mut line: Vec<u8> = self.rest.drain(..=end).collect();
                line.truncate(line.trim_ascii_end().len());
                return line;
            }
            assert!(self.stream.read_buf(&mut self.rest).await.unwrap() > 0, "the stream ended");
        }
    }
}

/// As the API does for itself.
fn raise_open_files() {
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit }).unwrap();
    let most = limit.maximum.unwrap_or(u64::MAX);
    assert!(most > LISTENERS as u64 + 100, "the limit of open files is {most}; see ulimit -Hn");
}
