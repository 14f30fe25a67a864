//! What the process counts and measures, and what the store has, for Prometheus.

use std::sync::Arc;

use aide::transform::TransformOperation;
use axum::{
    Router,
    extract::{FromRef, State},
    http::header,
    response::{IntoResponse, Response},
    routing::get,
};
use serde_json::json;

use super::{
    Api,
    document::{as_text, example_of},
    middleware,
};
use crate::{
    config::Config,
    jobs::{Outbox, Queue, Stats, Status, StoreError},
    metrics::{CONTENT_TYPE, METRICS},
};

/// How an answer begins.
const EXAMPLE: &str = "\
# HELP tradingagents_jobs Jobs that the store has, by status.
# TYPE tradingagents_jobs gauge
tradingagents_jobs{status=\"pending\"} 3
";

impl FromRef<Arc<Api>> for Queue {
    fn from_ref(api: &Arc<Api>) -> Self {
        api.queue.clone()
    }
}

/// `GET /metrics`
pub async fn metrics(State(queue): State<Queue>) -> Response {
    let (looked, probed) = tokio::join!(look_at(&queue), queue.probe());
    METRICS.store_up.set((looked.is_ok() && probed.is_ok()).into());
    ([(header::CONTENT_TYPE, CONTENT_TYPE)], METRICS.text()).into_response()
}

pub fn metrics_docs(docs: TransformOperation<'_>) -> TransformOperation<'_> {
    docs.id("metrics")
        .tag("service")
        .summary("Metrics for Prometheus")
        .description(
            "In its text format, version 0.0.4. The queue's are those of the store, so every API has the same.",
        )
        .response_with::<200, String, _>(|r| example_of(as_text(r), &json!(EXAMPLE), "The metrics."))
}

/// The routes of a worker, which has no others, under the same rules as the API's.
pub fn alone(queue: Queue, config: &Config) -> Router {
    middleware::wrap(Router::new().route("/metrics", get(metrics)).with_state(queue), config)
}

/// Reads what the store has. If it does not answer, what it had last stays.
async fn look_at(queue: &Queue) -> Result<(), StoreError> {
    let (stats, oldest, workers, outbox) =
        tokio::join!(queue.stats(), queue.oldest_ready(), queue.workers(), queue.outbox());
    let Stats { pending, running, completed, failed, cancelled } = stats?;
    let counts = [pending, running, completed, failed, cancelled];
    for (status, count) in Status::ALL.into_iter().zip(counts) {
        METRICS.jobs(status.as_str(), count);
    }
    METRICS.oldest_pending.set(oldest?.unwrap_or_default().as_secs_f64());
    let Outbox { waiting, overdue } = outbox?;
    METRICS.webhooks_waiting.set(i64::try_from(waiting).unwrap_or(i64::MAX));
    METRICS.webhooks_overdue.set(overdue.as_secs_f64());
    METRICS.workers.set(i64::try_from(workers?.len()).unwrap_or(i64::MAX));
    Ok(())
}
