//! How attempts and jobs end: retries, releases, cancellations, results, and being forgotten.

use std::{sync::Arc, time::Duration};

use tradingagents::{
    domain::{Decision, Rating},
    jobs::{
        Applied, Cancel, ErrorType, EventId, EventKind, JobId, Keep, Listing, Queue, Recorded, RetryPolicy, Scope,
        Stats, Status, Store, feed::Followed, transition::Transition,
    },
};

use super::stage::{
    LONG, Stage, apply, claim, completion, eventually, failure, get, list_all, list_by, progress, running, soon, step,
    stored, submit, worker,
};

for_both! {
    of_more_jobs_than_are_kept_those_that_ended_first_are_forgotten,
    a_retry_counts_and_shows_the_error_and_is_ready_at_once_without_delay,
    a_retry_with_a_delay_is_pending_but_not_ready_before_it_is_due,
    a_released_job_is_ready_at_once_and_that_is_no_retry,
    a_pending_job_that_is_cancelled_is_never_claimed,
    a_job_that_waits_out_a_backoff_can_be_cancelled,
    a_running_job_that_is_cancelled_ends_at_once_and_its_worker_is_refused,
    a_finished_job_cannot_be_cancelled,
    a_completed_job_has_a_decision_and_no_error,
    a_failed_job_shows_its_error,
    a_failed_job_that_is_tried_again_is_as_if_new_and_keeps_its_id,
    only_failed_jobs_are_tried_again,
    a_job_that_is_tried_again_is_forgotten_after_its_last_end,
    jobs_that_ended_are_forgotten_when_their_time_is_over,
    a_store_that_forgot_jobs_goes_on_numbering_events,
}

async fn a_retry_counts_and_shows_the_error_and_is_ready_at_once_without_delay(stage: Stage) {
    let store = stage.store().await;
    let first = running(&*store).await;
    for retries in 1..=3 {
        let lease = if retries == 1 { first.lease() } else { claim(&*store).await.lease() };
        let job = apply(&*store, &Transition::retry(&lease, &failure(), retries, Duration::ZERO)).await;
        assert_eq!((job.status, job.retry_count, job.attempt), (Status::Pending, retries, retries));
        assert_eq!((job.error, job.error_type), (Some(failure().message), Some(ErrorType::LlmError)));
        assert_eq!(job.completed_at, None);
    }
    let event = stored(&*store, Scope::Job(first.job.id)).await.pop().unwrap();
    let (error, error_type) = (failure().message, ErrorType::LlmError);
    assert_eq!(event.kind, EventKind::Retry { error_type, error, retry_count: 3, delay_seconds: 0.0 });
    assert_eq!(claim(&*store).await.job.attempt, 4);
}

async fn a_retry_with_a_delay_is_pending_but_not_ready_before_it_is_due(stage: Stage) {
    let store = stage.store().await;
    let (long, short) = (running(&*store).await, running(&*store).await);
    apply(&*store, &Transition::retry(&long.lease(), &failure(), 1, LONG)).await;
    apply(&*store, &Transition::retry(&short.lease(), &failure(), 1, Duration::from_millis(100))).await;
    assert_eq!(store.claim(&worker()).await.unwrap(), None);
    assert_eq!(store.stats().await.unwrap(), Stats { pending: 2, ..Stats::default() });

    let due = eventually(async || {
        store.tidy().await.unwrap();
        store.claim(&worker()).await.unwrap()
    })
    .await;
    assert_eq!((due.job.id, due.job.attempt), (short.job.id, 2));
    assert_eq!(store.claim(&worker()).await.unwrap(), None);
}

async fn a_released_job_is_ready_at_once_and_that_is_no_retry(stage: Stage) {
    let store = stage.store().await;
    let claimed = running(&*store).await;
    let job = apply(&*store, &Transition::release(&claimed.lease(), worker())).await;
    assert_eq!((job.status, job.retry_count, &job.error), (Status::Pending, 0, &None));
    let event = stored(&*store, Scope::Job(job.id)).await.pop().unwrap();
    assert_eq!(event.kind, EventKind::Released { worker: worker() });
    assert_eq!(claim(&*store).await.job.attempt, 2);
}

