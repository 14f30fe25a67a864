//! Which of several tags gives a line its figure.
//!
//! Companies change tags over the years, and some tag only a part of the line: banks file their fees as revenue from
//! contracts with customers, and some companies file a small segment as "Revenues". So for each span:
//!
//! 1. A tag whose figure is much smaller than another's of the same span is that of a part, there and, by the nearest
//!    evidence, where it stands alone. Parts never stand for the whole.
//! 2. Of the others a figure counts that the statement proves: gross profit and cost of revenue add up to it.
//! 3. Then the total of a bank net of the interest that it paid, then the tags of the latest filing, and of those the
//!    largest figure.

use std::collections::BTreeMap;

use super::{
    known::{Cell, Cells, Span},
    lines::{EXCLUDING_TAX, INCLUDING_TAX, NET_OF_INTEREST},
};

/// A figure below this share of another tag's figure of the same span is a part. Restatements and "other income" move a
/// total less than that.
const WHOLE: f64 = 0.8;

/// Interest may be most of the gross total of a bank, so its net total may be as small as this share of it, if the
/// interest that was paid is not filed.
const WHOLE_OF_NET: f64 = 0.4;

/// Figures that prove which revenue is the statement's; empty for other lines.
#[derive(Default)]
pub struct Proof {
    pub cost: Cells,
    pub gross_profit: Cells,
    pub sales_taxes: Cells,
    pub interest_paid: Cells,
}

