//! Point-in-time view of the facts: for each tag and span of time the figure of the latest filing by a day.
//!
//! The same figure is filed many times: in the report of its period, a year later for comparison, and again if it was
//! wrong. Of the filings that were public at the close of the day the latest counts.

use std::collections::BTreeMap;

use chrono::NaiveDate;

use super::{
    facts::{Company, Value},
    filings::Filings,
    lines::{Taxonomy, Unit},
};

/// The facts of a company that were public at the close of `date`.
pub struct KnownFacts<'a> {
    company: &'a Company,
    filings: &'a Filings,
    date: NaiveDate,
}

/// The time that a figure covers: the days from `start` to `end`, or the moment at the end of `end`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    pub end: NaiveDate,
    pub start: Option<NaiveDate>,
}

/// A figure of a span.
#[derive(Debug, Clone, PartialEq)]
pub struct Cell {
    pub value: f64,
    /// The trading day from which on this value was known.
    pub known: NaiveDate,
    /// The filing date of the latest filing that has it. Splits before that day are in it.
    pub filed: NaiveDate,
    /// The tag, or the tags that it was computed from.
    pub tag: &'static str,
    /// Whether it was computed from other figures.
    pub derived: bool,
}

/// The figures of one tag or line.
pub type Cells = BTreeMap<Span, Cell>;

impl Span {
    /// Length in days; none for a moment.
    pub fn days(self) -> Option<i64> {
        Some((self.end - self.start?).num_days() + 1)
    }

    /// 13 or 14 weeks; quarters of calendar months have 90 to 92 days, first quarters of odd fiscal years up to 16 weeks.
    pub fn is_quarter(self) -> bool {
        self.days().is_some_and(|days| (60..=116).contains(&days))
    }

    /// 52 or 53 weeks, or a calendar year.
    pub fn is_year(self) -> bool {
        self.days().is_some_and(|days| (330..=400).contains(&days))
    }
}

impl<'a> KnownFacts<'a> {
    pub fn new(company: &'a Company, filings: &'a Filings, date: NaiveDate) -> Self {
        Self { company, filings, date }
    }

    /// All known values of a tag, each with its unit.
    pub fn values(&self, taxonomy: &str, tag: &str) -> impl Iterator<Item = (&'a str, &'a Value)> {
        self.company.values(taxonomy, tag).filter(|(_, value)| self.knows(value))
    }

    /// The values of a tag in filings of the last days that came after the close.
    pub fn pending(&self, taxonomy: &str, tag: &str) -> impl Iterator<Item = &'a Value> {
        let values = self.company.values(taxonomy, tag).map(|(_, value)| value);
        values.filter(|value| value.filed <= self.date && !self.knows(value))
    }

    /// The trading day from which on a value counts.
    pub fn known_day(&self, value: &Value) -> NaiveDate {
        self.filings.known(&value.accn, value.filed)
    }

    fn knows(&self, value: &Value) -> bool {
        // Nothing is known before it is filed; the calendar is asked only where that does not settle it.
        value.filed <= self.date && self.known_day(value) <= self.date
    }

    /// The figures of a tag in a currency, by span.
    pub fn cells(&self, taxonomy: Taxonomy, tag: &'static str, unit: Unit, currency: &str) -> Cells {
        let mut editions: BTreeMap<Span, Vec<(&Value, f64)>> = BTreeMap::new();
        let values = self.values(taxonomy.name(), tag).filter(|(name, _)| is_of(name, unit, currency));
        for (_, value) in values {
            // A span that ends before it begins is a mistake of the filer.
            let is_span = value.start.is_none_or(|start| start <= value.end);
            if let Some(figure) = value.val.filter(|val| val.is_finite() && is_span) {
                editions.entry(Span { start: value.start, end: value.end }).or_default().push((value, figure));
            }
        }
        let latest = |(span, editions)| Some((span, self.latest(editions, tag)?));
        editions.into_iter().filter_map(latest).collect()
    }

    fn latest(&self, mut editions: Vec<(&Value, f64)>, tag: &'static str) -> Option<Cell> {
        editions.sort_by(|(one, _), (other, _)| (one.filed, &one.accn).cmp(&(other.filed, &other.accn)));
        let (last, value) = *editions.last()?;
        let same = editions.iter().filter(|(_, other)| other.to_bits() == value.to_bits());
        let known = same.map(|(edition, _)| self.known_day(edition)).min()?;
        Some(Cell { value, known, filed: last.filed, tag, derived: false })
    }
}

/// Whether a unit's name is of that kind: `USD`, `USD/shares` or `shares`.
fn is_of(name: &str, unit: Unit, currency: &str) -> bool {
    match unit {
        Unit::Money => name == currency,
        Unit::PerShare => name.strip_suffix("/shares") == Some(currency),
        Unit::Shares => name == "shares",
    }
}
