//! Daily bars of Tiingo, with a key; a free one is good for 50 requests an hour
//! (<https://www.tiingo.com/documentation/end-of-day>).
//!
//! It knows shares and funds that are listed in the United States, so no other symbol is sent to it.

use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, NaiveDate, Utc};
use secrecy::SecretString;
use serde::Deserialize;

use super::{
    Answer, Bar, DailyBars, MarketError, PriceCurrency, PriceSource, Question, Split, VendorBar, Web,
    source::{Answered, Source},
    symbol,
    web::lifetime,
};
use crate::domain::{AssetType, Ticker, Vendor};

const VENDOR: Vendor = Vendor::Tiingo;
const NAME: &str = "tiingo";
/// Before the first bar of any share.
const BEGINNING: &str = "1962-01-01";

/// Tiingo.
pub struct Tiingo {
    web: Arc<Web>,
    key: Option<SecretString>,
}

/// A day as Tiingo has it: as traded, and adjusted for all splits and dividends since.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Day {
    date: DateTime<Utc>,
    open: f64,
    high: f64,
    low: f64,
    close: f64,
    volume: f64,
    adj_close: Option<f64>,
    /// New shares for each old one from this day on, mostly 1.
    split_factor: Option<f64>,
}

impl Tiingo {
    pub fn new(web: Arc<Web>, key: Option<SecretString>) -> Self {
        Self { web, key }
    }
}

impl Source for Tiingo {
    fn name(&self) -> &'static str {
        NAME
    }
}

#[async_trait]
impl PriceSource for Tiingo {
    async fn daily_bars(&self, ticker: &Ticker, until: NaiveDate) -> Answered<DailyBars> {
        let missing = MarketError::NotConfigured { vendor: NAME, setting: "TIINGO_API_KEY" };
        let key = self.key.as_ref().ok_or(missing)?;
        let symbol = spelled(ticker).ok_or_else(|| unknown(ticker))?;
        let question = Question::new(VENDOR, "https://api.tiingo.com/tiingo/daily")
            .path(&symbol)
            .path("prices")
            .query([("startDate", BEGINNING.into()), ("endDate", until.to_string()), ("format", "json".into())])
            .secret("token", key)
            .keep(lifetime(until));
        self.web.ask(&question, |answer| read(answer, ticker)).await
    }
}

fn read(answer: &Answer, ticker: &Ticker) -> Result<DailyBars, MarketError> {
    match answer.status {
        404 => return Err(unknown(ticker)),
        401 | 403 => {
            return Err(MarketError::NotConfigured {
                vendor: NAME,
                setting: "TIINGO_API_KEY (it refuses the one it has)",
            });
        }
        _ => {}
    }
    let days: Vec<Day> = answer.json(VENDOR)?;
    let bars: Option<Vec<_>> = days.iter().map(Day::bar).collect();
    let malformed = || MarketError::Malformed { vendor: NAME, cause: "a bar whose prices are not positive".into() };
    let bars = bars.ok_or_else(malformed)?;
    if bars.is_empty() {
        return Err(MarketError::NoData { vendor: NAME, what: format!("bars of {ticker}") });
    }
    let splits = days.iter().filter_map(Day::split).collect();
    Ok(DailyBars { bars, splits, currency: PriceCurrency::new("USD") })
}

fn unknown(ticker: &Ticker) -> MarketError {
    let known = "shares and funds listed in the United States";
    MarketError::UnknownSymbol { vendor: NAME, ticker: ticker.clone(), known: known.into() }
}

/// The symbol as Tiingo spells it: the class of a share stands after a hyphen, `BRK-B`.
fn spelled(ticker: &Ticker) -> Option<String> {
    let is_share = symbol::asset_type(ticker) == AssetType::Stock;
    symbol::without_exchange(ticker).filter(|_| is_share).map(|symbol| symbol.replace('.', "-"))
}

impl Day {
    fn bar(&self) -> Option<VendorBar> {
        let price = |price: f64| (price.is_finite() && price > 0.0).then_some(price);
        let bar = Bar {
            date: self.date.date_naive(),
            open: price(self.open)?,
            high: price(self.high)?,
            low: price(self.low)?,
            close: price(self.close)?,
            volume: self.volume,
        };
        Some(VendorBar { bar, adj_close: self.adj_close.and_then(price) })
    }

    /// The split of this day, if there is one.
    fn split(&self) -> Option<Split> {
        let ratio = self.split_factor?;
        let is_split = ratio.is_finite() && ratio > 0.0 && (ratio - 1.0).abs() > f64::EPSILON;
        is_split.then(|| Split { date: self.date.date_naive(), ratio })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_symbols_of_the_united_states_are_sent() {
        let spelled = |text: &str| spelled(&text.parse().unwrap());
        assert_eq!((spelled("NVDA").as_deref(), spelled("BRK.B").as_deref()), (Some("NVDA"), Some("BRK-B")));
        for other in ["BA.L", "BTC-USD", "GC=F", "EURUSD", "^GSPC"] {
            assert_eq!(spelled(other), None, "{other}");
        }
    }
}
