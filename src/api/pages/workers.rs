//! The workers: what they run, and their GPUs.

use std::sync::Arc;

use axum::{
    extract::State,
    http::{StatusCode, Uri},
    response::Response,
};
use maud::{Markup, html};

use super::{
    answer,
    layout::{Page, Place},
    trouble, words,
};
use crate::{
    api::Api,
    domain::Provider,
    jobs::{Gpu, ServedModels, WorkerInfo},
};

/// `GET /dashboard/workers`
pub async fn page(State(api): State<Arc<Api>>, uri: Uri) -> Response {
    let page = Page::new(&uri, Place::Workers, "Workers");
    match api.queue.workers().await {
        Ok(workers) => {
            let content = content(&workers, &page);
            answer(StatusCode::OK, page.following("events", String::new()).around(&content))
        }
        Err(error) => trouble(&page, &error.into()),
    }
}

fn content(workers: &[WorkerInfo], page: &Page<'_>) -> Markup {
    html! {
        h1 { "Workers" }
        div #workers .cards data-live data-every="10" {
            @for worker in workers { (card(worker, page)) }
            @if workers.is_empty() { (nobody()) }
        }
    }
}

/// The workers in short, beside the jobs.
pub fn summary(page: &Page<'_>, workers: &[WorkerInfo]) -> Markup {
    html! {
        section.panel #workers data-live data-every="10" aria-labelledby="workers-title" {
            h2 #workers-title { a href=(page.to("dashboard/workers")) { "Workers" } }
            @for worker in workers { (load(worker)) }
            @if workers.is_empty() { (nobody()) }
        }
    }
}

fn nobody() -> Markup {
    html! {
        p.wrong { "No worker is connected. Jobs wait until one is started: " code { "tradingagents worker" } "." }
    }
}

/// How busy a worker is.
fn load(worker: &WorkerInfo) -> Markup {
    let WorkerInfo { id, running, concurrency, .. } = worker;
    html! {
        div.load {
            span.name { (id) }
            span.slots role="img" aria-label={ "runs " (running.len()) " of " (concurrency) " jobs" } {
                @for slot in 0..(*concurrency).min(16) { span class=[(slot < running.len()).then_some("busy")] {} }
            }
            span.figure aria-hidden="true" { (running.len()) "/" (concurrency) }
            @if worker.draining { span.small { "finishing" } }
        }
    }
}

fn card(worker: &WorkerInfo, page: &Page<'_>) -> Markup {
    html! {
        section.panel aria-label=(worker.id) {
            (load(worker))
            dl.facts {
                div { dt { "version" } dd { (worker.version) } }
                div { dt { "up for" } dd { (words::since(worker.started_at)) } }
                div { dt { "attempts ended" } dd { (words::number(worker.finished)) } }
                @if let Some(models) = &worker.models {
                    div { dt { "provider" } dd { (models.provider.as_str()) } }
                    div { dt { "deep-think model" } dd { (model(models, models.deep_think_provider, &models.deep_think_llm)) } }
                    div { dt { "quick-think model" } dd { (model(models, models.quick_think_provider, &models.quick_think_llm)) } }
                    @if let Some(error) = &models.error { div { dt { "models" } dd.wrong { (error) } } }
                }
            }
            @if !worker.running.is_empty() {
                h2 { "Runs" }
                ul.plain { @for job in &worker.running {
                    li { a.id id={ "runs-" (job) } href=(page.to(&format!("dashboard/jobs/{job}"))) { (job) } }
                } }
            }
            @for gpu in &worker.gpus { (gpu_part(gpu)) }
            @if let Some(reason) = &worker.no_gpu { p.small { (reason) } }
        }
    }
}

/// The name of a model, with its provider if that is not the main one.
fn model(models: &ServedModels, provider: Option<Provider>, name: &str) -> String {
    match provider.filter(|provider| *provider != models.provider) {
        Some(provider) => format!("{name} ({})", provider.as_str()),
        None => name.into(),
    }
}

fn gpu_part(gpu: &Gpu) -> Markup {
    let Gpu { name, memory_total, memory_used, utilization, driver_version, cuda_version, .. } = gpu;
    html! {
        h2 { (name) }
        @if let Some(percent) = utilization { (gauge("busy", (*percent).into(), &format!("{percent} %"))) }
        @if let (Some(used), Some(total)) = (memory_used, memory_total) {
            @let percent = used.saturating_mul(100) / (*total).max(1);
            (gauge("memory", percent, &format!("{} of {}", words::gibibytes(*used), words::gibibytes(*total))))
        }
        p.small { "driver " (driver_version) @if let Some(version) = cuda_version { ", CUDA " (version) } }
    }
}

fn gauge(name: &str, percent: u64, figure: &str) -> Markup {
    html! {
        div.gauge {
            span { (name) }
            meter min="0" max="100" value=(percent) aria-label={ (name) " " (percent) " percent" } {}
            span.figure { (figure) }
        }
    }
}
