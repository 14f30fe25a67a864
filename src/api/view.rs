//! Jobs as the API shows them.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;

use super::document::JOB_ID;
use crate::{
    domain::{Decision, Ticker, TradeDate},
    jobs::{BatchId, ErrorType, Job, JobId, Priority, Status, Webhook, WorkerId},
};

/// An accepted job.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Accepted {
    job_id: JobId,
    status: Status,
    created_at: DateTime<Utc>,
    ticker: Ticker,
    date: TradeDate,
}

/// A job as it is now.
#[derive(Debug, Serialize, JsonSchema)]
pub struct JobView {
    job_id: JobId,
    status: Status,
    created_at: DateTime<Utc>,
    /// When the current or last attempt began.
    started_at: Option<DateTime<Utc>>,
    completed_at: Option<DateTime<Utc>>,
    ticker: Ticker,
    date: TradeDate,
    priority: Priority,
    /// When it may begin at the earliest; null for at once.
    not_before: Option<DateTime<Utc>>,
    /// The batch that it was submitted with.
    batch_id: Option<BatchId>,
    /// What the last attempt failed with; null once completed.
    error: Option<String>,
    error_type: Option<ErrorType>,
    /// Failed attempts that were followed by another, since the job was submitted or tried again by `POST …/retry`.
    retry_count: u32,
    /// Attempts that were begun.
    attempt: u32,
    /// The worker of the current or last attempt.
    worker: Option<WorkerId>,
    /// The outcome, once completed.
    decision: Option<Decision>,
    /// What became of its webhook, once it has ended; null if it has no `webhook_url`.
    webhook: Option<Webhook>,
}

impl From<Job> for Accepted {
    fn from(job: Job) -> Self {
        let Job { id, status, created_at, request, .. } = job;
        Self { job_id: id, status, created_at, ticker: request.ticker, date: request.date }
    }
}

impl From<Job> for JobView {
    fn from(job: Job) -> Self {
        Self {
            job_id: job.id,
            status: job.status,
            created_at: job.created_at,
            started_at: job.started_at,
            completed_at: job.completed_at,
            ticker: job.request.ticker,
            date: job.request.date,
            priority: job.request.priority,
            not_before: job.request.not_before,
            batch_id: job.batch,
            error: job.error,
            error_type: job.error_type,
            retry_count: job.retry_count,
            attempt: job.attempt,
            worker: job.worker,
            decision: job.decision,
            webhook: job.webhook,
        }
    }
}

/// A completed job.
pub fn job_example() -> serde_json::Value {
    json!({
        "job_id": JOB_ID,
        "status": "completed",
        "created_at": "2024-05-10T20:15:00Z",
        "started_at": "2024-05-10T20:15:00Z",
        "completed_at": "2024-05-10T20:19:42Z",
        "ticker": "NVDA",
        "date": "2024-05-10",
        "priority": "normal",
        "not_before": null,
        "batch_id": null,
        "error": null,
        "error_type": null,
        "retry_count": 0,
        "attempt": 1,
        "worker": "gpu-1-7",
        "decision": "BUY",
        "webhook": null,
    })
}
