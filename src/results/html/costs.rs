//! What the turns took: models, time, tokens, money.

use maud::{Markup, html};

use crate::{llm::Usage, results::JobResult};

/// Each turn in a row, and their sum.
pub fn costs(result: &JobResult) -> Markup {
    let seconds: f64 = result.steps.iter().map(|step| step.seconds).sum();
    html! {
        section.panel #costs aria-labelledby="costs-title" {
            h2 #costs-title { "Models and costs" }
            div.scroll tabindex="0" role="region" aria-labelledby="costs-title" {
                table {
                    thead { tr {
                        th scope="col" { "Agent" } th scope="col" { "Model" }
                        @for name in ["Seconds", "Calls", "Tokens in", "of them cached", "Tokens out", "US$"] { th.right scope="col" { (name) } }
                    } }
                    tbody {
                        @for step in &result.steps { tr {
                            th scope="row" { (step.agent) } td { (step.model) }
                            (figures(step.seconds, &step.usage))
                        } }
                    }
                    tfoot { tr { th scope="row" { "All" } td {} (figures(seconds, &result.usage)) } }
                }
            }
            @if result.usage.cost_usd.is_none() {
                p.small { "No costs: the price of a model is not known. LLM_PRICES sets it." }
            }
            @if let Some(prices) = &result.prices { p.small { "US dollars by the " (prices) "." } }
        }
    }
}

fn figures(seconds: f64, usage: &Usage) -> Markup {
    let Usage { calls, tokens_in, tokens_cached, tokens_out, cost_usd } = usage;
    html! {
        td.right.figure { (format!("{seconds:.1}")) }
        @for count in [calls, tokens_in, tokens_cached, tokens_out] { td.right.figure { (count) } }
        td.right.figure { (cost_usd.map_or("–".into(), |cost| format!("{cost:.4}"))) }
    }
}
