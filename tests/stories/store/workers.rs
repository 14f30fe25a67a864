//! Heartbeats.

use chrono::{DateTime, Utc};
use tradingagents::jobs::{Gpu, JobId, Store, WorkerId, WorkerInfo};

use super::stage::{LONG, SHORT, Stage, eventually, worker_named};

for_both! {
    workers_that_beat_are_listed_with_what_they_say,
    a_worker_that_fell_silent_is_no_longer_listed,
    a_worker_that_signs_off_is_forgotten_at_once,
}

async fn workers_that_beat_are_listed_with_what_they_say(stage: Stage) {
    let store = stage.store().await;
    assert_eq!(store.workers().await.unwrap(), []);
    let (one, two) = (info("one"), info("two"));
    store.heartbeat(&one).await.unwrap();
    store.heartbeat(&two).await.unwrap();
    let more = WorkerInfo { finished: 7, draining: true, ..one.clone() };
    store.heartbeat(&more).await.unwrap();
    store.tidy().await.unwrap();

    let mut workers = store.workers().await.unwrap();
    workers.sort_by(|a, b| a.id.0.cmp(&b.id.0));
    assert!(workers.iter().all(|worker| worker.seen_at > one.seen_at), "the store says when it heard of them");
    let said: Vec<_> = workers.into_iter().map(|worker| WorkerInfo { seen_at: one.seen_at, ..worker }).collect();
    assert_eq!(said, [more, two]);
}

async fn a_worker_that_fell_silent_is_no_longer_listed(stage: Stage) {
    let store = stage.store_with(SHORT, LONG).await;
    store.heartbeat(&info("silent")).await.unwrap();
    eventually(async || store.workers().await.unwrap().is_empty().then_some(())).await;
    store.tidy().await.unwrap();
    if let Stage::Redis(redis) = &stage {
        let keys = redis.cli(&["KEYS", "*"]).await;
        assert!(!keys.contains("workers"), "{keys}");
    }
    store.heartbeat(&info("silent")).await.unwrap();
    assert_eq!(names(&*store).await, [worker_named("silent")]);
}

async fn a_worker_that_signs_off_is_forgotten_at_once(stage: Stage) {
    let store = stage.store().await;
    store.heartbeat(&info("one")).await.unwrap();
    store.heartbeat(&info("two")).await.unwrap();
    store.forget_worker(&worker_named("one")).await.unwrap();
    store.forget_worker(&worker_named("unknown")).await.unwrap();
    assert_eq!(names(&*store).await, [worker_named("two")]);
}

async fn names(store: &dyn Store) -> Vec<WorkerId> {
    store.workers().await.unwrap().into_iter().map(|worker| worker.id).collect()
}

fn info(name: &str) -> WorkerInfo {
    WorkerInfo {
        id: worker_named(name),
        version: "0.1.0".into(),
        started_at: Utc::now(),
        seen_at: DateTime::UNIX_EPOCH,
        concurrency: 2,
        running: vec![JobId::new(), JobId::new()],
        finished: 0,
        draining: false,
        models: None,
        no_gpu: None,
        gpus: vec![Gpu {
            name: "NVIDIA H100".into(),
            uuid: "GPU-1".into(),
            memory_total: Some(80 << 30),
            memory_used: Some(3 << 30),
            utilization: Some(41),
            driver_version: "550.54.15".into(),
            cuda_version: Some("12.4".into()),
        }],
    }
}
