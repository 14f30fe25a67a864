//! A statement out of a company's facts: periods with their figures, and notes on how they were read.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;

use super::{
    super::{Figure, Frequency, Measure, Period, Statement, StatementKind, calendar::Calendar},
    book::Book,
    currency::reporting_currency,
    facts::Value,
    filings::Filings,
    known::{Cell, KnownFacts},
    lines::{Line, Taxonomy, Unit, lines},
};

/// A column that grows: the taxonomy of its figures, and the figures.
type Column = (Taxonomy, Vec<(&'static Line, Cell)>);

/// The statement as the filings have it that were public at the close; without periods if they have none.
pub fn statement(known: &KnownFacts, kind: StatementKind, frequency: Frequency) -> Statement {
    let Some(currency) = reporting_currency(known) else { return Statement::default() };
    let mut columns: BTreeMap<NaiveDate, Column> = BTreeMap::new();
    for taxonomy in Taxonomy::ALL {
        for (end, figures) in by_end(&Book::new(known, taxonomy, currency), kind, frequency) {
            let column = columns.entry(end).or_insert_with(|| (taxonomy, Vec::new()));
            // Both taxonomies have the year of a switch; the later filing has it by the new rules.
            if rank(&figures) > rank(&column.1) {
                *column = (taxonomy, figures);
            }
        }
    }
    drop_fragments(&mut columns, kind);
    let mut notes = Vec::new();
    notes.extend(translations(known, kind, currency));
    notes.extend(switch(&columns));
    notes.extend(derived(&columns, kind, frequency));
    let periods = columns.into_iter().map(|(end, (_, figures))| period(end, currency, figures)).collect();
    Statement { periods, notes }
}

/// The lines of a statement by the end of the period.
fn by_end(book: &Book, kind: StatementKind, frequency: Frequency) -> BTreeMap<NaiveDate, Vec<(&'static Line, Cell)>> {
    let mut columns: BTreeMap<NaiveDate, Vec<_>> = BTreeMap::new();
    for (line, cells) in book.statement(kind, frequency) {
        for (end, cell) in cells {
            columns.entry(end).or_default().push((line, cell));
        }
    }
    columns
}

fn rank(figures: &[(&Line, Cell)]) -> (Option<NaiveDate>, usize) {
    (figures.iter().map(|(_, cell)| cell.filed).max(), figures.len())
}

/// Balance sheets without assets are single figures that other statements repeat, such as the equity of years ago.
fn drop_fragments(columns: &mut BTreeMap<NaiveDate, Column>, kind: StatementKind) {
    let has_assets = |column: &Column| column.1.iter().any(|(line, _)| line.name == "Total assets");
    if kind == StatementKind::BalanceSheet && columns.values().any(has_assets) {
        columns.retain(|_, column| has_assets(column));
    }
}

fn period(end: NaiveDate, currency: &str, figures: Vec<(&'static Line, Cell)>) -> Period {
    let known = figures.iter().map(|(_, cell)| cell.known).max().unwrap_or(end);
    let figures = figures.into_iter().map(|(line, cell)| Figure {
        name: line.name,
        value: cell.value,
        derived: cell.derived,
        tag: Some(cell.tag),
        measure: match line.unit {
            Unit::Money => Measure::Amount,
            Unit::PerShare => Measure::PerShare(cell.filed),
            Unit::Shares => Measure::ShareCount(cell.filed),
        },
    });
    Period { end, known, currency: currency.into(), figures: figures.collect() }
}

/// The note on other currencies that the statement was filed in.
fn translations(known: &KnownFacts, kind: StatementKind, currency: &str) -> Option<String> {
    let tags = Taxonomy::ALL.into_iter().flat_map(|taxonomy| {
        let amounts = lines(kind).iter().filter(|line| line.unit == Unit::Money);
        amounts.flat_map(move |line| line.groups(taxonomy).concat()).map(move |tag| (taxonomy, tag))
    });
    let units = tags.flat_map(|(taxonomy, tag)| known.values(taxonomy.name(), tag).map(|(unit, _)| unit));
    let others: BTreeSet<_> = units.filter(|unit| *unit != currency).collect();
    let others = others.into_iter().collect::<Vec<_>>().join(" and ");
    (!others.is_empty())
        .then(|| format!("The company reports in {currency}. Figures that it also filed in {others} are left out."))
}

fn switch(columns: &BTreeMap<NaiveDate, Column>) -> Option<String> {
    let (first, last) = (columns.first_key_value()?.1.0, columns.last_key_value()?.1.0);
    let (changed, _) = columns.iter().find(|(_, (taxonomy, _))| *taxonomy == last)?;
    (first != last).then(|| {
        format!(
            "Periods from {changed} on follow {}, earlier ones {}; the two compare only roughly.",
            last.title(),
            first.title()
        )
    })
}

fn derived(columns: &BTreeMap<NaiveDate, Column>, kind: StatementKind, frequency: Frequency) -> Option<String> {
    let any = columns.values().flat_map(|(_, figures)| figures).any(|(_, cell)| cell.derived);
    let text = match (kind, frequency) {
        _ if !any => return None,
        (StatementKind::BalanceSheet, _) => "Derived total debt is the sum of long-term and short-term borrowings.",
        (_, Frequency::Annual) => "A derived figure is the sum of the tags that are named below.",
        (StatementKind::CashFlow, _) => {
            "Derived quarters are differences of filed figures of the year to date; a 10-Q has no others of cash flow."
        }
        (StatementKind::Income, _) => {
            "Derived quarters are the year to date less the quarters before. Earnings per share and numbers of shares \
             don't add up that way, so a fourth quarter has none."
        }
    };
    Some(text.into())
}

/// Filings that came after the close of the analysis date: since when each counts.
pub fn pending(known: &KnownFacts, filings: &Filings, kind: StatementKind) -> Vec<String> {
    let tags = Taxonomy::ALL.into_iter().flat_map(|taxonomy| {
        lines(kind).iter().flat_map(move |line| line.groups(taxonomy).concat()).map(move |tag| (taxonomy, tag))
    });
    let values = tags.flat_map(|(taxonomy, tag)| known.pending(taxonomy.name(), tag));
    let by_filing: BTreeMap<_, _> = values.map(|value| ((value.filed, &value.accn), value)).collect();
    by_filing.into_values().map(|value| pending_note(known, filings, value)).collect()
}

fn pending_note(known: &KnownFacts, filings: &Filings, value: &Value) -> String {
    let form = value.form.as_deref().unwrap_or("report");
    let accepted = match filings.accepted(&value.accn) {
        Some(time) => {
            let local = time.with_timezone(&Calendar::new_york().zone());
            format!("was accepted at {} New York time, after the close", local.format("%Y-%m-%d %H:%M"))
        }
        None => "has no known time of acceptance, which may have been after the close".into(),
    };
    format!(
        "A newer {form} that was filed on {} {accepted}. It counts from {} on, and its figures are not shown.",
        value.filed,
        known.known_day(value)
    )
}
