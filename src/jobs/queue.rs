//! The job queue as api and worker use it: the store, and the rules above it.

use std::{ops::Deref, sync::Arc, time::Duration};

use tracing::warn;

use super::{
    Applied, BatchId, Claim, ErrorType, EventId, Failure, IdempotencyKey, Job, JobId, JobRequest, Receipt, Scope,
    Status, Store, StoreError, Submission, SubmitError,
    feed::{Feed, Follower},
    transition::Transition,
};
use crate::metrics::METRICS;

/// How often the store tidies up in one maintenance at most: between two of its bounded steps, others have their turn.
const TIDY_ROUNDS: usize = 100;

/// The queue of jobs. Clones share one store; the store's own methods can be called on it.
#[derive(Clone)]
pub struct Queue {
    store: Arc<dyn Store>,
    feed: Arc<Feed>,
    retries: RetryPolicy,
    /// The most pending jobs with which more are accepted.
    most_pending: Option<u64>,
}

/// When and how often a failed attempt is followed by another.
#[derive(Debug, Clone, Copy)]
pub struct RetryPolicy {
    /// Retries at most, after the first attempt.
    pub max_retries: u32,
    /// The wait before the first retry; it doubles with each.
    pub base: Duration,
    /// The longest wait.
    pub max: Duration,
}

/// What became of a wish to cancel.
#[derive(Debug, Clone, PartialEq)]
pub enum Cancel {
    Cancelled(Job),
    /// It had ended before.
    AlreadyEnded(Job),
    Unknown,
}

impl Queue {
    /// The queue over a store. Must be called within a tokio runtime, which carries the event feed.
    pub fn new(store: Arc<dyn Store>, retries: RetryPolicy) -> Self {
        let feed = Arc::new(Feed::start(store.clone()));
        Self { store, feed, retries, most_pending: None }
    }

    /// The same queue, that accepts no more jobs than may be pending.
    pub fn with_most_pending(self, most: u64) -> Self {
        Self { most_pending: Some(most), ..self }
    }

    /// Accepts a job: once this returns, it is stored and queued. With a key that an earlier submission had, it is that
    /// one's job.
    pub async fn submit(&self, request: JobRequest, key: Option<IdempotencyKey>) -> Result<Receipt, SubmitError> {
        let submission = Submission::of_job(JobId::new(), request);
        self.store.submit(&Submission { key, most_pending: self.most_pending, ..submission }).await
    }

    /// Accepts a batch of jobs, all or none.
    pub async fn submit_batch(
        &self,
        requests: Vec<JobRequest>,
        key: Option<IdempotencyKey>,
    ) -> Result<Receipt, SubmitError> {
        let jobs = requests.into_iter().map(|request| (JobId::new(), request)).collect();
        let batch = Some(BatchId::new());
        self.store.submit(&Submission { jobs, batch, key, most_pending: self.most_pending }).await
    }

    /// Cancels a job that has not ended. It ends at once, whether or not its worker is alive to hear of it.
    pub async fn cancel(&self, job: JobId) -> Result<Cancel, StoreError> {
        Ok(match self.store.apply(&Transition::cancel(job)).await? {
            Applied::Done(job) => Cancel::Cancelled(job),
            Applied::Refused(job) => Cancel::AlreadyEnded(job),
            Applied::Unknown => Cancel::Unknown,
        })
    }

    /// Has a failed job tried again from its beginning, with all its retries, if one more may be pending; refused if it has
    /// not failed.
    pub async fn retry(&self, job: JobId) -> Result<Applied, SubmitError> {
        if let Some(most) = self.most_pending
            && self.store.stats().await?.pending >= most
        {
            return Err(SubmitError::QueueFull { most });
        }
        Ok(self.store.apply(&Transition::requeue(job)).await?)
    }

    /// The change that ends a claim which failed: another attempt if the failure is transient and retries are left, the
    /// end of the job otherwise.
    pub fn after_failure(&self, claim: &Claim, failure: &Failure) -> Transition {
        self.retries.after(&claim.job, failure)
    }

