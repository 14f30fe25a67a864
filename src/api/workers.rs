//! The workers, as their heartbeats tell of them.

use std::sync::Arc;

use aide::transform::TransformOperation;
use axum::{Json, extract::State};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;

use super::{
    Api, Problem,
    document::{JOB_ID, example_of, unavailable},
};
use crate::jobs::WorkerInfo;

/// The workers that were heard of within the lease time.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Workers {
    workers: Vec<WorkerInfo>,
}

/// `GET /workers`
pub async fn workers(State(api): State<Arc<Api>>) -> Result<Json<Workers>, Problem> {
    Ok(Json(Workers { workers: api.queue.workers().await? }))
}

pub fn workers_docs(docs: TransformOperation<'_>) -> TransformOperation<'_> {
    docs.id("workers")
        .tag("service")
        .summary("The workers")
        .description("What they run, and the GPUs that they see.")
        .response_with::<200, Json<Workers>, _>(|r| example_of(r, &example(), "The workers."))
        .with(unavailable)
}

fn example() -> serde_json::Value {
    json!({"workers": [{
        "id": "gpu-1-7",
        "version": env!("CARGO_PKG_VERSION"),
        "started_at": "2024-05-10T08:00:00Z",
        "seen_at": "2024-05-10T20:15:01Z",
        "concurrency": 2,
        "running": [JOB_ID],
        "finished": 42,
        "draining": false,
        "gpus": [gpu_example()],
        "no_gpu": null,
        "models": {
            "provider": "ollama",
            "deep_think_provider": "ollama",
            "quick_think_provider": "ollama",
            "deep_think_llm": "qwen3:8b",
            "quick_think_llm": "qwen3:8b",
            "available": ["qwen3:8b"],
            "error": null,
        },
    }]})
}

pub(super) fn gpu_example() -> serde_json::Value {
    json!({
        "name": "NVIDIA GeForce RTX 4090",
        "uuid": "GPU-5f3e8a1b-7c44-9d2a-2b20-018f64787c53",
        "memory_total": 25_757_220_864_u64,
        "memory_used": 7_516_192_768_u64,
        "utilization": 87,
        "driver_version": "550.54.14",
        "cuda_version": "12.4",
    })
}
