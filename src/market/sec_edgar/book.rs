//! All that a company filed under one taxonomy: the figures of each line of the statements, and the days on which its
//! years and quarters end.

use std::collections::BTreeSet;

use chrono::NaiveDate;

use super::{
    super::{Frequency, StatementKind},
    choice::{Candidates, Proof},
    known::{Cell, Cells, KnownFacts, Span},
    lines::{
        COST, GROSS_INTEREST, GROSS_PROFIT, INTEREST_PAID, Line, NET_INTEREST, REVENUE, SALES_TAXES, TOTAL_DEBT,
        Taxonomy, Unit, lines, parts_of_debt, parts_of_revenue,
    },
    spans::{ByEnd, moments, quarters, years},
};

/// The tag of a debt that is a sum.
const SUM_OF_BORROWINGS: &str = "sum of long-term and short-term borrowings";

/// The figures of a company under one taxonomy, in one currency.
pub struct Book<'a> {
    known: &'a KnownFacts<'a>,
    pub taxonomy: Taxonomy,
    currency: &'a str,
}

impl<'a> Book<'a> {
    pub fn new(known: &'a KnownFacts<'a>, taxonomy: Taxonomy, currency: &'a str) -> Self {
        Self { known, taxonomy, currency }
    }

    /// The lines of a statement with the figures of their periods.
    pub fn statement(&self, kind: StatementKind, frequency: Frequency) -> Vec<(&'static Line, ByEnd)> {
        let ends = self.ends(frequency);
        let by_end = |line: &Line, cells: &Cells| match (kind, frequency) {
            (StatementKind::BalanceSheet, _) => moments(cells, &ends),
            (_, Frequency::Annual) => years(cells, &ends),
            (_, Frequency::Quarterly) => quarters(cells, line.unit == Unit::Money),
        };
        lines(kind).iter().map(|line| (line, by_end(line, &self.line(line)))).collect()
    }

    /// The figures of a line.
    fn line(&self, line: &Line) -> Cells {
        if line.name == REVENUE {
            return self.revenue(line);
        }
        let mut cells = Cells::new();
        for group in line.groups(self.taxonomy) {
            for (span, cell) in Candidates::new(self.tags(group, line.unit), Proof::default()).choose() {
                cells.entry(span).or_insert(cell);
            }
        }
        if line.name == TOTAL_DEBT {
            for (span, cell) in self.debt() {
                cells.entry(span).or_insert(cell);
            }
        }
        cells
    }

    fn revenue(&self, line: &Line) -> Cells {
        let tags: Vec<_> = line.groups(self.taxonomy).concat();
        let mut candidates = self.tags(&tags, Unit::Money);
        candidates.extend(parts_of_revenue(self.taxonomy).iter().map(|[one, other, name]| {
            let (one, other) = (self.part(one), self.amounts(other));
            let sums = one.iter().filter_map(|(span, cell)| Some((*span, sum(&[cell, other.get(span)?], name)?)));
            (*name, sums.collect())
        }));
        let find = |name| lines(StatementKind::Income).iter().find(|line| line.name == name);
        let proof = Proof {
            cost: find(COST).map_or_else(Cells::new, |line| self.line(line)),
            gross_profit: find(GROSS_PROFIT).map_or_else(Cells::new, |line| self.line(line)),
            sales_taxes: self.amounts(SALES_TAXES),
            interest_paid: self.amounts(INTEREST_PAID),
        };
        Candidates::new(candidates, proof).choose()
    }

    /// A part of revenue. Net interest income is interest earned less interest paid if it was not filed itself.
    fn part(&self, tag: &'static str) -> Cells {
        let mut part = self.amounts(tag);
        if tag == NET_INTEREST {
            let paid = self.amounts(INTEREST_PAID);
            for (span, earned) in self.amounts(GROSS_INTEREST) {
                if let Some(paid) = paid.get(&span) {
                    let value = earned.value - paid.value;
                    let (known, filed) = (earned.known.max(paid.known), earned.filed.max(paid.filed));
                    part.entry(span).or_insert(Cell { value, known, filed, tag, derived: true });
                }
            }
        }
        part
    }

    /// Debt as the sum of its parts.
    fn debt(&self) -> Cells {
        let mut debt = Cells::new();
        for parts in parts_of_debt(self.taxonomy) {
            let parts: Vec<Vec<Cells>> =
                parts.iter().map(|tags| tags.iter().map(|tag| self.amounts(tag)).collect()).collect();
            let spans: BTreeSet<Span> = parts[0].iter().flat_map(|cells| cells.keys().copied()).collect();
            for span in spans {
                let cells = parts.iter().filter_map(|tags| tags.iter().find_map(|cells| cells.get(&span)));
                if let Some(cell) = sum(&cells.collect::<Vec<_>>(), SUM_OF_BORROWINGS) {
                    debt.entry(span).or_insert(cell);
                }
            }
        }
        debt
    }

    fn amounts(&self, tag: &'static str) -> Cells {
        self.known.cells(self.taxonomy, tag, Unit::Money, self.currency)
    }

    fn tags(&self, tags: &[&'static str], unit: Unit) -> Vec<(&'static str, Cells)> {
        tags.iter().map(|tag| (*tag, self.known.cells(self.taxonomy, tag, unit, self.currency))).collect()
    }

    /// The days on which fiscal years end, or fiscal periods of any length.
    fn ends(&self, frequency: Frequency) -> BTreeSet<NaiveDate> {
        let flows = [StatementKind::Income, StatementKind::CashFlow];
        let tags = flows.into_iter().flat_map(lines).flat_map(|line| line.groups(self.taxonomy).concat());
        let values = tags.flat_map(|tag| self.known.values(self.taxonomy.name(), tag));
        let is_end = |start: Option<NaiveDate>, end, form: Option<&str>| match frequency {
            // Some utilities report the last twelve months in each 10-Q.
            Frequency::Annual => (Span { end, start }).is_year() && !form.is_some_and(|form| form.starts_with("10-Q")),
            Frequency::Quarterly => start.is_some(),
        };
        let ends = values.filter(|(_, value)| is_end(value.start, value.end, value.form.as_deref()));
        let ends: BTreeSet<_> = ends.map(|(_, value)| value.end).collect();
        if ends.is_empty() { self.balance_dates(frequency) } else { ends }
    }

    /// The dates of the balance sheets: for each report the latest day in it.
    fn balance_dates(&self, frequency: Frequency) -> BTreeSet<NaiveDate> {
        let assets = self.known.values(self.taxonomy.name(), "Assets").map(|(_, value)| value);
        let reports = assets.filter(|value| frequency == Frequency::Quarterly || value.is_of_annual_report());
        let mut latest = std::collections::BTreeMap::new();
        for value in reports {
            let end = latest.entry((&value.accn, value.filed)).or_insert(value.end);
            *end = value.end.max(*end);
        }
        latest.into_values().collect()
    }
}

/// A figure that is the sum of others; the figure itself if there is only one.
fn sum(cells: &[&Cell], tag: &'static str) -> Option<Cell> {
    if let [only] = cells {
        return Some((*only).clone());
    }
    Some(Cell {
        value: cells.iter().map(|cell| cell.value).sum(),
        known: cells.iter().map(|cell| cell.known).max()?,
        filed: cells.iter().map(|cell| cell.filed).max()?,
        tag,
        derived: true,
    })
}
