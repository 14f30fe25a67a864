//! What a reader wants to know of a result before its words: who made it, of what, and when.

use super::{JobResult, evidence};
use crate::market::PriceCurrency;

/// Each fact with its name.
pub fn facts(result: &JobResult) -> Vec<(&'static str, String)> {
    let models = distinct(result.steps.iter().map(|step| step.model.as_str()));
    let mut facts = vec![
        ("Models", models.join(", ")),
        ("Market data", distinct(evidence::vendors(result)).join(", ")),
        ("Team", team(result)),
    ];
    facts.extend(result.made_at.map(|at| ("Made", at.format("%Y-%m-%d %H:%M UTC").to_string())));
    let currency = result.currency.as_deref().and_then(PriceCurrency::new);
    facts.extend(currency.map(|currency| ("Prices in", currency.to_string())));
    facts.push(("Job", result.job_id.to_string()));
    facts.retain(|(_, value)| !value.is_empty());
    facts
}

/// How many analysts worked, and how long the debates were.
fn team(result: &JobResult) -> String {
    let reports = &result.reports;
    let analysts = [&reports.market, &reports.sentiment, &reports.news, &reports.fundamentals];
    let state = &result.final_state;
    format!(
        "{}, {} of research and {} of risk debate",
        counted(analysts.into_iter().filter(|report| !report.is_empty()).count(), "analyst"),
        counted(state.investment_debate_state.count.div_ceil(2), "round"),
        counted(state.risk_debate_state.count.div_ceil(3), "round"),
    )
}

fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

fn distinct<'a>(words: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut all = Vec::new();
    for word in words {
        if !all.contains(&word) {
            all.push(word);
        }
    }
    all
}
