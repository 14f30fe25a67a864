//! What can be said of jobs when they are submitted: priority, time, idempotency keys, batches.

use std::{
    collections::HashSet,
    sync::Arc,
    time::{Duration, Instant},
};

use chrono::{DateTime, Utc};
use tokio::task::JoinSet;
use tradingagents::jobs::{
    BatchId, IdempotencyKey, JobId, JobRequest, Priority, Receipt, Scope, Stats, Store, Submission, SubmitError,
    transition::Transition,
};

use super::stage::{
    LONG, SHORT, Stage, apply, claim, completion, eventually, failure, get, request, running, soon, stored, submit,
    submit_request, worker,
};

for_both! {
    each_priority_is_claimed_in_its_own_order_and_none_is_left_out,
    a_released_or_retried_job_keeps_its_priority,
    whoever_waits_wakes_for_every_priority,
    leases_hold_and_end_at_every_priority,
    a_cancelled_job_leaves_the_queue_of_its_priority,
    a_job_that_may_not_begin_yet_is_pending_until_its_time,
    a_job_whose_time_is_past_begins_at_once,
    a_scheduled_job_can_be_cancelled,
    the_longest_wait_is_that_of_jobs_that_are_ready,
    a_backoff_is_no_part_of_the_longest_wait,
    more_jobs_than_one_step_takes_come_due_together,
    a_repeated_submission_is_the_same_job_whatever_became_of_it,
    a_key_that_was_used_for_another_request_is_refused,
    two_submissions_with_one_key_at_once_are_one_job,
    a_key_is_free_again_when_its_job_is_forgotten,
    a_batch_is_stored_in_one_step_and_its_jobs_know_it,
    a_repeated_batch_is_the_same_batch,
    a_batch_is_forgotten_with_its_last_job,
    a_full_queue_refuses_whole_submissions_and_takes_jobs_again_when_some_have_begun,
    submissions_at_once_fill_a_queue_to_the_last_place_and_no_further,
}

async fn each_priority_is_claimed_in_its_own_order_and_none_is_left_out(stage: Stage) {
    let store = stage.store().await;
    let mut submitted: [Vec<JobId>; 3] = Default::default();
    for _ in 0..32 {
        for (place, priority) in Priority::ALL.into_iter().enumerate().rev() {
            submitted[place].push(submit_at(&*store, priority).await);
        }
    }
    let mut claimed: [Vec<JobId>; 3] = Default::default();
    for _ in 0..32 {
        let job = claim(&*store).await.job;
        let place = Priority::ALL.iter().position(|priority| *priority == job.request.priority).unwrap();
        claimed[place].push(job.id);
    }
    assert_eq!([0, 1, 2].map(|place| claimed[place].len()), [24, 6, 2]);
    while let Some(claim) = store.claim(&worker()).await.unwrap() {
        let place = Priority::ALL.iter().position(|priority| *priority == claim.job.request.priority).unwrap();
        claimed[place].push(claim.job.id);
    }
    assert_eq!(claimed, submitted);
}

async fn a_released_or_retried_job_keeps_its_priority(stage: Stage) {
    let store = stage.store().await;
    for priority in Priority::ALL {
        let id = submit_at(&*store, priority).await;
        let first = claim(&*store).await;
        apply(&*store, &Transition::release(&first.lease(), worker())).await;
        let second = claim(&*store).await;
        apply(&*store, &Transition::retry(&second.lease(), &failure(), 1, Duration::from_millis(1))).await;
        let third = eventually(async || {
            store.tidy().await.unwrap();
            store.claim(&worker()).await.unwrap()
        })
        .await;
        assert_eq!((third.job.id, third.job.attempt, third.job.request.priority), (id, 3, priority));
        apply(&*store, &Transition::fail(&third.lease(), &failure())).await;
        apply(&*store, &Transition::requeue(id)).await;
        let fourth = claim(&*store).await;
        assert_eq!((fourth.job.id, fourth.job.request.priority), (id, priority));
        apply(&*store, &completion(&fourth.lease())).await;
    }
    assert_eq!(store.claim(&worker()).await.unwrap(), None);
    if let Stage::Redis(redis) = &stage {
        for ready in ["ready", "ready:high", "ready:low"] {
            assert_eq!(redis.cli(&["XLEN", &format!("{{ta:0}}:{ready}")]).await.trim(), "0", "{ready}");
        }
    }
}