async fn a_pending_job_that_is_cancelled_is_never_claimed(stage: Stage) {
    let store = stage.store().await;
    let (cancelled, other) = (submit(&*store).await, submit(&*store).await);
    let job = apply(&*store, &Transition::cancel(cancelled.id)).await;
    assert_eq!(job.status, Status::Cancelled);
    assert!(job.completed_at.is_some());
    assert_eq!(claim(&*store).await.job.id, other.id);
    assert_eq!(store.claim(&worker()).await.unwrap(), None);
}

async fn a_job_that_waits_out_a_backoff_can_be_cancelled(stage: Stage) {
    let store = stage.store().await;
    let claimed = running(&*store).await;
    apply(&*store, &Transition::retry(&claimed.lease(), &failure(), 1, Duration::from_millis(1))).await;
    apply(&*store, &Transition::cancel(claimed.job.id)).await;
    tokio::time::sleep(Duration::from_millis(5)).await;
    store.tidy().await.unwrap();
    assert_eq!(store.claim(&worker()).await.unwrap(), None);
    assert_eq!(get(&*store, claimed.job.id).await.status, Status::Cancelled);
}

async fn a_running_job_that_is_cancelled_ends_at_once_and_its_worker_is_refused(stage: Stage) {
    let store = stage.store().await;
    let claimed = running(&*store).await;
    let job = apply(&*store, &Transition::cancel(claimed.job.id)).await;
    assert_eq!(job.status, Status::Cancelled);
    assert_eq!(store.record(&claimed.lease(), &progress(vec![step()], None)).await.unwrap(), Recorded::LeaseLost);
    assert_eq!(store.apply(&completion(&claimed.lease())).await.unwrap(), Applied::Refused(job));
    assert_eq!(store.expired().await.unwrap(), []);
    assert_eq!(stored(&*store, Scope::Job(claimed.job.id)).await.pop().unwrap().kind, EventKind::Cancelled);
}

async fn a_finished_job_cannot_be_cancelled(stage: Stage) {
    let store = stage.store().await;
    let queue = queue(&store);
    let claimed = running(&*store).await;
    let completed = apply(&*store, &completion(&claimed.lease())).await;
    assert_eq!(queue.cancel(completed.id).await.unwrap(), Cancel::AlreadyEnded(completed.clone()));
    assert_eq!(get(&*store, completed.id).await, completed);

    let cancelled = submit(&*store).await;
    assert!(matches!(queue.cancel(cancelled.id).await.unwrap(), Cancel::Cancelled(_)));
    assert!(matches!(queue.cancel(cancelled.id).await.unwrap(), Cancel::AlreadyEnded(_)));
    assert_eq!(queue.cancel(JobId::new()).await.unwrap(), Cancel::Unknown);
}

async fn a_completed_job_has_a_decision_and_no_error(stage: Stage) {
    let store = stage.store().await;
    let first = running(&*store).await;
    apply(&*store, &Transition::retry(&first.lease(), &failure(), 1, Duration::ZERO)).await;
    let second = claim(&*store).await;
    assert!(second.job.error.is_some());

    let job = apply(&*store, &completion(&second.lease())).await;

    assert_eq!((job.status, job.decision), (Status::Completed, Some(Decision::Buy)));
    assert_eq!((&job.error, job.error_type, job.retry_count), (&None, None, 1));
    assert!(job.completed_at.unwrap() >= job.started_at.unwrap());
    assert_eq!(get(&*store, job.id).await, job);
    let event = stored(&*store, Scope::Job(job.id)).await.pop().unwrap();
    assert_eq!(event.kind, EventKind::Completed { decision: Decision::Buy, rating: Rating::Overweight });
}

async fn a_failed_job_shows_its_error(stage: Stage) {
    let store = stage.store().await;
    let claimed = running(&*store).await;
    let job = apply(&*store, &Transition::fail(&claimed.lease(), &failure())).await;
    assert_eq!((job.status, job.retry_count, job.decision), (Status::Failed, 0, None));
    assert_eq!((&job.error, job.error_type), (&Some(failure().message), Some(ErrorType::LlmError)));
    assert!(job.completed_at.is_some());
    assert_eq!(get(&*store, job.id).await, job);
}

