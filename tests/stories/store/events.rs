//! Events: stored ones, and live ones.

use std::sync::Arc;

use tokio::task::JoinSet;
use tradingagents::jobs::{Event, EventId, Scope, Store, transition::Transition};

use super::stage::{Stage, apply, claim, completion, failure, hear, record, running, steps, stored, submit, worker};

for_both! {
    events_of_a_job_are_replayed_from_any_place_and_as_many_as_asked,
    events_of_all_jobs_are_replayed_from_any_place_and_as_many_as_asked,
    nothing_comes_after_the_greatest_event_id,
    live_events_are_the_stored_ones_in_their_order,
    live_events_of_steps_at_the_same_time_are_in_order,
    the_last_event_is_the_last_of_all_jobs,
}

async fn events_of_a_job_are_replayed_from_any_place_and_as_many_as_asked(stage: Stage) {
    let store = stage.store().await;
    let other = running(&*store).await;
    let job = life(&*store).await;
    let events = stored(&*store, Scope::Job(job.job_id)).await;
    let names: Vec<_> = events.iter().map(|event| event.kind.name()).collect();
    let expected = [
        "submitted",
        "claimed",
        "checkpoint",
        "checkpoint",
        "released",
        "claimed",
        "checkpoint",
        "retry",
        "claimed",
        "completed",
    ];
    assert_eq!(names, expected);
    assert!(events.iter().all(|event| event.job_id == job.job_id && event.job_id != other.job.id));
    assert_replays(&*store, Scope::Job(job.job_id), &events).await;
}

async fn events_of_all_jobs_are_replayed_from_any_place_and_as_many_as_asked(stage: Stage) {
    let store = stage.store().await;
    life(&*store).await;
    life(&*store).await;
    let events = stored(&*store, Scope::All).await;
    assert_eq!(events.len(), 20);
    assert_replays(&*store, Scope::All, &events).await;
}

/// The last event of a job that saw much.
async fn life(store: &dyn Store) -> Event {
    let first = running(store).await.lease();
    record(store, &first, steps(2)).await;
    apply(store, &Transition::release(&first, worker())).await;
    let second = claim(store).await.lease();
    record(store, &second, steps(1)).await;
    apply(store, &Transition::retry(&second, &failure(), 1, std::time::Duration::ZERO)).await;
    apply(store, &completion(&claim(store).await.lease())).await;
    stored(store, Scope::Job(first.job)).await.pop().unwrap()
}

async fn assert_replays(store: &dyn Store, scope: Scope, events: &[Event]) {
    assert!(events.is_sorted_by(|a, b| a.id < b.id));
    let places = std::iter::once(EventId::ZERO).chain(events.iter().map(|event| event.id));
    for (place, after) in places.enumerate() {
        for limit in [1, 3, 1000] {
            let replay = store.replay(scope, after, limit).await.unwrap();
            assert_eq!(replay.events, events[place..].iter().take(limit).cloned().collect::<Vec<_>>());
            assert!(!replay.gap);
        }
    }
}

async fn nothing_comes_after_the_greatest_event_id(stage: Stage) {
    let store = stage.store().await;
    let job = submit(&*store).await;
    for after in [EventId { ms: u64::MAX, seq: u64::MAX }, EventId { ms: u64::MAX, seq: 0 }] {
        for scope in [Scope::All, Scope::Job(job.id)] {
            let replay = store.replay(scope, after, 10).await.unwrap();
            assert_eq!((replay.events, replay.gap), (vec![], false));
        }
    }
}

async fn live_events_are_the_stored_ones_in_their_order(stage: Stage) {
    let store = stage.store().await;
    let mut live = store.live();
    life(&*store).await;
    let claimed = running(&*store).await;
    record(&*store, &claimed.lease(), steps(100)).await;
    let stored = stored(&*store, Scope::All).await;
    assert_eq!(hear(&mut live, stored.len()).await, stored);
}

async fn live_events_of_steps_at_the_same_time_are_in_order(stage: Stage) {
    let store = stage.store().await;
    let mut live = store.live();
    let mut submits = JoinSet::new();
    for _ in 0..200 {
        let store = Arc::clone(&store);
        submits.spawn(async move { submit(&*store).await });
    }
    submits.join_all().await;
    assert_eq!(hear(&mut live, 200).await, stored(&*store, Scope::All).await);
}

async fn the_last_event_is_the_last_of_all_jobs(stage: Stage) {
    let store = stage.store().await;
    assert_eq!(store.last_event().await.unwrap(), EventId::ZERO);
    life(&*store).await;
    submit(&*store).await;
    assert_eq!(store.last_event().await.unwrap(), stored(&*store, Scope::All).await.pop().unwrap().id);
}