async fn whoever_waits_wakes_for_every_priority(stage: Stage) {
    let store = stage.store().await;
    for priority in Priority::ALL {
        assert_eq!(store.claim(&worker()).await.unwrap(), None);
        let waiting = tokio::spawn({
            let store = Arc::clone(&store);
            async move { store.wait_ready(LONG).await.unwrap() }
        });
        let id = submit_at(&*store, priority).await;
        soon(waiting).await.unwrap();
        assert_eq!(claim(&*store).await.job.id, id);
    }
}

async fn leases_hold_and_end_at_every_priority(stage: Stage) {
    let store = stage.store_with(SHORT, LONG).await;
    let mut ids = HashSet::new();
    for priority in Priority::ALL {
        ids.insert(submit_at(&*store, priority).await);
        claim(&*store).await;
    }
    let over = eventually(async || {
        let over = store.expired().await.unwrap();
        (over.len() == 3).then_some(over)
    })
    .await;
    assert_eq!(over.iter().map(|job| job.id).collect::<HashSet<_>>(), ids);
}

async fn a_cancelled_job_leaves_the_queue_of_its_priority(stage: Stage) {
    let store = stage.store().await;
    for priority in Priority::ALL {
        let id = submit_at(&*store, priority).await;
        apply(&*store, &Transition::cancel(id)).await;
    }
    assert_eq!(store.claim(&worker()).await.unwrap(), None);
}

async fn a_job_that_may_not_begin_yet_is_pending_until_its_time(stage: Stage) {
    let store = stage.store().await;
    let later = submit_request(&*store, JobRequest { not_before: Some(in_ms(3_600_000)), ..request("NVDA") }).await;
    let asked = JobRequest { not_before: Some(in_ms(300)), priority: Priority::High, ..request("NVDA") };
    let soon = submit_request(&*store, asked.clone()).await;
    assert_eq!(store.claim(&worker()).await.unwrap(), None);
    assert_eq!(store.stats().await.unwrap(), Stats { pending: 2, ..Stats::default() });
    assert_eq!(get(&*store, soon.id).await.request, asked);

    let claimed = eventually(async || {
        store.tidy().await.unwrap();
        store.claim(&worker()).await.unwrap()
    })
    .await;
    assert_eq!(claimed.job.id, soon.id);
    assert!(claimed.job.started_at >= asked.not_before.map(to_ms), "{claimed:?}");
    assert_eq!(get(&*store, later.id).await.attempt, 0);
}

async fn a_job_whose_time_is_past_begins_at_once(stage: Stage) {
    let store = stage.store().await;
    for past in ["1969-12-31T23:59:59Z", "2024-05-10T00:00:00Z"] {
        let not_before = Some(past.parse().unwrap());
        let job = submit_request(&*store, JobRequest { not_before, ..request("NVDA") }).await;
        assert_eq!(claim(&*store).await.job.id, job.id);
    }
}

async fn the_longest_wait_is_that_of_jobs_that_are_ready(stage: Stage) {
    let store = stage.store().await;
    let wait = async || store.oldest_ready().await.unwrap();
    submit_request(&*store, JobRequest { not_before: Some(in_ms(3_600_000)), ..request("NVDA") }).await;
    assert_eq!(wait().await, None, "its time has not come");
    submit_request(&*store, JobRequest { priority: Priority::Low, ..request("NVDA") }).await;
    let first = eventually(async || wait().await.filter(|wait| !wait.is_zero())).await;
    submit_request(&*store, request("AAPL")).await;
    assert!(wait().await >= Some(first), "the other has waited for longer");
    claim(&*store).await;
    assert!(wait().await >= Some(first), "it waits on");
    claim(&*store).await;
    assert_eq!(wait().await, None);
}

