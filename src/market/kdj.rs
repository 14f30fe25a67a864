//! KDJ, the stochastic oscillator with a third line, as Asian trading programs draw it: 9, 3, 3.
//!
//! ```text
//! RSV = 100 (close - lowest low of 9 bars) / (highest high of 9 bars - lowest low of 9 bars)
//! K   = 2/3 K of the bar before + 1/3 RSV       D = 2/3 D of the bar before + 1/3 K       J = 3 K - 2 D
//! ```
//!
//! K and D begin at 50. K and D are Lane's stochastics (Technical Analysis of Stocks & Commodities 2(3), 1984) with
//! exponential smoothing; J, which leaves 0 to 100 when K runs ahead of D, has no single published origin.

use super::Bar;

/// Bars of the range that the close is measured in.
const RANGE: usize = 9;

/// J of each bar; NaN until there is a whole range.
pub(super) fn j(bars: &[Bar]) -> Vec<f64> {
    let mut values = vec![f64::NAN; bars.len()];
    let (mut k, mut d) = (50.0, 50.0);
    for (window, value) in bars.windows(RANGE).zip(values.iter_mut().skip(RANGE - 1)) {
        let low = window.iter().map(|bar| bar.low).fold(f64::MAX, f64::min);
        let high = window.iter().map(|bar| bar.high).fold(f64::MIN, f64::max);
        // A range of no width says nothing: the middle.
        let rsv = if high > low { (window[RANGE - 1].close - low) / (high - low) * 100.0 } else { 50.0 };
        k = (2.0 * k + rsv) / 3.0;
        d = (2.0 * d + k) / 3.0;
        *value = 3.0 * k - 2.0 * d;
    }
    values
}

#[cfg(test)]
mod tests {
    use chrono::NaiveDate;

    use super::*;

    #[test]
    fn j_runs_ahead_of_k_and_d_and_begins_with_a_whole_range() {
        let bar = |close: f64| Bar { date: NaiveDate::MIN, open: close, high: 10.0, low: 0.0, close, volume: 1.0 };
        let bars: Vec<_> = std::iter::repeat_n(bar(5.0), 8).chain([bar(10.0), bar(0.0)]).collect();
        let values = j(&bars);
        assert!(values[..8].iter().all(|value| value.is_nan()));
        // K 66.67, D 55.56; then K 44.44, D 51.85.
        assert!((values[8] - 88.888_888).abs() < 1e-3, "{}", values[8]);
        assert!((values[9] - 29.629_629).abs() < 1e-3, "{}", values[9]);
    }

    #[test]
    fn a_price_that_does_not_move_is_in_the_middle() {
        let bar = Bar { date: NaiveDate::MIN, open: 1.0, high: 1.0, low: 1.0, close: 1.0, volume: 1.0 };
        assert!((j(&[bar; 12])[11] - 50.0).abs() < 1e-9);
    }
}
