//! What there is, for programs that look.

use std::collections::BTreeMap;

use aide::transform::TransformOperation;
use axum::Json;
use schemars::JsonSchema;
use serde::Serialize;

/// What there is.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Index {
    name: &'static str,
    version: &'static str,
    status: &'static str,
    /// What each call does.
    endpoints: BTreeMap<&'static str, &'static str>,
}

/// `GET /`
pub async fn index() -> Json<Index> {
    let endpoints = [
        ("POST /jobs", "submit a job"),
        ("GET /jobs", "list jobs"),
        ("GET /jobs/{job_id}", "look at a job"),
        ("DELETE /jobs/{job_id}", "cancel a job"),
        ("GET /jobs/{job_id}/result", "read a job's result"),
        ("GET /jobs/{job_id}/report", "read a job's report"),
        ("GET /jobs/{job_id}/events", "follow a job"),
        ("GET /events", "follow all jobs"),
        ("GET /workers", "the workers"),
        ("GET /health", "the health of the service"),
        ("GET /docs", "the documentation"),
        ("GET /openapi.json", "the OpenAPI document"),
    ];
    Json(Index {
        name: "TradingAgents job service",
        version: env!("CARGO_PKG_VERSION"),
        status: "running",
        endpoints: endpoints.into(),
    })
}

pub fn index_docs(docs: TransformOperation<'_>) -> TransformOperation<'_> {
    docs.id("index")
        .tag("service")
        .summary("What there is")
        .response_with::<200, Json<Index>, _>(|r| r.description("The service and its calls."))
}