async fn a_backoff_is_no_part_of_the_longest_wait(stage: Stage) {
    let backoff = Duration::from_millis(300);
    let store = stage.store().await;
    let began = Instant::now();
    let failed = running(&*store).await;
    apply(&*store, &Transition::retry(&failed.lease(), &failure(), 1, backoff)).await;
    let wait = eventually(async || {
        store.tidy().await.unwrap();
        store.oldest_ready().await.unwrap()
    })
    .await;
    assert!(wait + backoff < began.elapsed() + Duration::from_millis(2), "{wait:?}");
}

async fn a_scheduled_job_can_be_cancelled(stage: Stage) {
    let store = stage.store().await;
    let job = submit_request(&*store, JobRequest { not_before: Some(in_ms(50)), ..request("NVDA") }).await;
    apply(&*store, &Transition::cancel(job.id)).await;
    tokio::time::sleep(Duration::from_millis(60)).await;
    store.tidy().await.unwrap();
    assert_eq!(store.claim(&worker()).await.unwrap(), None);
}

async fn more_jobs_than_one_step_takes_come_due_together(stage: Stage) {
    let store = stage.store().await;
    let not_before = Some(in_ms(500));
    let jobs = (0..250).map(|_| (JobId::new(), JobRequest { not_before, ..request("NVDA") }));
    store.submit(&Submission { jobs: jobs.collect(), batch: None, key: None, most_pending: None }).await.unwrap();
    tokio::time::sleep(Duration::from_millis(600)).await;
    let mut steps = 1;
    while store.tidy().await.unwrap() {
        steps += 1;
    }
    assert!((3..5).contains(&steps), "{steps} bounded steps");
    for _ in 0..250 {
        claim(&*store).await;
    }
}

async fn a_repeated_submission_is_the_same_job_whatever_became_of_it(stage: Stage) {
    let store = stage.store().await;
    let first = store.submit(&keyed("key-1", request("NVDA"))).await.unwrap();
    assert!(!first.repeated);
    let running = claim(&*store).await;
    let again = store.submit(&keyed("key-1", request("NVDA"))).await.unwrap();
    assert_eq!(again, Receipt { jobs: vec![running.job.clone()], repeated: true });
    let done = apply(&*store, &completion(&running.lease())).await;
    let again = store.submit(&keyed("key-1", request("NVDA"))).await.unwrap();
    assert_eq!(again, Receipt { jobs: vec![done], repeated: true });
    assert_eq!(store.stats().await.unwrap(), Stats { completed: 1, ..Stats::default() });

    let other = store.submit(&keyed("key-2", request("NVDA"))).await.unwrap();
    assert!(!other.repeated, "another key is another job");
    if let Stage::Redis(redis) = &stage {
        let left: i64 = redis.cli(&["TTL", "{ta:0}:idempotency:key-1"]).await.trim().parse().unwrap();
        assert!((86_000..=86_400).contains(&left), "{left} s");
    }
}

async fn a_key_that_was_used_for_another_request_is_refused(stage: Stage) {
    let store = stage.store().await;
    store.submit(&keyed("key", request("NVDA"))).await.unwrap();
    for other in [
        request("AAPL"),
        JobRequest { priority: Priority::High, ..request("NVDA") },
        JobRequest { not_before: Some(in_ms(1000)), ..request("NVDA") },
    ] {
        let error = store.submit(&keyed("key", other)).await.unwrap_err();
        assert!(matches!(&error, SubmitError::KeyReused(key) if key.as_str() == "key"), "{error}");
    }
    let batch = Submission { batch: Some(BatchId::new()), ..keyed("key", request("NVDA")) };
    assert!(matches!(store.submit(&batch).await, Err(SubmitError::KeyReused(_))), "a batch is no job");
    assert_eq!(store.stats().await.unwrap(), Stats { pending: 1, ..Stats::default() });
}

