//! What came of a job, or why nothing has yet, in words, with what to do.

use maud::{Markup, html};

use super::{
    super::{layout::Page, words},
    Shown,
};
use crate::{
    jobs::{ErrorType, Job, Status},
    results::JobResult,
};

/// The panel at the top.
pub fn of(page: &Page<'_>, shown: &Shown) -> Markup {
    let Shown { job, progress, result, .. } = shown;
    html! {
        h2 #outcome-title .unseen { "Outcome" }
        @match job.status {
            Status::Completed => (completed(job, result.as_ref())),
            Status::Failed => (failed(page, job)),
            Status::Cancelled => p { "The job was cancelled" @if let Some(at) = job.completed_at { " " (words::ago(at)) } "." },
            Status::Pending => (pending(job)),
            Status::Running => {
                p {
                    "At work for " @if let Some(began) = job.started_at { (words::since(began)) }
                    @if let Some(worker) = &job.worker { ", on worker " code { (worker) } }
                    @if job.attempt > 1 { ", attempt " (job.attempt) }
                    "."
                }
                @if let Some((model, percent)) = &progress.pull {
                    p { "The model server fetches " code { (model) } ": " (percent) " %" }
                    progress max="100" value=(percent) aria-label={ "Fetching " (model) } {}
                }
            }
        }
        @if progress.hurried { p.hint { "Time was short, so debates were cut short." } }
        @if !progress.troubles.is_empty() {
            details #troubles {
                summary { "Earlier attempts" }
                ul { @for (at, trouble) in &progress.troubles { li { (words::at(*at)) ": " (trouble) } } }
            }
        }
    }
}

fn completed(job: &Job, result: Option<&JobResult>) -> Markup {
    html! {
        div.verdict {
            @if let Some(decision) = job.decision { (words::decision(decision)) }
            @if let Some(result) = result { (words::rating(result.rating)) }
            p.small {
                @if let Some(at) = job.completed_at { "decided " (words::ago(at)) }
                @if let Some(worker) = &job.worker { " on worker " code { (worker) } }
            }
        }
        @match result {
            Some(result) => (warnings(&result.warnings)),
            None => p.wrong { "The files of its result are not in the results of this API: they were removed, or API and workers have different folders (RESULTS_DIR)." },
        }
    }
}

/// What the agents had to do without. Many are folded away.
fn warnings(warnings: &[String]) -> Markup {
    let list = html! { ul { @for warning in warnings { li { (warning) } } } };
    html! {
        @match warnings.len() {
            0 => {}
            1 | 2 => div.warnings role="group" aria-label="Warnings" { (list) },
            count => details #warnings .warnings { summary { (count) " warnings" } (list) },
        }
    }
}

fn failed(page: &Page<'_>, job: &Job) -> Markup {
    let advice = match job.error_type {
        Some(ErrorType::Timeout) => {
            "It took longer than a job may (JOB_TIME_LIMIT). A faster model, fewer rounds of debate or fewer analysts make it shorter."
        }
        Some(ErrorType::LlmError) => {
            "The models did not answer as they should. Look whether their server is up and has the model and the room for it; then try again."
        }
        Some(ErrorType::DataError) => {
            "The market data could not be had. Look at the symbol and the date, or choose other vendors; then try again or submit anew."
        }
        Some(ErrorType::InvalidConfig) => {
            "The settings of the job can't be used here. Submit a new job with others, or have the worker's settings changed and try again."
        }
        Some(ErrorType::StorageError) => {
            "The result could not be stored. Make room, or let the worker write to its RESULTS_DIR; then try again."
        }
        Some(ErrorType::WorkerLost) => {
            "The workers that ran it died. Their log says why, which is often too little memory; then try again."
        }
        Some(ErrorType::Unknown) | None => "The worker's log says more. Try again, or submit anew.",
    };
    html! {
        p.wrong.error { (job.error.as_deref().unwrap_or("It failed.")) }
        p.hint { (advice) }
        p.small {
            @if let Some(kind) = job.error_type { code { (kind.as_str()) } ", " }
            "attempt " (job.attempt) @if let Some(at) = job.completed_at { ", " (words::ago(at)) } ". "
            a href=(page.to("docs")) { "API" }
        }
    }
}

fn pending(job: &Job) -> Markup {
    html! {
        p {
            @match job.request.not_before.filter(|time| *time > chrono::Utc::now()) {
                Some(time) => { "It waits for " (words::at(time)) "." }
                None => { "It waits for a worker, since " (words::since(job.created_at)) "." }
            }
        }
        @if let Some(error) = &job.error { p.wrong { "The last attempt failed: " (error) } }
    }
}
