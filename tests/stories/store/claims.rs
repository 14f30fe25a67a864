//! Submitting jobs, and claiming them.

use std::{collections::HashSet, sync::Arc, time::Duration};

use tokio::{task::JoinSet, time::timeout};
use tradingagents::jobs::{EventKind, JobId, Scope, Stats, Status, Store, Submission, transition::Transition};

use super::stage::{
    LONG, Stage, apply, claim, completion, eventually, failure, get, hear, progress, request, running, soon, stored,
    submit, worker, worker_named,
};

for_both! {
    a_submitted_job_is_stored_and_queued_and_told_of,
    an_id_that_is_submitted_again_is_one_job,
    an_unknown_job_is_not_found,
    jobs_are_claimed_in_the_order_of_their_submission,
    each_of_500_jobs_is_claimed_by_one_of_16_claimers,
    a_claim_says_who_runs_the_job_and_under_which_attempt,
    a_claim_carries_the_last_checkpoint_byte_for_byte,
    the_last_checkpoint_can_be_read_until_the_job_ends,
    whoever_waits_for_a_job_wakes_when_one_is_submitted,
    whoever_waits_for_a_job_wakes_when_one_is_released,
    whoever_waits_for_a_job_wakes_when_a_delayed_retry_is_due,
    a_job_that_came_between_claim_and_wait_is_not_missed,
    whoever_waits_while_nothing_happens_waits_no_longer_than_asked,
}

async fn a_submitted_job_is_stored_and_queued_and_told_of(stage: Stage) {
    let store = stage.store().await;
    let mut live = store.live();
    let (id, request) = (JobId::new(), request("BRK.B"));

    let job = store.submit(&Submission::of_job(id, request.clone())).await.unwrap().into_job();

    assert_eq!((job.id, &job.request, job.status), (id, &request, Status::Pending));
    assert_eq!((job.attempt, job.retry_count), (0, 0));
    assert_eq!((job.started_at, job.completed_at), (None, None));
    assert_eq!((&job.error, job.error_type, &job.worker, job.decision), (&None, None, &None, None));
    assert_eq!(get(&*store, id).await, job);
    assert_eq!(store.stats().await.unwrap(), Stats { pending: 1, ..Stats::default() });
    let told = hear(&mut live, 1).await;
    assert_eq!(told[0].job_id, id);
    assert_eq!(told[0].kind, EventKind::Submitted { ticker: request.ticker, date: request.date });
    assert_eq!(told[0].at.timestamp_millis(), i64::try_from(told[0].id.ms).unwrap());
    assert_eq!(claim(&*store).await.job.id, id);
}

async fn an_id_that_is_submitted_again_is_one_job(stage: Stage) {
    let store = stage.store().await;
    let id = JobId::new();
    let submission = Submission::of_job(id, request("NVDA"));
    let mut submits = JoinSet::new();
    for _ in 0..8 {
        let (store, submission) = (store.clone(), submission.clone());
        submits.spawn(async move { store.submit(&submission).await.unwrap().into_job() });
    }
    let jobs = submits.join_all().await;

    assert!(jobs.iter().all(|job| *job == jobs[0]));
    assert_eq!(stored(&*store, Scope::All).await.len(), 1);
    let claimed = claim(&*store).await;
    assert_eq!(store.claim(&worker()).await.unwrap(), None);
    let again = store.submit(&submission).await.unwrap().into_job();
    assert_eq!(again, claimed.job, "a running job is left as it is");
}

async fn an_unknown_job_is_not_found(stage: Stage) {
    let store = stage.store().await;
    assert_eq!(store.get(JobId::new()).await.unwrap(), None);
    assert_eq!(stored(&*store, Scope::Job(JobId::new())).await, []);
}

async fn jobs_are_claimed_in_the_order_of_their_submission(stage: Stage) {
    let store = stage.store().await;
    let mut submitted = Vec::new();
    for _ in 0..20 {
        submitted.push(submit(&*store).await.id);
    }
    for id in submitted {
        assert_eq!(claim(&*store).await.job.id, id);
    }
    assert_eq!(store.claim(&worker()).await.unwrap(), None);
}

async fn each_of_500_jobs_is_claimed_by_one_of_16_claimers(stage: Stage) {
    let store = stage.store().await;
    let mut submits = JoinSet::new();
    for _ in 0..500 {
        let store = store.clone();
        submits.spawn(async move { submit(&*store).await.id });
    }
    let submitted: HashSet<_> = submits.join_all().await.into_iter().collect();
    let mut claimers = JoinSet::new();
    for number in 0..16 {
        let store = store.clone();
        claimers.spawn(claim_all(store, number));
    }
    let claimed = claimers.join_all().await.concat();

    assert_eq!(claimed.len(), 500);
    assert_eq!(claimed.into_iter().collect::<HashSet<_>>(), submitted);
}

async fn claim_all(store: Arc<dyn Store>, number: usize) -> Vec<JobId> {
    let worker = worker_named(&format!("worker-{number}"));
    let mut claimed = Vec::new();
    while let Some(claim) = store.claim(&worker).await.unwrap() {
        assert_eq!(claim.job.worker.as_ref(), Some(&worker));
        claimed.push(claim.job.id);
    }
    claimed
}

