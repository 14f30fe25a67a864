//! The bundled sample: real daily bars of four stocks and the S&P 500 index, from 2000 to 2013.
//!
//! `README.md` beside this file says where they come from, `make.py` makes them anew.

use std::{collections::BTreeMap, sync::LazyLock};

use async_trait::async_trait;
use chrono::NaiveDate;
use flate2::read::GzDecoder;

use super::{
    DailyBars, MarketError, PriceCurrency, PriceSource, Retrieved, bars_csv,
    source::{Answered, Source},
};
use crate::domain::{Ticker, Vendor};

const FILES: [(&str, &[u8]); 5] = [
    ("AAPL", include_bytes!("AAPL.csv.gz")),
    ("GOOG", include_bytes!("GOOG.csv.gz")),
    ("IBM", include_bytes!("IBM.csv.gz")),
    ("MSFT", include_bytes!("MSFT.csv.gz")),
    ("^GSPC", include_bytes!("GSPC.csv.gz")),
];

/// Unpacked on first use, some 30 ms; a service that never asks for it never pays.
static BARS: LazyLock<BTreeMap<&str, DailyBars>> = LazyLock::new(|| {
    let read = |packed| bars_csv::read(GzDecoder::new(packed)).expect("the bundled bars are whole");
    FILES.map(|(ticker, packed)| (ticker, DailyBars { currency: PriceCurrency::new("USD"), ..read(packed) })).into()
});

/// The bars in the program itself.
pub struct Sample;

impl Source for Sample {
    fn name(&self) -> &'static str {
        Vendor::Sample.as_str()
    }
}

#[async_trait]
impl PriceSource for Sample {
    async fn daily_bars(&self, ticker: &Ticker, _until: NaiveDate) -> Answered<DailyBars> {
        BARS.get(ticker.as_str()).cloned().map(Retrieved::now).ok_or_else(|| {
            let known = BARS.keys().copied().collect::<Vec<_>>().join(", ");
            MarketError::UnknownSymbol { vendor: self.name(), ticker: ticker.clone(), known }
        })
    }

    fn tells_splits(&self) -> bool {
        false
    }
}
