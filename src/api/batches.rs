//! Batches: the same question about many instruments, and how far its jobs are together.

use std::sync::Arc;

use aide::transform::TransformOperation;
use axum::{Json, extract::State, response::Response};
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;

use super::{
    Api, Problem,
    document::{example_of, unavailable},
    extract::{BatchPath, Idempotency},
    jobs::{accepted, not_accepted},
    submission::BatchSubmission,
    view::{JobView, job_example},
};
use crate::jobs::{BatchId, Job, Stats, Status};

/// The batch of the examples.
const BATCH_ID: &str = "018f6478-2b1f-7a10-8c3e-94d1c0a6f2b7";

/// A batch as it is now.
#[derive(Debug, Serialize, JsonSchema)]
pub struct BatchView {
    batch_id: BatchId,
    /// `pending` before the first job begins, `running` until the last has ended, and then the worst of their ends.
    status: Status,
    created_at: DateTime<Utc>,
    /// The jobs by status.
    counts: Stats,
    /// The jobs in the order of `tickers`; ended ones are forgotten after `JOB_TTL`.
    jobs: Vec<JobView>,
}

impl BatchView {
    /// The view of a batch's jobs; none if there are none.
    fn new(jobs: Vec<Job>) -> Option<Self> {
        let first = jobs.first()?;
        let counts = Stats::of(&jobs);
        Some(Self {
            batch_id: first.batch?,
            status: counts.joint(),
            created_at: first.created_at,
            counts,
            jobs: jobs.into_iter().map(JobView::from).collect(),
        })
    }
}

/// `POST /batches`
pub async fn submit(
    State(api): State<Arc<Api>>,
    Idempotency(key): Idempotency,
    BatchSubmission(requests): BatchSubmission,
) -> Result<Response, Problem> {
    let receipt = api.queue.submit_batch(requests, key).await?;
    let batch = BatchView::new(receipt.jobs).ok_or_else(Problem::bug)?;
    Ok(accepted(&format!("/batches/{}", batch.batch_id), receipt.repeated, batch))
}

pub fn submit_docs(docs: TransformOperation<'_>) -> TransformOperation<'_> {
    docs.id("submitBatch")
        .tag("jobs")
        .summary("Submit a batch of jobs")
        .description(
            "One job for each of `tickers`, all with the same date and settings. All are stored, or none is. \
             `Idempotency-Key` works as for a job.",
        )
        .response_with::<202, Json<BatchView>, _>(|r| {
            example_of(r, &example("pending"), "Accepted; `Location` has the batch's path.")
        })
        .with(not_accepted)
}

/// `GET /batches/{batch_id}`
pub async fn status(State(api): State<Arc<Api>>, BatchPath(id): BatchPath) -> Result<Json<BatchView>, Problem> {
    let jobs = api.queue.batch(id).await?;
    BatchView::new(jobs).map(Json).ok_or_else(|| Problem::batch_not_found(&id.to_string()))
}

pub fn status_docs(docs: TransformOperation<'_>) -> TransformOperation<'_> {
    docs.id("getBatch")
        .tag("jobs")
        .summary("Look at a batch")
        .response_with::<200, Json<BatchView>, _>(|r| example_of(r, &example("completed"), "The batch as it is now."))
        .response_with::<404, Problem, _>(|r| {
            r.description("No batch has this id, or all its jobs are forgotten; `error` names it.")
        })
        .with(unavailable)
}

/// A batch of one job.
fn example(status: &str) -> serde_json::Value {
    let mut job = job_example();
    job["batch_id"] = json!(BATCH_ID);
    if status == "pending" {
        job["status"] = json!(status);
        job["attempt"] = json!(0);
        for field in ["started_at", "completed_at", "worker", "decision"] {
            job[field] = json!(null);
        }
    }
    let mut counts = json!({"pending": 0, "running": 0, "completed": 0, "failed": 0, "cancelled": 0});
    counts[status] = json!(1);
    json!({
        "batch_id": BATCH_ID, "status": status, "created_at": "2024-05-10T20:15:00Z", "counts": counts, "jobs": [job]
    })
}
