//! The currency that a company reports in.
//!
//! A foreign filer may add a convenience translation of the last period into US dollars (17 CFR 210.3-20), which is no
//! second set of accounts. So the currency with more figures in the latest annual report counts; at a draw US dollars
//! lose.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    super::StatementKind,
    facts::Value,
    known::KnownFacts,
    lines::{Taxonomy, Unit, lines},
};

/// The figures of a filing by currency: how many different ones there are of each.
type Counts<'a> = BTreeMap<&'a str, BTreeSet<(&'static str, Option<chrono::NaiveDate>, chrono::NaiveDate)>>;

/// The currency of the statements, as ISO 4217 writes it; none if the company has filed no amounts.
pub fn reporting_currency<'a>(known: &KnownFacts<'a>) -> Option<&'a str> {
    // Annual reports have whole statements; other forms may have parts.
    let mut filings: BTreeMap<(bool, chrono::NaiveDate, &str), Counts> = BTreeMap::new();
    for (tag, unit, value) in amounts(known) {
        let filing = filings.entry((value.is_of_annual_report(), value.filed, value.accn.as_str())).or_default();
        filing.entry(unit).or_default().insert((tag, value.start, value.end));
    }
    let (_, counts) = filings.pop_last()?;
    counts.into_iter().max_by_key(|(unit, figures)| (figures.len(), *unit != "USD")).map(|(unit, _)| unit)
}

fn amounts<'a>(known: &KnownFacts<'a>) -> impl Iterator<Item = (&'static str, &'a str, &'a Value)> {
    let kinds = [StatementKind::Income, StatementKind::BalanceSheet, StatementKind::CashFlow];
    let lines = kinds.into_iter().flat_map(lines).filter(|line| line.unit == Unit::Money);
    lines.flat_map(move |line| {
        Taxonomy::ALL.into_iter().flat_map(move |taxonomy| {
            let tags = line.groups(taxonomy).iter().copied().flatten();
            tags.flat_map(move |tag| known.values(taxonomy.name(), tag).map(move |(unit, value)| (*tag, unit, value)))
        })
    })
}