async fn two_submissions_with_one_key_at_once_are_one_job(stage: Stage) {
    let store = stage.store().await;
    for round in 0..20 {
        let mut submits = JoinSet::new();
        for _ in 0..8 {
            let (store, submission) = (Arc::clone(&store), keyed(&format!("key-{round}"), request("NVDA")));
            submits.spawn(async move { store.submit(&submission).await.unwrap() });
        }
        let receipts = submits.join_all().await;
        assert_eq!(receipts.iter().filter(|receipt| !receipt.repeated).count(), 1);
        assert!(receipts.iter().all(|receipt| receipt.jobs == receipts[0].jobs));
    }
    assert_eq!(store.stats().await.unwrap(), Stats { pending: 20, ..Stats::default() });
    assert_eq!(stored(&*store, Scope::All).await.len(), 20);
}

async fn a_key_is_free_again_when_its_job_is_forgotten(stage: Stage) {
    let store = stage.store_with(LONG, Duration::from_millis(1)).await;
    let first = store.submit(&keyed("key", request("NVDA"))).await.unwrap().into_job();
    apply(&*store, &Transition::cancel(first.id)).await;
    eventually(async || {
        store.tidy().await.unwrap();
        store.get(first.id).await.unwrap().is_none().then_some(())
    })
    .await;
    let second = store.submit(&keyed("key", request("AAPL"))).await.unwrap();
    assert!(!second.repeated);
    assert_eq!(store.submit(&keyed("key", request("AAPL"))).await.unwrap().jobs, second.jobs);
}

async fn a_batch_is_stored_in_one_step_and_its_jobs_know_it(stage: Stage) {
    let store = stage.store().await;
    let (id, submission) = batch(&["NVDA", "AAPL", "^GSPC"]);
    let receipt = store.submit(&submission).await.unwrap();

    let tickers: Vec<_> = receipt.jobs.iter().map(|job| job.request.ticker.as_str()).collect();
    assert_eq!(tickers, ["NVDA", "AAPL", "^GSPC"]);
    assert!(receipt.jobs.iter().all(|job| job.batch == Some(id)));
    assert_eq!(store.batch(id).await.unwrap(), receipt.jobs);
    assert_eq!(get(&*store, receipt.jobs[1].id).await, receipt.jobs[1]);
    let first = claim(&*store).await;
    assert_eq!(first.job.id, receipt.jobs[0].id, "in their order");
    apply(&*store, &completion(&first.lease())).await;
    let jobs = store.batch(id).await.unwrap();
    assert_eq!(Stats::of(&jobs), Stats { pending: 2, completed: 1, ..Stats::default() });
    assert_eq!(store.batch(BatchId::new()).await.unwrap(), []);
    assert_eq!(submit(&*store).await.batch, None);
}

async fn a_repeated_batch_is_the_same_batch(stage: Stage) {
    let store = stage.store().await;
    let key: IdempotencyKey = "batch".parse().unwrap();
    let keyed = |tickers: &[&str]| Submission { key: Some(key.clone()), ..batch(tickers).1 };
    let first = store.submit(&keyed(&["NVDA", "AAPL"])).await.unwrap();
    let again = store.submit(&keyed(&["NVDA", "AAPL"])).await.unwrap();
    assert_eq!(again, Receipt { repeated: true, ..first });
    assert!(matches!(store.submit(&keyed(&["AAPL", "NVDA"])).await, Err(SubmitError::KeyReused(_))));
    assert_eq!(store.stats().await.unwrap(), Stats { pending: 2, ..Stats::default() });
}

