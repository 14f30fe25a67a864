//! Streams of events that resume.

use std::sync::Arc;

use tokio::task::JoinSet;
use tradingagents::jobs::{
    Event, EventId, Queue, RetryPolicy, Scope, Store,
    feed::{Followed, Follower},
    transition::Transition,
};

use super::stage::{LONG, Stage, apply, completion, eventually, record, running, soon, steps, stored, submit};

for_both! {
    a_job_is_followed_from_its_first_event_to_its_last,
    following_resumes_at_every_event_with_nothing_lost_or_doubled,
    following_resumes_while_the_job_goes_on,
    events_that_happen_during_the_catching_up_come_once_and_in_order,
    all_jobs_are_followed_from_now_on,
    whoever_reads_slowly_gets_every_event,
    following_a_job_that_ended_ends,
    following_a_forgotten_job_ends,
    many_follow_one_job,
}

async fn a_job_is_followed_from_its_first_event_to_its_last(stage: Stage) {
    let (store, queue) = queue(&stage).await;
    let claimed = running(&*store).await;
    let mut follower = queue.follow(Scope::Job(claimed.job.id), None).await.unwrap();
    let mut got = vec![next(&mut follower).await, next(&mut follower).await];
    submit(&*store).await;
    record(&*store, &claimed.lease(), steps(5)).await;
    apply(&*store, &completion(&claimed.lease())).await;
    got.extend(rest(&mut follower).await);
    assert_eq!(got, stored(&*store, Scope::Job(claimed.job.id)).await);
}

async fn following_resumes_at_every_event_with_nothing_lost_or_doubled(stage: Stage) {
    let (store, queue) = queue(&stage).await;
    let claimed = running(&*store).await;
    record(&*store, &claimed.lease(), steps(20)).await;
    apply(&*store, &completion(&claimed.lease())).await;
    let scope = Scope::Job(claimed.job.id);
    let events = stored(&*store, scope).await;
    for (place, event) in events.iter().enumerate() {
        let mut follower = queue.follow(scope, Some(event.id)).await.unwrap();
        assert_eq!(rest(&mut follower).await, events[place + 1..]);
    }
}

async fn following_resumes_while_the_job_goes_on(stage: Stage) {
    let (store, queue) = queue(&stage).await;
    let claimed = running(&*store).await;
    let scope = Scope::Job(claimed.job.id);
    let mut got = Vec::new();
    for _ in 0..20 {
        let mut follower = queue.follow(scope, got.last().map(|event: &Event| event.id)).await.unwrap();
        record(&*store, &claimed.lease(), steps(3)).await;
        got.push(next(&mut follower).await);
        got.push(next(&mut follower).await);
    }
    apply(&*store, &completion(&claimed.lease())).await;
    let mut follower = queue.follow(scope, got.last().map(|event| event.id)).await.unwrap();
    got.extend(rest(&mut follower).await);
    assert_eq!(got, stored(&*store, scope).await);
}

async fn events_that_happen_during_the_catching_up_come_once_and_in_order(stage: Stage) {
    let (store, queue) = queue(&stage).await;
    let claimed = running(&*store).await;
    let scope = Scope::Job(claimed.job.id);
    record(&*store, &claimed.lease(), steps(300)).await;
    let writing = tokio::spawn({
        let (store, lease) = (Arc::clone(&store), claimed.lease());
        async move {
            for _ in 0..200 {
                record(&*store, &lease, steps(2)).await;
            }
            apply(&*store, &completion(&lease)).await;
        }
    });
    let mut followers = JoinSet::new();
    for scope in [scope, Scope::All].repeat(5) {
        let mut follower = queue.follow(scope, Some(EventId::ZERO)).await.unwrap();
        followers.spawn(async move { until_the_end(&mut follower).await });
        // The next one begins a little later.
        record(&*store, &claimed.lease(), vec![]).await;
    }
    writing.await.unwrap();
    let events = stored(&*store, scope).await;
    assert_eq!(events.len(), 2 + 300 + 400 + 1);
    for got in followers.join_all().await {
        assert_eq!(got, events);
    }
}

