//! The valuation at the close: gathers its inputs from the market and renders it.

use crate::{
    agents::{evidence::Evidence, tools::Found},
    market::{
        Frequency, Period, Periods, PriceCurrency, Shares, StatementKind, Valuation, ValuationInputs,
        calendar::Calendar,
    },
};

/// The multiples of the close, and whether there is any; none if no statement is known.
pub async fn of(evidence: &Evidence, shares: Shares) -> Option<(Found, bool)> {
    let mut vendors = Vec::new();
    let income = periods(evidence, StatementKind::Income, &mut vendors).await;
    let balance = periods(evidence, StatementKind::BalanceSheet, &mut vendors).await;
    let cash = periods(evidence, StatementKind::CashFlow, &mut vendors).await;
    let last = evidence.last();
    let unit = unit(evidence);
    let is_home_listing = evidence.calendar().zone() != Calendar::new_york().zone();
    let (close, day) = (last.close, last.date);
    let inputs = ValuationInputs { close, day, unit, shares, is_home_listing, income, balance, cash };
    let valuation = Valuation::new(&inputs)?;
    vendors.dedup();
    let vendors = vendors.join(", ");
    let text = format!(
        "## Valuation, at the close of {} (computed from the close and filed figures of vendor {vendors})\n\n{valuation}",
        last.date
    );
    let sources =
        vec![format!("*Valuation: computed from the close of {} and filed figures, vendor {vendors}.*", last.date)];
    Some((Found { text, sources }, valuation.has_any()))
}

/// The known periods of a statement; empty where no vendor has any.
async fn periods(evidence: &Evidence, kind: StatementKind, vendors: &mut Vec<&'static str>) -> Periods {
    let mut known: [Vec<Period>; 2] = Default::default();
    for (frequency, periods) in [Frequency::Quarterly, Frequency::Annual].into_iter().zip(&mut known) {
        if let Ok(found) = evidence.market.statement(evidence.ticker(), kind, frequency, evidence.date).await {
            vendors.push(found.vendor);
            *periods = found.data.periods;
        }
    }
    let [quarters, years] = known;
    Periods { quarters, years }
}

/// The unit of the close. A symbol without the suffix of an exchange is listed in the United States.
fn unit(evidence: &Evidence) -> Option<PriceCurrency> {
    let is_plain = !evidence.ticker().as_str().contains(['.', '=', '^']);
    evidence.history.currency.clone().or_else(|| PriceCurrency::new("USD").filter(|_| is_plain))
}