async fn a_failed_job_that_is_tried_again_is_as_if_new_and_keeps_its_id(stage: Stage) {
    let store = stage.store().await;
    let queue = queue(&store);
    let first = running(&*store).await;
    store.record(&first.lease(), &progress(vec![], Some(b"state".to_vec()))).await.unwrap();
    apply(&*store, &Transition::retry(&first.lease(), &failure(), 1, Duration::ZERO)).await;
    let second = claim(&*store).await;
    apply(&*store, &Transition::fail(&second.lease(), &failure())).await;
    let waiting = store.claim(&worker()).await.unwrap();
    assert_eq!(waiting, None);

    let Applied::Done(job) = queue.retry(first.job.id).await.unwrap() else { panic!("it has failed") };

    assert_eq!((job.status, job.attempt, job.retry_count, job.completed_at), (Status::Pending, 2, 0, None));
    assert_eq!(job.error, Some(failure().message), "until it is completed");
    assert_eq!(get(&*store, job.id).await, job);
    assert_eq!(store.stats().await.unwrap(), Stats { pending: 1, ..Stats::default() });
    soon(store.wait_ready(LONG)).await.unwrap();
    let third = claim(&*store).await;
    assert_eq!((third.job.id, third.job.attempt, third.checkpoint.clone()), (job.id, 3, None));
    assert_eq!(store.apply(&completion(&second.lease())).await.unwrap(), Applied::Refused(third.job.clone()));
    let mut follower = queue.follow(Scope::Job(job.id), None).await.unwrap();
    let done = apply(&*store, &completion(&third.lease())).await;
    assert_eq!((done.status, done.error), (Status::Completed, None));

    let mut kinds = Vec::new();
    while let Some(Followed::Event(event)) = soon(follower.next()).await.unwrap() {
        kinds.push(event.kind.name());
    }
    let second_life = ["failed", "requeued", "claimed", "completed"];
    assert_eq!(kinds[kinds.len() - 4..], second_life, "a listener hears on after the first end");
}

async fn only_failed_jobs_are_tried_again(stage: Stage) {
    let store = stage.store().await;
    let queue = queue(&store);
    let pending = submit(&*store).await;
    assert_eq!(queue.retry(pending.id).await.unwrap(), Applied::Refused(pending));
    let running = claim(&*store).await;
    assert_eq!(queue.retry(running.job.id).await.unwrap(), Applied::Refused(running.job.clone()));
    let completed = apply(&*store, &completion(&running.lease())).await;
    assert_eq!(queue.retry(completed.id).await.unwrap(), Applied::Refused(completed));
    let cancelled = submit(&*store).await;
    let cancelled = apply(&*store, &Transition::cancel(cancelled.id)).await;
    assert_eq!(queue.retry(cancelled.id).await.unwrap(), Applied::Refused(cancelled));
    assert_eq!(queue.retry(JobId::new()).await.unwrap(), Applied::Unknown);
    assert_eq!(store.claim(&worker()).await.unwrap(), None);
}

async fn a_job_that_is_tried_again_is_forgotten_after_its_last_end(stage: Stage) {
    let store = stage.store_with(LONG, Duration::from_millis(1)).await;
    let failed = running(&*store).await;
    apply(&*store, &Transition::fail(&failed.lease(), &failure())).await;
    apply(&*store, &Transition::requeue(failed.job.id)).await;
    tokio::time::sleep(Duration::from_millis(5)).await;
    store.tidy().await.unwrap();
    let again = claim(&*store).await;
    apply(&*store, &completion(&again.lease())).await;
    eventually(async || {
        store.tidy().await.unwrap();
        (store.stats().await.unwrap() == Stats::default()).then_some(())
    })
    .await;
    assert_eq!(store.get(failed.job.id).await.unwrap(), None);
}