async fn all_jobs_are_followed_from_now_on(stage: Stage) {
    let (store, queue) = queue(&stage).await;
    let before = running(&*store).await;
    let mut follower = queue.follow(Scope::All, None).await.unwrap();
    apply(&*store, &completion(&before.lease())).await;
    let later = submit(&*store).await;
    assert_eq!(next(&mut follower).await.kind.name(), "completed");
    let event = next(&mut follower).await;
    assert_eq!((event.job_id, event.kind.name()), (later.id, "submitted"));
}

async fn whoever_reads_slowly_gets_every_event(stage: Stage) {
    let (store, queue) = queue(&stage).await;
    let claimed = running(&*store).await;
    let scope = Scope::Job(claimed.job.id);
    let mut of_job = queue.follow(scope, None).await.unwrap();
    let mut of_all = queue.follow(Scope::All, Some(EventId::ZERO)).await.unwrap();
    let mut got = vec![next(&mut of_job).await];
    for _ in 0..30 {
        record(&*store, &claimed.lease(), steps(30)).await;
    }
    apply(&*store, &completion(&claimed.lease())).await;
    got.extend(rest(&mut of_job).await);
    assert_eq!(got.len(), 903);
    assert_eq!(until_the_end(&mut of_all).await, got);
}

async fn following_a_job_that_ended_ends(stage: Stage) {
    let (store, queue) = queue(&stage).await;
    let job = submit(&*store).await;
    apply(&*store, &Transition::cancel(job.id)).await;
    let last = stored(&*store, Scope::Job(job.id)).await.pop().unwrap();
    let mut follower = queue.follow(Scope::Job(job.id), Some(last.id)).await.unwrap();
    assert_eq!(soon(follower.next()).await.unwrap(), None);
    assert_eq!(soon(follower.next()).await.unwrap(), None);
}

async fn following_a_forgotten_job_ends(stage: Stage) {
    let store = stage.store_with(LONG, std::time::Duration::from_millis(1)).await;
    let queue = queue_on(&store);
    let job = submit(&*store).await;
    let mut before = queue.follow(Scope::Job(job.id), None).await.unwrap();
    apply(&*store, &Transition::cancel(job.id)).await;
    eventually(async || {
        store.tidy().await.unwrap();
        store.get(job.id).await.unwrap().is_none().then_some(())
    })
    .await;
    let mut after = queue.follow(Scope::Job(job.id), None).await.unwrap();
    assert_eq!(soon(after.next()).await.unwrap(), None);
    rest(&mut before).await;
}

async fn many_follow_one_job(stage: Stage) {
    let (store, queue) = queue(&stage).await;
    let claimed = running(&*store).await;
    let scope = Scope::Job(claimed.job.id);
    let mut followers = JoinSet::new();
    for number in 0..100 {
        let mut follower = queue.follow(scope, None).await.unwrap();
        // Some leave early; that is nothing to the others.
        followers.spawn(async move { if number % 3 == 0 { Vec::new() } else { rest(&mut follower).await } });
    }
    record(&*store, &claimed.lease(), steps(20)).await;
    apply(&*store, &completion(&claimed.lease())).await;
    let events = stored(&*store, scope).await;
    let got = followers.join_all().await;
    assert_eq!(got.iter().filter(|got| **got == events).count(), 66);
}

async fn queue(stage: &Stage) -> (Arc<dyn Store>, Queue) {
    let store = stage.store().await;
    let queue = queue_on(&store);
    (store, queue)
}

fn queue_on(store: &Arc<dyn Store>) -> Queue {
    Queue::new(store.clone(), RetryPolicy { max_retries: 3, base: LONG, max: LONG })
}

/// The next event, which has to come.
async fn next(follower: &mut Follower) -> Event {
    match soon(follower.next()).await.unwrap() {
        Some(Followed::Event(event)) => (*event).clone(),
        other => panic!("{other:?} instead of an event"),
    }
}

/// The events up to the stream's end.
async fn rest(follower: &mut Follower) -> Vec<Event> {
    let mut events = Vec::new();
    while let Some(Followed::Event(event)) = soon(follower.next()).await.unwrap() {
        events.push((*event).clone());
    }
    events
}

/// The events up to the first that ends a job.
async fn until_the_end(follower: &mut Follower) -> Vec<Event> {
    let mut events = vec![next(follower).await];
    while !events.last().unwrap().kind.is_terminal() {
        events.push(next(follower).await);
    }
    events
}
