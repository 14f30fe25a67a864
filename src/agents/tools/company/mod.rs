//! The company: profile with valuation, and statements.

mod table;
mod valuation;

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Found, found};
use crate::{
    agents::evidence::Evidence,
    market::{Frequency, Profile, Shares, StatementKind},
};

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

/// Profile, and the multiples of the close.
pub async fn profile(evidence: &Evidence) -> Result<Found, String> {
    let answer = evidence.market.profile(evidence.ticker(), evidence.date).await;
    let shares = answer.as_ref().map_or(Shares::Unknown, |profile| profile.data.shares.clone());
    let valuation = valuation::of(evidence, shares).await;
    let window = format!("at {}", evidence.date);
    let profile = found(answer, "Company profile", &window, lines);
    match (profile, valuation) {
        (Ok(mut profile), Some((valuation, _))) => {
            profile.text += "\n\n";
            profile.text += &valuation.text;
            profile.sources.extend(valuation.sources);
            Ok(profile)
        }
        // Without a profile, the reasons why there are no multiples would only be noise.
        (Err(reason), Some((mut valuation, true))) => {
            valuation.text = format!("{reason}\n\n{}", valuation.text);
            Ok(valuation)
        }
        (profile, _) => profile,
    }
}

/// The profile, a line for each figure, then its notes.
fn lines(profile: &Profile) -> String {
    let mut lines: Vec<_> = profile.figures.iter().map(|(name, value)| format!("- {name}: {value}")).collect();
    if let Shares::Outstanding { count, on, filed, as_filed } = &profile.shares {
        let is_restated = (count - as_filed).abs() >= 1.0;
        let restated = if is_restated { format!(" as {as_filed:.0}") } else { String::new() };
        lines.push(format!("- Shares outstanding: {count:.0} on {on}, filed on {filed}{restated}"));
    }
    lines.extend(profile.notes.iter().map(|note| table::note(note)));
    lines.join("\n")
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
    found(answer, name, &window, table::render)
}
