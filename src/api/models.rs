//! The models that jobs can have.

use std::sync::Arc;

use aide::transform::TransformOperation;
use axum::{Json, extract::State};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;

use super::{
    Api, Problem,
    document::{example_of, unavailable},
};
use crate::jobs::{ServedModels, WorkerId};

/// The models of all workers.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Models {
    models: Vec<WorkerModels>,
}

/// The models of one worker.
#[derive(Debug, Serialize, JsonSchema)]
pub struct WorkerModels {
    worker: WorkerId,
    #[serde(flatten)]
    served: ServedModels,
}

/// `GET /models`
///
/// The workers tell it with their heartbeats: they reach the model servers, which the API may not.
pub async fn models(State(api): State<Arc<Api>>) -> Result<Json<Models>, Problem> {
    let workers = api.queue.workers().await?.into_iter();
    let models = workers.filter_map(|worker| Some(WorkerModels { worker: worker.id, served: worker.models? }));
    Ok(Json(Models { models: models.collect() }))
}

pub fn models_docs(docs: TransformOperation<'_>) -> TransformOperation<'_> {
    docs.id("models")
        .tag("service")
        .summary("The models")
        .description(
            "What the model server of each worker's own settings has, as the worker saw it within the last minute. A job \
             may name another provider or `backend_url`, whose models are not listed.",
        )
        .response_with::<200, Json<Models>, _>(|r| example_of(r, &example(), "The models by worker."))
        .with(unavailable)
}

fn example() -> serde_json::Value {
    json!({"models": [{
        "worker": "gpu-1-7",
        "provider": "ollama",
        "deep_think_provider": "ollama",
        "quick_think_provider": "ollama",
        "deep_think_llm": "qwen3:8b",
        "quick_think_llm": "qwen3:8b",
        "available": ["qwen3:8b", "gpt-oss:20b"],
        "error": null,
    }]})
}
