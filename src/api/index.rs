//! What there is, for programs that look.

use std::{collections::BTreeMap, sync::Arc};

use aide::{openapi::MediaType, transform::TransformOperation};
use axum::{
    Json,
    extract::{FromRequestParts, Query, Request, State},
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;

use super::{Api, pages};

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
pub async fn index(State(api): State<Arc<Api>>, request: Request) -> Response {
    let mut response = if pages::is_wanted(request.headers()) {
        let (mut parts, _) = request.into_parts();
        let filter = Query::from_request_parts(&mut parts, &api).await.ok();
        pages::jobs(State(api), parts.uri, filter).await
    } else {
        Json(contents()).into_response()
    };
    response.headers_mut().insert(header::VARY, HeaderValue::from_static("accept"));
    response
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
    docs.id("index").tag("service").summary("What there is").response_with::<200, Json<Index>, _>(|mut r| {
        let page = MediaType { example: Some(json!("<!DOCTYPE html>…")), ..MediaType::default() };
        r.inner().content.insert("text/html".into(), page);
        r.description("The service and its calls; the dashboard, for browsers (`Accept: text/html`).")
            .example(contents())
    })
}
