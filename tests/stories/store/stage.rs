//! Where the stories about stores play, and their properties.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{
    sync::broadcast,
    time::{sleep, timeout},
};
use tradingagents::{
    domain::{Agent, Decision, Rating},
    jobs::{
        Applied, Claim, EmbeddedStore, ErrorType, Event, EventId, EventKind, Failure, Job, JobConfig, JobId,
        JobRequest, Keep, Lease, Listing, Progress, Recorded, RedisStore, Scope, Status, Store, Submission, WorkerId,
        transition::Transition,
    },
};

use crate::support::redis::Redis;

/// Far longer than any story takes.
pub const LONG: Duration = Duration::from_hours(1);

/// So short that a story can wait for its end.
pub const SHORT: Duration = Duration::from_millis(200);

/// The longest wait for anything that a story awaits; far more than a slow machine needs.
const PATIENCE: Duration = Duration::from_secs(30);

/// What the store of a story stands on.
pub enum Stage {
    Redis(Box<Redis>),
    Embedded,
}

impl Stage {
    pub async fn redis() -> Self {
        Self::Redis(Box::new(Redis::start(&[]).await))
    }

    /// A store whose leases and whose ended jobs outlast the story.
    pub async fn store(&self) -> Arc<dyn Store> {
        self.store_with(LONG, LONG).await
    }

    /// A store with this lease time that keeps ended jobs like this.
    pub async fn store_with(&self, lease: Duration, keep: impl Into<Keep>) -> Arc<dyn Store> {
        match self {
            Self::Redis(redis) => open(redis, lease, keep).await,
            Self::Embedded => Arc::new(EmbeddedStore::in_memory(lease, keep).unwrap()),
        }
    }
}

/// A store on this Redis, once it is connected.
pub async fn open(redis: &Redis, lease: Duration, keep: impl Into<Keep>) -> Arc<dyn Store> {
    let store = RedisStore::connect(&redis.url(), lease, keep).unwrap();
    store.last_event().await.unwrap();
    Arc::new(store)
}

/// What comes of something that has to come.
#[track_caller]
pub fn soon<F: Future>(future: F) -> impl Future<Output = F::Output> {
    let place = std::panic::Location::caller();
    async move { timeout(PATIENCE, future).await.unwrap_or_else(|_| panic!("nothing came at {place}")) }
}

/// Asks again and again until there is an answer, for things of which no event tells.
#[track_caller]
pub fn eventually<T, F: Future<Output = Option<T>>>(mut ask: impl FnMut() -> F) -> impl Future<Output = T> {
    soon(async move {
        loop {
            if let Some(answer) = ask().await {
                return answer;
            }
            sleep(Duration::from_millis(10)).await;
        }
    })
}

pub fn worker() -> WorkerId {
    worker_named("worker-1")
}

pub fn worker_named(name: &str) -> WorkerId {
    WorkerId(name.into())
}

/// A request for this ticker.
pub fn request(ticker: &str) -> JobRequest {
    let config = JobConfig { max_debate_rounds: Some(2.0.try_into().unwrap()), ..JobConfig::default() };
    JobRequest::new(ticker.parse().unwrap(), "2024-05-10".parse().unwrap(), config)
}

/// A new job for a ticker that does not matter.
pub async fn submit(store: &dyn Store) -> Job {
    submit_for(store, "NVDA").await
}

pub async fn submit_for(store: &dyn Store, ticker: &str) -> Job {
    submit_request(store, request(ticker)).await
}

pub async fn submit_request(store: &dyn Store, request: JobRequest) -> Job {
    store.submit(&Submission::of_job(JobId::new(), request)).await.unwrap().into_job()
}

/// The claim of a job that has to be ready.
pub async fn claim(store: &dyn Store) -> Claim {
    store.claim(&worker()).await.unwrap().expect("a job is ready")
}

/// A new job, claimed.
pub async fn running(store: &dyn Store) -> Claim {
    let job = submit(store).await;
    let claim = claim(store).await;
    assert_eq!(claim.job.id, job.id);
    claim
}

/// A job that is known.
pub async fn get(store: &dyn Store, id: JobId) -> Job {
    store.get(id).await.unwrap().expect("the job is known")
}

/// The job after a change whose guard has to hold.
pub async fn apply(store: &dyn Store, transition: &Transition) -> Job {
    match store.apply(transition).await.unwrap() {
        Applied::Done(job) => job,
        other => panic!("{transition:?} led to {other:?}"),
    }
}

/// Appends events that have to be taken.
pub async fn record(store: &dyn Store, lease: &Lease, events: Vec<EventKind>) {
    assert_eq!(store.record(lease, &progress(events, None)).await.unwrap(), Recorded::Done);
}

pub fn completion(lease: &Lease) -> Transition {
    Transition::complete(lease, Decision::Buy, Rating::Overweight)
}

/// A failure that another attempt may mend; its text has what quoting may break.
pub fn failure() -> Failure {
    Failure {
        error_type: ErrorType::LlmError,
        message: "the model said \"no\": 50% – try\nagain".into(),
        transient: true,
        retry_after: None,
    }
}

/// What a holder of a lease writes; it comes after all that a story made before.
pub fn progress(events: Vec<EventKind>, checkpoint: Option<Vec<u8>>) -> Progress {
    static NUMBER: AtomicU64 = AtomicU64::new(1);
    if events.is_empty() && checkpoint.is_none() {
        return Progress::default();
    }
    Progress { number: NUMBER.fetch_add(1, Ordering::Relaxed), events, checkpoint }
}

/// An event of an agent's turn.
pub fn step() -> EventKind {
    EventKind::StepStarted { agent: Agent::Trader }
}

/// So many different events.
pub fn steps(count: u32) -> Vec<EventKind> {
    (1..=count).map(|steps| EventKind::Checkpoint { steps }).collect()
}

/// All stored events of a scope.
pub async fn stored(store: &dyn Store, scope: Scope) -> Vec<Event> {
    store.replay(scope, EventId::ZERO, 100_000).await.unwrap().events
}

/// All jobs of a listing, page by page.
pub async fn list_all(store: &dyn Store, mut listing: Listing) -> Vec<Job> {
    let mut jobs = Vec::new();
    loop {
        let page = store.list(&listing).await.unwrap();
        assert!(page.jobs.len() <= listing.limit);
        jobs.extend(page.jobs);
        listing.cursor = page.next;
        if listing.cursor.is_none() {
            return jobs;
        }
    }
}

pub async fn list_by(store: &dyn Store, status: Status) -> Vec<Job> {
    list_all(store, Listing { status: Some(status), limit: 7, ..Listing::default() }).await
}

/// The next `count` live events.
pub async fn hear(live: &mut broadcast::Receiver<Arc<Event>>, count: usize) -> Vec<Event> {
    let mut events = Vec::new();
    while events.len() < count {
        events.push((*soon(live.recv()).await.unwrap()).clone());
    }
    events
}
