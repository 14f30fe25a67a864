//! What there is, for programs that look.

use std::collections::BTreeMap;

use aide::transform::TransformOperation;
use axum::{
    Json,
    http::{HeaderMap, header},
    response::{IntoResponse, Redirect, Response},
};
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
pub async fn index(headers: HeaderMap) -> Response {
    let accepts = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    // Browsers name HTML; programs say nothing, or JSON.
    if accepts.contains("text/html") { Redirect::to("docs").into_response() } else { Json(contents()).into_response() }
}

fn contents() -> Index {
    let endpoints = [
        ("POST /jobs", "submit a job"),
        ("GET /jobs", "list jobs"),
        ("GET /jobs/{job_id}", "look at a job"),
        ("DELETE /jobs/{job_id}", "cancel a job"),
        ("POST /jobs/{job_id}/retry", "try a failed job again"),
        ("GET /jobs/{job_id}/result", "read a job's result"),
        ("GET /jobs/{job_id}/report", "read a job's report"),
        ("GET /jobs/{job_id}/events", "follow a job"),
        ("POST /batches", "submit jobs for many tickers"),
        ("GET /batches/{batch_id}", "look at a batch"),
        ("GET /events", "follow all jobs"),
        ("GET /workers", "the workers"),
        ("GET /models", "the models that jobs can have"),
        ("GET /health", "the health of the service"),
        ("GET /metrics", "the metrics for Prometheus"),
        ("GET /docs", "the documentation"),
        ("GET /openapi.json", "the OpenAPI document"),
    ];
    Index {
        name: "TradingAgents job service",
        version: env!("CARGO_PKG_VERSION"),
        status: "running",
        endpoints: endpoints.into(),
    }
}

pub fn index_docs(docs: TransformOperation<'_>) -> TransformOperation<'_> {
    docs.id("index")
        .tag("service")
        .summary("What there is")
        .response_with::<200, Json<Index>, _>(|r| r.description("The service and its calls.").example(contents()))
        .response_with::<303, (), _>(|r| r.description("To the documentation, for browsers (`Accept: text/html`)."))
}
