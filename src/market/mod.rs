//! Market data: vendors behind one trait, asked in the order that configuration names, and never past the analysis date.

mod csv_folder;
pub mod indicators;
mod sample;

use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, NaiveDate, Utc};
pub use csv_folder::CsvFolder;
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
    /// Shares.
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

    /// All daily bars up to `until`, the day included; at least one.
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
}

impl Market {
    /// A market that asks these vendors, in this order.
    pub fn new(prices: Vec<Arc<dyn PriceSource>>) -> Self {
        Self { prices }
    }

    /// Bars up to the analysis date from the first vendor that has them.
    pub async fn price_history(&self, ticker: &Ticker, date: TradeDate) -> Result<PriceHistory, MarketError> {
        let _ = (ticker, date, &self.prices);
        todo!()
    }
}