    /// Lets the store tidy up, which frees room in one that is full. Every worker calls it about once a second, and
    /// [`end_expired`](Self::end_expired) whatever came of it.
    pub async fn tidy_up(&self) -> Result<(), StoreError> {
        for _ in 0..TIDY_ROUNDS {
            if !self.store.tidy().await? {
                break;
            }
        }
        Ok(())
    }

    /// Ends leases that are over, so that the jobs of workers that died go on. One that can't be ended keeps none of the
    /// others back, unless the store is away; the first error is returned.
    pub async fn end_expired(&self) -> Result<(), StoreError> {
        let mut ended = Ok(());
        for job in self.store.expired().await? {
            ended = ended.and(self.end_lease(&job).await);
            if matches!(ended, Err(StoreError::Unavailable(_))) {
                break;
            }
        }
        ended
    }

    async fn end_lease(&self, job: &Job) -> Result<(), StoreError> {
        warn!(job.id = %job.id, job.attempt, worker = ?job.worker, "the lease is over; the worker died or was cut off");
        let transition = self.retries.after(job, &worker_lost(job)).after_expiry();
        if let Applied::Done(_) = self.store.apply(&transition).await? {
            METRICS.lease_losses.inc();
            if transition.next.status() == Status::Pending {
                METRICS.retry(ErrorType::WorkerLost.as_str());
            }
        }
        Ok(())
    }

    /// The events of `scope` after the one named, from the store first and then live; without one, a job's events
    /// from its first, and all jobs' from now on.
    pub async fn follow(&self, scope: Scope, after: Option<EventId>) -> Result<Follower, StoreError> {
        self.feed.follow(scope, after).await
    }

    /// The events of a job as [`follow`](Self::follow) has them, and between them what its agents' models are writing:
    /// the latest draft of each agent, of which a slow listener skips those that were replaced. Drafts come once the
    /// stored events have been handed out.
    pub async fn follow_with_drafts(&self, job: JobId, after: Option<EventId>) -> Result<Follower, StoreError> {
        self.feed.follow_with_drafts(job, after).await
    }
}

impl Deref for Queue {
    type Target = dyn Store;

    fn deref(&self) -> &Self::Target {
        &*self.store
    }
}

impl RetryPolicy {
    /// The change that follows a failed attempt.
    fn after(&self, job: &Job, failure: &Failure) -> Transition {
        let lease = job.lease();
        if failure.transient && job.retry_count < self.max_retries {
            let delay = self.backoff(job.retry_count).max(failure.retry_after.unwrap_or_default());
            Transition::retry(&lease, failure, job.retry_count + 1, delay)
        } else {
            Transition::fail(&lease, failure)
        }
    }

    /// Exponential backoff with "equal jitter": half of the wait is fixed, half is random, so that jobs which failed
    /// together don't come back together (Brooker, "Exponential Backoff And Jitter", AWS 2015).
    pub fn backoff(&self, retry_count: u32) -> Duration {
        let ceiling = self.base.saturating_mul(2u32.saturating_pow(retry_count)).min(self.max);
        ceiling.mul_f64(0.5 + 0.5 * fastrand::f64())
    }
}

fn worker_lost(job: &Job) -> Failure {
    debug_assert_eq!(job.status, Status::Running);
    let worker = job.worker.as_ref().map_or("unknown", |w| &w.0);
    Failure {
        error_type: ErrorType::WorkerLost,
        message: format!(
            "worker {worker} stopped renewing its lease in attempt {}: it was killed, ran out of memory, or lost its \
             connection; its log says more",
            job.attempt
        ),
        transient: true,
        retry_after: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_ceiling_and_half_of_each_is_random() {
        let policy = RetryPolicy { max_retries: 9, base: Duration::from_secs(4), max: Duration::from_secs(20) };
        for (retry_count, ceiling) in [(0, 4.0), (1, 8.0), (2, 16.0), (3, 20.0), (40, 20.0)] {
            let wait = policy.backoff(retry_count).as_secs_f64();
            assert!((ceiling / 2.0..=ceiling).contains(&wait), "{wait} for retry {retry_count}");
        }
    }
}
