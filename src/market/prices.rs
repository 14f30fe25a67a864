//! Daily bars, and what of them somebody could know at the close of a day.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::MarketError;
use crate::domain::Ticker;

/// A trading day of an instrument, prices adjusted for splits and dividends as of the analysis date: the last bar has
/// the price of that day, and a change from one bar to the next is a return. Adjusting as of a later day would show
/// the agents splits and dividends that nobody knew of.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Bar {
    pub date: NaiveDate,
    pub open: f64,
    pub high: f64,
    pub low: f64,
    pub close: f64,
    /// Shares as the vendor counts them.
    pub volume: f64,
}

/// A trading day as a vendor gives it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct VendorBar {
    /// Prices without the adjustment that `adj_close` has.
    pub bar: Bar,
    /// The close adjusted for splits and dividends up to the vendor's last day; only its ratios matter.
    pub adj_close: f64,
}

/// After so many calendar days without a bar an instrument counts as not traded.
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
}

/// The bars that somebody could know at the close of `date`, adjusted as of that day. There are none if the last one
/// is older than [`STALE_AFTER`]: then the instrument was not traded, or the vendor lacks the time.
pub(super) fn as_of(
    bars: Vec<VendorBar>,
    ticker: &Ticker,
    date: NaiveDate,
    vendor: &'static str,
) -> Result<Vec<Bar>, MarketError> {
    let (Some(oldest), Some(newest)) = (bars.first(), bars.last()) else {
        return Err(MarketError::Malformed { vendor, cause: format!("an empty history of {ticker}") });
    };
    let (first, last) = (oldest.bar.date, newest.bar.date);
    let known: Vec<_> = bars.into_iter().filter(|bar| bar.bar.date <= date).collect();
    match known.last() {
        Some(latest) if date - latest.bar.date <= STALE_AFTER => Ok(adjusted(&known, latest)),
        _ => {
            let what = format!("bars of {ticker} for {date}; it has {first} to {last}");
            Err(MarketError::NoData { vendor, what })
        }
    }
}

/// Scales each bar by its own adjustment in relation to that of `latest`, which keeps its price.
fn adjusted(bars: &[VendorBar], latest: &VendorBar) -> Vec<Bar> {
    let factor_of = |bar: &VendorBar| bar.adj_close / bar.bar.close;
    let reference = factor_of(latest);
    let scale = |vendor_bar: &VendorBar| {
        let (factor, bar) = (factor_of(vendor_bar) / reference, vendor_bar.bar);
        Bar {
            open: bar.open * factor,
            high: bar.high * factor,
            low: bar.low * factor,
            close: bar.close * factor,
            ..bar
        }
    };
    bars.iter().map(scale).collect()
}
