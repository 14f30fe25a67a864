//! What a queue costs when many jobs wait in it, step by step as a store does them: in Redis, and in the embedded store's
//! file. It needs 2 GB of memory.

use std::{
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
    table::{Table, at, bar, percentiles},
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

pub const LONG: Duration = Duration::from_hours(24);

/// What was measured with one number of jobs.
struct Figures {
    /// Bytes for each job.
    size: u64,
    steps: Vec<(&'static str, Vec<Duration>)>,
}

pub async fn measure() -> Table {
    let mut figures = Vec::new();
    for jobs in ON_REDIS {
        figures.push(on_redis(jobs).await);
    }
    for jobs in EMBEDDED {
        figures.push(embedded(jobs).await);
    }
    let heads = ["1,000 pending", "100,000", "1,000,000", "bar", "embedded, 1,000", "embedded, 100,000"];
    let mut table = Table::new("Steps of the store with many pending jobs, p50 / p99", [""].into_iter().chain(heads));
    let names: Vec<_> = figures[0].steps.iter().map(|(what, _)| *what).collect();
    for (place, what) in names.into_iter().enumerate() {
        let mut cells: Vec<_> = figures.iter_mut().map(|figures| percentiles(&mut figures.steps[place].1)).collect();
        cells.insert(0, what.to_owned());
        cells.insert(4, if matches!(what, "submit" | "claim") { within(&figures, place) } else { String::new() });
        table.row(cells);
    }
    let mut sizes: Vec<_> = figures.iter().map(|figures| figures.size.to_string()).collect();
    sizes.insert(0, "bytes for each job".into());
    sizes.insert(4, String::new());
    table.row(sizes);
    table.note(format!("Each of {SAMPLES}, one after another; Redis is asked by one connection."));
    table
}

/// Whether a step takes as long with a million jobs as with a thousand.
fn within(figures: &[Figures], place: usize) -> String {
    let median = |figures: &Figures| at(&figures.steps[place].1, 50);
    bar("within 20 %", median(&figures[2]) <= median(&figures[0]).mul_f64(1.2))
}

async fn on_redis(jobs: usize) -> Figures {
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
    Figures { size, steps: steps(&*store, middle).await }
}

async fn embedded(jobs: usize) -> Figures {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("jobs.redb");
    let store: Arc<dyn Store> = Arc::new(EmbeddedStore::open(&file, LONG, LONG).unwrap());
    let middle = fill(&store, jobs).await;
    let size = fs::metadata(&file).unwrap().len() / jobs as u64;
    Figures { size, steps: steps(&*store, middle).await }
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
async fn steps(store: &dyn Store, middle: JobId) -> Vec<(&'static str, Vec<Duration>)> {
    let worker = WorkerId("bench".into());
    let ticker = Some(request(0).ticker);
    let page = Listing { limit: 20, ..Listing::default() };
    let pending = Listing { status: Some(Status::Pending), ..page.clone() };
    let submit = time(async |number| {
        store.submit(&Submission::of_job(JobId::new(), request(number))).await.unwrap();
    });
    let mut timed = vec![("submit", submit.await)];
    let look = time(async |_| {
        store.get(middle).await.unwrap().unwrap();
    });
    timed.push(("look at a job", look.await));
    let count = time(async |_| {
        store.stats().await.unwrap();
    });
    timed.push(("count by status", count.await));
    let list = async |listing: Listing| {
        let list = time(async |_| {
            store.list(&listing).await.unwrap();
        });
        list.await
    };
    timed.push(("list: newest", list(page.clone()).await));
    timed.push(("list: pending", list(pending.clone()).await));
    timed.push(("list: pending, from the middle", list(Listing { cursor: Some(middle), ..pending }).await));
    timed.push(("list: of a ticker", list(Listing { ticker: ticker.clone(), ..page.clone() }).await));
    timed.push(("list: failed (none)", list(Listing { status: Some(Status::Failed), ..page.clone() }).await));
    let claim = time(async |_| {
        store.claim(&worker).await.unwrap().unwrap();
    });
    timed.push(("claim", claim.await));
    timed.push(("list: running of a ticker", list(Listing { ticker, status: Some(Status::Running), ..page }).await));
    timed
}

async fn time(step: impl AsyncFn(usize)) -> Vec<Duration> {
    let mut times = Vec::with_capacity(SAMPLES);
    for number in 0..SAMPLES {
        let began = Instant::now();
        step(number).await;
        times.push(began.elapsed());
    }
    times.sort_unstable();
    times
}

pub fn request(number: usize) -> JobRequest {
    let ticker = format!("T{}", number % TICKERS).parse().unwrap();
    JobRequest::new(ticker, "2024-05-10".parse().unwrap(), JobConfig::default())
}
