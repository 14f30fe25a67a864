//! What a decision earned over its holding window.

use chrono::NaiveDate;

use crate::market::Bar;

/// Trading days that a decision is held for, from the close that it was made at.
pub const HOLDING_DAYS: usize = 5;

/// A holding window that is over.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Window {
    /// The day of the close that it begins with: that of the decision, or the last trading day before.
    pub from: NaiveDate,
    /// The day of the close that it ends with.
    pub to: NaiveDate,
    /// What the instrument returned, percent.
    pub return_percent: f64,
}

/// The holding window of a decision made on `decided_on`. None as long as `bars`, which end at the analysis date, do not
/// hold all of its days.
pub fn window(bars: &[Bar], decided_on: NaiveDate) -> Option<Window> {
    let first = last_by(bars, decided_on)?;
    let (from, to) = (bars.get(first)?, bars.get(first + HOLDING_DAYS)?);
    Some(Window { from: from.date, to: to.date, return_percent: percent(from, to) })
}

/// What a benchmark returned from the close of one day to that of another, percent. On a day without a bar, a holiday of
/// its exchange alone, its last close counts. None if it has no bar by the first day, or none after it.
pub fn return_between(bars: &[Bar], from: NaiveDate, to: NaiveDate) -> Option<f64> {
    let (first, last) = (last_by(bars, from)?, last_by(bars, to)?);
    (last > first).then(|| percent(&bars[first], &bars[last]))
}

/// The number of the last bar by the end of `day`.
fn last_by(bars: &[Bar], day: NaiveDate) -> Option<usize> {
    bars.partition_point(|bar| bar.date <= day).checked_sub(1)
}

fn percent(from: &Bar, to: &Bar) -> f64 {
    (to.close / from.close - 1.0) * 100.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    /// The weekdays from 2024-05-10, a Friday, on; the close grows by one a day from 100.
    fn bars(count: u32) -> Vec<Bar> {
        let weekdays =
            ["2024-05-10", "2024-05-13", "2024-05-14", "2024-05-15", "2024-05-16", "2024-05-17", "2024-05-20"];
        let bars = weekdays.into_iter().zip(0..count).map(|(date, number)| {
            let close = 100.0 + f64::from(number);
            Bar { date: day(date), open: close, high: close, low: close, close, volume: 1.0 }
        });
        bars.collect()
    }

    #[test]
    fn a_window_is_over_with_its_fifth_close_and_not_before() {
        assert_eq!(window(&bars(5), day("2024-05-10")), None);
        let over = window(&bars(6), day("2024-05-10")).unwrap();
        assert_eq!((over.from, over.to), (day("2024-05-10"), day("2024-05-17")));
        assert!((over.return_percent - 5.0).abs() < 1e-9);
    }

    #[test]
    fn a_decision_on_a_weekend_stands_at_the_close_before() {
        assert_eq!(window(&bars(7), day("2024-05-12")), window(&bars(7), day("2024-05-10")));
        assert_eq!(window(&bars(7), day("2024-05-09")), None);
    }

    #[test]
    fn a_benchmark_that_was_closed_keeps_its_last_price() {
        let bars = bars(7);
        let over_a_week = return_between(&bars, day("2024-05-11"), day("2024-05-19")).unwrap();
        assert!((over_a_week - 5.0).abs() < 1e-9);
        assert_eq!(return_between(&bars, day("2024-05-09"), day("2024-05-17")), None);
        assert_eq!(return_between(&bars, day("2024-05-20"), day("2024-05-27")), None, "it has no later bar");
    }
}
