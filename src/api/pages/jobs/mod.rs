//! The jobs, newest first, by status and ticker; beside them the form for new ones, the queue and the workers.

mod search;
mod table;

use std::sync::Arc;

use axum::{
    extract::{Query, State},
    http::{StatusCode, Uri},
    response::{IntoResponse, Redirect, Response},
};
use maud::{Markup, html};
use search::{Filter, Found, address};
pub use table::{rating, table};

use super::{
    answer,
    layout::{Page, Place},
    submit, trouble, words, workers,
};
use crate::{
    api::{Api, Problem},
    jobs::{Stats, Status},
};

/// `GET /` of a browser.
pub async fn page(State(api): State<Arc<Api>>, uri: Uri, filter: Option<Query<Filter>>) -> Response {
    let Query(filter) = filter.unwrap_or_default();
    let page = Page::new(&uri, Place::Jobs, "Jobs");
    if let Some(id) = filter.job() {
        return Redirect::to(&page.to(&format!("dashboard/jobs/{id}"))).into_response();
    }
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
    let found = filter.find(api).await?;
    Ok(html! {
        div.columns {
            (submit::form(page, &api.config, &workers))
            section.panel.wide aria-labelledby="jobs-title" {
                div.titled {
                    h1 #jobs-title { "Jobs" }
                    (search(page, filter))
                }
                (tabs(page, filter, &stats))
                @match &found {
                    Ok(found) => { (list(page, filter, found)) }
                    Err(wrong) => { p.wrong role="alert" { (wrong) } }
                }
            }
            (api.depth.panel(&stats))
            (workers::summary(page, &workers))
        }
    })
}

/// The search. It works without the script.
fn search(page: &Page<'_>, filter: &Filter) -> Markup {
    html! {
        form.search role="search" method="get" action=(page.to("")) {
            @if !filter.status.is_empty() { input type="hidden" name="status" value=(filter.status); }
            label.unseen for="search" { "Ticker or job id" }
            input #search name="ticker" type="search" value=(filter.ticker()) placeholder="Ticker, e.g. AAPL, or job id" maxlength="40"
                autocapitalize="characters" spellcheck="false";
            button type="submit" { "Filter" }
            @if !filter.ticker().is_empty() { a.button #clear href=(address(page, &filter.status, "", None)) { "Clear" } }
        }
    }
}

/// The statuses, with the number of jobs in each; those of one ticker are not counted.
fn tabs(page: &Page<'_>, filter: &Filter, stats: &Stats) -> Markup {
    let Stats { pending, running, completed, failed, cancelled } = *stats;
    let counts = [pending, running, completed, failed, cancelled];
    let tab = |word: &str, label: &str, count: u64| {
        html! {
            a id={ "tab-" (label) } href=(filter.address(page, word, None)) aria-current=[(filter.status == word).then_some("true")] {
                (label) @if filter.ticker().is_empty() { " " span.count { (words::number(count)) } }
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

fn list(page: &Page<'_>, filter: &Filter, found: &Found) -> Markup {
    let rows: Vec<_> = found.rows.iter().map(|(job, rating)| (job, *rating)).collect();
    html! {
        div #jobs data-live {
            @if found.is_by_prefix {
                p.small { "No " (filter.status) " job is of the ticker " strong { (filter.ticker().to_uppercase()) } "; these of the newest are of tickers that begin so:" }
            }
            @if rows.is_empty() { (none(page, filter)) } @else { (table(page, "Jobs, newest first", &rows)) }
            nav.pages aria-label="Pages" {
                @if !filter.cursor.is_empty() { a #newest href=(filter.address(page, &filter.status, None)) { "← Newest" } }
                @if found.next.is_some() { a #older rel="next" href=(filter.address(page, &filter.status, found.next)) { "Older →" } }
            }
        }
    }
}

/// Why there is nothing, and what to do.
fn none(page: &Page<'_>, filter: &Filter) -> Markup {
    let (status, ticker) = (filter.status.as_str(), filter.ticker());
    html! {
        p.empty {
            @if status.is_empty() && ticker.is_empty() {
                "No jobs yet. Submit one with the form, or with " code { "POST /jobs" } "."
            } @else {
                "No " (status) " jobs" @if !ticker.is_empty() { " of " strong { (ticker.to_uppercase()) } } ". "
                a #all href=(page.to("")) { "Show all jobs" }
            }
        }
    }
}
