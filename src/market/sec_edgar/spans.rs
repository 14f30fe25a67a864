//! Years, quarters and moments, out of figures of any length.
//!
//! A 10-Q has its quarter and the year to date, of cash flow only the latter, and no filing has a fourth quarter (17 CFR
//! 210.10-01). So a quarter that was not filed is the difference of two figures of one tag: the year to date less the
//! quarters before.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;

use super::known::{Cell, Cells, Span};

/// Figures by the end of their period.
pub type ByEnd = BTreeMap<NaiveDate, Cell>;

/// The figures of fiscal years.
pub fn years(cells: &Cells, year_ends: &BTreeSet<NaiveDate>) -> ByEnd {
    let years = cells.iter().filter(|(span, _)| span.is_year() && year_ends.contains(&span.end));
    years.map(|(span, cell)| (span.end, cell.clone())).collect()
}

/// The figures of moments, at these ends.
pub fn moments(cells: &Cells, ends: &BTreeSet<NaiveDate>) -> ByEnd {
    let moments = cells.iter().filter(|(span, _)| span.start.is_none() && ends.contains(&span.end));
    moments.map(|(span, cell)| (span.end, cell.clone())).collect()
}

/// The figures of quarters. Amounts are derived where they were not filed.
pub fn quarters(cells: &Cells, adds_up: bool) -> ByEnd {
    let filed = cells.iter().filter(|(span, _)| span.is_quarter());
    let mut quarters: ByEnd = filed.map(|(span, cell)| (span.end, cell.clone())).collect();
    if adds_up {
        for (span, cell) in cells {
            if !quarters.contains_key(&span.end)
                && let Some(derived) = last_quarter(*span, cell, cells)
            {
                quarters.insert(span.end, derived);
            }
        }
    }
    quarters
}

/// The last quarter of a longer span: the span less the year to date of the quarter before, or less each quarter before.
fn last_quarter(span: Span, cell: &Cell, cells: &Cells) -> Option<Cell> {
    let start = span.start.filter(|_| span.days().is_some_and(|days| days <= 400))?;
    let same_tag = |(_, earlier): &(&Span, &Cell)| earlier.tag == cell.tag;
    let to_date = cells.iter().filter(same_tag).find(|(earlier, _)| {
        earlier.start == Some(start) && earlier.end < span.end && rest(earlier.end, span.end).is_quarter()
    });
    let before = to_date.map(|(_, earlier)| vec![earlier]).or_else(|| {
        let mut begin = start;
        let mut tiles = Vec::new();
        while !(Span { start: Some(begin), end: span.end }).is_quarter() {
            let next =
                |(tile, _): &(&Span, &Cell)| tile.start == Some(begin) && tile.is_quarter() && tile.end < span.end;
            let (tile, earlier) = cells.iter().filter(same_tag).find(next)?;
            tiles.push(earlier);
            begin = tile.end.succ_opt()?;
        }
        Some(tiles)
    })?;
    let legs = || before.iter().copied().chain([cell]);
    Some(Cell {
        value: cell.value - before.iter().map(|earlier| earlier.value).sum::<f64>(),
        known: legs().map(|leg| leg.known).max()?,
        filed: legs().map(|leg| leg.filed).max()?,
        tag: cell.tag,
        derived: true,
    })
}

/// The days after one end up to another.
fn rest(earlier: NaiveDate, end: NaiveDate) -> Span {
    Span { start: earlier.succ_opt(), end }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cells(figures: &[(&str, &str, f64)]) -> Cells {
        let day = |text: &str| text.parse().unwrap();
        let cell = |(start, end, value): &(&str, &str, f64)| {
            let cell = Cell { value: *value, known: day(end), filed: day(end), tag: "Tag", derived: false };
            (Span { start: Some(day(start)), end: day(end) }, cell)
        };
        figures.iter().map(cell).collect()
    }

    fn values(quarters: &ByEnd) -> Vec<(f64, bool)> {
        quarters.values().map(|cell| (cell.value, cell.derived)).collect()
    }

    #[test]
    fn quarters_of_cash_flow_are_differences_of_the_year_to_date() {
        let to_date = cells(&[
            ("2023-10-01", "2023-12-30", 39.0),
            ("2023-10-01", "2024-03-30", 62.0),
            ("2023-10-01", "2024-06-29", 91.0),
            ("2023-10-01", "2024-09-28", 118.0),
        ]);
        assert_eq!(values(&quarters(&to_date, true)), [(39.0, false), (23.0, true), (29.0, true), (27.0, true)]);
        assert_eq!(values(&quarters(&to_date, false)), [(39.0, false)], "figures per share don't add up");
    }

    #[test]
    fn a_fourth_quarter_is_the_year_less_three_quarters_and_missing_if_one_of_them_is() {
        let mut figures = vec![
            ("2023-01-01", "2023-03-31", 1.0),
            ("2023-04-01", "2023-06-30", 2.0),
            ("2023-07-01", "2023-09-30", 3.0),
            ("2023-01-01", "2023-12-31", 10.0),
        ];
        assert_eq!(values(&quarters(&cells(&figures), true)).last(), Some(&(4.0, true)));
        figures.remove(1);
        assert_eq!(values(&quarters(&cells(&figures), true)), [(1.0, false), (3.0, false)]);
    }
}
