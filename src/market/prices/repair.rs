//! Bars that are evidently wrong: prices at a hundredth or a hundredfold of their neighbours', and missing adjusted closes.
//!
//! Vendors mix main and minor units (pounds among pence) on single days, and lack an adjusted close now and then. What the
//! bars on both sides prove is repaired, the rest is left as it is or dropped; a warning names each. Only bars that
//! were known at the close are looked at, so the next day proves nothing about the last bar.

use chrono::NaiveDate;

use super::{DailyBars, VendorBar};

/// The longest run of bars that counts as a glitch, trading days; a level that stays longer is real.
const LONGEST_RUN: usize = 10;

/// The vendors' error: a hundred, as of pence and pounds.
const HUNDRED: f64 = 100.0;

/// By how much a repaired price may differ from the one before it, as a factor.
const TOLERANCE: f64 = 1.6;

/// Two adjustments that differ by less are the same; adjusted closes have few digits.
const SAME_FACTOR: f64 = 0.002;

/// Repairs the bars and returns a warning for each kind of repair.
pub fn repair(known: &mut DailyBars) -> Vec<String> {
    let mut warnings = repair_units(known);
    warnings.extend(fill_adjusted_closes(known));
    warnings
}

/// The factor that brings a price near `expected`: 1 unless the price is about a hundredth or a hundredfold of it.
fn unit_factor(price: f64, expected: f64) -> f64 {
    let is_near = |factor: f64| (1.0 / TOLERANCE..=TOLERANCE).contains(&(price * factor / expected));
    [HUNDRED, 1.0 / HUNDRED].into_iter().find(|factor| is_near(*factor)).unwrap_or(1.0)
}

/// Multiplies prices that are in another unit than those around them.
fn repair_units(known: &mut DailyBars) -> Vec<String> {
    // In shares of the vendor's last day, so that no split looks like a glitch.
    let closes: Vec<_> = known.bars.iter().map(|bar| bar.bar.close / known.shares_since(bar.bar.date)).collect();
    let Some(mut expected) = usual(&closes) else { return Vec::new() };
    let (mut repaired, mut warnings) = (Vec::new(), Vec::new());
    let mut row = 0;
    while row < closes.len() {
        let run = closes[row..].iter().take_while(|close| is_off(**close, expected)).count();
        let is_glitch = (1..=LONGEST_RUN).contains(&run);
        let is_proven = is_glitch && row + run < closes.len();
        if is_glitch && !is_proven {
            warnings.push(unproven(known, row, closes[row] / expected));
        }
        // The run, or the one bar that is not off.
        let end = row + run.max(1);
        for (at, close) in closes.iter().enumerate().take(end).skip(row) {
            let factor = if is_proven { unit_factor(*close, expected) } else { 1.0 };
            let is_mixed = scale_prices(&mut known.bars[at], factor);
            if is_proven || is_mixed {
                repaired.push(at);
            }
            expected = close * factor;
        }
        row = end;
    }
    warnings.extend(repaired_days(known, &repaired));
    warnings
}

/// Whether a close is in another unit than expected.
fn is_off(close: f64, expected: f64) -> bool {
    (unit_factor(close, expected) - 1.0).abs() > f64::EPSILON
}

/// A close that a history begins with: the median of the first few.
fn usual(closes: &[f64]) -> Option<f64> {
    let mut first = closes[..closes.len().min(2 * LONGEST_RUN + 1)].to_vec();
    first.sort_by(f64::total_cmp);
    first.get(first.len() / 2).copied()
}

/// Scales the close, and brings the other prices of the bar into its unit. Says whether one of those was in another one.
fn scale_prices(bar: &mut VendorBar, factor: f64) -> bool {
    let prices = &mut bar.bar;
    let close = prices.close * factor;
    let mut is_mixed = false;
    for price in [&mut prices.open, &mut prices.high, &mut prices.low] {
        let of_unit = unit_factor(*price, close);
        is_mixed |= (of_unit - factor).abs() > f64::EPSILON;
        *price *= of_unit;
    }
    prices.close = close;
    if let Some(adjusted) = &mut bar.adj_close {
        *adjusted *= factor;
    }
    is_mixed
}

fn repaired_days(known: &DailyBars, rows: &[usize]) -> Option<String> {
    let days: Vec<_> = rows.iter().map(|row| known.bars[*row].bar.date).collect();
    (!days.is_empty()).then(|| {
        format!(
            "prices of {} were off by a factor of 100 from the days around, a vendor's glitch; repaired",
            list(&days)
        )
    })
}

/// The warning about a level that the history ends on.
fn unproven(known: &DailyBars, row: usize, ratio: f64) -> String {
    let (date, times) = (known.bars[row].bar.date, if ratio < 1.0 { "a hundredth" } else { "a hundredfold" });
    format!(
        "prices since {date} are at about {times} of those before: a glitch of the vendor or a split that it does not \
         list; they are as the vendor gives them, so don't trust returns and indicators across that day"
    )
}

