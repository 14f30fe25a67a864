//! The HTTP API: jobs are submitted, followed and read here.
//!
//! | question | file |
//! | --- | --- |
//! | what a route does | [`jobs`], [`batches`], [`events`], [`health`] ([`recent`]), [`workers`], [`models`], [`metrics`], [`index`] |
//! | what it answers when something is wrong | [`problem`] |
//! | how requests are read | [`intake`], [`extract`], [`submission`] |
//! | how jobs are shown | [`view`] |
//! | what holds for every request | [`middleware`] |
//! | the dashboard | [`pages`] |
//! | its place in a trace | [`trace`] |
//! | who may ask, and how often | [`guard`]: [`auth`], [`rate`] ([`bucket`]), [`client`] |
//! | what pages in browsers may do | [`browsers`] |
//! | what a connection may take | [`server`], [`seats`] |
//! | the OpenAPI document and its page | [`document`], [`webhooks`], [`words`] |

mod auth;
mod batches;
mod browsers;
mod bucket;
mod client;
mod document;
mod events;
mod extract;
mod guard;
mod health;
mod index;
mod intake;
mod jobs;
pub mod metrics;
mod middleware;
mod models;
mod pages;
mod problem;
mod rate;
mod recent;
mod seats;
mod server;
mod submission;
mod trace;
mod view;
mod webhooks;
mod words;
mod workers;

use std::sync::Arc;

use aide::{
    axum::{
        ApiRouter,
        routing::{get_with, post_with},
    },
    openapi::OpenApi,
};
use axum::Router;
pub use pages::Depth;
pub use problem::{FieldError, Problem};
pub use server::{Limits, serve};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::{config::Config, jobs::Queue, results::Results};

/// What the routes work with.
pub struct Api {
    pub queue: Queue,
    pub results: Results,
    pub config: Arc<Config>,
    /// The places of listeners that are free.
    pub listeners: Arc<Semaphore>,
    /// How full the queue was of late.
    pub depth: Arc<Depth>,
    /// What health checks saw of late.
    checkup: health::Checkup,
    document: document::Document,
    /// Cancelled when the process is to end: event streams then end too, which would go on otherwise.
    pub stop: CancellationToken,
}

impl Api {
    /// By these settings, without listeners yet.
    pub fn new(queue: Queue, results: Results, config: Arc<Config>, stop: CancellationToken) -> Self {
        let listeners = Arc::new(Semaphore::new(config.max_listeners));
        Self {
            queue,
            results,
            config,
            listeners,
            depth: Arc::default(),
            checkup: health::Checkup::default(),
            document: document::Document::default(),
            stop,
        }
    }
}

/// All routes, with what holds for every request by the settings.
pub fn router(api: Api) -> Router {
    let config = api.config.clone();
    let routes = Router::from(routes())
        .merge(pages::routes())
        .fallback(problem::unknown_path)
        .method_not_allowed_fallback(problem::wrong_method)
        .with_state(Arc::new(api));
    middleware::wrap(routes, &config)
}

/// The OpenAPI document of an API with these settings.
pub fn openapi(config: &Config) -> OpenApi {
    let mut openapi = OpenApi::default();
    // The routes are of no use without a state; only what they say of themselves is.
    let _: Router<Arc<Api>> =
        routes().finish_api_with(&mut openapi, |api| document::describe(api, config.api_keys.is_empty()));
    // Its schemas are there only now.
    words::list(&mut openapi);
    openapi
}

fn routes() -> ApiRouter<Arc<Api>> {
    ApiRouter::new()
        .api_route("/", get_with(index::index, index::index_docs))
        .api_route("/jobs", post_with(jobs::submit, jobs::submit_docs).get_with(jobs::list, jobs::list_docs))
        .api_route(
            "/jobs/{job_id}",
            get_with(jobs::status, jobs::status_docs).delete_with(jobs::cancel, jobs::cancel_docs),
        )
        .api_route("/jobs/{job_id}/retry", post_with(jobs::retry, jobs::retry_docs))
        .api_route("/jobs/{job_id}/result", get_with(jobs::result, jobs::result_docs))
        .api_route("/jobs/{job_id}/report", get_with(jobs::report, jobs::report_docs))
        .api_route("/jobs/{job_id}/events", get_with(events::of_job, events::of_job_docs))
        .api_route("/batches", post_with(batches::submit, batches::submit_docs))
        .api_route("/batches/{batch_id}", get_with(batches::status, batches::status_docs))
        .api_route("/events", get_with(events::of_all, events::of_all_docs))
        .api_route("/workers", get_with(workers::workers, workers::workers_docs))
        .api_route("/models", get_with(models::models, models::models_docs))
        .api_route("/health", get_with(health::health, health::health_docs))
        .api_route("/health/live", get_with(health::live, health::live_docs))
        .api_route("/health/ready", get_with(health::ready, health::ready_docs))
        .api_route("/metrics", get_with(metrics::metrics, metrics::metrics_docs))
        .api_route("/openapi.json", get_with(document::json, document::json_docs))
        .api_route("/docs", get_with(document::page, document::page_docs))
}
