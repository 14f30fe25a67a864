//! What a queue costs when many jobs wait in it: `cargo bench --bench scale`.
//!
//! Submits 1,000 and 1,000,000 jobs to a Redis, and 1,000 and 100,000 to the embedded store in a file, and prints beside
//! each other how long it then takes to submit, claim, read and list, and how large a job is. `SCALE_REDIS` and
//! `SCALE_EMBEDDED` set other numbers for the larger ones. It needs 2 GB of memory.

#![allow(clippy::unwrap_used, reason = "a bench that can't go on has failed")]
#![allow(dead_code, reason = "the stories' harness, of which this uses a part")]

#[path = "../tests/stories/support/redis.rs"]
mod redis;

use std::{
    env, fs,
    sync::Arc,
    time::{Duration, Instant},
};

use redis::Redis;
use tokio::task::JoinSet;
use tradingagents::jobs::{
    BatchId, EmbeddedStore, JobConfig, JobId, JobRequest, Listing, RedisStore, Status, Store, Submission, WorkerId,
};

/// How often each step is timed.
const SAMPLES: usize = 1000;

/// Submissions that are under way at once while a store is filled, and how many jobs each has.
const FILLERS: (usize, usize) = (8, 100);

/// Different tickers; few, so that a page of one is full with few jobs too.
const TICKERS: usize = 40;

const FEW: usize = 1000;
const LONG: Duration = Duration::from_hours(24);

/// What was measured with one number of jobs.
struct Figures {
    jobs: usize,
    /// Bytes for each job.
    size: u64,
    steps: Vec<(&'static str, Vec<Duration>)>,
}

#[tokio::main]
async fn main() {
    let many = |name: &str, usual: usize| env::var(name).map_or(usual, |text| text.parse().unwrap());
    let mut on_redis = Vec::new();
    for jobs in [FEW, many("SCALE_REDIS", 1_000_000)] {
        on_redis.push(measure_redis(jobs).await);
    }
    print("Redis", &on_redis);
    let mut embedded = Vec::new();
    for jobs in [FEW, many("SCALE_EMBEDDED", 100_000)] {
        embedded.push(measure_embedded(jobs).await);
    }
    print("the embedded store", &embedded);
}

async fn measure_redis(jobs: usize) -> Figures {
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
    Figures { jobs, size, steps: steps(&*store, middle).await }
}

async fn measure_embedded(jobs: usize) -> Figures {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("jobs.redb");
    let store: Arc<dyn Store> = Arc::new(EmbeddedStore::open(&file, LONG, LONG).unwrap());
    let middle = fill(&store, jobs).await;
    let size = fs::metadata(&file).unwrap().len() / jobs as u64;
    Figures { jobs, size, steps: steps(&*store, middle).await }
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

fn request(number: usize) -> JobRequest {
    let ticker = format!("T{}", number % TICKERS).parse().unwrap();
    JobRequest::new(ticker, "2024-05-10".parse().unwrap(), JobConfig::default())
}

fn print(store: &str, figures: &[Figures]) {
    let heads: Vec<_> = figures.iter().map(|figures| format!("{:>22}", format!("{} pending", figures.jobs))).collect();
    println!("{store}, p50 / p99 of {SAMPLES}:\n  {:<32}{}", "", heads.join(""));
    for (place, (what, _)) in figures[0].steps.iter().enumerate() {
        let times = figures.iter().map(|figures| {
            let times = &figures.steps[place].1;
            format!("{:>22}", format!("{:.2?} / {:.2?}", times[SAMPLES / 2], times[SAMPLES * 99 / 100]))
        });
        println!("  {what:<32}{}", times.collect::<String>());
    }
    let sizes = figures.iter().map(|figures| format!("{:>22}", figures.size));
    println!("  {:<32}{}", "bytes for each job", sizes.collect::<String>());
}
