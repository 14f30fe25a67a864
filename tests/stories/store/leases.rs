//! Leases: who may write, and what becomes of the jobs of workers that died.

use std::{sync::Arc, time::Duration};

use tradingagents::jobs::{
    Applied, ErrorType, EventKind, JobId, Lease, Progress, Queue, Recorded, RetryPolicy, Scope, Status, Store,
    transition::Transition,
};

use super::stage::{
    LONG, SHORT, Stage, apply, claim, completion, eventually, failure, get, progress, running, step, steps, stored,
    worker, worker_named,
};

for_both! {
    events_and_a_checkpoint_are_recorded_in_one_step,
    a_record_with_nothing_in_it_writes_nothing,
    progress_that_is_repeated_is_written_once,
    recording_renews_the_lease,
    a_lease_that_runs_is_not_expired_and_nobody_else_may_end_it,
    a_lease_that_is_over_shows_and_anybody_may_end_it,
    the_holder_of_a_lease_that_is_over_may_go_on_until_somebody_ends_it,
    a_worker_that_was_declared_dead_is_refused,
    a_worker_that_was_declared_dead_is_refused_after_another_attempt_began,
    what_ended_an_attempt_is_done_when_its_holder_asks_again,
    a_lease_on_an_unknown_job_is_lost,
    maintenance_gives_the_jobs_of_the_dead_to_others_until_the_retries_are_used_up,
}

async fn events_and_a_checkpoint_are_recorded_in_one_step(stage: Stage) {
    let store = stage.store().await;
    let claimed = running(&*store).await;
    let recorded = store.record(&claimed.lease(), &progress(steps(3), Some(b"state".to_vec()))).await.unwrap();
    assert_eq!(recorded, Recorded::Done);

    let kinds: Vec<_> = stored(&*store, Scope::Job(claimed.job.id)).await.into_iter().map(|event| event.kind).collect();
    assert_eq!(kinds[2..], steps(3));
    assert_eq!(get(&*store, claimed.job.id).await, claimed.job);
    apply(&*store, &Transition::release(&claimed.lease(), worker())).await;
    assert_eq!(claim(&*store).await.checkpoint, Some(b"state".to_vec()));
}

async fn a_record_with_nothing_in_it_writes_nothing(stage: Stage) {
    let store = stage.store().await;
    let claimed = running(&*store).await;
    let before = stored(&*store, Scope::All).await;
    assert_eq!(store.record(&claimed.lease(), &progress(vec![], None)).await.unwrap(), Recorded::Done);
    assert_eq!(stored(&*store, Scope::All).await, before);
}

async fn progress_that_is_repeated_is_written_once(stage: Stage) {
    let store = stage.store().await;
    let first = running(&*store).await.lease();
    let (one, two) = (progress(steps(1), Some(b"one".to_vec())), progress(steps(2), Some(b"two".to_vec())));
    // The last comes late, from a connection that was thought to be dead.
    for progress in [&one, &one, &two, &two, &one] {
        assert_eq!(store.record(&first, progress).await.unwrap(), Recorded::Done);
    }
    apply(&*store, &Transition::release(&first, worker())).await;
    let second = claim(&*store).await;
    assert_eq!(second.checkpoint, Some(b"two".to_vec()));
    // Each attempt counts its own.
    assert_eq!(store.record(&second.lease(), &Progress { number: 1, ..one }).await.unwrap(), Recorded::Done);

    let events = stored(&*store, Scope::Job(first.job)).await.into_iter().map(|event| event.kind);
    let recorded: Vec<_> = events.filter(|kind| matches!(kind, EventKind::Checkpoint { .. })).collect();
    assert_eq!(recorded, [steps(1), steps(2), steps(1)].concat());
}

