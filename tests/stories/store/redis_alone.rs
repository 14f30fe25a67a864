//! What the store in Redis does beside what all stores do.

use std::sync::Arc;

use serde_json::json;
use tokio::task::JoinSet;
use tradingagents::jobs::{
    EventId, JobConfig, JobId, JobRequest, Lease, Listing, Queue, Recorded, RedisOptions, RedisStore, RetryPolicy,
    Scope, Stats, Status, Store, StoreError, Submission, SubmitError, feed::Followed, transition::Transition,
};

use super::stage::{
    LONG, SHORT, apply, claim, completion, eventually, failure, get, hear, open, progress, request, running, soon,
    step, steps, stored, submit, submit_for, worker,
};
use crate::support::{
    program::Sandbox,
    redis::{Redis, free_port},
    service::Service,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn submit_and_claim_and_get_are_one_round_trip_each() {
    let redis = Redis::start(&[]).await;
    let store = open(&redis, LONG, LONG).await;
    // The first time, Redis learns the scripts.
    let claimed = running(&*store).await;
    store.get(claimed.job.id).await.unwrap();
    let monitor = redis.monitor().await;

    let job = submit(&*store).await;
    claim(&*store).await;
    store.get(job.id).await.unwrap();

    assert_eq!(monitor.commands(&redis).await, ["EVALSHA", "EVALSHA", "HGETALL"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_api_asks_redis_once_for_a_submission_and_once_for_a_look() {
    let redis = Redis::start(&[]).await;
    let sandbox = Sandbox::new().set("REDIS_URL", redis.url()).set("API_LISTEN", "127.0.0.1:0");
    let api = sandbox.start(&["api"]);
    let service = Service::at(&api.url().await);
    // The first time, Redis learns the script; once events are told, the API has asked for all that it needs itself.
    let first = service.submit("NVDA", "2024-05-10", json!({})).await;
    service.events_until(&first, |event| event["type"] == "submitted").await;
    let monitor = redis.monitor().await;

    let job = service.submit("NVDA", "2024-05-10", json!({})).await;
    service.job(&job).await;

    assert_eq!(monitor.commands(&redis).await, ["EVALSHA", "HGETALL"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_reads_no_job_that_it_does_not_show() {
    let redis = Redis::start(&[]).await;
    let store = open(&redis, LONG, LONG).await;
    for number in 0..300 {
        submit_for(&*store, ["NVDA", "AAPL"][number % 2]).await;
    }
    let claimed = claim(&*store).await;
    let ticker = Some(claimed.job.request.ticker.clone());
    for (status, ticker, shown) in [
        (None, None, 10),
        (Some(Status::Pending), None, 10),
        (None, ticker.clone(), 10),
        (Some(Status::Running), ticker.clone(), 1),
        (Some(Status::Failed), ticker, 0),
    ] {
        redis.cli(&["CONFIG", "RESETSTAT"]).await;
        let page = store.list(&Listing { status, ticker, cursor: None, limit: 10 }).await.unwrap();
        assert_eq!(page.jobs.len(), shown);
        let statistics = redis.cli(&["INFO", "commandstats"]).await;
        let read = statistics.lines().find_map(|line| line.strip_prefix("cmdstat_hgetall:calls="));
        let read = read.map_or("0", |rest| rest.split(',').next().unwrap());
        assert_eq!(read.parse::<usize>().unwrap(), shown, "{statistics}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pending_job_takes_less_than_two_kilobytes() {
    const JOBS: usize = 2000;
    let redis = Redis::start(&[]).await;
    let store = open(&redis, LONG, LONG).await;
    submit(&*store).await;
    let before = used_memory(&redis).await;
    for _ in 0..JOBS {
        submit(&*store).await;
    }
    let each = (used_memory(&redis).await - before) / JOBS;
    println!("a pending job takes {each} bytes");
    assert!(each < 2000, "{each} bytes");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_completed_job_takes_less_than_sixteen_kilobytes_with_its_events() {
    let redis = Redis::start(&[]).await;
    let sandbox =
        Sandbox::new().set("REDIS_URL", redis.url()).set("API_LISTEN", "127.0.0.1:0").set("LLM_PROVIDER", "rules");
    let (api, _worker) = (sandbox.start(&["api"]), sandbox.start(&["worker"]));
    let service = Service::at(&api.url().await);
    let id = service.submit("AAPL", "2012-09-19", json!({})).await;
    let events = service.events(&id).await.len();
    assert_eq!(service.job(&id).await["status"], "completed");
    let mut bytes = 0;
    for key in [format!("{{ta:0}}:job:{id}"), format!("{{ta:0}}:job:{id}:events")] {
        bytes += redis.cli(&["MEMORY", "USAGE", &key, "SAMPLES", "0"]).await.trim().parse::<usize>().unwrap();
    }
    println!("a completed job takes {bytes} bytes, with {events} events");
    assert!(bytes < 16_000, "{bytes} bytes");
}

/// What Redis has in use, bytes.
async fn used_memory(redis: &Redis) -> usize {
    let memory = redis.cli(&["INFO", "memory"]).await;
    let used = memory.lines().find_map(|line| line.strip_prefix("used_memory:")).unwrap();
    used.trim().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stores_of_several_processes_share_one_queue() {
    let redis = Redis::start(&[]).await;
    let (api, one, two) =
        (open(&redis, LONG, LONG).await, open(&redis, LONG, LONG).await, open(&redis, LONG, LONG).await);
    let mut live = api.live();
    assert_eq!(one.claim(&worker()).await.unwrap(), None);
    let waiting = tokio::spawn({
        let one = Arc::clone(&one);
        async move { one.wait_ready(LONG).await.unwrap() }
    });

    let first = submit(&*api).await;
    soon(waiting).await.unwrap();
    assert_eq!(claim(&*one).await.job.id, first.id);
    assert_eq!(two.claim(&worker()).await.unwrap(), None);
    let second = submit(&*two).await;
    let claimed = claim(&*one).await;
    assert_eq!(claimed.job.id, second.id);
    apply(&*two, &completion(&claimed.lease())).await;

    assert_eq!(api.stats().await.unwrap(), Stats { running: 1, completed: 1, ..Stats::default() });
    assert_eq!(hear(&mut live, 5).await, stored(&*two, Scope::All).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_that_ended_keeps_no_checkpoint() {
    let redis = Redis::start(&[]).await;
    let store = open(&redis, LONG, LONG).await;
    let ends: [fn(&Lease) -> Transition; 3] =
        [completion, |lease| Transition::fail(lease, &failure()), |lease| Transition::cancel(lease.job)];
    for end in ends {
        let claimed = running(&*store).await;
        store.record(&claimed.lease(), &progress(vec![], Some(b"state".to_vec()))).await.unwrap();
        assert!(redis.cli(&["KEYS", "*"]).await.contains("checkpoint"));
        apply(&*store, &end(&claimed.lease())).await;
        assert!(!redis.cli(&["KEYS", "*"]).await.contains("checkpoint"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_redis_refuses_whole_steps_and_says_what_to_do() {
    let redis = Redis::start(&["--enable-debug-command", "local"]).await;
    let store = open(&redis, SHORT, SHORT).await;
    let claimed = running(&*store).await;
    let pending = submit(&*store).await;
    let ended = submit(&*store).await;
    apply(&*store, &Transition::cancel(ended.id)).await;
    let before = redis.cli(&["DEBUG", "DIGEST"]).await;
    redis.cli(&["CONFIG", "SET", "maxmemory", "1"]).await;

    let refusals = [
        submit_one(&*store).await,
        store.claim(&worker()).await.map(drop),
        store.record(&claimed.lease(), &progress(vec![step()], Some(b"state".to_vec()))).await.map(drop),
        store.record(&claimed.lease(), &progress(vec![], Some(b"state".to_vec()))).await.map(drop),
        store.apply(&completion(&claimed.lease())).await.map(drop),
        store.apply(&Transition::cancel(pending.id)).await.map(drop),
    ];
    for refusal in refusals {
        let Err(StoreError::Full(message)) = refusal else { panic!("{refusal:?}") };
        assert!(message.contains("maxmemory") && message.contains(&redis.address()), "{message}");
    }
    assert_eq!(redis.cli(&["DEBUG", "DIGEST"]).await, before);

    store.record(&claimed.lease(), &progress(vec![], None)).await.expect("leases are renewed");
    assert_eq!(store.get(pending.id).await.unwrap(), Some(pending.clone()), "reading goes on");
    eventually(async || {
        store.tidy().await.expect("what is old may go");
        store.get(ended.id).await.unwrap().is_none().then_some(())
    })
    .await;

    redis.cli(&["CONFIG", "SET", "maxmemory", "0"]).await;
    apply(&*store, &completion(&claimed.lease())).await;
    assert_eq!(claim(&*store).await.job.id, pending.id);
    submit(&*store).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_is_full_has_room_again_without_anybody_and_the_job_of_a_killed_worker_goes_on() {
    let redis = Redis::start(&[]).await;
    let store = open(&redis, LONG, LONG).await;
    let request = JobRequest::new("AAPL".parse().unwrap(), "2012-09-19".parse().unwrap(), JobConfig::default());
    let killed = store.submit(&Submission::of_job(JobId::new(), request)).await.unwrap().into_job();
    store.claim(&worker()).await.unwrap();
    for _ in 0..1500 {
        apply(&*store, &Transition::cancel(submit(&*store).await.id)).await;
    }
    // Room for what a job writes, and far less than those take that ended.
    let limit = used_memory(&redis).await - 300_000;
    redis.cli(&["CONFIG", "SET", "maxmemory", &limit.to_string()]).await;
    assert!(matches!(submit_one(&*store).await, Err(StoreError::Full(_))));

    let sandbox = Sandbox::new()
        .set("REDIS_URL", redis.url())
        .set("LLM_PROVIDER", "rules")
        .set("JOB_LEASE", 1)
        .set("MAX_KEPT", 1);
    let _worker = sandbox.start(&["worker"]);
    let ended = eventually(async || Some(get(&*store, killed.id).await).filter(|job| job.status.is_terminal())).await;
    assert_eq!((ended.status, ended.attempt), (Status::Completed, 2));
    submit_one(&*store).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replicas_that_are_awaited_in_vain_hold_up_nobody_else() {
    let redis = Redis::start(&[]).await;
    let plain = open(&redis, LONG, LONG).await;
    let options = RedisOptions { url: redis.url(), replicas: 1, ..RedisOptions::default() };
    let store = Arc::new(RedisStore::connect(options, LONG, LONG).unwrap());
    store.last_event().await.unwrap();
    let claimed = running(&*plain).await;
    eventually(async || {
        let waiting = tokio::spawn({
            let store = Arc::clone(&store);
            async move { submit_one(&*store).await }
        });
        while !redis.cli(&["INFO", "clients"]).await.contains("blocked_clients:1") && !waiting.is_finished() {}
        for _ in 0..3 {
            assert_eq!(get(&*store, claimed.job.id).await, claimed.job);
            assert_eq!(store.record(&claimed.lease(), &progress(vec![], None)).await.unwrap(), Recorded::Done);
        }
        (!waiting.is_finished()).then_some(())
    })
    .await;

    let mut submissions = JoinSet::new();
    for _ in 0..20 {
        let store = Arc::clone(&store);
        submissions.spawn(async move { submit_one(&*store).await });
    }
    for submitted in soon(submissions.join_all()).await {
        let Err(StoreError::Unavailable(message)) = submitted else { panic!("it has no replica") };
        assert!(message.contains("only 0 replicas"), "{message}");
    }
}

/// Submits a job that the store may not be able to take.
async fn submit_one(store: &dyn Store) -> Result<(), StoreError> {
    match store.submit(&Submission::of_job(JobId::new(), request("NVDA"))).await {
        Ok(_) => Ok(()),
        Err(SubmitError::Store(error)) => Err(error),
        Err(error) => panic!("{error}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_flushed_its_scripts_is_given_them_again() {
    let redis = Redis::start(&[]).await;
    let store = open(&redis, LONG, LONG).await;
    let mut live = store.live();
    let claimed = running(&*store).await;
    redis.cli(&["SCRIPT", "FLUSH"]).await;
    apply(&*store, &completion(&claimed.lease())).await;
    redis.cli(&["SCRIPT", "FLUSH"]).await;
    running(&*store).await;
    assert_eq!(hear(&mut live, 5).await, stored(&*store, Scope::All).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_was_emptied_takes_new_jobs() {
    let redis = Redis::start(&[]).await;
    let store = open(&redis, LONG, LONG).await;
    let mut live = store.live();
    let lost = running(&*store).await;
    submit(&*store).await;
    hear(&mut live, 3).await;
    redis.cli(&["FLUSHALL"]).await;

    assert_eq!(store.get(lost.job.id).await.unwrap(), None);
    assert_eq!(store.claim(&worker()).await.unwrap(), None);
    assert_eq!(store.expired().await.unwrap(), []);
    store.tidy().await.unwrap();
    let late = store.record(&lost.lease(), &progress(vec![step()], Some(b"state".to_vec()))).await.unwrap();
    assert_eq!(late, Recorded::LeaseLost);
    assert_eq!(store.stats().await.unwrap(), Stats::default());
    let claimed = running(&*store).await;
    apply(&*store, &completion(&claimed.lease())).await;
    assert_eq!(hear(&mut live, 3).await, stored(&*store, Scope::All).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_password_is_an_outage_and_no_error_tells_it() {
    let redis = Redis::start(&["--requirepass", "the-right-one"]).await;
    let url = format!("redis://:hunter2-is-wrong@{}", redis.address());
    let store = RedisStore::connect(&url, LONG, LONG).unwrap();
    for error in errors(&store).await {
        assert!(matches!(error, StoreError::Unavailable(_)), "{error}");
        assert!(!error.to_string().contains("hunter2") && !format!("{error:?}").contains("hunter2"), "{error}");
    }
    let error = soon(store.probe()).await.unwrap_err().to_string();
    assert!(error.contains("WRONGPASS") && error.contains(&redis.address()), "{error}");

    let url = format!("redis://:the-right-one@{}", redis.address());
    let store = RedisStore::connect(&url, LONG, LONG).unwrap();
    soon(store.probe()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_missing_redis_is_an_outage_that_names_its_place() {
    let address = format!("127.0.0.1:{}", free_port());
    let store = RedisStore::connect(&format!("redis://{address}"), LONG, LONG).unwrap();
    for error in errors(&store).await {
        assert!(matches!(error, StoreError::Unavailable(_)), "{error}");
        assert!(error.to_string().contains(&address), "{error}");
    }
}

/// What a store says that can't reach Redis.
async fn errors(store: &dyn Store) -> [StoreError; 4] {
    let worker = worker();
    let (probe, submit) = (store.probe(), submit_one(store));
    let (claim, replay) = (store.claim(&worker), store.replay(Scope::All, EventId::ZERO, 1));
    let (probe, submit, claim, replay) = soon(async { tokio::join!(probe, submit, claim, replay) }).await;
    [probe.unwrap_err(), submit.unwrap_err(), claim.unwrap_err(), replay.unwrap_err()]
}

#[tokio::test]
async fn an_address_that_is_none_is_said_to_be_none_without_its_password() {
    for url in ["redis://:hunter2@redis:port", ":hunter2@redis"] {
        let error =
            RedisStore::connect(url, LONG, LONG).err().unwrap_or_else(|| panic!("{url} is no address")).to_string();
        assert!(error.contains("REDIS_URL") && !error.contains("hunter2"), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_that_a_busy_job_pushed_out_are_a_gap_and_the_rest_follows() {
    let redis = Redis::start(&[]).await;
    let store = open(&redis, LONG, LONG).await;
    let queue = Queue::new(store.clone(), RetryPolicy { max_retries: 3, base: LONG, max: LONG });
    let claimed = running(&*store).await;
    let scope = Scope::Job(claimed.job.id);
    let early = stored(&*store, scope).await[1].id;
    for _ in 0..20 {
        store.record(&claimed.lease(), &progress(steps(100), None)).await.unwrap();
    }
    apply(&*store, &completion(&claimed.lease())).await;
    let kept = store.replay(scope, EventId::ZERO, 10_000).await.unwrap();
    assert!(kept.gap && (1000..2000).contains(&kept.events.len()));
    assert!(!store.replay(scope, kept.events[0].id, 1).await.unwrap().gap);

    for after in [None, Some(early)] {
        let mut follower = queue.follow(scope, after).await.unwrap();
        assert_eq!(soon(follower.next()).await.unwrap(), Some(Followed::Gap));
        for event in &kept.events {
            assert_eq!(soon(follower.next()).await.unwrap(), Some(Followed::Event(Arc::new(event.clone()))));
        }
        assert_eq!(soon(follower.next()).await.unwrap(), None);
    }
}
