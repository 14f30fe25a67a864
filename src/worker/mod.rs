//! The worker: claims jobs and runs them, so many at once.
//!
//! ```text
//! Worker::run ──claim──▶ attempt ──▶ agents::Firm        one task per job
//!      │                    ├──▶ LeaseKeeper ──▶ queue    all writes of the attempt, and the renewals
//!      │                    └──▶ DraftPublisher ──▶ queue what its models are writing, for those who listen
//!      ├── heartbeat        what /workers and /health show
//!      ├── maintenance      ends leases of the dead, wakes delayed jobs
//!      └── webhooks         tells the ends of jobs to those who want to know
//! ```
//!
//! [`Desk`] turns a job's settings into the firm that works on it. A worker that is told to stop claims nothing new,
//! goes on for the grace time, and then hands back what is unfinished; another goes on from the last checkpoint.

mod attempt;
mod desk;
mod drafts;
mod failure;
pub mod gpu;
mod heartbeat;
mod lease_keeper;
mod limits;
mod models;
mod observer;
mod sources;
mod webhooks;

use std::{sync::Arc, time::Duration};

use attempt::Attempt;
use chrono::Utc;
pub use desk::{Desk, InvalidConfig};
use heartbeat::Activity;
pub use heartbeat::{is_of_this_host, name};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Instant, sleep},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::{Instrument, debug, info, info_span, warn};
use webhooks::Sender;

use crate::{
    config::Config,
    jobs::{Claim, Queue, StoreError, WorkerId},
    metrics::{METRICS, OneMore},
    results::Results,
    telemetry::{Span, SpanKind},
};

/// How long a claim waits for a job before it looks again: only a bound, for a submission wakes it at once.
const CLAIM_WAIT: Duration = Duration::from_secs(30);

/// The wait before a store that failed is asked again.
const STORE_PAUSE: Duration = Duration::from_millis(500);

/// How often expired leases and delayed jobs are looked for.
const MAINTENANCE_PERIOD: Duration = Duration::from_secs(1);

/// How long unfinished jobs may take to be handed back once the grace time is over.
const HAND_BACK_TIME: Duration = Duration::from_secs(5);

/// What a worker is allowed.
#[derive(Debug, Clone)]
pub struct Options {
    pub id: WorkerId,
    /// How many jobs run at once.
    pub concurrency: usize,
    /// After how many jobs the worker ends; 0 for never.
    pub max_jobs: u64,
    /// The lease time that the store was opened with.
    pub lease: Duration,
    /// After how long an attempt goes to its decision; the time in which its models are made ready does not count.
    pub soft_limit: Duration,
    /// After how long an attempt fails; the same.
    pub hard_limit: Duration,
    /// How long a worker that was told to stop goes on.
    pub grace: Duration,
    /// How webhooks are sent.
    pub webhooks: Sender,
}

impl Options {
    /// As the settings say.
    pub fn new(config: &Config) -> Self {
        Self {
            id: name(config),
            concurrency: config.worker_concurrency,
            max_jobs: config.worker_max_jobs,
            lease: Duration::from_secs(config.job_lease),
            soft_limit: Duration::from_secs(config.job_soft_time_limit),
            hard_limit: Duration::from_secs(config.job_time_limit),
            grace: Duration::from_secs(config.shutdown_grace),
            webhooks: Sender::new(config),
        }
    }
}

/// A worker process's part in the queue.
pub struct Worker {
    queue: Queue,
    desk: Desk,
    results: Results,
    options: Options,
    activity: Activity,
}

impl Worker {
    pub fn new(queue: Queue, desk: Desk, results: Results, options: Options) -> Self {
        let activity = Activity::new(&options, Utc::now());
        Self { queue, desk, results, options, activity }
    }

    /// Works until `stop` is cancelled or `max_jobs` are done; returns once nothing runs any more.
    pub async fn run(self, stop: CancellationToken) {
        let worker = Arc::new(self);
        let hand_back = CancellationToken::new();
        let attempts = TaskTracker::new();
        let mut upkeep = tokio::task::JoinSet::new();
        upkeep.spawn(heartbeat::beat(worker.clone()));
        upkeep.spawn(heartbeat::watch_gpus(worker.clone()));
        upkeep.spawn(heartbeat::list_models(worker.clone()));
        upkeep.spawn(maintain(worker.queue.clone(), worker.options.lease));
        upkeep.spawn(webhooks::deliver(worker.queue.clone(), worker.options.webhooks.clone()));
        info!(worker = %worker.options.id, concurrency = worker.options.concurrency, "the worker is ready");

        worker.claim_jobs(&stop, &hand_back, &attempts).await;

        attempts.close();
        worker.activity.drain();
        worker.drain(&stop, &hand_back, &attempts).await;
        upkeep.shutdown().await;
        if let Err(error) = worker.queue.forget_worker(&worker.options.id).await {
            warn!(%error, "could not sign off; the heartbeat runs out by itself");
        }
        info!(worker = %worker.options.id, "the worker has ended");
    }

