//! The jobs, newest first, by status and ticker; beside them the form for new ones, the queue and the workers.

use axum::{
    extract::{Query, State},
    http::{StatusCode, Uri},
    response::Response,
};
use chrono::TimeDelta;
use futures_util::future::join_all;
use maud::{Markup, html};
use serde::Deserialize;

use super::{
    answer,
    layout::{Page, Place},
    submit, trouble, words, workers,
};
use crate::{
    api::{Api, Problem},
    domain::{Rating, Ticker},
    jobs::{EventId, EventKind, Job, JobId, Listing, Scope, Stats, Status},
};

/// Jobs in a page.
const LIMIT: usize = 25;

/// What the form for the search sends. Fields that are left empty come too.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Filter {
    status: String,
    ticker: String,
    cursor: String,
}

/// A row of the table.
struct Row {
    job: Job,
    rating: Option<Rating>,
}

/// `GET /` of a browser.
pub async fn page(State(api): State<Api>, uri: Uri, filter: Option<Query<Filter>>) -> Response {
    let Query(filter) = filter.unwrap_or_default();
    let page = Page::new(&uri, Place::Jobs, "Jobs");
    match content(&api, &page, &filter).await {
        Ok(content) => {
            // From now on: what happened before is in the page, or in the one that the script asks for once it listens.
            answer(StatusCode::OK, page.following("events", String::new()).around(&content))
        }
        Err(problem) => trouble(&page, &problem),
    }
}

async fn content(api: &Api, page: &Page<'_>, filter: &Filter) -> Result<Markup, Problem> {
    let stats = api.queue.stats().await?;
    let workers = api.queue.workers().await?;
    let found = find(api, filter).await?;
    Ok(html! {
        div.columns {
            div.wide {
                section.panel aria-labelledby="jobs-title" {
                    div.titled {
                        h1 #jobs-title { "Jobs" }
                        (search(page, filter))
                    }
                    (tabs(page, filter, &stats))
                    @match &found {
                        Ok((rows, next)) => { (table(page, filter, rows, *next)) }
                        Err(wrong) => { p.wrong role="alert" { (wrong) } }
                    }
                }
            }
            div.narrow {
                (submit::form(page, &api.config, &workers))
                (api.depth.panel(&stats))
                (workers::summary(page, &workers))
            }
        }
    })
}

/// The page of jobs that the filter asks for, or what is wrong with the filter.
async fn find(api: &Api, filter: &Filter) -> Result<Result<(Vec<Row>, Option<JobId>), String>, Problem> {
    let listing = match listing(filter) {
        Ok(listing) => listing,
        Err(wrong) => return Ok(Err(wrong)),
    };
    let found = api.queue.list(&listing).await?;
    let rated = found.jobs.into_iter().map(|job| async {
        let rating = rating(api, &job).await;
        Row { job, rating }
    });
    Ok(Ok((join_all(rated).await, found.next)))
}

fn listing(filter: &Filter) -> Result<Listing, String> {
    let status = match filter.status.as_str() {
        "" => None,
        word => Some(Status::ALL.into_iter().find(|status| status.as_str() == word).ok_or("There is no such status.")?),
    };
    let ticker = match filter.ticker.trim() {
        "" => None,
        text => Some(text.parse::<Ticker>().map_err(|error| format!("Can't search: {error}."))?),
    };
    let cursor = match filter.cursor.as_str() {
        "" => None,
        text => Some(text.parse().map_err(|_| "There is no such page.")?),
    };
    Ok(Listing { status, ticker, cursor, limit: LIMIT })
}

/// The rating of a completed job, from its last event, which bears the time of its end. The page can do without.
pub async fn rating(api: &Api, job: &Job) -> Option<Rating> {
    job.decision?;
    let before = job.completed_at? - TimeDelta::milliseconds(2);
    let after = EventId { ms: u64::try_from(before.timestamp_millis()).ok()?, seq: 0 };
    let last = api.queue.replay(Scope::Job(job.id), after, LIMIT).await.ok()?.events;
    last.into_iter().rev().find_map(|event| match event.kind {
        EventKind::Completed { rating, .. } => Some(rating),
        _ => None,
    })
}

