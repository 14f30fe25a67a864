//! Daily bars, and the price history known at the close of a day.
//!
//! A vendor gives [`DailyBars`]: prices as they were traded, with the adjusted close, the splits and the currency.
//! [`as_of`] makes a [`PriceHistory`] of them: it drops bars that were unknown at the close, fixes evident errors
//! ([`repair`]), and adjusts prices for splits and dividends and volumes for splits, as of the analysis date.

mod currency;
mod repair;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
pub use currency::PriceCurrency;
use serde::{Deserialize, Serialize};

use super::{
    MarketError, Retrieved,
    calendar::{Calendar, Cutoff},
};
use crate::domain::Ticker;

/// A trading day of an instrument, prices adjusted for splits and dividends as of the analysis date: the last bar has
/// the price of that day, and a change from one bar to the next is a return. Adjusting as of a later day would show
/// the agents splits and dividends that were not yet known.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Bar {
    pub date: NaiveDate,
    pub open: f64,
    pub high: f64,
    pub low: f64,
    pub close: f64,
    /// Shares as of the analysis date: volumes before a split are multiplied by its ratio.
    pub volume: f64,
}

/// A trading day as a vendor gives it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct VendorBar {
    /// Prices and volume without the adjustment that `adj_close` has.
    pub bar: Bar,
    /// The close adjusted for splits and dividends up to the vendor's last day; only its ratios matter. None if the
    /// vendor lacks it on that day.
    pub adj_close: Option<f64>,
}

/// A share split: `ratio` new shares for each old one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Split {
    /// The first trading day with the new shares.
    pub date: NaiveDate,
    pub ratio: f64,
}

/// All that a vendor gives on the prices of an instrument.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct DailyBars {
    /// Oldest first, no day twice.
    pub bars: Vec<VendorBar>,
    /// The splits that the bars are not adjusted for, in any order. Empty if the vendor does not say.
    pub splits: Vec<Split>,
    pub currency: Option<PriceCurrency>,
}

/// An instrument without a bar for longer than this counts as not traded.
const STALE_AFTER: TimeDelta = TimeDelta::days(10);

/// Bars of one instrument up to the analysis date, oldest first, and where they come from.
#[derive(Debug, Clone, PartialEq)]
pub struct PriceHistory {
    pub ticker: Ticker,
    /// The vendor's name, for provenance.
    pub vendor: &'static str,
    pub retrieved_at: DateTime<Utc>,
    /// At least one.
    pub bars: Vec<Bar>,
    /// Of the prices; none if the vendor does not say.
    pub currency: Option<PriceCurrency>,
    /// The splits up to the analysis date.
    pub splits: Vec<Split>,
    /// For readers of the prices: repaired bars, a day that is still running.
    pub warnings: Vec<String>,
}

impl DailyBars {
    /// How many shares of the vendor's last day one share of `date` became.
    fn shares_since(&self, date: NaiveDate) -> f64 {
        self.splits.iter().filter(|split| split.date > date).map(|split| split.ratio).product()
    }
}

impl From<Vec<VendorBar>> for DailyBars {
    fn from(bars: Vec<VendorBar>) -> Self {
        Self { bars, ..Self::default() }
    }
}

/// The prices known at the close of `date`, adjusted as of that day. It is an error if the last bar is older than [`STALE_AFTER`]: then the instrument was not traded, or the vendor lacks the time.
pub(super) fn as_of(
    answer: Retrieved<DailyBars>,
    ticker: &Ticker,
    date: NaiveDate,
    vendor: &'static str,
) -> Result<PriceHistory, MarketError> {
    let (mut known, retrieved_at) = (answer.data, answer.at);
    let (Some(oldest), Some(newest)) = (known.bars.first(), known.bars.last()) else {
        return Err(MarketError::Malformed { vendor, cause: format!("an empty history of {ticker}") });
    };
    let span = (oldest.bar.date, newest.bar.date);
    let calendar = Calendar::of(ticker);
    let running = drop_unknown(&mut known, calendar, calendar.cutoff(date), retrieved_at);
    let mut warnings: Vec<_> = running.into_iter().collect();
    warnings.extend(repair::repair(&mut known));
    let latest = known.bars.last().filter(|latest| date - latest.bar.date <= STALE_AFTER).copied();
    let Some(latest) = latest else {
        let (first, last) = span;
        let what = format!("bars of {ticker} for {date}; it has {first} to {last}");
        return Err(MarketError::NoData { vendor, what });
    };
    let bars = adjusted(&known, &latest);
    let DailyBars { splits, currency, .. } = known;
    Ok(PriceHistory { ticker: ticker.clone(), vendor, retrieved_at, bars, currency, splits, warnings })
}

