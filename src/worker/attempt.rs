//! One attempt at a job, from its claim to its end.

use std::{panic::AssertUnwindSafe, time::Duration};

use futures_util::FutureExt;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use super::{
    STORE_PAUSE, Worker,
    drafts::DraftPublisher,
    failure,
    lease_keeper::{LeaseKeeper, LeaseLost},
    limits::Limits,
    observer::AttemptObserver,
};
use crate::{
    agents::Analysis,
    jobs::{
        Applied, Claim, EventKind, Failure, Scope, Status, StoreError,
        feed::Followed,
        transition::{Next, Transition},
    },
    memory::{self, DecisionLog},
    metrics::METRICS,
    results::{JobResult, ResultsError},
    telemetry::Span,
};

/// How long the result may take to be written, and then the decision: longer than the wait for a lock, and than what a
/// bucket is given. A disk that hangs would hold the job for as long as it does.
const WRITE_LIMIT: Duration = Duration::from_mins(5);

/// A claimed job, and what it needs.
pub struct Attempt<'a> {
    worker: &'a Worker,
    claim: Claim,
    keeper: LeaseKeeper,
    drafts: DraftPublisher,
    hand_back: CancellationToken,
    trace: Span,
    began: Instant,
}

/// How the work on it ended.
enum End {
    Analysed(Box<Analysis>),
    Failed(Failure),
    /// The worker stops.
    HandedBack,
    /// The job is no longer ours: cancelled, or declared lost and given to another.
    Lost,
}

impl<'a> Attempt<'a> {
    pub fn new(worker: &'a Worker, claim: Claim, hand_back: CancellationToken, trace: Span) -> Self {
        let keeper = LeaseKeeper::start(worker.queue.clone(), claim.lease(), worker.options.lease);
        let drafts = DraftPublisher::start(worker.queue.clone(), claim.lease());
        Self { worker, claim, keeper, drafts, hand_back, trace, began: Instant::now() }
    }

    /// Works on the job and ends the attempt, in a status that follows from how it went.
    pub async fn run(&self) {
        info!(resumed = self.claim.checkpoint.is_some(), "began");
        let ended = match self.work().await {
            End::Analysed(analysis) => self.complete(&analysis).await,
            End::Failed(failure) => self.fail(&failure).await,
            End::HandedBack => self.hand_back().await,
            End::Lost => Err(LeaseLost),
        };
        if ended == Err(LeaseLost) {
            self.ended("stopped");
            info!("stopped: the job was cancelled, or goes on elsewhere");
        }
    }

    /// The analysis, within the limits and for as long as the job is ours.
    async fn work(&self) -> End {
        let super::Options { soft_limit, hard_limit, .. } = self.worker.options;
        let limits = Limits::new(soft_limit, hard_limit);
        tokio::select! {
            biased;
            () = self.keeper.lost() => End::Lost,
            () = self.cancelled() => End::Lost,
            () = self.hand_back.cancelled() => End::HandedBack,
            () = limits.used_up() => End::Failed(failure::timed_out(hard_limit)),
            analysed = AssertUnwindSafe(self.analyse(&limits)).catch_unwind() => match analysed {
                Ok(Ok(analysis)) => End::Analysed(Box::new(analysis)),
                Ok(Err(failure)) => End::Failed(failure),
                Err(panic) => End::Failed(failure::panicked(&*panic)),
            },
        }
    }

    async fn analyse(&self, limits: &Limits) -> Result<Analysis, Failure> {
        let request = &self.claim.job.request;
        if let Some(cause) = &request.unreadable {
            return Err(failure::of_another_version(cause));
        }
        let (firm, brief) = self.worker.desk.open(request)?;
        let analysis = self.resumed().unwrap_or_else(|| Analysis::new(brief));
        let observer = AttemptObserver::new(&self.keeper, &self.drafts, limits);
        Ok(firm.run(analysis, &observer).await?)
    }

    /// What an earlier attempt left.
    fn resumed(&self) -> Option<Analysis> {
        let state = self.claim.checkpoint.as_deref()?;
        serde_json::from_slice(state)
            .inspect_err(|error| warn!(%error, "another version left a checkpoint that can't be read; starting over"))
            .ok()
    }

    /// Waits until a client cancels the job. The lost lease tells it too, only later; so does it when the store is
    /// away.
    async fn cancelled(&self) {
        if let Ok(mut events) = self.worker.queue.follow(Scope::Job(self.claim.job.id), None).await {
            while let Ok(Some(followed)) = events.next().await {
                if let Followed::Event(event) = followed
                    && event.kind == EventKind::Cancelled
                {
                    return;
                }
            }
        }
        std::future::pending::<()>().await;
    }

