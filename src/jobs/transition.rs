//! The changes of a job's status: what each needs to hold, and what it leads to.
//!
//! A store applies a [`Transition`] in one atomic step: it checks the guard, writes the new status, moves the job
//! between queue, leases and indexes, appends the event and, at an ending, drops lease and checkpoint and writes the
//! message of the job's webhook. Claiming is the one change that is not here, because the store picks the job.

use std::time::Duration;

use super::{ErrorType, EventKind, Failure, JobId, Lease, Status, WorkerId};
use crate::domain::{Decision, Rating};

/// A change of one job's status.
#[derive(Debug, Clone, PartialEq)]
pub struct Transition {
    pub job: JobId,
    pub guard: Guard,
    pub next: Next,
    pub event: EventKind,
}

/// What must hold, or the change is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Guard {
    /// The job runs under this lease: its holder writes.
    Held(Lease),
    /// The job runs under this lease, and its time is over: anybody may write.
    Expired(Lease),
    /// The job has not ended.
    Unfinished,
    /// The job has failed.
    Failed,
}

/// What follows.
#[derive(Debug, Clone, PartialEq)]
pub enum Next {
    /// Pending again, to be claimed after `delay`. With a cause it counts as a retry.
    Pending {
        delay: Duration,
        cause: Option<Cause>,
    },
    /// Pending as if it were new: with all its retries, and without an end.
    Anew,
    Completed(Decision),
    Failed(Cause),
    Cancelled,
}

/// The error that a job shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cause {
    pub error_type: ErrorType,
    pub error: String,
}

impl Next {
    /// The status that the change leads to.
    pub fn status(&self) -> Status {
        match self {
            Self::Pending { .. } | Self::Anew => Status::Pending,
            Self::Completed(_) => Status::Completed,
            Self::Failed(_) => Status::Failed,
            Self::Cancelled => Status::Cancelled,
        }
    }
}

impl Transition {
    /// The holder of the lease finished.
    pub fn complete(lease: &Lease, decision: Decision, rating: Rating) -> Self {
        Self::held(lease, Next::Completed(decision), EventKind::Completed { decision, rating })
    }

    /// The holder of the lease gives up for good.
    pub fn fail(lease: &Lease, failure: &Failure) -> Self {
        let Cause { error_type, error } = Cause::from(failure);
        Self::held(lease, Next::Failed(failure.into()), EventKind::Failed { error_type, error })
    }

    /// The holder of the lease failed, and another attempt follows; `retry_count` counts this one in.
    pub fn retry(lease: &Lease, failure: &Failure, retry_count: u32, delay: Duration) -> Self {
        let Cause { error_type, error } = Cause::from(failure);
        let event = EventKind::Retry { error_type, error, retry_count, delay_seconds: delay.as_secs_f64() };
        Self::held(lease, Next::Pending { delay, cause: Some(failure.into()) }, event)
    }

    /// The holder of the lease hands the job back, through no fault of the job.
    pub fn release(lease: &Lease, worker: WorkerId) -> Self {
        Self::held(lease, Next::Pending { delay: Duration::ZERO, cause: None }, EventKind::Released { worker })
    }

    /// A client wants no more of it. The holder of the lease learns of it by the event, or when its next write is
    /// refused.
    pub fn cancel(job: JobId) -> Self {
        Self { job, guard: Guard::Unfinished, next: Next::Cancelled, event: EventKind::Cancelled }
    }

    /// A client wants the failed job tried again.
    pub fn requeue(job: JobId) -> Self {
        Self { job, guard: Guard::Failed, next: Next::Anew, event: EventKind::Requeued }
    }

    /// The same change, made by anybody once the lease is over.
    pub fn after_expiry(mut self) -> Self {
        if let Guard::Held(lease) = self.guard {
            self.guard = Guard::Expired(lease);
        }
        self
    }

    /// The attempt that its holder ends by this, and the status to which it leads: what tells that the holder asks again,
    /// because the answer was lost.
    pub(super) fn ending(&self) -> Option<(u32, Status)> {
        match &self.guard {
            Guard::Held(lease) => Some((lease.attempt, self.next.status())),
            Guard::Expired(_) | Guard::Unfinished | Guard::Failed => None,
        }
    }

    fn held(lease: &Lease, next: Next, event: EventKind) -> Self {
        Self { job: lease.job, guard: Guard::Held(lease.clone()), next, event }
    }
}

impl From<&Failure> for Cause {
    fn from(failure: &Failure) -> Self {
        Self { error_type: failure.error_type, error: failure.message.clone() }
    }
}
