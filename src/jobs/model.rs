//! What a job is.

use std::{fmt, time::Duration};

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{BatchId, JobId, JobRequest, Webhook, stored};
use crate::domain::{Decision, Provider};

/// Where a job is in its life.
///
/// ```text
/// pending ──claim──▶ running ──▶ completed
///    ▲                  │ ├────▶ failed
///    └── retry, backoff ┘ └────▶ cancelled   (from pending too)
/// ```
///
/// A failed job is pending again when a client asks for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    Pending,
    Running,
    Completed,
    Failed,
    Cancelled,
}

impl Status {
    /// All of them, in the order of a job's life.
    pub const ALL: [Self; 5] = [Self::Pending, Self::Running, Self::Completed, Self::Failed, Self::Cancelled];

    /// Whether nothing follows by itself.
    pub fn is_terminal(self) -> bool {
        matches!(self, Self::Completed | Self::Failed | Self::Cancelled)
    }

    /// The word as the API and the stores spell it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Running => "running",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What kind of thing went wrong, for programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ErrorType {
    /// The hard time limit passed.
    Timeout,
    /// The language model or its server.
    LlmError,
    /// Market data: unknown symbol, no data for the date, vendor down.
    DataError,
    /// The job asks for something that the worker's settings don't allow or lack, such as a missing key.
    InvalidConfig,
    /// The result could not be stored: disk full, no permission.
    StorageError,
    /// The workers that ran the job died.
    WorkerLost,
    /// Anything else; the message and the worker's log say more.
    #[serde(other)]
    Unknown,
}

impl ErrorType {
    /// The word as the API and the stores spell it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Timeout => "timeout",
            Self::LlmError => "llm_error",
            Self::DataError => "data_error",
            Self::InvalidConfig => "invalid_config",
            Self::StorageError => "storage_error",
            Self::WorkerLost => "worker_lost",
            Self::Unknown => "unknown",
        }
    }
}

/// Why an attempt failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    pub error_type: ErrorType,
    /// What happened, why, and what to do, for the person who reads the job.
    pub message: String,
    /// Whether another attempt may succeed with nothing changed.
    pub transient: bool,
    /// The least time to wait before it, if the other side named one (`Retry-After`).
    pub retry_after: Option<Duration>,
}

/// The name of a worker process, unique among all that share a queue.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct WorkerId(pub String);

impl fmt::Display for WorkerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A job as it is stored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Job {
    pub id: JobId,
    #[serde(deserialize_with = "stored::request")]
    pub request: JobRequest,
    /// The batch that it was submitted with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub batch: Option<BatchId>,
    pub status: Status,
    /// When it was accepted, by the store's clock, as all times here.
    pub created_at: DateTime<Utc>,
    /// When the current or last attempt was claimed.
    pub started_at: Option<DateTime<Utc>>,
    /// When it reached a terminal status.
    pub completed_at: Option<DateTime<Utc>>,
    /// The last attempt's error; none once completed.
    pub error: Option<String>,
    pub error_type: Option<ErrorType>,
    /// How many claims there were. With the worker it is the fencing token: a worker's write names both, and is refused
    /// once another attempt has begun (Kleppmann, "How to do distributed locking", 2016).
    pub attempt: u32,
    /// How many failed attempts were followed by another, since the job was submitted or a client had it tried again.
    pub retry_count: u32,
    /// Who holds the lease, or held it last.
    pub worker: Option<WorkerId>,
    /// The outcome, once completed.
    pub decision: Option<Decision>,
    /// What became of its webhook, once it has ended; none if it has no URL for one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub webhook: Option<Webhook>,
}

impl Job {
    /// A job that was just accepted.
    pub fn new(id: JobId, request: JobRequest, batch: Option<BatchId>, created_at: DateTime<Utc>) -> Self {
        Self {
            id,
            request,
            batch,
            status: Status::Pending,
            created_at,
            started_at: None,
            completed_at: None,
            error: None,
            error_type: None,
            attempt: 0,
            retry_count: 0,
            worker: None,
            decision: None,
            webhook: None,
        }
    }

    /// The lease under which it runs, or ran last.
    pub fn lease(&self) -> Lease {
        Lease { job: self.id, attempt: self.attempt, worker: self.worker.clone() }
    }
}

/// A worker's right to a job under one attempt. It ends when the lease time passes without a write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    pub job: JobId,
    pub attempt: u32,
    /// Who holds it. A Redis that fails over may lose a claim, and then counts the next one as the same attempt.
    pub worker: Option<WorkerId>,
}

/// A claimed job, with what an earlier attempt left.
#[derive(Debug, Clone, PartialEq)]
pub struct Claim {
    pub job: Job,
    /// The last checkpoint, in the pipeline's own format.
    pub checkpoint: Option<Vec<u8>>,
}

