//! A batch: how far its jobs are together.

use std::sync::Arc;

use axum::{
    extract::State,
    http::{StatusCode, Uri},
    response::Response,
};
use futures_util::future::join_all;
use maud::{Markup, html};

use super::{
    answer,
    jobs::{rating, table},
    layout::{Page, Place},
    trouble, words,
};
use crate::{
    api::{Api, Problem, extract::BatchPath},
    domain::Decision,
    jobs::{BatchId, Job, Stats, Status},
};

/// `GET /dashboard/batches/{batch_id}`
pub async fn page(State(api): State<Arc<Api>>, uri: Uri, path: Result<BatchPath, Problem>) -> Response {
    let page = Page::new(&uri, Place::Jobs, "Batch");
    let found = async {
        let BatchPath(id) = path?;
        let jobs = api.queue.batch(id).await?;
        if jobs.is_empty() { Err(Problem::batch_not_found(&id.to_string())) } else { Ok((id, jobs)) }
    };
    match found.await {
        Ok((id, jobs)) => {
            let ended = jobs.iter().all(|job| job.status.is_terminal());
            let content = content(&api, &page, id, &jobs).await;
            let page = if ended { page } else { page.following("events", String::new()) };
            answer(StatusCode::OK, page.around(&content))
        }
        Err(problem) => trouble(&page, &problem),
    }
}

async fn content(api: &Api, page: &Page<'_>, id: BatchId, jobs: &[Job]) -> Markup {
    let stats = Stats::of(jobs);
    let rows: Vec<_> = join_all(jobs.iter().map(async |job| (job, rating(api, job).await))).await;
    let ended = stats.completed + stats.failed + stats.cancelled;
    let share = |count: u64| format!("{}", count * 1000 / jobs.len().max(1) as u64);
    html! {
        nav.crumbs aria-label="Where this is" { a href=(page.to("")) { "Jobs" } }
        section.panel aria-labelledby="batch-title" {
            p #wrong .wrong role="alert" {}
            div #batch data-live data-own {
                div.titled {
                    h1 #batch-title { "Batch of " (jobs.len()) ", " (jobs[0].request.date) }
                    (words::status(stats.joint()))
                    @if ended < jobs.len() as u64 { (cancel(page)) }
                }
                p.small { (words::id(id)) " submitted " (words::ago(jobs[0].created_at)) }
                svg.share viewBox="0 0 1000 10" preserveAspectRatio="none" role="img" aria-label={ (ended) " of " (jobs.len()) " jobs ended" } {
                    @let parts = [(Status::Completed, stats.completed), (Status::Failed, stats.failed), (Status::Cancelled, stats.cancelled), (Status::Running, stats.running)];
                    rect.rest width="1000" height="10" {}
                    @for (number, (status, count)) in parts.into_iter().enumerate() {
                        rect class=(status) x=(share(parts[..number].iter().map(|(_, count)| count).sum::<u64>())) width=(share(count)) height="10" {}
                    }
                }
                p.small { (counts(&stats)) }
                (decisions(jobs))
                (table(page, "The jobs of the batch", &rows))
            }
        }
    }
}

/// How many jobs there are of each status that there is.
fn counts(stats: &Stats) -> String {
    let Stats { pending, running, completed, failed, cancelled } = *stats;
    let counts = Status::ALL.into_iter().zip([pending, running, completed, failed, cancelled]);
    let told =
        counts.filter(|(_, count)| *count > 0).map(|(status, count)| format!("{} {status}", words::number(count)));
    told.collect::<Vec<_>>().join(", ")
}

/// How many jobs came to which decision.
fn decisions(jobs: &[Job]) -> Markup {
    let count = |decision| jobs.iter().filter(|job| job.decision == Some(decision)).count();
    html! {
        @if jobs.iter().any(|job| job.decision.is_some()) {
            ul.sums aria-label="Decisions" {
                @for decision in [Decision::Buy, Decision::Hold, Decision::Sell] {
                    li { (words::decision(decision)) " " span.figure { (count(decision)) } }
                }
            }
        }
    }
}

/// The button that cancels the jobs which have not ended.
fn cancel(page: &Page<'_>) -> Markup {
    html! {
        div.buttons {
            button #cancel type="button" data-method="DELETE" data-path=(page.to("jobs/")) data-each="true"
                data-sure="Cancel all jobs of this batch that have not ended?" { "Cancel all" }
        }
    }
}
