//! Market data: vendors behind one trait, asked in the order that configuration names, and never past the analysis date.

mod bars_csv;
mod benchmark;
mod csv_folder;
mod indicators;
mod kdj;
mod sample;

use std::sync::Arc;

use async_trait::async_trait;
pub use benchmark::benchmark;
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
pub use csv_folder::CsvFolder;
pub use indicators::{Indicator, UnknownIndicator};
pub use sample::Sample;
use serde::{Deserialize, Serialize};

use crate::domain::{Ticker, TradeDate};

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

/// A vendor of daily bars.
#[async_trait]
pub trait PriceSource: Send + Sync {
    /// The name as configuration spells it.
    fn name(&self) -> &'static str;

    /// All daily bars up to `until`, the day included; at least one. There may be later ones, which the market drops.
    async fn daily_bars(&self, ticker: &Ticker, until: NaiveDate) -> Result<Vec<VendorBar>, MarketError>;
}

/// The market as one analysis sees it.
#[derive(Clone)]
pub struct Market {
    prices: Vec<Arc<dyn PriceSource>>,
}

/// Why there is no data. Every message says what there is instead, or what to do.
#[derive(Debug, Clone, thiserror::Error)]
pub enum MarketError {
    /// The vendor does not know the symbol.
    #[error("{vendor} has no {ticker}; it has {known}")]
    UnknownSymbol { vendor: &'static str, ticker: Ticker, known: String },
    /// The vendor knows the symbol, but has nothing for the date.
    #[error("{vendor} has no bars of {ticker} for {date}; it has {first} to {last}")]
    NoData { vendor: &'static str, ticker: Ticker, date: NaiveDate, first: NaiveDate, last: NaiveDate },
    #[error("{vendor} gave something unreadable for {ticker}: {cause}")]
    Malformed { vendor: &'static str, ticker: Ticker, cause: String },
    /// The vendor is down, or its files can't be read.
    #[error("{vendor} is unavailable: {cause}")]
    Unavailable { vendor: &'static str, cause: String, transient: bool },
    #[error("{0}")]
    NotConfigured(String),
    /// Each vendor had a reason of its own.
    #[error("no vendor has the prices: {}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    NoVendor(Vec<MarketError>),
}

impl Market {
    /// A market that asks these vendors, in this order.
    pub fn new(prices: Vec<Arc<dyn PriceSource>>) -> Self {
        Self { prices }
    }

    /// Bars up to the analysis date from the first vendor that has them; if none has, the reasons of all.
    pub async fn price_history(&self, ticker: &Ticker, date: TradeDate) -> Result<PriceHistory, MarketError> {
        let mut reasons = Vec::new();
        for source in &self.prices {
            let bars = source.daily_bars(ticker, date.day()).await;
            match bars.and_then(|bars| as_of(bars, ticker, date.day(), source.name())) {
                Ok(bars) => {
                    let (vendor, retrieved_at) = (source.name(), Utc::now());
                    return Ok(PriceHistory { ticker: ticker.clone(), vendor, retrieved_at, bars });
                }
                Err(reason) => reasons.push(reason),
            }
        }
        Err(match reasons.len() {
            0 => MarketError::NotConfigured("no price vendor is configured; set PRICE_VENDORS".into()),
            1 => reasons.remove(0),
            _ => MarketError::NoVendor(reasons),
        })
    }
}

impl MarketError {
    /// Whether the same question may be answered later.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Unavailable { transient, .. } => *transient,
            Self::NoVendor(reasons) => reasons.iter().any(Self::is_transient),
            Self::UnknownSymbol { .. } | Self::NoData { .. } | Self::Malformed { .. } | Self::NotConfigured(_) => false,
        }
    }
}

/// The bars that somebody could know at the close of `date`, adjusted as of that day. There are none if the last one
/// is older than [`STALE_AFTER`]: then the instrument was not traded, or the vendor lacks the time.
fn as_of(
    bars: Vec<VendorBar>,
    ticker: &Ticker,
    date: NaiveDate,
    vendor: &'static str,
) -> Result<Vec<Bar>, MarketError> {
    let (Some(oldest), Some(newest)) = (bars.first(), bars.last()) else {
        return Err(MarketError::Malformed { vendor, ticker: ticker.clone(), cause: "an empty history".into() });
    };
    let (first, last) = (oldest.bar.date, newest.bar.date);
    let known: Vec<_> = bars.into_iter().filter(|bar| bar.bar.date <= date).collect();
    match known.last() {
        Some(latest) if date - latest.bar.date <= STALE_AFTER => Ok(adjusted(&known, latest)),
        _ => Err(MarketError::NoData { vendor, ticker: ticker.clone(), date, first, last }),
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