async fn a_claim_says_who_runs_the_job_and_under_which_attempt(stage: Stage) {
    let store = stage.store().await;
    let mut live = store.live();
    let first = running(&*store).await;
    assert_eq!((first.job.status, first.job.attempt), (Status::Running, 1));
    assert_eq!(first.job.worker, Some(worker()));
    assert!(first.job.started_at.unwrap() >= first.job.created_at);
    assert_eq!(first.checkpoint, None);
    assert_eq!(get(&*store, first.job.id).await, first.job);

    apply(&*store, &Transition::release(&first.lease(), worker())).await;
    let second = store.claim(&worker_named("worker \"2\"/ü")).await.unwrap().unwrap();
    assert_eq!((second.job.id, second.job.attempt), (first.job.id, 2));

    let told = hear(&mut live, 4).await;
    assert_eq!(told[1].kind, EventKind::Claimed { worker: worker(), attempt: 1, resumed: false });
    let worker = worker_named("worker \"2\"/ü");
    assert_eq!(told[3].kind, EventKind::Claimed { worker, attempt: 2, resumed: false });
}

async fn a_claim_carries_the_last_checkpoint_byte_for_byte(stage: Stage) {
    let store = stage.store().await;
    let mut claimed = running(&*store).await;
    let every_byte: Vec<u8> = (0..=255).collect();
    for state in [b"{\"steps\":[]}".to_vec(), every_byte, b"7".to_vec(), b"OK".to_vec(), vec![b'x'; 1 << 20]] {
        store.record(&claimed.lease(), &progress(vec![], Some(b"an older one".to_vec()))).await.unwrap();
        store.record(&claimed.lease(), &progress(vec![], Some(state.clone()))).await.unwrap();
        apply(&*store, &Transition::release(&claimed.lease(), worker())).await;
        claimed = claim(&*store).await;
        assert_eq!(claimed.checkpoint, Some(state));
    }
    let events = stored(&*store, Scope::Job(claimed.job.id)).await;
    assert_eq!(events.last().unwrap().kind, EventKind::Claimed { worker: worker(), attempt: 6, resumed: true });
}

async fn the_last_checkpoint_can_be_read_until_the_job_ends(stage: Stage) {
    let store = stage.store().await;
    let (claimed, other) = (running(&*store).await, running(&*store).await);
    let id = claimed.job.id;
    assert_eq!(store.checkpoint(id).await.unwrap(), None);
    let every_byte: Vec<u8> = (0..=255).collect();
    for state in [b"7".to_vec(), every_byte] {
        store.record(&claimed.lease(), &progress(vec![], Some(state.clone()))).await.unwrap();
        assert_eq!(store.checkpoint(id).await.unwrap(), Some(state));
    }
    assert_eq!(store.checkpoint(other.job.id).await.unwrap(), None);
    apply(&*store, &completion(&claimed.lease())).await;
    assert_eq!(store.checkpoint(id).await.unwrap(), None);
}

async fn whoever_waits_for_a_job_wakes_when_one_is_submitted(stage: Stage) {
    let store = stage.store().await;
    let waiting = waiting(&store).await;
    let job = submit(&*store).await;
    soon(waiting).await.unwrap();
    assert_eq!(claim(&*store).await.job.id, job.id);
}

async fn whoever_waits_for_a_job_wakes_when_one_is_released(stage: Stage) {
    let store = stage.store().await;
    let running = running(&*store).await;
    let waiting = waiting(&store).await;
    apply(&*store, &Transition::release(&running.lease(), worker())).await;
    soon(waiting).await.unwrap();
    assert_eq!(claim(&*store).await.job.id, running.job.id);
}

async fn whoever_waits_for_a_job_wakes_when_a_delayed_retry_is_due(stage: Stage) {
    let store = stage.store().await;
    let running = running(&*store).await;
    let waiting = waiting(&store).await;
    apply(&*store, &Transition::retry(&running.lease(), &failure(), 1, Duration::from_millis(50))).await;
    eventually(async || {
        store.tidy().await.unwrap();
        waiting.is_finished().then_some(())
    })
    .await;
    assert_eq!(claim(&*store).await.job.id, running.job.id);
}

/// Somebody who found no job, and waits for one.
async fn waiting(store: &Arc<dyn Store>) -> tokio::task::JoinHandle<()> {
    assert_eq!(store.claim(&worker()).await.unwrap(), None);
    let store = store.clone();
    tokio::spawn(async move { store.wait_ready(LONG).await.unwrap() })
}

async fn a_job_that_came_between_claim_and_wait_is_not_missed(stage: Stage) {
    let store = stage.store().await;
    for _ in 0..20 {
        assert_eq!(store.claim(&worker()).await.unwrap(), None);
        submit(&*store).await;
        soon(store.wait_ready(LONG)).await.unwrap();
        claim(&*store).await;
    }
}

async fn whoever_waits_while_nothing_happens_waits_no_longer_than_asked(stage: Stage) {
    let store = stage.store().await;
    assert_eq!(store.claim(&worker()).await.unwrap(), None);
    assert!(timeout(Duration::from_millis(50), store.wait_ready(LONG)).await.is_err(), "it woke for nothing");
    soon(store.wait_ready(Duration::from_millis(1))).await.unwrap();
}
