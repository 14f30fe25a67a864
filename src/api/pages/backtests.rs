//! The backtests whose files this API finds: those that the command `backtest` wrote under the folder of the results.

use std::{fs, path::PathBuf, sync::Arc};

use axum::{
    extract::{Path, State},
    http::{StatusCode, Uri},
    response::Response,
};
use maud::{Markup, PreEscaped, html};

use super::{
    answer,
    layout::{Page, Place},
    trouble, words,
};
use crate::{
    api::{Api, Problem},
    backtest::{Backtest, Strategy},
};

/// The most that are listed, the newest first.
const LISTED: usize = 100;

/// `GET /dashboard/backtests`
pub async fn list(State(api): State<Arc<Api>>, uri: Uri) -> Response {
    let page = Page::new(&uri, Place::Backtests, "Backtests");
    match on_disk(api, |folder| {
        names(&folder)
            .into_iter()
            .take(LISTED)
            .filter_map(|name| Some((read(&folder, &name)?, name)))
            .collect::<Vec<_>>()
    })
    .await
    {
        Ok(found) => answer(StatusCode::OK, page.around(&table(&page, &found))),
        Err(problem) => trouble(&page, &problem),
    }
}

/// `GET /dashboard/backtests/{name}`
pub async fn page(State(api): State<Arc<Api>>, uri: Uri, Path(name): Path<String>) -> Response {
    // Only what is listed is opened, so no name leads elsewhere.
    let found = on_disk(api, move |folder| {
        let known = names(&folder).contains(&name);
        known.then(|| read(&folder, &name)).flatten()
    });
    match found.await {
        Ok(Some(backtest)) => {
            let title = backtest.title();
            let page = Page::new(&uri, Place::Backtests, &title);
            answer(StatusCode::OK, page.around(&content(&page, &backtest)))
        }
        Ok(None) => {
            let detail = "There is no backtest of this name in the results folder of this API.";
            trouble(
                &Page::new(&uri, Place::Backtests, "No such backtest"),
                &Problem::new(StatusCode::NOT_FOUND, detail),
            )
        }
        Err(problem) => trouble(&Page::new(&uri, Place::Backtests, "Backtest"), &problem),
    }
}

/// What is found in the folder of the backtests.
async fn on_disk<T: Send + 'static>(
    api: Arc<Api>,
    find: impl FnOnce(PathBuf) -> T + Send + 'static,
) -> Result<T, Problem> {
    let folder = api.config.results_dir.join("backtests");
    tokio::task::spawn_blocking(move || find(folder)).await.map_err(|_| Problem::bug())
}

/// The names of the folders, the newest first: each ends with the time.
fn names(folder: &std::path::Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut names: Vec<_> = entries.filter_map(|entry| entry.file_name().into_string().ok()).collect();
    names.sort_by(|one, other| time_of(other).cmp(time_of(one)));
    names
}

fn time_of(name: &str) -> &str {
    name.rsplit('_').next().unwrap_or_default()
}

/// A backtest, if it is done and of this version.
fn read(folder: &std::path::Path, name: &str) -> Option<Backtest> {
    serde_json::from_slice(&fs::read(folder.join(name).join("backtest.json")).ok()?).ok()
}

fn table(page: &Page<'_>, found: &[(Backtest, String)]) -> Markup {
    html! {
        section.panel aria-labelledby="backtests-title" {
            h1 #backtests-title { "Backtests" }
            @if found.is_empty() {
                p.empty { "None yet. " code { "tradingagents backtest AAPL --from 2012-01-03 --to 2012-06-29 --offline" } " makes one." }
            } @else {
                div.scroll tabindex="0" role="region" aria-labelledby="backtests-title" {
                    table {
                        thead { tr { th scope="col" { "Ticker" } th scope="col" { "From" } th scope="col" { "To" } th.right scope="col" { "Decisions" } th.right scope="col" { "Return" } th.right scope="col" { "Sharpe ratio" } th.right scope="col" { "Max drawdown" } } }
                        tbody { @for (backtest, name) in found { tr {
                            th scope="row" { a href=(page.to(&format!("dashboard/backtests/{name}"))) { (backtest.ticker) } }
                            td.figure { (backtest.from) } td.figure { (backtest.to) }
                            td.right.figure { (backtest.decisions.len()) }
                            @if let Some(firm) = backtest.strategies.first() { (figures(firm)) }
                        } } }
                    }
                }
            }
        }
    }
}

fn figures(strategy: &Strategy) -> Markup {
    let figures = &strategy.performance;
    html! {
        td.right.figure { (format!("{:+.2} %", figures.cumulative_return)) }
        td.right.figure { (figures.sharpe_ratio.map_or("–".into(), |ratio| format!("{ratio:+.2}"))) }
        td.right.figure { (format!("{:.2} %", figures.max_drawdown)) }
    }
}

fn content(page: &Page<'_>, backtest: &Backtest) -> Markup {
    html! {
        nav.crumbs aria-label="Where this is" { a href=(page.to("dashboard/backtests")) { "Backtests" } }
        h1 { (backtest.title()) }
        section.panel aria-labelledby="strategies-title" {
            h2 #strategies-title { "Strategies" }
            figure.chart {
                div.scroll tabindex="0" role="group" aria-label="Chart" {
                    div role="img" aria-label={ "What each strategy was worth: " (backtest.title()) } { (PreEscaped(backtest.chart())) }
                }
            }
            div.scroll tabindex="0" role="region" aria-labelledby="strategies-title" {
                table {
                    thead { tr { th scope="col" { "Strategy" } th scope="col" { "Rule" } th.right scope="col" { "Return" } th.right scope="col" { "Sharpe ratio" } th.right scope="col" { "Max drawdown" } th.right scope="col" { "Days in" } th.right scope="col" { "Trades" } } }
                    tbody { @for strategy in &backtest.strategies { tr {
                        th scope="row" { (strategy.name) } td.small { (strategy.rule) }
                        (figures(strategy))
                        td.right.figure { (strategy.days_held) } td.right.figure { (strategy.trades) }
                    } } }
                }
            }
            p.small { "Prices: " (backtest.vendor) ". A change of position costs " (backtest.cost_basis_points) " basis points." }
        }
        section.panel aria-labelledby="decisions-title" {
            h2 #decisions-title { "Decisions" }
            div.scroll tabindex="0" role="region" aria-labelledby="decisions-title" {
                table {
                    thead { tr { th scope="col" { "Date" } th scope="col" { "Decision" } th scope="col" { "Rating" } th scope="col" { "Job" } } }
                    tbody { @for said in &backtest.decisions { tr {
                        th.figure scope="row" { (said.date) }
                        td { @match (&said.decision, &said.error) {
                            (Some(decision), _) => (words::decision(*decision)),
                            (None, Some(error)) => span.wrong { (error) },
                            (None, None) => "–",
                        } }
                        td { @if let Some(rating) = said.rating { (rating.as_str()) } }
                        td { span.id { (said.job_id) } }
                    } } }
                }
            }
        }
    }
}
