//! Daily bars, as traded and adjusted.

use std::collections::BTreeMap;

use async_trait::async_trait;
use chrono::NaiveDate;
use serde::Deserialize;

use super::{AlphaVantage, NAME, nothing, read, spelled};
use crate::{
    domain::Ticker,
    market::{Bar, DailyBars, MarketError, PriceSource, Split, VendorBar, source::Answered, web::lifetime},
};

#[derive(Deserialize)]
struct Reply {
    #[serde(rename = "Time Series (Daily)")]
    days: BTreeMap<NaiveDate, Day>,
}

/// All numbers are texts.
#[derive(Deserialize)]
struct Day {
    #[serde(rename = "1. open")]
    open: String,
    #[serde(rename = "2. high")]
    high: String,
    #[serde(rename = "3. low")]
    low: String,
    #[serde(rename = "4. close")]
    close: String,
    #[serde(rename = "5. adjusted close")]
    adjusted: String,
    #[serde(rename = "6. volume")]
    volume: String,
    /// New shares for each old one from this day on, mostly 1.
    #[serde(rename = "8. split coefficient", default)]
    split: String,
}

#[async_trait]
impl PriceSource for AlphaVantage {
    async fn daily_bars(&self, ticker: &Ticker, until: NaiveDate) -> Answered<DailyBars> {
        let question = self
            .question("TIME_SERIES_DAILY_ADJUSTED")?
            .query([("symbol", spelled(ticker)), ("outputsize", "full".into())])
            .keep(lifetime(until));
        let what = format!("bars of {ticker}");
        let read = |answer: &_| {
            let reply: Reply = read(answer, &what)?;
            let bars: Option<Vec<_>> = reply.days.iter().map(|(date, day)| day.bar(*date)).collect();
            let cause = || "a bar whose prices are no numbers".into();
            let bars = bars.ok_or_else(|| MarketError::Malformed { vendor: NAME, cause: cause() })?;
            let splits = reply.days.iter().filter_map(|(date, day)| day.split(*date)).collect();
            if bars.is_empty() { Err(nothing(&what)) } else { Ok(DailyBars { bars, splits, currency: None }) }
        };
        self.web.ask(&question, read).await
    }
}

impl Day {
    fn bar(&self, date: NaiveDate) -> Option<VendorBar> {
        let price = |text: &str| text.parse::<f64>().ok().filter(|price| price.is_finite() && *price > 0.0);
        let bar = Bar {
            date,
            open: price(&self.open)?,
            high: price(&self.high)?,
            low: price(&self.low)?,
            close: price(&self.close)?,
            volume: self.volume.parse().ok()?,
        };
        Some(VendorBar { bar, adj_close: price(&self.adjusted) })
    }

    /// The split of this day, if there is one.
    fn split(&self, date: NaiveDate) -> Option<Split> {
        let ratio = self.split.parse::<f64>().ok()?;
        let is_split = ratio.is_finite() && ratio > 0.0 && (ratio - 1.0).abs() > f64::EPSILON;
        is_split.then_some(Split { date, ratio })
    }
}
