//! Whether the service is well.

use std::collections::BTreeMap;

use aide::transform::TransformOperation;
use axum::{Json, extract::State, http::StatusCode};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;

use super::{Api, document::example_of};
use crate::jobs::{Gpu, Stats, WorkerInfo};

/// How a part is, or the whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Condition {
    Healthy,
    /// Jobs are accepted, but nobody works on them.
    Degraded,
    /// Jobs can't be accepted.
    Unhealthy,
}

/// The service's health.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Health {
    status: Condition,
    components: Components,
}

/// The health of the parts; only those that were asked for.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub struct Components {
    #[serde(skip_serializing_if = "Option::is_none")]
    store: Option<StoreHealth>,
    #[serde(skip_serializing_if = "Option::is_none")]
    workers: Option<WorkersHealth>,
    /// The jobs by status.
    #[serde(skip_serializing_if = "Option::is_none")]
    queue: Option<Stats>,
}

/// The job store's health.
#[derive(Debug, Serialize, JsonSchema)]
pub struct StoreHealth {
    status: Condition,
    /// Why it does not answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

/// The workers' health.
#[derive(Debug, Serialize, JsonSchema)]
pub struct WorkersHealth {
    status: Condition,
    /// Workers that were heard of within the lease time.
    count: usize,
    /// Jobs that they can run at once.
    slots: usize,
    /// The GPUs that they see, each once.
    gpus: Vec<Gpu>,
}

/// `GET /health`
pub async fn health(State(api): State<Api>) -> (StatusCode, Json<Health>) {
    let (store, workers, queue) = tokio::join!(store(&api), api.queue.workers(), api.queue.stats());
    let workers = workers.ok().map(|workers| WorkersHealth {
        status: if workers.is_empty() { Condition::Degraded } else { Condition::Healthy },
        count: workers.len(),
        slots: workers.iter().map(|worker| worker.concurrency).sum(),
        gpus: each_gpu(&workers),
    });
    let status = match &workers {
        Some(workers) if store.status == Condition::Healthy => workers.status,
        _ => Condition::Unhealthy,
    };
    answer(status, Components { store: Some(store), workers, queue: queue.ok() })
}

pub fn health_docs(docs: TransformOperation<'_>) -> TransformOperation<'_> {
    docs.id("health")
        .tag("service")
        .summary("The health of the whole service")
        .response_with::<200, Json<Health>, _>(|r| {
            let example = json!({
                "status": "healthy",
                "components": {
                    "store": {"status": "healthy"},
                    "workers": {"status": "healthy", "count": 1, "slots": 2, "gpus": [super::workers::gpu_example()]},
                    "queue": {"pending": 0, "running": 1, "completed": 42, "failed": 0, "cancelled": 0}
                }
            });
            example_of(r, &example, "Jobs are accepted and worked on.")
        })
        .response_with::<503, Json<Health>, _>(|r| {
            r.description("`degraded`: no worker is there. `unhealthy`: the job store does not answer.")
        })
}

/// `GET /health/live`
pub async fn live() -> (StatusCode, Json<Health>) {
    answer(Condition::Healthy, Components::default())
}

pub fn live_docs(docs: TransformOperation<'_>) -> TransformOperation<'_> {
    docs.id("live").tag("service").summary("Whether the API process answers").response_with::<200, Json<Health>, _>(
        |r| example_of(r, &json!({"status": "healthy", "components": {}}), "It does."),
    )
}

/// `GET /health/ready`
pub async fn ready(State(api): State<Api>) -> (StatusCode, Json<Health>) {
    let store = store(&api).await;
    answer(store.status, Components { store: Some(store), ..Components::default() })
}

pub fn ready_docs(docs: TransformOperation<'_>) -> TransformOperation<'_> {
    docs.id("ready")
        .tag("service")
        .summary("Whether the API can accept jobs")
        .description("It and the job store; whether there are workers does not matter here.")
        .response_with::<200, Json<Health>, _>(|r| {
            let example = json!({"status": "healthy", "components": {"store": {"status": "healthy"}}});
            example_of(r, &example, "It can.")
        })
        .response_with::<503, Json<Health>, _>(|r| r.description("The job store does not answer."))
}

/// Each GPU once, though several workers see it.
fn each_gpu(workers: &[WorkerInfo]) -> Vec<Gpu> {
    let seen: BTreeMap<_, _> = workers.iter().flat_map(|worker| &worker.gpus).map(|gpu| (&gpu.uuid, gpu)).collect();
    seen.into_values().cloned().collect()
}

async fn store(api: &Api) -> StoreHealth {
    match api.queue.ping().await {
        Ok(()) => StoreHealth { status: Condition::Healthy, error: None },
        Err(error) => StoreHealth { status: Condition::Unhealthy, error: Some(error.to_string()) },
    }
}

fn answer(status: Condition, components: Components) -> (StatusCode, Json<Health>) {
    let code = if status == Condition::Healthy { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (code, Json(Health { status, components }))
}