impl Claim {
    /// The lease that came with the claim.
    pub fn lease(&self) -> Lease {
        self.job.lease()
    }
}

/// Which jobs to list: newest first, those after `cursor`, at most `limit`.
#[derive(Debug, Clone, Default)]
pub struct Listing {
    pub status: Option<Status>,
    pub ticker: Option<crate::domain::Ticker>,
    /// The last job of the page before.
    pub cursor: Option<JobId>,
    pub limit: usize,
}

/// A part of a listing.
#[derive(Debug, Clone, PartialEq)]
pub struct Page {
    pub jobs: Vec<Job>,
    /// The cursor of the next page, if there is one.
    pub next: Option<JobId>,
}

/// The jobs by status.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Stats {
    /// Waiting to be claimed, those that wait for their time included.
    pub pending: u64,
    pub running: u64,
    pub completed: u64,
    pub failed: u64,
    pub cancelled: u64,
}

impl Stats {
    /// The jobs by status.
    pub fn of<'a>(jobs: impl IntoIterator<Item = &'a Job>) -> Self {
        let mut stats = Self::default();
        for job in jobs {
            *match job.status {
                Status::Pending => &mut stats.pending,
                Status::Running => &mut stats.running,
                Status::Completed => &mut stats.completed,
                Status::Failed => &mut stats.failed,
                Status::Cancelled => &mut stats.cancelled,
            } += 1;
        }
        stats
    }

    /// The status of all together: pending before the first begins, running until the last has ended, and then that of
    /// the worst end.
    pub fn joint(&self) -> Status {
        let begun = self.running + self.completed + self.failed + self.cancelled > 0;
        match self {
            Self { pending: 1.., .. } if !begun => Status::Pending,
            Self { pending: 1.., .. } | Self { running: 1.., .. } => Status::Running,
            Self { failed: 1.., .. } => Status::Failed,
            Self { cancelled: 1.., .. } => Status::Cancelled,
            _ => Status::Completed,
        }
    }
}

/// What a worker says of itself, every few seconds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct WorkerInfo {
    pub id: WorkerId,
    /// The program's version.
    pub version: String,
    pub started_at: DateTime<Utc>,
    /// When the store last heard of it.
    pub seen_at: DateTime<Utc>,
    /// How many jobs it runs at once.
    pub concurrency: usize,
    /// The jobs that it runs now.
    pub running: Vec<JobId>,
    /// Attempts that it has ended since its start.
    pub finished: u64,
    /// Whether it is finishing its work before it exits.
    pub draining: bool,
    pub gpus: Vec<Gpu>,
    /// Why it sees no GPU.
    #[serde(default)]
    pub no_gpu: Option<String>,
    /// The models of its own settings; none until it has asked for them.
    #[serde(default)]
    pub models: Option<ServedModels>,
}

/// The models that a worker's own settings lead to, as their server lists them. A job that names another provider or URL
/// has others.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ServedModels {
    /// The main provider.
    pub provider: Provider,
    /// The provider of the two managers' model; null from workers of older versions, which have one provider.
    #[serde(default)]
    pub deep_think_provider: Option<Provider>,
    /// The provider of all other agents' model; null from workers of older versions.
    #[serde(default)]
    pub quick_think_provider: Option<Provider>,
    /// The model of the two managers, unless a job names another.
    pub deep_think_llm: String,
    /// The model of all other agents, unless a job names another.
    pub quick_think_llm: String,
    /// What the servers of both have; the first thousand.
    pub available: Vec<String>,
    /// Why they could not be listed.
    pub error: Option<String>,
}

/// A GPU that a worker sees, read by NVML.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Gpu {
    pub name: String,
    pub uuid: String,
    /// Bytes; null if the driver is older than 510.
    pub memory_total: Option<u64>,
    /// Bytes; the same.
    pub memory_used: Option<u64>,
    /// Percent of the last sample period in which a kernel ran; null if the GPU doesn't tell, as one that is split
    /// by MIG.
    pub utilization: Option<u32>,
    pub driver_version: String,
    /// The newest CUDA version that the driver supports, such as `12.4`; null if its libcuda is not there.
    pub cuda_version: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_joint_status_is_that_of_the_worst_end_once_all_have_ended() {
        for ([pending, running, completed, failed, cancelled], joint) in [
            ([3, 0, 0, 0, 0], Status::Pending),
            ([2, 1, 0, 0, 0], Status::Running),
            ([2, 0, 0, 1, 0], Status::Running),
            ([0, 1, 9, 1, 1], Status::Running),
            ([0, 0, 9, 1, 1], Status::Failed),
            ([0, 0, 9, 0, 1], Status::Cancelled),
            ([0, 0, 9, 0, 0], Status::Completed),
        ] {
            assert_eq!(Stats { pending, running, completed, failed, cancelled }.joint(), joint);
        }
    }
}
