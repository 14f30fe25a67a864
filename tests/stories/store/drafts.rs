//! Drafts, the unfinished responses of models: published to current listeners, and never stored.

use std::{sync::Arc, time::Duration};

use futures_util::FutureExt;
use tokio::{
    sync::broadcast::Receiver,
    time::{sleep, timeout},
};
use tradingagents::{
    domain::Agent,
    jobs::{
        Draft, Event, Lease, Queue, RetryPolicy, Scope, Store, Writing,
        feed::{Followed, Follower},
        transition::Transition,
    },
};

use super::stage::{
    LONG, SHORT, Stage, apply, claim, completion, eventually, hear, open, record, running, soon, step, steps, stored,
    submit, worker,
};
use crate::support::redis::Redis;

/// The wait before a draft that no listener received is published again.
const PAUSE: Duration = Duration::from_millis(20);

for_both! {
    a_draft_reaches_those_who_listen_and_is_not_stored,
    a_draft_renews_no_lease,
    whoever_lost_the_lease_publishes_nothing,
    a_follower_of_a_job_gets_its_drafts_between_the_stored_events,
    only_those_who_ask_for_drafts_get_them,
    a_follower_who_comes_back_gets_no_draft_that_it_missed,
    a_slow_follower_gets_every_stored_event_and_the_latest_draft_of_each_agent,
}

async fn a_draft_reaches_those_who_listen_and_is_not_stored(stage: Stage) {
    let store = stage.store().await;
    let (mut live, mut drafts) = (store.live(), store.drafts());
    let claimed = running(&*store).await;
    listening(&*store, &claimed.lease(), &mut drafts).await;
    let before = (stored(&*store, Scope::All).await, store.last_event().await.unwrap());

    let draft = draft(Agent::NewsAnalyst, "Bull says \"+12 %\"\n\u{1b}ünï\u{2028}code");
    store.publish(&claimed.lease(), &draft).await.unwrap();
    let heard = soon(drafts.recv()).await.unwrap();
    assert_eq!(*heard, Writing::new(claimed.job.id, draft));

    assert_eq!((stored(&*store, Scope::All).await, store.last_event().await.unwrap()), before);
    assert_eq!(store.checkpoint(claimed.job.id).await.unwrap(), None);
    record(&*store, &claimed.lease(), vec![step()]).await;
    assert_eq!(hear(&mut live, 3).await, stored(&*store, Scope::All).await, "live events are the stored ones alone");
}

async fn a_draft_renews_no_lease(stage: Stage) {
    let store = stage.store_with(SHORT, LONG).await;
    let lease = running(&*store).await.lease();
    let _drafts = store.drafts();
    eventually(async || {
        store.publish(&lease, &draft(Agent::Trader, "on and on")).await.unwrap();
        store.expired().await.unwrap().iter().any(|job| job.id == lease.job).then_some(())
    })
    .await;
}

async fn whoever_lost_the_lease_publishes_nothing(stage: Stage) {
    let store = stage.store().await;
    let lost = running(&*store).await.lease();
    let mut drafts = store.drafts();
    listening(&*store, &lost, &mut drafts).await;
    apply(&*store, &Transition::release(&lost, worker())).await;
    store.publish(&lost, &draft(Agent::Trader, "handed back")).await.unwrap();
    let held = claim(&*store).await.lease();
    store.publish(&lost, &draft(Agent::Trader, "of the attempt before")).await.unwrap();
    store.publish(&held, &draft(Agent::Trader, "mine")).await.unwrap();
    assert_eq!(soon(drafts.recv()).await.unwrap().data.text, "mine");

    apply(&*store, &completion(&held)).await;
    store.publish(&held, &draft(Agent::Trader, "after the end")).await.unwrap();
    let next = running(&*store).await.lease();
    store.publish(&next, &draft(Agent::Trader, "of the next job")).await.unwrap();
    assert_eq!(soon(drafts.recv()).await.unwrap().data.text, "of the next job");
}