async fn recording_renews_the_lease(stage: Stage) {
    let lease_time = Duration::from_secs(1);
    for (events, checkpoint) in [(vec![], None), (vec![step()], Some(b"state".to_vec()))] {
        let store = stage.store_with(lease_time, LONG).await;
        let (one, other) = (running(&*store).await, running(&*store).await);
        eventually(async || (store.expired().await.unwrap().len() == 2).then_some(())).await;

        store.record(&one.lease(), &progress(events, checkpoint)).await.unwrap();

        assert_eq!(expired(&*store).await, [other.job.id]);
        apply(&*store, &completion(&one.lease())).await;
        apply(&*store, &completion(&other.lease())).await;
    }
}

async fn a_lease_that_runs_is_not_expired_and_nobody_else_may_end_it(stage: Stage) {
    let store = stage.store().await;
    let claimed = running(&*store).await;
    assert_eq!(expired(&*store).await, []);
    let death = Transition::fail(&claimed.lease(), &failure()).after_expiry();
    assert_eq!(store.apply(&death).await.unwrap(), Applied::Refused(claimed.job.clone()));
    assert_eq!(get(&*store, claimed.job.id).await, claimed.job);
}

async fn a_lease_that_is_over_shows_and_anybody_may_end_it(stage: Stage) {
    let store = stage.store_with(SHORT, LONG).await;
    let claimed = running(&*store).await;
    await_expiry(&*store, &claimed.lease()).await;
    assert_eq!(store.expired().await.unwrap(), std::slice::from_ref(&claimed.job));

    let other_attempt = Lease { attempt: 2, ..claimed.lease() };
    let other_worker = Lease { worker: Some(worker_named("worker-2")), ..claimed.lease() };
    for other in [other_attempt, other_worker] {
        assert_refused(&*store, &other).await;
    }
    let death = Transition::fail(&claimed.lease(), &failure()).after_expiry();
    assert_eq!(apply(&*store, &death).await.status, Status::Failed);
    assert_eq!(expired(&*store).await, []);
}

async fn the_holder_of_a_lease_that_is_over_may_go_on_until_somebody_ends_it(stage: Stage) {
    let store = stage.store_with(SHORT, LONG).await;
    let claimed = running(&*store).await;
    await_expiry(&*store, &claimed.lease()).await;
    assert_eq!(store.record(&claimed.lease(), &progress(vec![step()], None)).await.unwrap(), Recorded::Done);
    await_expiry(&*store, &claimed.lease()).await;
    assert_eq!(apply(&*store, &completion(&claimed.lease())).await.status, Status::Completed);
}

async fn a_worker_that_was_declared_dead_is_refused(stage: Stage) {
    let store = stage.store_with(SHORT, LONG).await;
    let dead = running(&*store).await.lease();
    await_expiry(&*store, &dead).await;
    apply(&*store, &Transition::retry(&dead, &failure(), 1, Duration::ZERO).after_expiry()).await;

    assert_refused(&*store, &dead).await;
    assert_eq!(claim(&*store).await.checkpoint, None);
}

async fn a_worker_that_was_declared_dead_is_refused_after_another_attempt_began(stage: Stage) {
    let store = stage.store_with(SHORT, LONG).await;
    let dead = running(&*store).await.lease();
    await_expiry(&*store, &dead).await;
    apply(&*store, &Transition::retry(&dead, &failure(), 1, Duration::ZERO).after_expiry()).await;
    let alive = claim(&*store).await.lease();

    assert_refused(&*store, &dead).await;
    assert_eq!(apply(&*store, &completion(&alive)).await.status, Status::Completed);
    assert_refused(&*store, &dead).await;
}