async fn a_batch_is_forgotten_with_its_last_job(stage: Stage) {
    let store = stage.store_with(LONG, Duration::from_millis(1)).await;
    let (id, submission) = batch(&["NVDA", "AAPL"]);
    let jobs = store.submit(&submission).await.unwrap().jobs;
    for (ended, left) in [(0, 1), (1, 0)] {
        apply(&*store, &Transition::cancel(jobs[ended].id)).await;
        eventually(async || {
            store.tidy().await.unwrap();
            (store.batch(id).await.unwrap().len() == left).then_some(())
        })
        .await;
    }
    if let Stage::Redis(redis) = &stage {
        assert!(!redis.cli(&["KEYS", "*"]).await.contains("batch"));
    }
    assert_eq!(running(&*store).await.job.batch, None);
}

async fn a_full_queue_refuses_whole_submissions_and_takes_jobs_again_when_some_have_begun(stage: Stage) {
    let store = stage.store().await;
    let most = 3;
    let limited = |submission: Submission| Submission { most_pending: Some(most), ..submission };
    let one = || limited(Submission::of_job(JobId::new(), request("NVDA")));
    let is_full = |result: Result<Receipt, SubmitError>| matches!(result, Err(SubmitError::QueueFull { most: 3 }));
    store.submit(&limited(keyed("key", request("NVDA")))).await.unwrap();
    let scheduled = JobRequest { not_before: Some(in_ms(3_600_000)), ..request("NVDA") };
    store.submit(&limited(Submission::of_job(JobId::new(), scheduled))).await.unwrap();
    let before = stored(&*store, Scope::All).await;
    assert!(is_full(store.submit(&limited(batch(&["NVDA", "AAPL"]).1)).await));
    assert_eq!(stored(&*store, Scope::All).await, before, "all or none");
    let last = one();
    store.submit(&last).await.unwrap();
    assert!(is_full(store.submit(&one()).await));
    assert!(is_full(store.submit(&limited(keyed("key-2", request("NVDA")))).await));

    assert!(store.submit(&limited(keyed("key", request("NVDA")))).await.unwrap().repeated);
    store.submit(&last).await.expect("it is there already");
    let running = claim(&*store).await;
    store.submit(&limited(keyed("key-2", request("NVDA")))).await.expect("a refused key is free");
    apply(&*store, &Transition::release(&running.lease(), worker())).await;
    assert_eq!(
        store.stats().await.unwrap(),
        Stats { pending: 4, ..Stats::default() },
        "what was accepted has its place"
    );
    submit(&*store).await;
}

async fn submissions_at_once_fill_a_queue_to_the_last_place_and_no_further(stage: Stage) {
    let store = stage.store().await;
    let mut submits = JoinSet::new();
    for _ in 0..40 {
        let store = Arc::clone(&store);
        let one = Submission { most_pending: Some(25), ..Submission::of_job(JobId::new(), request("NVDA")) };
        submits.spawn(async move { store.submit(&one).await.is_ok() });
    }
    let accepted = submits.join_all().await.into_iter().filter(|accepted| *accepted).count();
    assert_eq!(accepted, 25);
    assert_eq!(store.stats().await.unwrap(), Stats { pending: 25, ..Stats::default() });
}

async fn submit_at(store: &dyn Store, priority: Priority) -> JobId {
    submit_request(store, JobRequest { priority, ..request("NVDA") }).await.id
}

fn keyed(key: &str, request: JobRequest) -> Submission {
    Submission { key: Some(key.parse().unwrap()), ..Submission::of_job(JobId::new(), request) }
}

fn batch(tickers: &[&str]) -> (BatchId, Submission) {
    let id = BatchId::new();
    let jobs = tickers.iter().map(|ticker| (JobId::new(), request(ticker))).collect();
    (id, Submission { jobs, batch: Some(id), key: None, most_pending: None })
}

/// A time so many milliseconds from now.
fn in_ms(ms: u64) -> DateTime<Utc> {
    Utc::now() + Duration::from_millis(ms)
}

/// The time to the millisecond, as a store keeps it.
fn to_ms(time: DateTime<Utc>) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(time.timestamp_millis()).unwrap()
}