async fn jobs_that_ended_are_forgotten_when_their_time_is_over(stage: Stage) {
    let ttl = Duration::from_millis(100);
    let store = stage.store_with(LONG, ttl).await;
    let (pending, waiting) = (running(&*store).await, running(&*store).await);
    apply(&*store, &Transition::release(&pending.lease(), worker())).await;
    apply(&*store, &Transition::retry(&waiting.lease(), &failure(), 1, LONG)).await;
    let mut ended = Vec::new();
    for number in 0..250 {
        let job = submit(&*store).await;
        apply(&*store, &Transition::cancel(job.id)).await;
        ended.push(job.id);
        if number == 0 {
            // Ended within their time, they are there.
            store.tidy().await.unwrap();
        }
    }
    let claimed = claim(&*store).await;
    for transition in [completion(&claimed.lease())] {
        store.record(&claimed.lease(), &progress(vec![step()], Some(b"state".to_vec()))).await.unwrap();
        ended.push(apply(&*store, &transition).await.id);
    }

    eventually(async || {
        store.tidy().await.unwrap();
        (store.stats().await.unwrap() == Stats { pending: 1, ..Stats::default() }).then_some(())
    })
    .await;

    for id in &ended {
        assert_eq!(store.get(*id).await.unwrap(), None);
        assert_eq!(stored(&*store, Scope::Job(*id)).await, []);
    }
    let left = list_all(&*store, Listing { limit: 100, ..Listing::default() }).await;
    assert_eq!(left.iter().map(|job| job.id).collect::<Vec<_>>(), [waiting.job.id]);
    let of_ticker = Listing { ticker: Some(left[0].request.ticker.clone()), limit: 100, ..Listing::default() };
    assert_eq!(list_all(&*store, of_ticker).await, left);
    assert_eq!(list_by(&*store, Status::Cancelled).await, []);
    assert_eq!(store.apply(&Transition::cancel(ended[0])).await.unwrap(), Applied::Unknown);
    if let Stage::Redis(redis) = &stage {
        let keys = redis.cli(&["KEYS", "*"]).await;
        assert!(ended.iter().all(|id| !keys.contains(&id.to_string())), "{keys}");
        for set in ["ended", "jobs:status:completed", "jobs:status:cancelled", "jobs:ticker:NVDA:cancelled"] {
            let members = redis.cli(&["ZRANGE", &format!("{{ta:0}}:{set}"), "0", "-1"]).await;
            assert!(ended.iter().all(|id| !members.contains(&id.to_string())), "{set}: {members}");
        }
        assert_eq!(redis.cli(&["XLEN", "{ta:0}:ready"]).await.trim(), "0");
    }
}

async fn a_store_that_forgot_jobs_goes_on_numbering_events(stage: Stage) {
    let store = stage.store_with(LONG, Duration::from_millis(1)).await;
    let queue = queue(&store);
    let job = submit(&*store).await;
    apply(&*store, &Transition::cancel(job.id)).await;
    let last = store.last_event().await.unwrap();
    eventually(async || {
        store.tidy().await.unwrap();
        store.get(job.id).await.unwrap().is_none().then_some(())
    })
    .await;

    assert_eq!(store.last_event().await.unwrap(), last);
    let mut all = queue.follow(Scope::All, None).await.unwrap();
    let next = tokio::spawn(async move { all.next().await.unwrap().unwrap() });
    let later = submit(&*store).await;
    let event = stored(&*store, Scope::Job(later.id)).await.remove(0);
    assert!(event.id > last && last > EventId::ZERO);
    assert_eq!(soon(next).await.unwrap(), Followed::Event(Arc::new(event)));
}

fn queue(store: &Arc<dyn Store>) -> Queue {
    Queue::new(store.clone(), RetryPolicy { max_retries: 3, base: LONG, max: LONG })
}

async fn of_more_jobs_than_are_kept_those_that_ended_first_are_forgotten(stage: Stage) {
    let store = stage.store_with(LONG, Keep { ttl: LONG, most: 3 }).await;
    let mut ended = Vec::new();
    for _ in 0..250 {
        ended.push(apply(&*store, &Transition::cancel(submit(&*store).await.id)).await.id);
    }
    let pending = submit(&*store).await;
    let mut steps = 1;
    while store.tidy().await.unwrap() {
        steps += 1;
    }
    assert!(steps > 1, "each step is a small one");
    let mut kept = list_by(&*store, Status::Cancelled).await;
    kept.reverse();
    assert_eq!(kept.iter().map(|job| job.id).collect::<Vec<_>>(), ended[247..]);
    assert_eq!(stored(&*store, Scope::Job(ended[0])).await, []);
    assert_eq!(store.get(pending.id).await.unwrap(), Some(pending));
}