/// Drops bars and splits after the cutoff, and the bar of a day that was still running when the vendor was asked.
fn drop_unknown(
    known: &mut DailyBars,
    calendar: Calendar,
    cutoff: Cutoff,
    retrieved_at: DateTime<Utc>,
) -> Option<String> {
    known.bars.retain(|bar| bar.bar.date <= cutoff.date);
    known.splits.retain(|split| split.date <= cutoff.date);
    let date = known.bars.last()?.bar.date;
    let close = calendar.close(date);
    if close <= retrieved_at {
        return None;
    }
    known.bars.retain(|bar| calendar.close(bar.bar.date) <= retrieved_at);
    let time = |time: DateTime<Utc>| time.format("%Y-%m-%d %H:%M UTC");
    let (asked, close) = (time(retrieved_at), time(close));
    Some(format!("the bar of {date} is left out: at {asked} the day was not yet over; it closes at {close}"))
}

/// Scales each bar by its own adjustment in relation to that of `latest`, which keeps its price, and each volume by the
/// splits since then.
fn adjusted(known: &DailyBars, latest: &VendorBar) -> Vec<Bar> {
    let factor_of = |bar: &VendorBar| bar.adj_close.unwrap_or(bar.bar.close) / bar.bar.close;
    let reference = factor_of(latest);
    let scale = |vendor_bar: &VendorBar| {
        let (factor, bar) = (factor_of(vendor_bar) / reference, vendor_bar.bar);
        Bar {
            date: bar.date,
            open: bar.open * factor,
            high: bar.high * factor,
            low: bar.low * factor,
            close: bar.close * factor,
            volume: bar.volume * known.shares_since(bar.date),
        }
    };
    known.bars.iter().map(scale).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn bar(date: &str, close: f64, adj_close: f64, volume: f64) -> VendorBar {
        let bar = Bar { date: day(date), open: close, high: close, low: close, close, volume };
        VendorBar { bar, adj_close: Some(adj_close) }
    }

    fn history(bars: DailyBars, ticker: &str, date: &str, at: &str) -> Result<PriceHistory, MarketError> {
        let answer = Retrieved { data: bars, at: at.parse().unwrap() };
        as_of(answer, &ticker.parse().unwrap(), day(date), "csv")
    }

    #[test]
    fn volume_counts_the_shares_of_the_analysis_date() {
        let bars = vec![
            bar("2024-06-06", 1200.0, 120.0, 10.0),
            bar("2024-06-07", 1210.0, 121.0, 20.0),
            bar("2024-06-10", 122.0, 122.0, 300.0),
        ];
        let splits =
            vec![Split { date: day("2024-06-10"), ratio: 10.0 }, Split { date: day("2024-09-02"), ratio: 3.0 }];
        let all = DailyBars { bars, splits, currency: None };
        let at = |date| history(all.clone(), "NVDA", date, "2026-01-01T00:00:00Z").unwrap();
        let after = at("2024-06-10");
        assert_eq!(after.bars.iter().map(|bar| bar.volume).collect::<Vec<_>>(), [100.0, 200.0, 300.0]);
        assert_eq!(after.splits, [Split { date: day("2024-06-10"), ratio: 10.0 }]);
        let before = at("2024-06-07");
        assert_eq!((before.bars[1].close, before.bars[1].volume), (1210.0, 20.0));
        assert_eq!(before.splits, []);
    }

    #[test]
    fn the_bar_of_a_running_day_is_left_out_with_a_warning() {
        let all = || DailyBars::from(vec![bar("2024-05-09", 10.0, 10.0, 1.0), bar("2024-05-10", 11.0, 11.0, 1.0)]);
        let running = history(all(), "NVDA", "2024-05-10", "2024-05-10T19:59:00Z").unwrap();
        assert_eq!(running.bars.last().unwrap().date, day("2024-05-09"));
        assert!(running.warnings[0].contains("2024-05-10 is left out"), "{:?}", running.warnings);
        let over = history(all(), "NVDA", "2024-05-10", "2024-05-10T20:00:00Z").unwrap();
        assert_eq!((over.bars.len(), over.warnings.len()), (2, 0));
        let crypto = history(all(), "BTC-USD", "2024-05-10", "2024-05-10T23:59:00Z").unwrap();
        assert_eq!(crypto.bars.len(), 1);
        let only = DailyBars::from(vec![bar("2024-05-10", 11.0, 11.0, 1.0)]);
        assert!(history(only, "NVDA", "2024-05-10", "2024-05-10T15:00:00Z").is_err());
    }
}
