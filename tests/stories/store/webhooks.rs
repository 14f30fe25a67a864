//! Webhook messages: written with the end of their job, and kept until they are delivered or given up.

use std::{collections::HashSet, sync::Arc, time::Duration};

use tokio::task::JoinSet;
use tradingagents::jobs::{
    Attempted, Delivery, EventKind, Job, JobRequest, Scope, Store, Webhook, WebhookStatus, transition::Transition,
};

use super::stage::{
    LONG, SHORT, Stage, apply, claim, completion, eventually, failure, get, request, running, stored, submit_request,
};

for_both! {
    a_jobs_end_writes_a_message_that_carries_all_it_says,
    a_job_without_a_url_writes_none,
    a_claimed_message_is_hidden_until_its_claim_is_over,
    a_message_is_claimed_by_one_of_many,
    a_failed_attempt_shows_in_the_job_and_is_due_again_after_its_delay,
    a_concluded_message_is_gone,
    what_is_said_of_an_earlier_attempt_is_refused,
    a_message_outlives_its_job,
    a_job_that_is_tried_again_tells_each_of_its_ends,
}

async fn a_jobs_end_writes_a_message_that_carries_all_it_says(stage: Stage) {
    let store = stage.store().await;
    let job = submit_request(&*store, telling()).await;
    assert_eq!(store.claim_delivery(LONG, &[]).await.unwrap(), None);
    let claimed = claim(&*store).await;
    let ended = apply(&*store, &completion(&claimed.lease())).await;

    let end = stored(&*store, Scope::Job(job.id)).await.pop().unwrap();
    let id = format!("msg_{}_{}", job.id, end.id);
    let pending = Webhook { id: id.clone(), status: WebhookStatus::Pending, attempts: 0, error: None };
    assert_eq!(ended.webhook, Some(pending));
    let delivery = claim_due(&*store, LONG).await;
    assert_eq!((delivery.job, &delivery.request, delivery.batch), (job.id, &job.request, None));
    assert_eq!((delivery.created_at.timestamp_millis(), delivery.attempt), (job.created_at.timestamp_millis(), 1));
    assert_eq!((delivery.event, &delivery.end, delivery.id()), (end.id, &end.kind, id));
}

async fn a_job_without_a_url_writes_none(stage: Stage) {
    let store = stage.store().await;
    let claimed = running(&*store).await;
    assert_eq!(apply(&*store, &completion(&claimed.lease())).await.webhook, None);
    assert_eq!(store.claim_delivery(LONG, &[]).await.unwrap(), None);
}

async fn a_claimed_message_is_hidden_until_its_claim_is_over(stage: Stage) {
    let store = stage.store().await;
    end(&*store).await;
    let first = claim_due(&*store, SHORT).await;
    let second = eventually(async || store.claim_delivery(LONG, &[]).await.unwrap()).await;
    assert_eq!(second, Delivery { attempt: 2, ..first });
    assert_eq!(store.claim_delivery(LONG, &[]).await.unwrap(), None);
}

async fn a_message_is_claimed_by_one_of_many(stage: Stage) {
    let store = stage.store().await;
    for _ in 0..20 {
        end(&*store).await;
    }
    let mut claims = JoinSet::new();
    for _ in 0..30 {
        let store = Arc::clone(&store);
        claims.spawn(async move { store.claim_delivery(LONG, &[]).await.unwrap() });
    }
    let claimed: Vec<_> = claims.join_all().await.into_iter().flatten().map(|delivery| delivery.id()).collect();
    assert_eq!((claimed.len(), claimed.iter().collect::<HashSet<_>>().len()), (20, 20));
}

async fn a_failed_attempt_shows_in_the_job_and_is_due_again_after_its_delay(stage: Stage) {
    let store = stage.store().await;
    let job = end(&*store).await;
    let first = claim_due(&*store, LONG).await;
    let error = "the receiver said \"no\": 50% – try\nagain".to_owned();
    let retry = |delay| Attempted::Retry { error: error.clone(), delay };
    store.conclude_delivery(&first, &retry(Duration::from_millis(50))).await.unwrap();
    let webhook = get(&*store, job.id).await.webhook.unwrap();
    assert_eq!((webhook.status, webhook.attempts, webhook.error), (WebhookStatus::Pending, 1, Some(error.clone())));
    let second = eventually(async || store.claim_delivery(LONG, &[]).await.unwrap()).await;
    assert_eq!(second.attempt, 2);
    store.conclude_delivery(&second, &retry(LONG)).await.unwrap();
    assert_eq!(store.claim_delivery(LONG, &[]).await.unwrap(), None);
}

