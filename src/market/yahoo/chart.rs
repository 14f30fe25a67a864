//! Daily bars.
//!
//! Yahoo's prices and volumes are adjusted for all splits up to today. The splits come with them, so prices and volumes
//! as they were traded are had back. A bar is dated by the exchange's time zone and the tz database: the offset that
//! Yahoo sends is that of today, an hour off for half of the year.

use std::collections::BTreeMap;

use async_trait::async_trait;
use chrono::{DateTime, Datelike, NaiveDate};
use chrono_tz::Tz;
use serde::Deserialize;

use super::{KNOWN, NAME, VENDOR, Yahoo, question, spelled};
use crate::{
    domain::Ticker,
    market::{
        Answer, Bar, DailyBars, MarketError, PriceCurrency, PriceSource, Split, VendorBar, source::Answered,
        web::lifetime,
    },
};

/// Years of history: the longest indicator wants one; the rest is for people.
const YEARS: i32 = 6;

/// The end of time. The splits after the analysis date are wanted too, and a fixed end makes the cache hit.
const FOREVER: i64 = 9_999_999_999;

#[derive(Deserialize)]
struct Reply {
    chart: Chart,
}

#[derive(Deserialize)]
struct Chart {
    result: Option<Vec<Found>>,
    error: Option<Problem>,
}

#[derive(Deserialize)]
struct Problem {
    code: String,
    description: String,
}

#[derive(Deserialize)]
struct Found {
    meta: Meta,
    #[serde(default)]
    timestamp: Vec<i64>,
    indicators: Indicators,
    #[serde(default)]
    events: Events,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Meta {
    currency: Option<String>,
    /// A name of the tz database.
    exchange_timezone_name: Option<String>,
    /// Today's difference from UTC in seconds, for want of a time zone.
    #[serde(default)]
    gmtoffset: i64,
}

#[derive(Deserialize)]
struct Indicators {
    quote: Vec<Quote>,
    #[serde(default)]
    adjclose: Vec<AdjustedClose>,
}

type Column = Vec<Option<f64>>;

#[derive(Default, Deserialize)]
#[serde(default)]
struct Quote {
    open: Column,
    high: Column,
    low: Column,
    close: Column,
    volume: Column,
}

#[derive(Deserialize)]
struct AdjustedClose {
    #[serde(default)]
    adjclose: Column,
}

#[derive(Default, Deserialize)]
struct Events {
    #[serde(default)]
    splits: BTreeMap<String, SplitEvent>,
}

#[derive(Deserialize)]
struct SplitEvent {
    date: i64,
    numerator: f64,
    denominator: f64,
}

#[async_trait]
impl PriceSource for Yahoo {
    async fn daily_bars(&self, ticker: &Ticker, until: NaiveDate) -> Answered<DailyBars> {
        let first = NaiveDate::from_ymd_opt(until.year() - YEARS, 1, 1).unwrap_or(NaiveDate::MIN);
        let start = first.and_time(chrono::NaiveTime::MIN).and_utc().timestamp();
        let question = question("https://query2.finance.yahoo.com/v8/finance/chart")
            .path(&spelled(ticker))
            .query([
                ("period1", start.to_string()),
                ("period2", FOREVER.to_string()),
                ("interval", "1d".into()),
                ("includePrePost", "false".into()),
                ("events", "div,splits,capitalGains".into()),
            ])
            .keep(lifetime(until));
        self.web.ask(&question, |answer| read(answer, ticker)).await
    }
}

fn read(answer: &Answer, ticker: &Ticker) -> Result<DailyBars, MarketError> {
    let unknown = || MarketError::UnknownSymbol { vendor: NAME, ticker: ticker.clone(), known: KNOWN.into() };
    let reply: Reply = match answer.status {
        // It says what is wrong in the body.
        404 | 422 => serde_json::from_slice(&answer.body).map_err(|_| unknown())?,
        _ => answer.json(VENDOR)?,
    };
    if let Some(problem) = reply.chart.error {
        return Err(match problem.code.as_str() {
            "Not Found" => unknown(),
            _ => no_bars(ticker, &format!(": {}", problem.description)),
        });
    }
    let found = reply.chart.result.unwrap_or_default().into_iter().next().ok_or_else(|| no_bars(ticker, ""))?;
    let splits = found.splits();
    let currency = found.meta.currency.as_deref().and_then(PriceCurrency::new);
    let bars = found.bars(&splits);
    if bars.is_empty() { Err(no_bars(ticker, "")) } else { Ok(DailyBars { bars, splits, currency }) }
}

fn no_bars(ticker: &Ticker, why: &str) -> MarketError {
    MarketError::NoData { vendor: NAME, what: format!("bars of {ticker} in these years{why}") }
}

impl Found {
    /// The bars as they were traded, oldest first; a row that lacks a price is no bar.
    fn bars(&self, splits: &[Split]) -> Vec<VendorBar> {
        let adjusted = self.indicators.adjclose.first().map(|column| &column.adjclose);
        let Some(quote) = self.indicators.quote.first() else { return Vec::new() };
        let zone = self.zone();
        let rows = self.timestamp.iter().enumerate();
        let bars = rows.filter_map(|(row, at)| {
            let at_row = |column: &Column| column.get(row).copied().flatten().filter(|v| v.is_finite());
            let price = |column: &Column| at_row(column).filter(|price| *price > 0.0);
            let close = price(&quote.close)?;
            let date = self.day(*at, zone)?;
            // How many of today's shares one share of that day became.
            let later: f64 = splits.iter().filter(|split| split.date > date).map(|split| split.ratio).product();
            let bar = Bar {
                date,
                open: price(&quote.open)? * later,
                high: price(&quote.high)? * later,
                low: price(&quote.low)? * later,
                close: close * later,
                volume: at_row(&quote.volume).unwrap_or(0.0) / later,
            };
            // Of an instrument without dividends the whole column is missing.
            let adj_close = adjusted.map_or(Some(close), price);
            Some(VendorBar { bar, adj_close })
        });
        // Of a day that is there twice, which the running day sometimes is, the later row counts.
        let days: BTreeMap<_, _> = bars.map(|bar| (bar.bar.date, bar)).collect();
        days.into_values().collect()
    }

    fn splits(&self) -> Vec<Split> {
        let zone = self.zone();
        let splits = self.events.splits.values().filter_map(|split| {
            let ratio = split.numerator / split.denominator;
            let is_ratio = ratio.is_finite() && ratio > 0.0;
            is_ratio.then_some(Split { date: self.day(split.date, zone)?, ratio })
        });
        splits.collect()
    }

    /// The exchange's time zone, if it is known.
    fn zone(&self) -> Option<Tz> {
        self.meta.exchange_timezone_name.as_deref()?.parse().ok()
    }

    /// The calendar day at the exchange.
    fn day(&self, timestamp: i64, zone: Option<Tz>) -> Option<NaiveDate> {
        match zone {
            Some(zone) => Some(DateTime::from_timestamp(timestamp, 0)?.with_timezone(&zone).date_naive()),
            None => Some(DateTime::from_timestamp(timestamp.checked_add(self.meta.gmtoffset)?, 0)?.date_naive()),
        }
    }
}