/// The search by ticker. It works without the script.
fn search(page: &Page<'_>, filter: &Filter) -> Markup {
    html! {
        form.search role="search" method="get" action=(page.to("")) {
            @if !filter.status.is_empty() { input type="hidden" name="status" value=(filter.status); }
            label.unseen for="search" { "Ticker" }
            input #search name="ticker" type="search" value=(filter.ticker.trim()) placeholder="Ticker, all of it" maxlength="20"
                autocapitalize="characters" spellcheck="false";
            button type="submit" { "Filter" }
        }
    }
}

/// The statuses, with the number of jobs in each.
fn tabs(page: &Page<'_>, filter: &Filter, stats: &Stats) -> Markup {
    let Stats { pending, running, completed, failed, cancelled } = *stats;
    let counts = [pending, running, completed, failed, cancelled];
    let tab = |word: &str, label: &str, count: u64| {
        let here = filter.status == word;
        html! {
            a href=(address(page, word, filter.ticker.trim(), None)) aria-current=[here.then_some("true")] {
                (label) " " span.count { (words::number(count)) }
            }
        }
    };
    html! {
        nav.tabs #tabs data-live aria-label="Jobs by status" {
            (tab("", "all", counts.iter().sum()))
            @for (status, count) in Status::ALL.into_iter().zip(counts) { (tab(status.as_str(), status.as_str(), count)) }
        }
    }
}

fn address(page: &Page<'_>, status: &str, ticker: &str, cursor: Option<JobId>) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    let cursor = cursor.map(|id| id.to_string()).unwrap_or_default();
    for (name, value) in [("status", status), ("ticker", ticker), ("cursor", &cursor)] {
        if !value.is_empty() {
            query.append_pair(name, value);
        }
    }
    match query.finish() {
        query if query.is_empty() => page.to(""),
        query => page.to(&format!("?{query}")),
    }
}

fn table(page: &Page<'_>, filter: &Filter, rows: &[Row], next: Option<JobId>) -> Markup {
    let rated: Vec<_> = rows.iter().map(|Row { job, rating }| (job, *rating)).collect();
    html! {
        div #jobs data-live {
            @if rows.is_empty() {
                p.empty { "No jobs here. Submit one with the form, or with " code { "POST /jobs" } "." }
            } @else {
                (job_table(page, "Jobs, newest first", &rated))
            }
            nav.pages aria-label="Pages" {
                @if !filter.cursor.is_empty() { a #newest href=(address(page, &filter.status, filter.ticker.trim(), None)) { "← Newest" } }
                @if next.is_some() { a #older rel="next" href=(address(page, &filter.status, filter.ticker.trim(), next)) { "Older →" } }
            }
        }
    }
}

/// Jobs in a table.
pub fn job_table(page: &Page<'_>, caption: &str, rows: &[(&Job, Option<Rating>)]) -> Markup {
    html! {
        table.jobs {
            caption.unseen { (caption) }
            thead { tr {
                th scope="col" { "Status" }
                th scope="col" { "Ticker" }
                th scope="col" { "Date" }
                th scope="col" { "Decision" }
                th.rare scope="col" { "Rating" }
                th.rare.right scope="col" { "Took" }
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
        tr data-job=(id) {
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
pub fn took(job: &Job) -> Markup {
    match (job.started_at, job.completed_at) {
        (Some(began), None) if job.status == Status::Running => words::since(began),
        #[expect(clippy::cast_precision_loss, reason = "a time of hours")]
        (Some(began), Some(ended)) => {
            html! { (words::seconds((ended - began).num_milliseconds() as f64 / 1000.0)) }
        }
        _ => html! { span.none { "–" } },
    }
}
