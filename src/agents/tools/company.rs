//! The company: profile and statements.

use std::fmt::Write;

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Found, found};
use crate::{
    agents::evidence::Evidence,
    market::{Frequency, Period, StatementKind},
};

/// Periods of a statement at most: two years of quarters, to compare each with that of a year before.
const MOST_PERIODS: usize = 8;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StatementArguments {
    /// quarterly or annual
    #[serde(default = "quarterly")]
    freq: Frequency,
}

fn quarterly() -> Frequency {
    Frequency::Quarterly
}

/// Profile and ratios.
pub async fn profile(evidence: &Evidence) -> Result<Found, String> {
    let answer = evidence.market.profile(evidence.ticker(), evidence.date).await;
    let window = format!("at {}", evidence.date);
    found(answer, "Company profile", &window, |profile| {
        let lines = profile.figures.iter().map(|(name, value)| format!("- {name}: {value}"));
        lines.collect::<Vec<_>>().join("\n")
    })
}

/// A statement by period.
pub async fn statement(kind: StatementKind, asked: &StatementArguments, evidence: &Evidence) -> Result<Found, String> {
    let answer = evidence.market.statement(evidence.ticker(), kind, asked.freq, evidence.date).await;
    let name = match kind {
        StatementKind::BalanceSheet => "Balance sheet",
        StatementKind::CashFlow => "Cash flow",
        StatementKind::Income => "Income statement",
    };
    let length = match asked.freq {
        Frequency::Quarterly => "quarters",
        Frequency::Annual => "years",
    };
    let window = format!("{length} known by {}", evidence.date);
    found(answer, name, &window, |periods| table(&periods[..periods.len().min(MOST_PERIODS)]))
}

/// Periods as the columns of a CSV table.
fn table(periods: &[Period]) -> String {
    let row = |name: &str, cell: &dyn Fn(&Period) -> String| {
        let cells: Vec<_> = periods.iter().map(cell).collect();
        format!("{name},{}\n", cells.join(","))
    };
    let mut text = row("Period end", &|period| period.end.to_string());
    text += &row("Known on", &|period| period.known.to_string());
    text += &row("Currency", &|period| period.currency.clone());
    let mut names: Vec<_> = Vec::new();
    for (name, _) in periods.iter().flat_map(|period| &period.items) {
        if !names.contains(name) {
            names.push(name);
        }
    }
    for name in names {
        let value = |period: &Period| period.items.iter().find(|(known, _)| *known == name).map(|(_, value)| *value);
        // Per share it is a small number, in total a big one. Writing to a String can't fail.
        let shown = |value: f64| if value.abs() < 1000.0 { format!("{value:.2}") } else { format!("{value:.0}") };
        let _ = write!(text, "{}", row(name, &|period| value(period).map_or_else(String::new, shown)));
    }
    text
}