async fn a_concluded_message_is_gone(stage: Stage) {
    let store = stage.store().await;
    let gone = "410".to_owned();
    for (attempted, status, error) in [
        (Attempted::Delivered, WebhookStatus::Delivered, None),
        (Attempted::Failed { error: gone.clone() }, WebhookStatus::Failed, Some(gone)),
    ] {
        let job = end(&*store).await;
        let delivery = claim_due(&*store, Duration::from_millis(1)).await;
        store.conclude_delivery(&delivery, &attempted).await.unwrap();
        let webhook = get(&*store, job.id).await.webhook.unwrap();
        assert_eq!((webhook.status, webhook.attempts, webhook.error), (status, 1, error));
        tokio::time::sleep(Duration::from_millis(5)).await;
        assert_eq!(store.claim_delivery(LONG, &[]).await.unwrap(), None);
    }
    if let Stage::Redis(redis) = &stage {
        let keys = redis.cli(&["KEYS", "*webhook*"]).await;
        assert_eq!(keys.trim(), "");
    }
}

async fn what_is_said_of_an_earlier_attempt_is_refused(stage: Stage) {
    let store = stage.store().await;
    let job = end(&*store).await;
    let late = claim_due(&*store, Duration::from_millis(1)).await;
    let current = eventually(async || store.claim_delivery(LONG, &[]).await.unwrap()).await;
    store.conclude_delivery(&late, &Attempted::Failed { error: "late".into() }).await.unwrap();
    assert_eq!(get(&*store, job.id).await.webhook.unwrap().status, WebhookStatus::Pending);
    store.conclude_delivery(&current, &Attempted::Delivered).await.unwrap();
    store.conclude_delivery(&late, &Attempted::Failed { error: "later".into() }).await.unwrap();
    assert_eq!(get(&*store, job.id).await.webhook.unwrap().status, WebhookStatus::Delivered);
}

async fn a_message_outlives_its_job(stage: Stage) {
    let store = stage.store_with(LONG, Duration::from_millis(1)).await;
    let job = end(&*store).await;
    eventually(async || {
        store.tidy().await.unwrap();
        store.get(job.id).await.unwrap().is_none().then_some(())
    })
    .await;
    let delivery = claim_due(&*store, LONG).await;
    assert_eq!((delivery.job, &delivery.request), (job.id, &job.request));
    store.conclude_delivery(&delivery, &Attempted::Delivered).await.unwrap();
    assert_eq!(store.get(job.id).await.unwrap(), None);
    assert_eq!(store.claim_delivery(LONG, &[]).await.unwrap(), None);
}

async fn a_job_that_is_tried_again_tells_each_of_its_ends(stage: Stage) {
    let store = stage.store().await;
    let job = submit_request(&*store, telling()).await;
    let first = claim(&*store).await;
    apply(&*store, &Transition::fail(&first.lease(), &failure())).await;
    let failed = claim_due(&*store, LONG).await;
    let again = apply(&*store, &Transition::requeue(job.id)).await;
    assert_eq!(again.webhook, None, "it has not ended");
    store.conclude_delivery(&failed, &Attempted::Delivered).await.unwrap();
    assert_eq!(get(&*store, job.id).await.webhook, None);
    let second = claim(&*store).await;
    let done = apply(&*store, &completion(&second.lease())).await;
    let completed = claim_due(&*store, LONG).await;
    assert!(matches!((&failed.end, &completed.end), (EventKind::Failed { .. }, EventKind::Completed { .. })));
    assert_ne!(failed.id(), completed.id());
    assert_eq!(done.webhook.unwrap().id, completed.id());
}

/// A request whose end is to be told.
fn telling() -> JobRequest {
    let webhook_url = Some("https://receiver.example/hook".to_owned().try_into().unwrap());
    JobRequest { webhook_url, ..request("NVDA") }
}

/// A job whose end is to be told, and that has ended.
async fn end(store: &dyn Store) -> Job {
    submit_request(store, telling()).await;
    apply(store, &completion(&claim(store).await.lease())).await
}

/// A message that has to be due.
async fn claim_due(store: &dyn Store, lease: Duration) -> Delivery {
    store.claim_delivery(lease, &[]).await.unwrap().expect("a message is due")
}