async fn what_ended_an_attempt_is_done_when_its_holder_asks_again(stage: Stage) {
    let store = stage.store().await;
    let ends: [fn(&Lease) -> Transition; 4] = [
        |lease| Transition::release(lease, worker()),
        |lease| Transition::retry(lease, &failure(), 1, Duration::ZERO),
        |lease| Transition::fail(lease, &failure()),
        completion,
    ];
    for end in ends {
        let lease = running(&*store).await.lease();
        let ended = apply(&*store, &end(&lease)).await;
        assert_eq!(apply(&*store, &end(&lease)).await, ended);
        for other in ends.iter().map(|other| other(&lease)).filter(|other| other.next.status() != ended.status) {
            assert_eq!(store.apply(&other).await.unwrap(), Applied::Refused(ended.clone()));
        }
        assert_eq!(store.record(&lease, &progress(steps(1), None)).await.unwrap(), Recorded::LeaseLost);
        if ended.status == Status::Pending {
            let next = claim(&*store).await;
            assert_eq!(apply(&*store, &end(&lease)).await, next.job, "it goes on elsewhere");
            apply(&*store, &completion(&next.lease())).await;
        }
        let events = stored(&*store, Scope::Job(lease.job)).await;
        assert_eq!(events.iter().filter(|event| event.kind == end(&lease).event).count(), 1);
    }
}

/// Nothing that the holder of this lease writes is taken.
async fn assert_refused(store: &dyn Store, lease: &Lease) {
    let (job, events) = (get(store, lease.job).await, stored(store, Scope::All).await);
    let state = Some(b"from the dead".to_vec());
    assert_eq!(store.record(lease, &progress(vec![step()], state)).await.unwrap(), Recorded::LeaseLost);
    for transition in [
        completion(lease),
        Transition::fail(lease, &failure()),
        Transition::retry(lease, &failure(), 1, Duration::ZERO),
        Transition::release(lease, worker()),
        completion(lease).after_expiry(),
    ] {
        assert_eq!(store.apply(&transition).await.unwrap(), Applied::Refused(job.clone()));
    }
    assert_eq!(get(store, lease.job).await, job);
    assert_eq!(stored(store, Scope::All).await, events);
}

async fn a_lease_on_an_unknown_job_is_lost(stage: Stage) {
    let store = stage.store().await;
    let lease = Lease { job: JobId::new(), attempt: 1, worker: Some(worker()) };
    assert_eq!(store.record(&lease, &progress(vec![step()], None)).await.unwrap(), Recorded::LeaseLost);
    assert_eq!(store.apply(&completion(&lease)).await.unwrap(), Applied::Unknown);
    assert_eq!(stored(&*store, Scope::All).await, []);
}

async fn maintenance_gives_the_jobs_of_the_dead_to_others_until_the_retries_are_used_up(stage: Stage) {
    let store = stage.store_with(SHORT, LONG).await;
    let policy = RetryPolicy { max_retries: 1, base: Duration::from_millis(1), max: Duration::from_millis(1) };
    let queue = Queue::new(Arc::clone(&store), policy);
    let first = running(&*store).await;
    store.record(&first.lease(), &progress(vec![], Some(b"state".to_vec()))).await.unwrap();

    let second = eventually(async || {
        queue.tidy_up().await.unwrap();
        queue.end_expired().await.unwrap();
        store.claim(&worker()).await.unwrap()
    })
    .await;
    assert_eq!((second.job.id, second.job.attempt, second.job.retry_count), (first.job.id, 2, 1));
    assert_eq!(second.job.error_type, Some(ErrorType::WorkerLost));
    assert_eq!(second.checkpoint, Some(b"state".to_vec()));

    let ended = eventually(async || {
        queue.tidy_up().await.unwrap();
        queue.end_expired().await.unwrap();
        Some(get(&*store, first.job.id).await).filter(|job| job.status.is_terminal())
    })
    .await;
    assert_eq!((ended.status, ended.error_type), (Status::Failed, Some(ErrorType::WorkerLost)));
    assert!(ended.error.unwrap().contains("worker-1"));
}

async fn expired(store: &dyn Store) -> Vec<JobId> {
    store.expired().await.unwrap().into_iter().map(|job| job.id).collect()
}

async fn await_expiry(store: &dyn Store, lease: &Lease) {
    eventually(async || expired(store).await.contains(&lease.job).then_some(())).await;
}
