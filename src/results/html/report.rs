//! The report as one HTML file: style and charts are in it, so that it can be sent, kept and printed as it is.

use std::sync::LazyLock;

use base64::{Engine, prelude::BASE64_STANDARD};
use maud::{DOCTYPE, Markup, PreEscaped, html};
use ring::digest::{SHA256, digest};

use super::{
    costs, evidence,
    levels::chart,
    parts::{self, anchor},
};
use crate::results::{JobResult, facts::facts, sections};

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
                    dl.facts { @for (name, value) in facts(result) { div { dt { (name) } dd { (value) } } } }
                    p.advice { "Made by software for research. It is no investment advice." }
                    @if !result.warnings.is_empty() {
                        ul.warnings aria-label="Warnings" { @for warning in &result.warnings { li { (warning) } } }
                    }
                }
                (contents(result, chart.is_some()))
                main {
                    @if let Some(chart) = chart { section.panel #chart aria-labelledby="chart-title" { h2 #chart-title { "Prices" } (chart) } }
                    (parts::parts(result))
                    (evidence(result))
                    (costs(result))
                }
                footer { p { "Made by TradingAgents " (env!("CARGO_PKG_VERSION")) ". It is no investment advice." } }
            }
        }
    };
    page.into_string()
}

/// Links to what is there: each section, and below it each agent who speaks in it.
fn contents(result: &JobResult, has_chart: bool) -> Markup {
    let has_earlier = !result.final_state.past_context.is_empty();
    let link = |anchor: &str, title: &str| html! { a href={ "#" (anchor) } { (title) } };
    html! {
        nav aria-label="Contents" {
            ol {
                @if has_chart { li { (link("chart", "Prices")) } }
                @for section in sections::of_result(result) {
                    li {
                        (link(section.anchor, section.title))
                        @let agents = section.agents();
                        @if !agents.is_empty() { ol { @for words in agents { li { (link(&anchor(words), words.agent.label())) } } } }
                    }
                }
                @if has_earlier { li { (link("earlier", "Earlier decisions")) } }
                li { (link("evidence", "Evidence")) }
                li { (link("costs", "Models and costs")) }
            }
        }
    }
}
