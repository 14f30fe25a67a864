//! What a queue costs when many jobs wait in it, step by step as a store does them: in Redis, and in the embedded store's
//! file. It needs 2 GB of memory.

use std::{
    any::Any,
    fs,
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::task::JoinSet;
use tradingagents::jobs::{
    BatchId, EmbeddedStore, JobConfig, JobId, JobRequest, Listing, RedisStore, Status, Store, Submission, WorkerId,
};

use crate::{
    support::redis::Redis,
    table::{Table, at, bar, in_order, percentiles},
};

/// How often each step is timed.
const SAMPLES: usize = 1000;

/// Submissions that are under way at once while a store is filled, and how many jobs each has.
const FILLERS: (usize, usize) = (8, 100);

/// Different tickers; few, so that a page of one is full with few jobs too.
const TICKERS: usize = 40;

/// Pending jobs of each measurement.
const ON_REDIS: [usize; 3] = [1000, 100_000, 1_000_000];
const EMBEDDED: [usize; 2] = [1000, 100_000];

/// The lease and the time to live of jobs, which play no part.
pub const LONG: Duration = Duration::from_hours(24);

/// How many of a step each queue takes before it is the next one's turn. The queues take turns, so that a machine which is
/// slower for a while is so for all of them.
const TURN: usize = 20;

/// A store with many pending jobs.
struct Queue {
    store: Arc<dyn Store>,
    /// The job in the middle.
    middle: JobId,
    /// Bytes for each job.
    size: u64,
    /// What the store needs for as long as it is used.
    _needs: Box<dyn Any>,
}

/// A step, and the times that it took in each queue, in order of length.
type Times = (&'static str, Vec<Vec<Duration>>);

pub async fn measure() -> Table {
    let mut queues = Vec::new();
    for jobs in ON_REDIS {
        queues.push(on_redis(jobs).await);
    }
    for jobs in EMBEDDED {
        queues.push(embedded(jobs).await);
    }
    let heads = ["1,000 pending", "100,000", "1,000,000", "bar", "embedded, 1,000", "embedded, 100,000"];
    let mut table = Table::new("Steps of the store with many pending jobs, p50 / p99", [""].into_iter().chain(heads));
    for (what, times) in steps(&queues).await {
        let mut cells: Vec<_> = times.iter().map(|times| percentiles(times)).collect();
        cells.insert(0, what.to_owned());
        cells.insert(4, if matches!(what, "submit" | "claim") { within(&times) } else { String::new() });
        table.row(cells);
    }
    let mut sizes: Vec<_> = queues.iter().map(|queue| queue.size.to_string()).collect();
    sizes.insert(0, "bytes for each job".into());
    sizes.insert(4, String::new());
    table.row(sizes);
    table.note(format!(
        "Each of {SAMPLES}, one after another, {TURN} in one queue and then in the next; each Redis is asked by one connection."
    ));
    table
}

/// Whether a step takes as long with a million jobs as with a thousand.
fn within(times: &[Vec<Duration>]) -> String {
    let (thousand, million) = (at(&times[0], 50), at(&times[2], 50));
    let more = (million.as_secs_f64() / thousand.as_secs_f64() - 1.0) * 100.0;
    format!("{more:+.0} %, {}", bar("within 20 %", more <= 20.0))
}

async fn on_redis(jobs: usize) -> Queue {
    let redis = Redis::start(&[]).await;
    let store: Arc<dyn Store> = Arc::new(RedisStore::connect(&redis.url(), LONG, LONG).unwrap());
    store.last_event().await.unwrap();
    let used = async || {
        let memory = redis.cli(&["INFO", "memory"]).await;
        memory.lines().find_map(|line| line.strip_prefix("used_memory:")).unwrap().trim().parse::<u64>().unwrap()
    };
    let before = used().await;
    let middle = fill(&store, jobs).await;
    let size = (used().await - before) / jobs as u64;
    Queue { store, middle, size, _needs: Box::new(redis) }
}

async fn embedded(jobs: usize) -> Queue {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("jobs.redb");
    let store: Arc<dyn Store> = Arc::new(EmbeddedStore::open(&file, LONG, LONG).unwrap());
    let middle = fill(&store, jobs).await;
    let size = fs::metadata(&file).unwrap().len() / jobs as u64;
    Queue { store, middle, size, _needs: Box::new(folder) }
}

/// Submits so many jobs; returns the one in the middle.
async fn fill(store: &Arc<dyn Store>, jobs: usize) -> JobId {
    let (at_once, size) = FILLERS;
    let mut submits = JoinSet::new();
    let mut ids = Vec::new();
    for first in (0..jobs).step_by(size) {
        if submits.len() == at_once {
            submits.join_next().await.unwrap().unwrap();
        }
        let jobs: Vec<_> = (first..jobs.min(first + size)).map(|number| (JobId::new(), request(number))).collect();
        ids.extend(jobs.iter().map(|(id, _)| *id));
        let submission = Submission { jobs, batch: Some(BatchId::new()), key: None, most_pending: None };
        let store = store.clone();
        submits.spawn(async move { store.submit(&submission).await.unwrap() });
    }
    submits.join_all().await;
    assert_eq!(store.stats().await.unwrap().pending, jobs as u64);
    ids[jobs / 2]
}

/// Times each step, one after another. Claims come late, so that the lists before them show as much with few jobs as with
/// many.
async fn steps(queues: &[Queue]) -> Vec<Times> {
    let worker = WorkerId("bench".into());
    let ticker = Some(request(0).ticker);
    let page = Listing { limit: 20, ..Listing::default() };
    let pending = Listing { status: Some(Status::Pending), ..page.clone() };
    let submit = time("submit", queues, async |queue, number| {
        queue.store.submit(&Submission::of_job(JobId::new(), request(number))).await.unwrap();
    });
    let mut timed = vec![submit.await];
    let look = time("look at a job", queues, async |queue, _| {
        queue.store.get(queue.middle).await.unwrap().unwrap();
    });
    timed.push(look.await);
    let count = time("count by status", queues, async |queue, _| {
        queue.store.stats().await.unwrap();
    });
    timed.push(count.await);
    timed.push(list("list: newest", queues, &page).await);
    timed.push(list("list: pending", queues, &pending).await);
    let from_the_middle = time("list: pending, from the middle", queues, async |queue, _| {
        let listing = Listing { cursor: Some(queue.middle), ..pending.clone() };
        queue.store.list(&listing).await.unwrap();
    });
    timed.push(from_the_middle.await);
    timed.push(list("list: of a ticker", queues, &Listing { ticker: ticker.clone(), ..page.clone() }).await);
    let failed = Listing { status: Some(Status::Failed), ..page.clone() };
    timed.push(list("list: failed (none)", queues, &failed).await);
    let claim = time("claim", queues, async |queue, _| {
        queue.store.claim(&worker).await.unwrap().unwrap();
    });
    timed.push(claim.await);
    let running = Listing { ticker, status: Some(Status::Running), ..page };
    timed.push(list("list: running of a ticker", queues, &running).await);
    timed
}

async fn list(what: &'static str, queues: &[Queue], listing: &Listing) -> Times {
    let list = async |queue: &Queue, _| {
        queue.store.list(listing).await.unwrap();
    };
    time(what, queues, list).await
}

async fn time(what: &'static str, queues: &[Queue], step: impl AsyncFn(&Queue, usize)) -> Times {
    let mut times = vec![Vec::with_capacity(SAMPLES); queues.len()];
    for turn in (0..SAMPLES).step_by(TURN) {
        for (queue, times) in queues.iter().zip(&mut times) {
            for number in turn..turn + TURN {
                let began = Instant::now();
                step(queue, number).await;
                times.push(began.elapsed());
            }
        }
    }
    (what, times.into_iter().map(in_order).collect())
}

pub fn request(number: usize) -> JobRequest {
    let ticker = format!("T{}", number % TICKERS).parse().unwrap();
    JobRequest::new(ticker, "2024-05-10".parse().unwrap(), JobConfig::default())
}
