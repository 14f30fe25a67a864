//! Whether the service is well. Everybody may ask, so an answer holds for a while, and the store is not asked more often.

use std::{collections::BTreeMap, sync::Arc};

use aide::transform::TransformOperation;
use axum::{Json, extract::State, http::StatusCode};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;
use tracing::warn;

use super::{Api, document::example_of, recent::Recent};
use crate::jobs::{Gpu, Stats, StoreError, WorkerInfo};

/// What was seen of late.
#[derive(Default)]
pub struct Checkup {
    store: Recent<StoreHealth>,
    whole: Recent<Components>,
}

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
#[derive(Debug, Clone, Default, Serialize, JsonSchema)]
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
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct StoreHealth {
    status: Condition,
    /// Why it takes no jobs; where it is, only the log says if the service has `API_KEYS`.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

/// The workers' health.
#[derive(Debug, Clone, Serialize, JsonSchema)]
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
pub async fn health(State(api): State<Arc<Api>>) -> (StatusCode, Json<Health>) {
    let components = api.checkup.whole.get(|| whole(&api)).await;
    let status = match (&components.store, &components.workers) {
        (Some(store), Some(workers)) if store.status == Condition::Healthy => workers.status,
        _ => Condition::Unhealthy,
    };
    answer(status, components)
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
            r.description(
                "`degraded`: no worker is there. `unhealthy`: the job store does not answer, or takes no jobs.",
            )
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
pub async fn ready(State(api): State<Arc<Api>>) -> (StatusCode, Json<Health>) {
    let store = api.checkup.store.get(|| store(&api)).await;
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
        .response_with::<503, Json<Health>, _>(|r| r.description("The job store does not answer, or takes no jobs."))
}

/// Each GPU once, though several workers see it.
fn each_gpu(workers: &[WorkerInfo]) -> Vec<Gpu> {
    let seen: BTreeMap<_, _> = workers.iter().flat_map(|worker| &worker.gpus).map(|gpu| (&gpu.uuid, gpu)).collect();
    seen.into_values().cloned().collect()
}

async fn whole(api: &Api) -> Components {
    let store = api.checkup.store.get(|| store(api));
    let (store, workers, queue) = tokio::join!(store, api.queue.workers(), api.queue.stats());
    let workers = workers.ok().map(|workers| WorkersHealth {
        status: if workers.is_empty() { Condition::Degraded } else { Condition::Healthy },
        count: workers.len(),
        slots: workers.iter().map(|worker| worker.concurrency).sum(),
        gpus: each_gpu(&workers),
    });
    Components { store: Some(store), workers, queue: queue.ok() }
}

async fn store(api: &Api) -> StoreHealth {
    let Err(error) = api.queue.probe().await else {
        return StoreHealth { status: Condition::Healthy, error: None };
    };
    warn!(%error, "the job store takes no jobs");
    let told = if api.config.api_keys.is_empty() { error.to_string() } else { without_place(&error).into() };
    StoreHealth { status: Condition::Unhealthy, error: Some(told) }
}

/// What is wrong, for those of whom nobody knows who they are.
fn without_place(error: &StoreError) -> &'static str {
    match error {
        StoreError::Unavailable(_) => "the job store is unavailable; the API's log says why",
        StoreError::Full(_) => "the job store has no room, or takes no writes; the API's log says why",
        StoreError::Corrupt(_) => "the job store says something unexpected; the API's log has it",
    }
}

fn answer(status: Condition, components: Components) -> (StatusCode, Json<Health>) {
    let code = if status == Condition::Healthy { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (code, Json(Health { status, components }))
}
