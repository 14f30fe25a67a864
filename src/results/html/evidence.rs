//! What the agents looked at, as a table.

use maud::{Markup, html};

use crate::{
    agents::ToolRecord,
    results::{
        JobResult,
        evidence::{arguments, calls, prices, sources},
    },
};

/// Every call of a tool in a row.
pub fn evidence(result: &JobResult) -> Markup {
    let mut calls = calls(result).peekable();
    html! {
        section.panel #evidence aria-labelledby="evidence-title" {
            h2 #evidence-title { "Evidence" }
            @if let Some(prices) = prices(result) { p { (prices) } }
            @if calls.peek().is_none() {
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

fn source(call: &ToolRecord) -> Markup {
    html! {
        @match &call.error {
            Some(error) => span.wrong { (error) },
            None => @for source in sources(call) { p { (source) } },
        }
    }
}
