//! Restates figures per share and share counts for splits, so that they match the price.
//!
//! The price is that of a share on the analysis date, after all splits up to then and before all later ones. A filing
//! counts the shares of the filing date: earnings per share of a 10-K from before a 10:1 split are ten times too high for
//! a price from after it (ASC 260-10-55-12). Yahoo restates its figures for each split, including splits after the
//! analysis date. So each figure is restated from the day whose shares it counts to the analysis date. Notes name the
//! splits up to that date and never a later one.

use chrono::NaiveDate;

use super::{Measure, Period, Shares, Split, Statement, data::RESTATED};

/// The splits of an instrument, also those after the analysis date.
pub struct Splits<'a> {
    all: &'a [Split],
    date: NaiveDate,
}

impl<'a> Splits<'a> {
    pub fn new(all: &'a [Split], date: NaiveDate) -> Self {
        Self { all, date }
    }

    /// The statement with all figures per share and numbers of shares restated, and a note on each split.
    pub fn restate(&self, statement: &mut Statement) {
        let mut used = Vec::new();
        for figure in statement.periods.iter_mut().flat_map(|period| &mut period.figures) {
            match figure.measure {
                Measure::Amount => {}
                Measure::PerShare(counted) => {
                    figure.value /= self.since(counted, &mut used);
                    figure.measure = Measure::PerShare(self.date);
                }
                Measure::ShareCount(counted) => {
                    figure.value *= self.since(counted, &mut used);
                    figure.measure = Measure::ShareCount(self.date);
                }
            }
        }
        statement.notes.extend(notes(used));
    }

    /// The number of shares outstanding, restated, and a note on each split.
    pub fn restate_count(&self, shares: &mut Shares) -> Vec<String> {
        let mut used = Vec::new();
        if let Shares::Outstanding { count, filed, as_filed, .. } = shares {
            *count = *as_filed * self.since(*filed, &mut used);
        }
        notes(used)
    }

    /// How many shares of the analysis date one share of the day `counted` is. Splits between the two are added to `used`
    /// if they were known at the analysis date.
    fn since(&self, counted: NaiveDate, used: &mut Vec<Split>) -> f64 {
        let between = |from: NaiveDate, to: NaiveDate| {
            self.all.iter().filter(move |split| from < split.date && split.date <= to).copied()
        };
        used.extend(between(counted, self.date));
        let made: f64 = between(counted, self.date).map(|split| split.ratio).product();
        let undone: f64 = between(self.date, counted).map(|split| split.ratio).product();
        made / undone
    }
}

fn notes(mut used: Vec<Split>) -> Vec<String> {
    used.sort_by_key(|split| split.date);
    used.dedup();
    let note = |split: Split| {
        format!(
            "Figures per share and numbers of shares from filings before the {} split of {} are restated for it, as the \
             prices are.",
            in_words(split.ratio),
            split.date
        )
    };
    used.into_iter().map(note).collect()
}

/// Where no splits are known: drops figures that the vendor restated, and notes that the others are as filed.
pub fn without_splits(statement: &mut Statement) {
    let is_restated = |measure| matches!(measure, Measure::PerShare(RESTATED) | Measure::ShareCount(RESTATED));
    let mut dropped = false;
    for period in &mut statement.periods {
        let before = period.figures.len();
        period.figures.retain(|figure| !is_restated(figure.measure));
        dropped |= period.figures.len() < before;
    }
    if dropped {
        statement.notes.push(
            "Figures per share are left out: this vendor restates them for splits, and no vendor of prices here knows when \
             shares were split."
                .into(),
        );
    }
    if counts_shares(&statement.periods) {
        statement.notes.push(
            "Figures per share and numbers of shares are as filed: no vendor of prices here knows when shares were split."
                .into(),
        );
    }
}

/// `10:1`, or `1:8` for a reverse split.
fn in_words(ratio: f64) -> String {
    // Three digits are enough for 3:2 as 1.5:1, and hide what division leaves.
    let short = |number: f64| (number * 1000.0).round() / 1000.0;
    if ratio >= 1.0 { format!("{}:1", short(ratio)) } else { format!("1:{}", short(1.0 / ratio)) }
}

/// Whether a statement has figures that splits change.
pub fn counts_shares(periods: &[Period]) -> bool {
    periods.iter().flat_map(|period| &period.figures).any(|figure| figure.measure != Measure::Amount)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::market::{Figure, data::EARNINGS_PER_SHARE};

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn statement(measure: Measure) -> Statement {
        let figure = Figure { measure, ..Figure::new(EARNINGS_PER_SHARE, 11.93) };
        let (end, known) = (day("2024-01-28"), day("2024-02-22"));
        let period = Period { end, known, currency: "USD".into(), figures: vec![figure] };
        Statement { periods: vec![period], notes: Vec::new() }
    }

    /// The figure at a date, and the notes.
    fn restated(mut statement: Statement, date: &str) -> (f64, String) {
        let splits = [Split { date: day("2024-06-10"), ratio: 10.0 }];
        Splits::new(&splits, day(date)).restate(&mut statement);
        (statement.periods[0].figures[0].value, statement.notes.concat())
    }

    #[test]
    fn a_filed_figure_is_restated_for_the_splits_since_its_filing_and_for_no_later_one() {
        let filed = || statement(Measure::PerShare(day("2024-02-21")));
        let (value, notes) = restated(filed(), "2024-06-12");
        assert!((value - 1.193).abs() < 1e-9 && notes.contains("10:1 split of 2024-06-10"), "{notes}");
        let (value, notes) = restated(filed(), "2024-06-07");
        assert_eq!((value, notes.as_str()), (11.93, ""));
        let after = statement(Measure::PerShare(day("2024-08-28")));
        assert_eq!(restated(after, "2024-09-02"), (11.93, String::new()), "the filing restated it");
        let mut unknown = filed();
        without_splits(&mut unknown);
        assert!(unknown.periods[0].figures.len() == 1 && unknown.notes[0].contains("as filed"));
    }

    #[test]
    fn a_split_is_named_as_people_name_it() {
        assert_eq!([10.0, 1.5, 0.125, 1.0 / 3.0].map(in_words), ["10:1", "1.5:1", "1:8", "1:3"]);
    }

    #[test]
    fn what_a_vendor_restated_for_a_later_split_is_undone_in_silence() {
        let restated_figure = || statement(Measure::PerShare(RESTATED));
        let (value, notes) = restated(restated_figure(), "2024-06-07");
        assert!((value - 119.3).abs() < 1e-9, "{value}");
        assert_eq!(notes, "");
        assert_eq!(restated(restated_figure(), "2024-06-12"), (11.93, String::new()));
        let mut statement = restated_figure();
        without_splits(&mut statement);
        assert!(statement.periods[0].figures.is_empty() && statement.notes[0].contains("left out"));
    }
}