async fn a_follower_of_a_job_gets_its_drafts_between_the_stored_events(stage: Stage) {
    let store = stage.store().await;
    let lease = running(&*store).await.lease();
    let queue = queue_on(&store);
    let mut follower = queue.follow_with_drafts(lease.job, None).await.unwrap();
    let mut got = vec![event(&mut follower).await, event(&mut follower).await];
    following(&*store, &lease, &mut follower).await;

    let other = running(&*store).await.lease();
    store.publish(&other, &draft(Agent::Trader, "of another job")).await.unwrap();
    store.publish(&lease, &draft(Agent::Trader, "I propose")).await.unwrap();
    assert_eq!(writing(&mut follower).await.data, draft(Agent::Trader, "I propose"));
    record(&*store, &lease, vec![step()]).await;
    got.push(event(&mut follower).await);
    apply(&*store, &completion(&lease)).await;
    got.push(event(&mut follower).await);
    assert_eq!(soon(follower.next()).await.unwrap(), None, "the stream ends with the job");
    assert_eq!(got, stored(&*store, Scope::Job(lease.job)).await);
}

async fn only_those_who_ask_for_drafts_get_them(stage: Stage) {
    let store = stage.store().await;
    let lease = running(&*store).await.lease();
    let queue = queue_on(&store);
    let mut with = queue.follow_with_drafts(lease.job, None).await.unwrap();
    let mut without = queue.follow(Scope::Job(lease.job), None).await.unwrap();
    let mut all = queue.follow(Scope::All, None).await.unwrap();
    for _ in 0..2 {
        event(&mut with).await;
        event(&mut without).await;
    }
    following(&*store, &lease, &mut with).await;
    record(&*store, &lease, vec![step()]).await;
    assert_eq!(event(&mut without).await.kind, step());
    assert_eq!(event(&mut all).await.kind, step());
}

async fn a_follower_who_comes_back_gets_no_draft_that_it_missed(stage: Stage) {
    let store = stage.store().await;
    let lease = running(&*store).await.lease();
    let queue = queue_on(&store);
    let mut follower = queue.follow_with_drafts(lease.job, None).await.unwrap();
    let mut other = queue.follow_with_drafts(lease.job, None).await.unwrap();
    let (_, last) = (event(&mut follower).await, event(&mut follower).await);
    following(&*store, &lease, &mut follower).await;
    drop(follower);
    store.publish(&lease, &draft(Agent::Trader, "missed")).await.unwrap();
    until(&mut other, "missed").await;
    // The next turn begins.
    record(&*store, &lease, vec![step()]).await;
    assert_eq!(event(&mut other).await.kind, step());

    let mut follower = queue.follow_with_drafts(lease.job, Some(last.id)).await.unwrap();
    assert_eq!(event(&mut follower).await.kind, step());
    assert!(follower.next().now_or_never().is_none(), "nothing else has come");
}

