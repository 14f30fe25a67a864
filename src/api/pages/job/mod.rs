//! A job's page: who works on it and how far they are, what they said to each other, and what came of it.
//!
//! Everything but the words comes from the job's events ([`progress`]), which the page goes on to follow; the words are
//! those of the result, and until there is one, of the last checkpoint.

mod flow;
mod outcome;
mod progress;
mod settings;

use std::sync::Arc;

use axum::{
    extract::State,
    http::{StatusCode, Uri},
    response::Response,
};
use maud::{Markup, html};
use progress::Progress;

use super::{
    answer,
    layout::{Page, Place},
    trouble, words,
};
use crate::{
    agents::Analysis,
    api::{
        Api, Problem,
        extract::JobPath,
        jobs::{find, read_result},
    },
    jobs::{EventId, Job, JobId, Scope, Status},
    results::{JobResult, html as report},
};

/// The most events of a job that a store keeps.
const EVENTS: usize = 1000;

/// What the page shows.
struct Shown {
    job: Job,
    progress: Progress,
    /// The last event that it knows of.
    last: EventId,
    /// What was said so far in a job that has not ended.
    said: Option<Analysis>,
    /// Of a completed job, unless its files are gone.
    result: Option<JobResult>,
}

/// `GET /dashboard/jobs/{job_id}`
pub async fn page(State(api): State<Arc<Api>>, uri: Uri, path: Result<JobPath, Problem>) -> Response {
    let found = async {
        let JobPath(id) = path?;
        look_up(&api, id).await
    };
    match found.await {
        Ok(shown) => {
            let Job { id, request, status, .. } = &shown.job;
            let title = format!("{} {}", request.ticker, request.date);
            let page = Page::new(&uri, Place::Jobs, &title);
            let page = if status.is_terminal() {
                page
            } else {
                page.following(&format!("jobs/{id}/events"), shown.last.to_string())
            };
            answer(StatusCode::OK, page.around(&content(&page, &shown)))
        }
        Err(problem) => trouble(&Page::new(&uri, Place::Elsewhere, "No such job"), &problem),
    }
}

/// The events come before the job, so that what the page follows is never later than what it shows.
async fn look_up(api: &Api, id: JobId) -> Result<Shown, Problem> {
    let events = api.queue.replay(Scope::Job(id), EventId::ZERO, EVENTS).await?.events;
    let job = find(api, id).await?;
    let last = events.last().map_or(EventId::ZERO, |event| event.id);
    let said = if job.status.is_terminal() { None } else { said_so_far(api, id).await? };
    let result = if job.status == Status::Completed { read_result(api, &job).await? } else { None };
    Ok(Shown { progress: Progress::of(&events, &job), last, said, result, job })
}

/// The state that the workers go on from. One of another version, which can't be read, is none, as it is to them.
async fn said_so_far(api: &Api, id: JobId) -> Result<Option<Analysis>, Problem> {
    let state = api.queue.checkpoint(id).await?;
    Ok(state.and_then(|state| serde_json::from_slice(&state).ok()))
}

fn content(page: &Page<'_>, shown: &Shown) -> Markup {
    let Shown { job, progress, said, result, .. } = shown;
    html! {
        (head(page, job))
        section #outcome .panel data-live aria-labelledby="outcome-title" { (outcome::of(page, shown)) }
        section.panel aria-labelledby="team-title" {
            div.titled {
                h2 #team-title { "The team" }
                div #totals data-live { (flow::totals(progress)) }
            }
            (flow::of(job, progress))
        }
        @if let Some(result) = result {
            @if let Some(chart) = report::chart(result) {
                section.panel #chart aria-labelledby="chart-title" { h2 #chart-title { "Prices" } (chart) }
            }
            (report::parts(result))
            (report::evidence(result))
            (report::costs(result))
        }
        @if let Some(said) = said { (report::parts_so_far(said)) }
        div #more data-live { (settings::of(job, page)) }
    }
}

fn head(page: &Page<'_>, job: &Job) -> Markup {
    let Job { id, request, batch, .. } = job;
    html! {
        nav.crumbs aria-label="Where this is" {
            a href=(page.to("")) { "Jobs" }
            @if let Some(batch) = batch { a href=(page.to(&format!("dashboard/batches/{batch}"))) { "Batch" } }
        }
        div.titled.job {
            h1 { (request.ticker) " " span.date { (request.date) } }
            div #status data-live { (words::status(job.status)) }
            div #buttons .buttons data-live { (buttons(page, job)) }
        }
        p #wrong .wrong role="alert" {}
        p.small { (words::id(id)) }
    }
}

/// What can be done with the job now.
fn buttons(page: &Page<'_>, job: &Job) -> Markup {
    let path = page.to(&format!("jobs/{}", job.id));
    html! {
        @if !job.status.is_terminal() {
            button #cancel type="button" data-method="DELETE" data-path=(path) data-sure="Cancel this job? What its agents have said so far is lost." { "Cancel" }
        }
        @if job.status == Status::Failed {
            button #retry .main type="button" data-method="POST" data-path={ (path) "/retry" } { "Try again" }
        }
        @if job.status == Status::Completed {
            a.button href={ (path) "/report" } { "Report" }
            a.button download={ (job.request.ticker) "-" (job.request.date) ".json" } href={ (path) "/result" } data-fetch { "JSON" }
        }
    }
}