    /// Writes the result and the decision first and then ends the job, so that a completed job has both. A crash in
    /// between leaves a job that runs its last step again and replaces the result with the same. The lease may be lost
    /// while the result is written; then it is refused if the next attempt has written its own, and replaced by that else.
    async fn complete(&self, analysis: &Analysis) -> Result<(), LeaseLost> {
        let Some(mut result) = JobResult::new(self.claim.job.id, self.claim.job.attempt, analysis) else {
            return self.fail(&failure::panicked(&"the firm ended without an outcome")).await;
        };
        let (desk, config) = (&self.worker.desk, &self.claim.job.request.config);
        result.warnings.extend(desk.retirements(config));
        result.prices = result.usage.cost_usd.and_then(|_| desk.price_sources(config));
        self.keeper.confirm().await?;
        match timeout(WRITE_LIMIT, self.worker.results.write(&result)).await {
            Ok(Ok(place)) => self.completed(result, &place).await,
            Ok(Err(ResultsError::Superseded { .. })) => Err(LeaseLost),
            Ok(Err(error)) => self.fail(&error.into()).await,
            Err(_) => self.fail(&failure::not_written(WRITE_LIMIT)).await,
        }
    }

    async fn completed(&self, result: JobResult, place: &str) -> Result<(), LeaseLost> {
        let (decision, rating) = (result.decision, result.rating);
        let memory = self.worker.desk.memory();
        // What the log keeps is no reason for the job not to end.
        if timeout(WRITE_LIMIT, tokio::task::spawn_blocking(move || remember(&memory, &result))).await.is_err() {
            warn!(limit_s = WRITE_LIMIT.as_secs(), "the disk of MEMORY_DIR hangs; the decision is not in the log");
        }
        self.conclude(&Transition::complete(&self.claim.lease(), decision, rating)).await?;
        self.ended("completed");
        METRICS.job(Status::Completed.as_str(), self.began.elapsed());
        info!(decision = decision.as_str(), rating = rating.as_str(), result = place, "completed");
        Ok(())
    }

    async fn fail(&self, failure: &Failure) -> Result<(), LeaseLost> {
        self.keeper.confirm().await?;
        let transition = self.worker.queue.after_failure(&self.claim, failure);
        self.conclude(&transition).await?;
        self.trace.fail(failure.error_type.as_str());
        if let Next::Pending { delay, .. } = transition.next {
            self.ended("retried");
            METRICS.retry(failure.error_type.as_str());
            warn!(error = failure.message, retry_in_s = delay.as_secs_f64(), "failed; another attempt follows");
        } else {
            self.ended("failed");
            METRICS.job(Status::Failed.as_str(), self.began.elapsed());
            error!(error = failure.message, "failed");
        }
        Ok(())
    }

    async fn hand_back(&self) -> Result<(), LeaseLost> {
        self.keeper.confirm().await?;
        self.conclude(&Transition::release(&self.claim.lease(), self.worker.options.id.clone())).await?;
        self.ended("handed_back");
        info!("handed back; another worker goes on from the last checkpoint");
        Ok(())
    }

    /// Applies the transition, however long the store is away. The keeper renews the lease meanwhile. One that happened
    /// though its answer was lost is known to the store.
    async fn conclude(&self, transition: &Transition) -> Result<(), LeaseLost> {
        loop {
            match self.worker.queue.apply(transition).await {
                Ok(Applied::Done(_)) => return Ok(()),
                Ok(Applied::Refused(_) | Applied::Unknown) => return Err(LeaseLost),
                Err(StoreError::Corrupt(cause)) => {
                    error!(cause, "can't end the job; its lease runs out and another attempt follows");
                    return Err(LeaseLost);
                }
                Err(error) => {
                    warn!(%error, "can't end the job yet; trying again until the store answers");
                    sleep(STORE_PAUSE).await;
                }
            }
        }
    }

    /// Counts the attempt by how it ended.
    fn ended(&self, outcome: &'static str) {
        METRICS.attempt(outcome);
        self.trace.set("tradingagents.outcome", outcome);
    }
}

/// Adds the decision to the log. Without, later jobs learn less; this one is done all the same.
fn remember(log: &DecisionLog, result: &JobResult) {
    let JobResult { job_id, ticker, date, rating, reports, .. } = result;
    let decision = memory::Decision::new(*job_id, ticker.clone(), *date, *rating, &reports.portfolio_manager);
    if let Err(error) = log.decide(decision) {
        warn!(%error, folder = %log.folder().display(), "can't add the decision to the log; check MEMORY_DIR");
    }
}
