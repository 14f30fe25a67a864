//! What the agents looked at: each call of a tool, with its window, its sources and how it went.

use maud::{Markup, html};
use serde_json::Value;

use crate::{agents::ToolRecord, results::JobResult};

/// The calls of all agents in the order in which their turns ended; nothing if there were none.
pub fn evidence(result: &JobResult) -> Markup {
    let calls: Vec<_> =
        result.steps.iter().flat_map(|step| step.tools.iter().map(move |call| (step.agent, call))).collect();
    let prices = result.reports.market.lines().find(|line| line.starts_with("*Prices: "));
    html! {
        section.panel #evidence aria-labelledby="evidence-title" {
            h2 #evidence-title { "Evidence" }
            @if let Some(prices) = prices { p { (prices.trim_matches('*')) } }
            @if calls.is_empty() {
                p { "The agents called no tool." }
            } @else {
                div.scroll tabindex="0" role="region" aria-labelledby="evidence-title" {
                    table {
                        thead { tr { th scope="col" { "Agent" } th scope="col" { "Asked for" } th scope="col" { "Window and more" } th scope="col" { "Source" } th.right scope="col" { "Took" } } }
                        tbody { @for (agent, call) in calls { tr {
                            th scope="row" { (agent) }
                            td { code { (call.tool) } }
                            td { (arguments(&call.arguments)) }
                            td { (source(call)) }
                            td.right.figure { (format!("{:.2} s", call.seconds)) }
                        } } }
                    }
                }
            }
            p.small { "Nothing from after " (result.date) " was shown to the agents." }
        }
    }
}

/// The arguments of a call, each with its name.
fn arguments(arguments: &Value) -> String {
    let Value::Object(fields) = arguments else { return String::new() };
    let told = fields.iter().filter(|(_, value)| !value.is_null()).map(|(name, value)| match value {
        Value::String(text) => format!("{name} {text}"),
        other => format!("{name} {other}"),
    });
    told.collect::<Vec<_>>().join(", ")
}

fn source(call: &ToolRecord) -> Markup {
    html! {
        @match &call.error {
            Some(error) => span.wrong { (error) },
            None if call.sources.is_empty() => "the prices above",
            None => @for source in &call.sources { p { (source.trim_matches('*')) } },
        }
    }
}
