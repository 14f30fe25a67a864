//! What the store in Redis does while Redis comes and goes.

use std::{
    io::{Read, Write},
    sync::Arc,
    time::Duration,
};

use tradingagents::jobs::{
    Applied, EventId, Job, JobId, Recorded, RedisStore, Scope, Stats, Store, StoreError, Submission,
};

use super::stage::{
    LONG, apply, claim, completion, eventually, get, hear, open, progress, request, running, soon, steps, stored,
    submit, worker, worker_named,
};
use crate::support::{
    proxy::{Proxy, Weather},
    redis::{Redis, free_port},
};

/// A Redis that loses nothing when it is killed.
const DURABLE: [&str; 4] = ["--appendonly", "yes", "--appendfsync", "always"];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_was_made_before_redis_is_up_works_once_it_is() {
    let port = free_port();
    let store = RedisStore::connect(&format!("redis://127.0.0.1:{port}"), LONG, LONG).unwrap();
    let mut live = store.live();
    assert!(matches!(soon(store.probe()).await, Err(StoreError::Unavailable(_))));

    let _redis = Redis::start_at(port, &[]).await;

    eventually(async || store.probe().await.ok()).await;
    eventually(async || store.last_event().await.ok()).await;
    let claimed = running(&store).await;
    assert_eq!(hear(&mut live, 2).await, stored(&store, Scope::Job(claimed.job.id)).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_was_killed_and_comes_back_has_every_job() {
    let mut redis = Redis::start(&DURABLE).await;
    let store = open(&redis, LONG, LONG).await;
    let done = running(&*store).await;
    apply(&*store, &completion(&done.lease())).await;
    let claimed = running(&*store).await;
    store.record(&claimed.lease(), &progress(steps(2), Some(b"state".to_vec()))).await.unwrap();
    let mut pending = Vec::new();
    for _ in 0..50 {
        pending.push(submit(&*store).await.id);
    }
    let (events, before) = (stored(&*store, Scope::All).await, get(&*store, claimed.job.id).await);

    redis.kill().await;
    let error = soon(store.get(claimed.job.id)).await.unwrap_err();
    assert!(matches!(error, StoreError::Unavailable(_)), "{error:?}");
    redis.restart().await;

    let after = eventually(async || store.get(claimed.job.id).await.ok()).await;
    assert_eq!(after, Some(before));
    assert_eq!(store.stats().await.unwrap(), Stats { pending: 50, running: 1, completed: 1, ..Stats::default() });
    assert_eq!(stored(&*store, Scope::All).await, events);
    store.record(&claimed.lease(), &progress(steps(1), None)).await.unwrap();
    apply(&*store, &completion(&claimed.lease())).await;
    for id in pending {
        assert_eq!(claim(&*store).await.job.id, id);
    }
    assert_eq!(store.claim(&worker()).await.unwrap(), None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_step_that_a_kill_tore_in_two_is_written_once() {
    let mut redis = Redis::start(&DURABLE).await;
    let store = open(&redis, LONG, LONG).await;
    let claimed = running(&*store).await;
    let step = progress(steps(2), Some(b"state".to_vec()));
    store.record(&claimed.lease(), &step).await.unwrap();

    redis.kill().await;
    redis.tear();
    redis.restart().await;
    assert_eq!(redis.torn, 1);
    // Nobody has told the worker that it was written, so it writes it again.
    eventually(async || store.record(&claimed.lease(), &step).await.ok()).await;
    let events = stored(&*store, Scope::All).await;
    assert_eq!(events.len(), 2 + 2);

    redis.kill().await;
    redis.restart().await;
    let after = eventually(async || store.replay(Scope::All, EventId::ZERO, 100).await.ok()).await;
    assert_eq!(after.events, events);
    assert_eq!(stored(&*store, Scope::Job(claimed.job.id)).await, events);
}

#[tokio::test]
async fn wherever_a_step_is_torn_its_file_ends_before_it_again() {
    const MULTI: usize = "*1\r\n$5\r\nMULTI\r\n".len();
    let mut redis = Redis::start(&DURABLE).await;
    redis.cli(&["SET", "before", "1"]).await;
    let mut file = redis.appended();
    let before = file.metadata().unwrap().len();
    redis.cli(&["EVAL", "redis.call('SET', 'one', '1') redis.call('RPUSH', 'two', '2')", "0"]).await;
    redis.kill().await;
    let mut whole = Vec::new();
    file.read_to_end(&mut whole).unwrap();
    let step = whole.split_off(usize::try_from(before).unwrap());
    assert!(!redis.mend().await);
    // Of a torn `MULTI`, Redis itself makes no transaction.
    for kept in MULTI..step.len() {
        file.set_len(before).unwrap();
        file.write_all(&step[..kept]).unwrap();
        assert!(redis.mend().await, "after {kept} bytes of the step");
        assert_eq!(file.metadata().unwrap().len(), before, "after {kept} bytes of the step");
    }
    // What is broken elsewhere is left to people, for what follows would go with it.
    for broken in ["*3\r\n$3\r\nSET\r\n$5\r\nonetwo\r\n", "*1\r\n$5\r\nMULTI\r\n"] {
        file.set_len(before).unwrap();
        file.write_all(&[broken.as_bytes(), &step].concat()).unwrap();
        assert!(!redis.mend().await, "{broken}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_claim_that_redis_lost_is_no_lease_though_the_next_one_has_its_number() {
    let mut redis = Redis::start(&DURABLE).await;
    let store = open(&redis, LONG, LONG).await;
    let lost = running(&*store).await;
    redis.kill().await;
    redis.tear();
    redis.restart().await;
    let other = worker_named("worker-2");
    let claimed = eventually(async || store.claim(&other).await.ok().flatten()).await;
    assert_eq!((claimed.job.id, claimed.job.attempt), (lost.job.id, lost.job.attempt));

    assert_eq!(store.record(&lost.lease(), &progress(steps(1), None)).await.unwrap(), Recorded::LeaseLost);
    assert_eq!(store.apply(&completion(&lost.lease())).await.unwrap(), Applied::Refused(claimed.job.clone()));
    store.record(&claimed.lease(), &progress(steps(1), None)).await.unwrap();
    let done = apply(&*store, &completion(&claimed.lease())).await;
    // It is told of this end only if it is its own.
    assert_eq!(store.apply(&completion(&lost.lease())).await.unwrap(), Applied::Refused(done));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn listeners_and_waiters_go_on_after_a_restart_of_redis() {
    let mut redis = Redis::start(&DURABLE).await;
    let (store, other) = (open(&redis, LONG, LONG).await, open(&redis, LONG, LONG).await);
    let mut live = store.live();
    submit(&*other).await;
    claim(&*store).await;
    for _ in 0..3 {
        assert_eq!(store.claim(&worker()).await.unwrap(), None);
        let waiting = tokio::spawn({
            let store = Arc::clone(&store);
            // It may wake in vain, as after each connect.
            async move {
                while store.claim(&worker()).await.ok().flatten().is_none() {
                    store.wait_ready(LONG).await.unwrap();
                }
            }
        });
        redis.kill().await;
        redis.restart().await;
        persist(&*other).await;
        soon(waiting).await.unwrap();
    }
    for _ in 0..20 {
        persist(&*other).await;
    }
    let events = stored(&*other, Scope::All).await;
    assert_eq!(events.len(), 2 + 3 * 2 + 20);
    assert_eq!(hear(&mut live, events.len()).await, events);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_that_happen_while_a_listener_is_cut_off_arrive_once_and_in_order() {
    let redis = Redis::start(&[]).await;
    let (store, other) = (open(&redis, LONG, LONG).await, open(&redis, LONG, LONG).await);
    let mut live = store.live();
    let claimed = running(&*other).await;
    let writing = tokio::spawn({
        let (other, lease) = (Arc::clone(&other), claimed.lease());
        async move {
            for _ in 0..400 {
                other.record(&lease, &progress(steps(3), None)).await.unwrap();
            }
        }
    });
    while !writing.is_finished() {
        redis.cli(&["CLIENT", "KILL", "TYPE", "pubsub"]).await;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    writing.await.unwrap();
    let events = stored(&*other, Scope::All).await;
    assert_eq!(events.len(), 2 + 1200);
    assert_eq!(hear(&mut live, events.len()).await, events);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_hangs_is_an_outage_until_it_goes_on() {
    let redis = Redis::start(&[]).await;
    let store = open(&redis, LONG, LONG).await;
    let claimed = running(&*store).await;
    redis.freeze();
    let error = soon(store.get(claimed.job.id)).await.unwrap_err();
    assert!(matches!(&error, StoreError::Unavailable(message) if message.contains(&redis.address())), "{error}");
    redis.thaw();
    let job = eventually(async || store.get(claimed.job.id).await.ok()).await;
    assert_eq!(job, Some(claimed.job));
}

/// Submits a job, however often it has to be tried; it is one job.
async fn persist(store: &dyn Store) -> Job {
    let submission = Submission::of_job(JobId::new(), request("NVDA"));
    eventually(async || store.submit(&submission).await.ok()).await.into_job()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_does_not_say_where_it_listens_from_before_redis_knows_of_it() {
    let redis = Redis::start(&[]).await;
    let proxy = Proxy::before(&redis.address()).await;
    proxy.set(Weather::Holding("SUBSCRIBE".into()));
    let store = RedisStore::connect(&format!("redis://{}", proxy.address()), LONG, LONG).unwrap();
    let mut live = store.live();
    proxy.met(1).await;
    let error = soon(store.last_event()).await.unwrap_err();
    assert!(matches!(error, StoreError::Unavailable(_)), "{error:?}");

    proxy.set(Weather::Fair);
    eventually(async || store.last_event().await.ok()).await;
    let claimed = running(&store).await;
    assert_eq!(hear(&mut live, 2).await, stored(&store, Scope::Job(claimed.job.id)).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_that_happen_before_redis_knows_of_a_listener_that_is_back_are_heard() {
    let redis = Redis::start(&[]).await;
    let other = open(&redis, LONG, LONG).await;
    let proxy = Proxy::before(&redis.address()).await;
    let store = RedisStore::connect(&format!("redis://{}", proxy.address()), LONG, LONG).unwrap();
    store.last_event().await.unwrap();
    let mut live = store.live();
    for round in 1..=3 {
        proxy.set(Weather::Holding("SUBSCRIBE".into()));
        proxy.cut();
        proxy.met(round).await;
        for _ in 0..20 {
            submit(&*other).await;
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        proxy.set(Weather::Fair);
    }
    let events = stored(&*other, Scope::All).await;
    assert_eq!(hear(&mut live, events.len()).await, events);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_whose_other_end_vanished_are_made_anew() {
    let redis = Redis::start(&[]).await;
    let other = open(&redis, LONG, LONG).await;
    let proxy = Proxy::before(&redis.address()).await;
    let store = RedisStore::connect(&format!("redis://{}", proxy.address()), LONG, LONG).unwrap();
    store.last_event().await.unwrap();
    let mut live = store.live();
    proxy.forget();
    let submitted = submit(&*other).await;
    // A store that is asked without a pause would otherwise always seem to have only just been asked.
    let asking = tokio::spawn(async move {
        loop {
            if let Ok(Some(job)) = store.get(submitted.id).await {
                return (store, job);
            }
        }
    });
    assert_eq!(hear(&mut live, 1).await, stored(&*other, Scope::All).await);
    assert_eq!(soon(asking).await.unwrap().1, get(&*other, submitted.id).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_write_whose_answer_was_lost_happens_once_when_it_is_repeated() {
    let redis = Redis::start(&[]).await;
    let proxy = Proxy::before(&redis.address()).await;
    let store = RedisStore::connect(&format!("redis://{}", proxy.address()), LONG, LONG).unwrap();
    store.last_event().await.unwrap();
    let claimed = running(&store).await;
    // Redis knows the scripts from here on.
    store.record(&claimed.lease(), &progress(steps(1), None)).await.unwrap();
    let (lease, progress) = (claimed.lease(), progress(steps(3), Some(b"state".to_vec())));

    proxy.set(Weather::Deaf("checkpoint".into()));
    let error = soon(store.record(&lease, &progress)).await.unwrap_err();
    assert!(matches!(error, StoreError::Unavailable(_)), "{error:?}");
    let recorded = eventually(async || store.record(&lease, &progress).await.ok()).await;
    assert_eq!(recorded, Recorded::Done);

    let transition = completion(&lease);
    proxy.set(Weather::Deaf("completed".into()));
    soon(store.apply(&transition)).await.unwrap_err();
    let applied = eventually(async || store.apply(&transition).await.ok()).await;
    assert_eq!(applied, Applied::Done(get(&store, lease.job).await));

    let kinds: Vec<_> = stored(&store, Scope::All).await.into_iter().map(|event| event.kind).collect();
    assert_eq!(kinds[2..], [steps(1), steps(3), vec![transition.event]].concat());
}