async fn a_slow_follower_gets_every_stored_event_and_the_latest_draft_of_each_agent(stage: Stage) {
    let store = stage.store().await;
    let lease = running(&*store).await.lease();
    let queue = queue_on(&store);
    let mut follower = queue.follow_with_drafts(lease.job, None).await.unwrap();
    let mut fast = queue.follow_with_drafts(lease.job, None).await.unwrap();
    let mut got = vec![event(&mut follower).await, event(&mut follower).await];
    following(&*store, &lease, &mut follower).await;
    for number in 1..=300_u32 {
        let text = number.to_string();
        store.publish(&lease, &draft(Agent::NewsAnalyst, &text)).await.unwrap();
        store.publish(&lease, &draft(Agent::MarketAnalyst, &text)).await.unwrap();
        record(&*store, &lease, steps(1)).await;
    }
    // All of it has arrived once this has.
    until(&mut fast, "300").await;

    let mut texts = Vec::new();
    while got.len() < 302 || texts.len() < 2 {
        match soon(follower.next()).await.unwrap().unwrap() {
            Followed::Event(event) => got.push((*event).clone()),
            Followed::Writing(writing) => texts.push((writing.data.agent, writing.data.text.clone())),
            Followed::Gap => panic!("events are missing"),
        }
    }
    assert_eq!(got, stored(&*store, Scope::Job(lease.job)).await);
    assert_eq!(texts, [(Agent::NewsAnalyst, "300".into()), (Agent::MarketAnalyst, "300".into())]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn drafts_cross_processes_and_cost_those_who_want_none_nothing() {
    let redis = Redis::start(&[]).await;
    let (api, one) = (open(&redis, LONG, LONG).await, open(&redis, LONG, LONG).await);
    let lease = running(&*one).await.lease();
    let listeners = async || redis.cli(&["PUBSUB", "NUMSUB", "{ta:0}:drafts"]).await.lines().nth(1).unwrap().to_owned();
    assert_eq!(listeners().await, "0", "workers do not subscribe");
    let mut drafts = api.drafts();
    listening(&*one, &lease, &mut drafts).await;
    assert_eq!(listeners().await, "1");
    let keys = redis.cli(&["KEYS", "*draft*"]).await;
    assert_eq!(keys.trim(), "", "a channel is no key");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn drafts_are_dropped_while_redis_is_away_and_heard_again_after() {
    let mut redis = Redis::start(&["--appendonly", "yes", "--appendfsync", "always"]).await;
    let (api, one) = (open(&redis, LONG, LONG).await, open(&redis, LONG, LONG).await);
    let lease = running(&*one).await.lease();
    let mut drafts = api.drafts();
    listening(&*one, &lease, &mut drafts).await;

    redis.kill().await;
    eventually(async || one.publish(&lease, &draft(Agent::Trader, "lost")).await.err()).await;
    redis.restart().await;
    eventually(async || one.publish(&lease, &draft(Agent::Trader, "maybe lost")).await.ok()).await;
    listening(&*one, &lease, &mut drafts).await;
    record(&*one, &lease, vec![step()]).await;
    assert_eq!(stored(&*api, Scope::Job(lease.job)).await.pop().unwrap().kind, step());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_are_heard_where_a_user_may_not_hear_drafts() {
    let rights = ["resetkeys", "resetchannels", "~*", "&{ta:0}:events", "&{ta:0}:ready", "+@all"];
    let user = [&["ACL", "SETUSER", "default", "on", "nopass"][..], &rights].concat();
    let redis = Redis::start(&[]).await;
    redis.cli(&user).await;
    let store = open(&redis, LONG, LONG).await;
    let (mut live, _drafts) = (store.live(), store.drafts());
    let job = submit(&*store).await;
    assert_eq!(soon(live.recv()).await.unwrap().job_id, job.id);
    let lease = claim(&*store).await.lease();
    // Whether it is an error or not, it harms nothing else.
    let _ = store.publish(&lease, &draft(Agent::Trader, "unheard")).await;
    record(&*store, &lease, vec![step()]).await;
    let mut kinds = Vec::new();
    while !kinds.contains(&step()) {
        kinds.push(soon(live.recv()).await.unwrap().kind.clone());
    }
    assert_eq!(kinds.len(), 2, "claimed, and the step: {kinds:?}");
}

fn draft(agent: Agent, text: &str) -> Draft {
    Draft::new(agent, text, text.chars().count())
}

fn queue_on(store: &Arc<dyn Store>) -> Queue {
    Queue::new(store.clone(), RetryPolicy { max_retries: 3, base: LONG, max: LONG })
}

/// Publishes until a draft is received: subscribing to Redis happens in the background.
async fn listening(store: &dyn Store, lease: &Lease, drafts: &mut Receiver<Arc<Writing>>) {
    soon(async {
        while drafts.is_empty() {
            store.publish(lease, &draft(Agent::Trader, "hello")).await.unwrap();
            sleep(PAUSE).await;
        }
    })
    .await;
    // Whatever else was published meanwhile has come by now.
    let end = draft(Agent::Trader, "listening");
    store.publish(lease, &end).await.unwrap();
    while soon(drafts.recv()).await.unwrap().data != end {}
}

/// The same for a follower, who has had all stored events.
async fn following(store: &dyn Store, lease: &Lease, follower: &mut Follower) {
    soon(async {
        loop {
            store.publish(lease, &draft(Agent::Trader, "hello")).await.unwrap();
            if timeout(PAUSE, follower.next()).await.is_ok() {
                return;
            }
        }
    })
    .await;
    store.publish(lease, &draft(Agent::Trader, "following")).await.unwrap();
    until(follower, "following").await;
}

/// Reads on up to the draft of this text.
async fn until(follower: &mut Follower, text: &str) {
    loop {
        if let Some(Followed::Writing(writing)) = soon(follower.next()).await.unwrap()
            && writing.data.text == text
        {
            return;
        }
    }
}

/// The next event, which has to be a stored one.
async fn event(follower: &mut Follower) -> Event {
    match soon(follower.next()).await.unwrap() {
        Some(Followed::Event(event)) => (*event).clone(),
        other => panic!("{other:?} instead of a stored event"),
    }
}

/// The next draft, which has to come.
async fn writing(follower: &mut Follower) -> Writing {
    match soon(follower.next()).await.unwrap() {
        Some(Followed::Writing(writing)) => (*writing).clone(),
        other => panic!("{other:?} instead of a draft"),
    }
}
