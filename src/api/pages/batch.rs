//! A batch: how far its jobs are together.

use axum::{
    extract::State,
    http::{StatusCode, Uri},
    response::Response,
};
use futures_util::future::join_all;
use maud::{Markup, html};

use super::{
    answer,
    jobs::{job_table, rating},
    layout::{Page, Place},
    trouble, words,
};
use crate::{
    api::{Api, Problem, extract::BatchPath},
    jobs::{BatchId, Job, Stats, Status},
};

/// `GET /dashboard/batches/{batch_id}`
pub async fn page(State(api): State<Api>, uri: Uri, path: Result<BatchPath, Problem>) -> Response {
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
        section.panel aria-labelledby="batch-title" {
            div #batch data-live {
                div.titled {
                    h1 #batch-title { "Batch of " (jobs.len()) ", " (jobs[0].request.date) }
                    (words::status(stats.joint()))
                }
                p.small { span.id { (id) } ", submitted " (words::ago(jobs[0].created_at)) }
                svg.share viewBox="0 0 1000 10" preserveAspectRatio="none" role="img" aria-label={ (ended) " of " (jobs.len()) " jobs ended" } {
                    @let parts = [(Status::Completed, stats.completed), (Status::Failed, stats.failed), (Status::Cancelled, stats.cancelled), (Status::Running, stats.running)];
                    rect.rest width="1000" height="10" {}
                    @for (number, (status, count)) in parts.into_iter().enumerate() {
                        rect class=(status) x=(share(parts[..number].iter().map(|(_, count)| count).sum::<u64>())) width=(share(count)) height="10" {}
                    }
                }
                p.small { @for (status, count) in Status::ALL.into_iter().zip([stats.pending, stats.running, stats.completed, stats.failed, stats.cancelled]) {
                    @if count > 0 { (words::number(count)) " " (status) " " }
                } }
                (job_table(page, "The jobs of the batch", &rows))
            }
        }
    }
}
