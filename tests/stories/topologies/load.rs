//! Work that goes on whatever happens to Redis, and what has to be true of it in the end.

use std::{collections::HashMap, sync::Arc, time::Duration};

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tradingagents::jobs::{
    Applied, EventId, JobId, Queue, RedisOptions, RedisStore, RetryPolicy, Scope, Stats, Status, Store, Submission,
    feed::Followed,
};

use crate::store::stage::{LONG, completion, eventually, request, soon, stored, worker_named};

/// So short that work which is lost with an answer soon begins again, and long enough for a slow machine.
const LEASE: Duration = Duration::from_secs(2);

/// How many tell of a job's end in a story's last part: enough that every worker has had some.
const AFTERWARDS: usize = 30;

/// Clients that submit, workers that complete, and one listener who hears of all; each with a store of its own.
pub struct Load {
    options: RedisOptions,
    submitting: JoinSet<Vec<JobId>>,
    working: JoinSet<()>,
    listening: JoinSet<HashMap<EventId, u32>>,
    /// Ends the submissions.
    no_more: CancellationToken,
    /// Ends everything else.
    stop: CancellationToken,
}

impl Load {
    /// Two of each begin, with some jobs behind them once this returns.
    pub async fn start(options: RedisOptions) -> Self {
        let (no_more, stop) = (CancellationToken::new(), CancellationToken::new());
        let queue = open(&options).await;
        let listening = JoinSet::from_iter([listen(queue, stop.clone())]);
        let mut load = Self { options, submitting: JoinSet::new(), working: JoinSet::new(), listening, no_more, stop };
        for number in 1..=2 {
            load.submitting.spawn(submit(open(&load.options).await, load.no_more.clone()));
            load.working.spawn(work(open(&load.options).await, number, load.stop.clone()));
            load.working.spawn(maintain(open(&load.options).await, load.stop.clone()));
        }
        load.goes_on().await;
        load
    }

    /// Waits until some more jobs have been completed.
    pub async fn goes_on(&self) {
        let queue = open(&self.options).await;
        let completed = async || queue.stats().await.ok().map(|stats| stats.completed);
        let before = eventually(completed).await;
        eventually(async || completed().await.filter(|now| *now >= before + AFTERWARDS as u64)).await;
    }

    /// Submits no more, and lets all end. Every job that was accepted has then ended exactly once, and the listener heard of
    /// each of its events once.
    pub async fn ends_well(mut self) {
        self.no_more.cancel();
        let mut accepted = Vec::new();
        while let Some(ids) = soon(self.submitting.join_next()).await {
            accepted.extend(ids.unwrap());
        }
        let queue = open(&self.options).await;
        let all_ended = async || {
            let stats = queue.stats().await.ok()?;
            (stats == Stats { completed: stats.completed, ..Stats::default() }).then_some(())
        };
        eventually(all_ended).await;
        self.stop.cancel();
        while let Some(ended) = soon(self.working.join_next()).await {
            ended.unwrap();
        }
        let heard = soon(self.listening.join_next()).await.unwrap().unwrap();
        for id in &accepted {
            let job = eventually(async || queue.get(*id).await.ok()).await.expect("a job that was accepted is there");
            assert_eq!(job.status, Status::Completed, "{id}");
            let events = stored(&*queue, Scope::Job(*id)).await;
            assert_eq!(events.iter().filter(|event| event.kind.is_terminal()).count(), 1, "{id}: {events:?}");
            for event in events {
                assert_eq!(heard.get(&event.id), Some(&1), "how often {event:?} was heard");
            }
        }
    }
}

async fn open(options: &RedisOptions) -> Queue {
    let store = RedisStore::connect(options.clone(), LEASE, LONG).unwrap();
    eventually(async || store.last_event().await.ok()).await;
    Queue::new(Arc::new(store), RetryPolicy { max_retries: 9, base: Duration::ZERO, max: Duration::ZERO })
}

/// Submits one job after another, each until it is accepted.
async fn submit(queue: Queue, no_more: CancellationToken) -> Vec<JobId> {
    let mut accepted = Vec::new();
    while !no_more.is_cancelled() {
        let submission = Submission::of_job(JobId::new(), request("NVDA"));
        eventually(async || Store::submit(&*queue, &submission).await.ok()).await;
        accepted.push(submission.jobs[0].0);
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    accepted
}

/// Completes whatever is ready.
async fn work(queue: Queue, number: u32, stop: CancellationToken) {
    let name = worker_named(&format!("worker-{number}"));
    while !stop.is_cancelled() {
        let Ok(Some(claim)) = queue.claim(&name).await else {
            queue.wait_ready(Duration::from_millis(100)).await.unwrap();
            continue;
        };
        let end = completion(&claim.lease());
        eventually(async || queue.apply(&end).await.ok().map(|_: Applied| ())).await;
    }
}

/// What every worker does beside: brings back what was claimed by nobody who knows of it.
async fn maintain(queue: Queue, stop: CancellationToken) {
    while stop.run_until_cancelled(tokio::time::sleep(Duration::from_millis(200))).await.is_some() {
        // It has to wait while Redis is away.
        let _ = queue.tidy_up().await;
        let _ = queue.end_expired().await;
    }
}

/// Hears of every event until it is told to stop and nothing more comes.
async fn listen(queue: Queue, stop: CancellationToken) -> HashMap<EventId, u32> {
    let mut follower = queue.follow(Scope::All, None).await.unwrap();
    let mut heard = HashMap::new();
    loop {
        let silence = async {
            stop.cancelled().await;
            tokio::time::sleep(Duration::from_secs(1)).await;
        };
        tokio::select! {
            biased;
            followed = follower.next() => match followed {
                Ok(Some(Followed::Event(event))) => *heard.entry(event.id).or_default() += 1,
                Ok(Some(Followed::Writing(_))) => {}
                Ok(Some(Followed::Gap)) => panic!("events are missing"),
                Ok(None) => return heard,
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            },
            () = silence => return heard,
        }
    }
}