/// The tags of a line with their figures, the preferred first.
pub struct Candidates {
    tags: Vec<(&'static str, Cells)>,
    proof: Proof,
    /// For each tag the spans that show whether it is a part.
    parts: BTreeMap<&'static str, BTreeMap<Span, bool>>,
}

impl Candidates {
    pub fn new(tags: Vec<(&'static str, Cells)>, proof: Proof) -> Self {
        let mut candidates = Self { tags, proof, parts: BTreeMap::new() };
        let spans: Vec<_> = candidates.spans();
        for span in spans {
            let rivals = candidates.at(span);
            let largest = rivals.iter().map(|(_, cell)| cell.value.abs()).fold(0.0, f64::max);
            if rivals.len() < 2 {
                continue;
            }
            let evidence: Vec<_> = rivals
                .iter()
                .map(|(tag, cell)| {
                    let is_small = if *tag == NET_OF_INTEREST {
                        !candidates.is_net_of(span, cell.value, largest)
                    } else {
                        cell.value.abs() < WHOLE * largest
                    };
                    (*tag, is_small && !candidates.is_proven(span, cell.value))
                })
                .collect();
            for (tag, is_part) in evidence {
                candidates.parts.entry(tag).or_default().insert(span, is_part);
            }
        }
        candidates
    }

    /// The figure of the line for each span that has one.
    pub fn choose(&self) -> Cells {
        self.spans().into_iter().filter_map(|span| Some((span, self.best(span)?))).collect()
    }

    fn spans(&self) -> Vec<Span> {
        let spans: std::collections::BTreeSet<_> =
            self.tags.iter().flat_map(|(_, cells)| cells.keys().copied()).collect();
        spans.into_iter().collect()
    }

    fn best(&self, span: Span) -> Option<Cell> {
        let mut whole = self.at(span);
        whole.retain(|(tag, _)| !self.is_part(tag, span));
        let proven = whole.iter().find(|(_, cell)| self.is_proven(span, cell.value));
        let net = || whole.iter().find(|(tag, _)| *tag == NET_OF_INTEREST);
        let chosen = proven.or_else(net).or_else(|| {
            let rank = |cell: &Cell| (cell.filed, cell.value.abs());
            // The first of equals is the preferred one.
            whole.iter().reduce(|best, next| if rank(next.1) > rank(best.1) { next } else { best })
        });
        chosen.map(|(_, cell)| (*cell).clone())
    }

    /// The tags with a figure of the span. A figure with sales taxes is dropped if the one without them is there.
    fn at(&self, span: Span) -> Vec<(&'static str, &Cell)> {
        let mut found: Vec<_> = self.tags.iter().filter_map(|(tag, cells)| Some((*tag, cells.get(&span)?))).collect();
        let value_of = |wanted: &str| found.iter().find(|(tag, _)| *tag == wanted).map(|(_, cell)| cell.value);
        if let (Some(with), Some(without)) = (value_of(INCLUDING_TAX), value_of(EXCLUDING_TAX)) {
            let taxes = self.proof.sales_taxes.get(&span).map_or(0.0, |cell| cell.value);
            if without + taxes >= WHOLE * with {
                found.retain(|(tag, _)| *tag != INCLUDING_TAX);
            }
        }
        found
    }

    fn is_proven(&self, span: Span, value: f64) -> bool {
        let (cost, gross) = (self.proof.cost.get(&span), self.proof.gross_profit.get(&span));
        cost.zip(gross).is_some_and(|(cost, gross)| (cost.value + gross.value - value).abs() <= 0.005 * value.abs())
    }

    /// Whether a figure net of interest is that of the same whole as a larger figure.
    fn is_net_of(&self, span: Span, net: f64, gross: f64) -> bool {
        match self.proof.interest_paid.get(&span) {
            _ if net >= WHOLE * gross => true,
            Some(interest) => (gross - interest.value - net).abs() <= 0.02 * net.abs(),
            None => net >= WHOLE_OF_NET * gross,
        }
    }

    /// Decided by the span itself, or else by the nearest span with evidence.
    fn is_part(&self, tag: &str, span: Span) -> bool {
        let Some(evidence) = self.parts.get(tag) else { return false };
        let nearest = || evidence.iter().min_by_key(|(other, _)| (other.end - span.end).num_days().abs());
        evidence.get(&span).copied().or_else(|| nearest().map(|(_, is_part)| *is_part)).unwrap_or(false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cells(tag: &'static str, years: &[(i32, f64, i32)]) -> (&'static str, Cells) {
        let cell = |(year, value, filed): &(i32, f64, i32)| {
            let day = |year: i32, month, day| chrono::NaiveDate::from_ymd_opt(year, month, day).unwrap();
            let filed = day(*filed, 2, 20);
            let cell = Cell { value: *value, known: filed, filed, tag, derived: false };
            (Span { start: Some(day(*year, 1, 1)), end: day(*year, 12, 31) }, cell)
        };
        (tag, years.iter().map(cell).collect())
    }

    /// The value and tag of each year.
    fn chosen(tags: Vec<(&'static str, Cells)>, proof: Proof) -> Vec<(f64, &'static str)> {
        Candidates::new(tags, proof).choose().into_values().map(|cell| (cell.value, cell.tag)).collect()
    }

    #[test]
    fn the_total_counts_whatever_its_tag_is() {
        let fees = cells(EXCLUDING_TAX, &[(2025, 620.0, 2026)]);
        let bank = chosen(vec![cells(NET_OF_INTEREST, &[(2025, 3610.0, 2026)]), fees], Proof::default());
        assert_eq!(bank, [(3610.0, NET_OF_INTEREST)]);
        let gross = cells("Revenues", &[(2025, 8000.0, 2026)]);
        let broker = chosen(vec![cells(NET_OF_INTEREST, &[(2025, 4000.0, 2026)]), gross], Proof::default());
        assert_eq!(broker, [(4000.0, NET_OF_INTEREST)], "interest is a cost");
        let subsidiary = cells(NET_OF_INTEREST, &[(2025, 4000.0, 2026)]);
        let proof = Proof { interest_paid: cells("", &[(2025, 300.0, 2026)]).1, ..Proof::default() };
        let whole = chosen(vec![subsidiary, cells("Revenues", &[(2025, 8000.0, 2026)])], proof);
        assert_eq!(whole, [(8000.0, "Revenues")], "the interest paid does not explain the difference");
    }

    #[test]
    fn a_part_does_not_stand_for_the_whole_where_it_stands_alone() {
        let slice = cells("Revenues", &[(2024, 650.0, 2025), (2025, 702.0, 2026)]);
        let total = cells(EXCLUDING_TAX, &[(2025, 19_486.0, 2026), (2026, 18_424.0, 2027)]);
        let food = chosen(vec![slice, total], Proof::default());
        assert_eq!(food, [(19_486.0, EXCLUDING_TAX), (18_424.0, EXCLUDING_TAX)]);
    }

    #[test]
    fn tags_that_a_company_changed_are_joined_and_the_latest_filing_counts() {
        let old = cells("SalesRevenueNet", &[(2016, 90.0, 2017), (2017, 100.0, 2018)]);
        let new = cells(EXCLUDING_TAX, &[(2017, 98.0, 2019), (2018, 110.0, 2019)]);
        let joined = chosen(vec![new, old], Proof::default());
        assert_eq!(joined, [(90.0, "SalesRevenueNet"), (98.0, EXCLUDING_TAX), (110.0, EXCLUDING_TAX)]);
    }

    #[test]
    fn gross_profit_and_cost_prove_a_revenue_and_taxes_in_the_price_are_none() {
        let with_other_income = cells("Revenues", &[(2025, 120.0, 2026)]);
        let net = cells(EXCLUDING_TAX, &[(2025, 100.0, 2026)]);
        let (cost, gross_profit) = (cells("", &[(2025, 70.0, 2026)]).1, cells("", &[(2025, 30.0, 2026)]).1);
        let proof = Proof { cost, gross_profit, ..Proof::default() };
        assert_eq!(chosen(vec![with_other_income, net.clone()], proof), [(100.0, EXCLUDING_TAX)]);
        let gross = cells(INCLUDING_TAX, &[(2025, 260.0, 2026)]);
        let proof = Proof { sales_taxes: cells("", &[(2025, 160.0, 2026)]).1, ..Proof::default() };
        assert_eq!(chosen(vec![net, gross], proof), [(100.0, EXCLUDING_TAX)]);
    }
}
