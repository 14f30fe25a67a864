//! Jobs in a table, and what its columns say.

use chrono::TimeDelta;
use maud::{Markup, html};

use super::super::{layout::Page, words};
use crate::{
    api::Api,
    domain::Rating,
    jobs::{EventId, EventKind, Job, Scope, Status},
};

/// The most events of which the last is the job's end.
const LAST_EVENTS: usize = 25;

/// Jobs in a table.
pub fn table(page: &Page<'_>, caption: &str, rows: &[(&Job, Option<Rating>)]) -> Markup {
    html! {
        table.jobs {
            caption.unseen { (caption) }
            thead { tr {
                th scope="col" { "Status" }
                th scope="col" { "Ticker" }
                th scope="col" { "Date" }
                th scope="col" { "Decision" }
                th.rare scope="col" { "Rating" }
                th.rare.right scope="col" { "Duration" }
                th.right scope="col" { "Age" }
            } }
            tbody {
                @for (job, rating) in rows { (row(page, job, *rating)) }
            }
        }
    }
}

fn row(page: &Page<'_>, job: &Job, rating: Option<Rating>) -> Markup {
    let Job { id, request, .. } = job;
    html! {
        tr data-job=(id) data-open[!job.status.is_terminal()] {
            td { (words::status(job.status)) }
            th scope="row" {
                a id={ "job-" (id) } href=(page.to(&format!("dashboard/jobs/{id}"))) { (request.ticker) }
            }
            td.figure { (request.date) }
            td { @if let Some(decision) = job.decision { (words::decision(decision)) } @else { span.none { "–" } } }
            td.rare { @match rating { Some(rating) => (rating.as_str()), None => { span.none { "–" } } } }
            td.rare.right.figure { (took(job)) }
            td.right.figure { (words::since(job.created_at)) }
        }
    }
}

/// How long the last attempt took, or has taken.
fn took(job: &Job) -> Markup {
    match (job.started_at, job.completed_at) {
        (Some(began), None) if job.status == Status::Running => words::since(began),
        #[expect(clippy::cast_precision_loss, reason = "a time of hours")]
        (Some(began), Some(ended)) => {
            html! { (words::seconds((ended - began).num_milliseconds() as f64 / 1000.0)) }
        }
        _ => html! { span.none { "–" } },
    }
}

/// The rating of a completed job, from its last event, which bears the time of its end. The page can do without.
pub async fn rating(api: &Api, job: &Job) -> Option<Rating> {
    job.decision?;
    let before = job.completed_at? - TimeDelta::milliseconds(2);
    let after = EventId { ms: u64::try_from(before.timestamp_millis()).ok()?, seq: 0 };
    let last = api.queue.replay(Scope::Job(job.id), after, LAST_EVENTS).await.ok()?.events;
    last.into_iter().rev().find_map(|event| match event.kind {
        EventKind::Completed { rating, .. } => Some(rating),
        _ => None,
    })
}
