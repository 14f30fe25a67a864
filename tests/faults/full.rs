//! No room: in the memory of Redis, and on the disk.

use std::{fs, time::Duration};

use fastrand::Rng;
use serde_json::json;
use tokio::time::{sleep, timeout};
use tradingagents::jobs::{ErrorType, Status};

use crate::{
    audit::report,
    disk::Disk,
    program::PATIENCE,
    redis::Redis,
    runs::{Run, jobs, wait},
};

/// How often there is no room, each time for longer than a lease.
const TIMES: u32 = 2;

/// A disk of so many MiB for each thousand jobs holds what such a run writes many times.
const DISK: usize = 64;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_promise_is_kept_while_redis_has_no_memory_left() {
    let redis = Redis::start(&["--appendonly", "yes", "--maxmemory-policy", "noeviction"]).await;
    // Longer than a slow machine may keep a worker from renewing.
    let lease = [("JOB_LEASE", "6".to_owned())];
    let run = Run::start("a full Redis", redis, jobs() / 20, |_| lease.to_vec()).await;
    let mut rng = Rng::with_seed(run.seed);
    for _ in 0..TIMES {
        wait(&mut rng, 100..1000).await;
        run.stack.redis.cli(&["CONFIG", "SET", "maxmemory", "1mb"]).await;
        is_refused(&run.stack.url()).await;
        wait(&mut rng, 6500..7500).await;
        run.stack.redis.cli(&["CONFIG", "SET", "maxmemory", "0"]).await;
    }
    let tally = run.audit().await;
    assert_eq!(tally.leases_lost, 0, "who has to wait for room keeps its lease");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_promise_is_kept_while_the_disk_of_redis_and_results_is_full() {
    let size = u32::try_from(DISK * jobs().div_ceil(1000)).unwrap();
    let (Some(disk), Some(of_results)) = (Disk::mount(size), Disk::mount(size)) else {
        report("a full disk", 0, &["not run, for only root can mount one".into()]);
        return;
    };
    let (folder, results) = (disk.path(), of_results.path().join("results"));
    let options = ["--appendonly", "yes", "--appendfsync", "everysec", "--dir", folder.to_str().unwrap()];
    let settings = [("RESULTS_DIR", results.display().to_string()), ("JOB_RETRY_BACKOFF", "1".into())];
    let mut run = Run::start("a full disk", Redis::start(&options).await, jobs() / 20, |_| settings.to_vec()).await;
    run.stack.results = results;
    let mut rng = Rng::with_seed(run.seed);
    for round in 0..TIMES {
        wait(&mut rng, 100..1000).await;
        let filler_of_results = of_results.fill();
        waits_for_a_disk(&run, round).await;
        let filler = disk.fill();
        is_refused(&run.stack.url()).await;
        wait(&mut rng, 2000..4000).await;
        fs::remove_file(filler).unwrap();
        fs::remove_file(filler_of_results).unwrap();
    }
    run.audit().await;
}

/// A job is accepted whose result has no room, and tried again for that.
async fn waits_for_a_disk(run: &Run, round: u32) {
    let http = reqwest::Client::builder().timeout(Duration::from_secs(5)).build().unwrap();
    let body = json!({"ticker": "AAPL", "date": "2012-09-19", "priority": "high"});
    let waits = async {
        loop {
            let request = http.post(format!("{}/jobs", run.stack.url())).header("idempotency-key", format!("{round}"));
            let _ = request.json(&body).send().await;
            if run
                .audit
                .jobs()
                .await
                .values()
                .any(|job| job.status == Status::Pending && job.error_type == Some(ErrorType::StorageError))
            {
                return;
            }
            sleep(Duration::from_millis(50)).await;
        }
    };
    timeout(PATIENCE, waits).await.expect("a result without room is tried again");
}

/// Nothing is promised that can't be kept: soon, submissions are answered 503.
async fn is_refused(url: &str) {
    let http = reqwest::Client::builder().timeout(Duration::from_secs(5)).build().unwrap();
    // One that is taken meanwhile, for there was still room, is a job like the others.
    let body = json!({"ticker": "AAPL", "date": "2012-09-19", "config": {"selected_analysts": ["market"]}});
    let refused = async {
        loop {
            let answer =
                http.post(format!("{url}/jobs")).header("idempotency-key", "one-more").json(&body).send().await;
            if answer.is_ok_and(|answer| answer.status() == 503 && answer.headers().contains_key("retry-after")) {
                return;
            }
            sleep(Duration::from_millis(50)).await;
        }
    };
    timeout(PATIENCE, refused).await.expect("a full store refuses jobs");
}