    /// Claims a job whenever a slot is free, until it is time to end.
    async fn claim_jobs(
        self: &Arc<Self>,
        stop: &CancellationToken,
        hand_back: &CancellationToken,
        attempts: &TaskTracker,
    ) {
        let slots = Arc::new(Semaphore::new(self.options.concurrency));
        let mut claimed = 0;
        while self.options.max_jobs == 0 || claimed < self.options.max_jobs {
            let Some(Ok(slot)) = stop.run_until_cancelled(slots.clone().acquire_owned()).await else { return };
            let Some(claim) = self.claim(stop).await else { return };
            claimed += 1;
            attempts.spawn(self.clone().work(claim, slot, hand_back.clone()));
        }
        info!(claimed, "WORKER_MAX_JOBS is reached; the worker ends after its last job");
    }

    /// The next job; none once it is time to stop.
    async fn claim(&self, stop: &CancellationToken) -> Option<Claim> {
        let mut down = false;
        while !stop.is_cancelled() {
            // Not given up in the middle: a dropped claim may have taken a job.
            let waited = match self.queue.claim(&self.options.id).await {
                Ok(Some(claim)) => {
                    METRICS.claims.inc();
                    return Some(claim);
                }
                Ok(None) => stop.run_until_cancelled(self.queue.wait_ready(CLAIM_WAIT)).await?,
                Err(error) => Err(error),
            };
            if let Err(error) = &waited {
                if !down {
                    warn!(%error, "can't claim jobs; trying again until the store answers");
                }
                stop.run_until_cancelled(sleep(STORE_PAUSE)).await;
            } else if down {
                info!("the store answers again");
            }
            down = waited.is_err();
        }
        None
    }

    /// Runs one claimed job to the end of its attempt.
    async fn work(self: Arc<Self>, claim: Claim, _slot: OwnedSemaphorePermit, hand_back: CancellationToken) {
        let job = claim.job.id;
        let trace = trace_of(&claim);
        let (attempt, ticker) = (claim.job.attempt, &claim.job.request.ticker);
        let span = info_span!("job", job.id = %job, attempt, %ticker, trace_id = trace.trace_id());
        let _running = OneMore::of(&METRICS.jobs_running);
        self.activity.begin(job);
        trace.around(Attempt::new(&self, claim, hand_back, trace.clone()).run().instrument(span)).await;
        self.activity.end(job);
    }

    /// Lets the running attempts end: for as long as they need if nobody presses, else for the grace time; then hands
    /// them back.
    async fn drain(&self, stop: &CancellationToken, hand_back: &CancellationToken, attempts: &TaskTracker) {
        if stop.run_until_cancelled(attempts.wait()).await.is_some() {
            return;
        }
        if !attempts.is_empty() {
            info!(
                running = attempts.len(),
                grace_s = self.options.grace.as_secs(),
                "stopping; running jobs may finish"
            );
        }
        if tokio::time::timeout(self.options.grace, attempts.wait()).await.is_ok() {
            return;
        }
        hand_back.cancel();
        if tokio::time::timeout(HAND_BACK_TIME, attempts.wait()).await.is_err() {
            warn!(running = attempts.len(), "could not hand back in time; the leases run out and other workers go on");
        }
    }
}

/// The attempt in the trace of the job's submission, beside those before it.
fn trace_of(claim: &Claim) -> Span {
    let trace = Span::follow(claim.job.request.trace, SpanKind::Consumer, || "process job");
    trace.set("messaging.operation.type", "process");
    trace.set("messaging.message.id", claim.job.id.to_string());
    trace.set("tradingagents.attempt", i64::from(claim.job.attempt));
    trace
}

/// Keeps the queue going for all workers.
async fn maintain(queue: Queue, lease: Duration) {
    // Leases ran on while the store was away, which it may have been until just now. Those who hold them renew first,
    // before anybody ends them.
    let mut renewed = Instant::now() + lease / 2;
    loop {
        sleep(MAINTENANCE_PERIOD).await;
        let tidied = queue.tidy_up().await;
        let ended = if Instant::now() < renewed { Ok(()) } else { queue.end_expired().await };
        for error in [tidied, ended].into_iter().filter_map(Result::err) {
            debug!(%error, "maintenance has to wait");
            if matches!(error, StoreError::Unavailable(_)) {
                renewed = Instant::now() + lease / 2;
            }
        }
    }
}
