//! The report as one HTML file: style and charts are in it, so that it can be sent, kept and printed as it is.

use std::sync::LazyLock;

use base64::{Engine, prelude::BASE64_STANDARD};
use maud::{DOCTYPE, Markup, PreEscaped, html};
use ring::digest::{SHA256, digest};

use super::{SECTIONS, costs, evidence, levels::chart, parts};
use crate::results::JobResult;

/// The style of the file.
const STYLE: &str = include_str!("report.css");

/// The style's place in a content policy: it may be worn within the file, and nothing else may (CSP Level 3, 8.3).
pub static STYLE_HASH: LazyLock<String> =
    LazyLock::new(|| format!("'sha256-{}'", BASE64_STANDARD.encode(digest(&SHA256, STYLE.as_bytes()))));

/// The whole file.
pub fn report(result: &JobResult) -> String {
    let JobResult { ticker, date, decision, rating, .. } = result;
    let chart = chart(result);
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (ticker) " " (date) ": " (decision.as_str()) " · TradingAgents" }
                style { (PreEscaped(STYLE)) }
            }
            body {
                header {
                    p.kind { "Trading analysis" }
                    h1 { (ticker) " " span.date { (date) } }
                    p.verdict { strong { (decision.as_str()) } " rated " (rating.as_str()) " on a scale of Buy, Overweight, Hold, Underweight, Sell" }
                    p.advice { "Made by software for research. It is no investment advice." }
                    @if !result.warnings.is_empty() {
                        ul.warnings aria-label="Warnings" { @for warning in &result.warnings { li { (warning) } } }
                    }
                }
                (contents(chart.is_some()))
                main {
                    @if let Some(chart) = chart { section.panel #chart aria-labelledby="chart-title" { h2 #chart-title { "Prices" } (chart) } }
                    (parts(result))
                    (evidence(result))
                    (costs(result))
                }
                footer { p { "Job " (result.job_id) ", made by TradingAgents " (env!("CARGO_PKG_VERSION")) ". It is no investment advice." } }
            }
        }
    };
    page.into_string()
}

fn contents(has_chart: bool) -> Markup {
    let chart = has_chart.then_some(("chart", "Prices"));
    let end = [("evidence", "Evidence"), ("costs", "Models and costs")];
    html! {
        nav aria-label="Contents" {
            ol { @for (anchor, title) in chart.into_iter().chain(SECTIONS).chain(end) { li { a href={ "#" (anchor) } { (title) } } } }
        }
    }
}
