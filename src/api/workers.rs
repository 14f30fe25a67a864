//! The workers, as their heartbeats tell of them.

use aide::transform::TransformOperation;
use axum::{Json, extract::State};
use schemars::JsonSchema;
use serde::Serialize;

use super::{Api, Problem, document::unavailable};
use crate::jobs::WorkerInfo;

/// The workers that were heard of within the lease time.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Workers {
    workers: Vec<WorkerInfo>,
}

/// `GET /workers`
pub async fn workers(State(api): State<Api>) -> Result<Json<Workers>, Problem> {
    Ok(Json(Workers { workers: api.queue.workers().await? }))
}

pub fn workers_docs(docs: TransformOperation<'_>) -> TransformOperation<'_> {
    docs.id("workers")
        .tag("service")
        .summary("The workers")
        .description("What they run, and the GPUs that they see.")
        .response_with::<200, Json<Workers>, _>(|r| r.description("The workers."))
        .with(unavailable)
}