/// Gives bars without an adjusted close the adjustment of their neighbours, and drops those whose neighbours disagree,
/// for a dividend was paid on one of these days.
fn fill_adjusted_closes(known: &mut DailyBars) -> Vec<String> {
    let factors: Vec<_> = known.bars.iter().map(|bar| factor(bar, known.shares_since(bar.bar.date))).collect();
    let (mut filled, mut dropped) = (Vec::new(), Vec::new());
    for (row, _) in factors.iter().enumerate().filter(|(_, factor)| factor.is_none()) {
        let before = factors[..row].iter().rev().find_map(|factor| *factor);
        let after = factors[row..].iter().find_map(|factor| *factor);
        let date = known.bars[row].bar.date;
        let agreed = match (before, after) {
            (Some(before), Some(after)) if (before / after - 1.0).abs() > SAME_FACTOR => None,
            (before, after) => Some(after.or(before).unwrap_or(1.0)),
        };
        match agreed {
            Some(factor) => {
                let shares = known.shares_since(date);
                let bar = &mut known.bars[row];
                bar.adj_close = Some(bar.bar.close / shares * factor);
                filled.push(date);
            }
            None => dropped.push(date),
        }
    }
    known.bars.retain(|bar| !dropped.contains(&bar.bar.date));
    let warn = |days: &[NaiveDate], what: &str| {
        (!days.is_empty()).then(|| format!("the vendor has no adjusted close of {}: {what}", list(days)))
    };
    let filled = warn(&filled, "the adjustment of the days around is used");
    filled.into_iter().chain(warn(&dropped, "left out because the days around are adjusted differently")).collect()
}

/// The adjustment for dividends alone.
fn factor(bar: &VendorBar, shares: f64) -> Option<f64> {
    Some(bar.adj_close? * shares / bar.bar.close)
}

/// A few days by name, more by number.
fn list(days: &[NaiveDate]) -> String {
    let named: Vec<_> = days.iter().take(5).map(ToString::to_string).collect();
    let more = days.len() - named.len();
    let rest = if more > 0 { format!(" and {more} more days") } else { String::new() };
    named.join(", ") + &rest
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::market::{Bar, Split};

    /// Bars of consecutive days from 2024-05-01.
    fn bars(closes: &[f64]) -> DailyBars {
        let first: NaiveDate = "2024-05-01".parse().unwrap();
        let bar = |(date, close): (NaiveDate, &f64)| VendorBar {
            bar: Bar { date, open: *close, high: close * 1.02, low: close * 0.98, close: *close, volume: 1.0 },
            adj_close: Some(close * 0.9),
        };
        first.iter_days().zip(closes).map(bar).collect::<Vec<_>>().into()
    }

    fn closes(bars: &DailyBars) -> Vec<f64> {
        bars.bars.iter().map(|bar| (bar.bar.close * 1000.0).round() / 1000.0).collect()
    }

    #[test]
    fn a_day_in_pounds_among_days_in_pence_is_repaired() {
        let mut known = bars(&[75.0, 76.0, 0.7686, 0.77, 76.2, 75.0, 7590.0, 75.8]);
        let warnings = repair(&mut known);
        assert_eq!(closes(&known), [75.0, 76.0, 76.86, 77.0, 76.2, 75.0, 75.9, 75.8]);
        assert!((known.bars[2].bar.low - 76.86 * 0.98).abs() < 1e-9);
        assert!((known.bars[2].adj_close.unwrap() - 76.86 * 0.9).abs() < 1e-9);
        assert!(warnings[0].contains("2024-05-03, 2024-05-04, 2024-05-07 were off by a factor of 100"), "{warnings:?}");
    }

    #[test]
    fn a_history_may_begin_with_a_glitch_and_one_price_of_a_bar_may_be_one() {
        let mut known = bars(&[0.75, 76.0, 75.0, 77.0]);
        known.bars[2].bar.low = 0.74;
        assert_eq!(repair(&mut known).len(), 1);
        assert_eq!(closes(&known), [75.0, 76.0, 75.0, 77.0]);
        assert!((known.bars[2].bar.low - 74.0).abs() < 1e-9);
    }

    #[test]
    fn what_the_next_days_do_not_prove_is_only_warned_of() {
        let mut known = bars(&[75.0, 76.0, 0.7686]);
        let warnings = repair(&mut known);
        assert_eq!(closes(&known), [75.0, 76.0, 0.769]);
        assert!(warnings[0].contains("prices since 2024-05-03 are at about a hundredth"), "{warnings:?}");
    }

    #[test]
    fn a_split_and_a_new_level_are_no_glitches() {
        let mut split = bars(&[7500.0, 7600.0, 76.0, 75.0]);
        split.splits = vec![Split { date: "2024-05-03".parse().unwrap(), ratio: 100.0 }];
        let before = split.clone();
        assert_eq!(repair(&mut split), Vec::<String>::new());
        assert_eq!(split, before);
        let level: Vec<_> = [7500.0; 30].into_iter().chain([75.0; 20]).collect();
        let mut known = bars(&level);
        assert_eq!(repair(&mut known), Vec::<String>::new());
        let mut crash = bars(&[75.0, 30.0, 8.0, 9.0]);
        assert_eq!(repair(&mut crash), Vec::<String>::new());
    }

    #[test]
    fn a_missing_adjusted_close_is_filled_where_the_neighbours_agree() {
        let mut known = bars(&[100.0, 101.0, 102.0, 103.0]);
        known.bars[1].adj_close = None;
        known.bars[3].adj_close = None;
        let warnings = repair(&mut known);
        assert!((known.bars[1].adj_close.unwrap() - 90.9).abs() < 1e-9);
        assert!((known.bars[3].adj_close.unwrap() - 92.7).abs() < 1e-9);
        assert!(warnings[0].contains("2024-05-02, 2024-05-04"), "{warnings:?}");

        let mut dividend = bars(&[100.0, 101.0, 92.0]);
        dividend.bars[1].adj_close = None;
        dividend.bars[2].adj_close = Some(92.0);
        let warnings = repair(&mut dividend);
        assert_eq!(closes(&dividend), [100.0, 92.0]);
        assert!(warnings[0].contains("2024-05-02: left out"), "{warnings:?}");
    }

    #[test]
    fn without_any_adjusted_close_the_closes_stand_for_them() {
        let mut known = bars(&[100.0, 101.0]);
        known.bars.iter_mut().for_each(|bar| bar.adj_close = None);
        repair(&mut known);
        assert_eq!(known.bars[0].adj_close, Some(100.0));
    }
}
