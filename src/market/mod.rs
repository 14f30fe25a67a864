//! Market data: vendors behind one trait for each kind of data ([`source`]), asked in the order that configuration
//! names, and never past the close of the analysis date ([`guard`], [`calendar`]).
//!
//! [`Vendors`] knows all vendors and makes a [`Market`] of those that are chosen; an analysis asks its market alone. A
//! vendor on the network is one file or folder here; all of them share [`web`], which caches, waits and tries again.

mod alpha_vantage;
pub mod bars_csv;
mod benchmark;
mod bounded;
pub mod calendar;
mod csv_folder;
mod data;
mod error;
mod feed;
mod filing;
mod fred;
mod fundamentals;
mod google_news;
mod guard;
mod indicators;
mod kdj;
mod lenient;
mod names;
mod polymarket;
mod prices;
mod reddit;
mod rolling;
mod sample;
mod sec_edgar;
mod shares;
pub mod source;
mod stocktwits;
mod symbol;
mod tiingo;
mod valuation;
mod vendors;
mod web;
mod window;
mod yahoo;

use std::sync::Arc;

pub use benchmark::benchmark;
use bounded::Bounded;
pub use csv_folder::CsvFolder;
pub use data::{
    Article, Figure, Frequency, Identity, InsiderTrade, Measure, Mood, Observation, Odds, Period, Post, Profile,
    Retrieved, Series, Shares, Sourced, Statement, StatementKind,
};
pub use error::MarketError;
use futures_util::future::{BoxFuture, join_all};
use guard::{Known, known_by, known_within};
pub use indicators::{Indicator, UnknownIndicator};
use names::Names;
pub use prices::{Bar, DailyBars, PriceCurrency, PriceHistory, Split, VendorBar};
pub use sample::Sample;
use source::{
    Answered, FundamentalSource, InsiderSource, MacroSource, NewsSource, PredictionSource, PriceSource, SocialSource,
    Source,
};
pub use symbol::{asset_type, canonical};
pub use valuation::{Inputs as ValuationInputs, Periods, Valuation};
pub use vendors::{Choice, Keys, Vendors};
pub use web::WebOptions;
use web::{Answer, Question, Web};
pub use window::Window;

use crate::domain::{Ticker, TradeDate};

/// Sources of one kind, in the order in which they are asked.
type Sources<S> = Vec<Arc<S>>;

/// The market as one analysis sees it.
#[derive(Clone, Default)]
pub struct Market {
    prices: Sources<dyn PriceSource>,
    /// None where nothing on the network is asked.
    names: Option<Arc<Names>>,
    profiles: Sources<dyn FundamentalSource>,
    balance_sheets: Sources<dyn FundamentalSource>,
    cash_flows: Sources<dyn FundamentalSource>,
    income_statements: Sources<dyn FundamentalSource>,
    news: Sources<dyn NewsSource>,
    global_news: Sources<dyn NewsSource>,
    insiders: Sources<dyn InsiderSource>,
    social: Sources<dyn SocialSource>,
    macros: Sources<dyn MacroSource>,
    predictions: Sources<dyn PredictionSource>,
}

/// A kind of data beside prices.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DataKind {
    Profile,
    Statement(StatementKind),
    News,
    GlobalNews,
    InsiderTrades,
    Posts,
    MacroSeries,
    Predictions,
}

impl Market {
    /// A market of prices alone, from these vendors in this order.
    pub fn new(prices: Vec<Arc<dyn PriceSource>>) -> Self {
        Self { prices, ..Self::default() }
    }

    /// Whether there is a vendor of such data.
    pub fn has(&self, kind: DataKind) -> bool {
        match kind {
            DataKind::Profile => !self.profiles.is_empty(),
            DataKind::Statement(kind) => !self.statements(kind).is_empty(),
            DataKind::News => !self.news.is_empty(),
            DataKind::GlobalNews => !self.global_news.is_empty(),
            DataKind::InsiderTrades => !self.insiders.is_empty(),
            DataKind::Posts => !self.social.is_empty(),
            DataKind::MacroSeries => !self.macros.is_empty(),
            DataKind::Predictions => !self.predictions.is_empty(),
        }
    }

    /// Bars up to the analysis date from the first vendor that has them; if none has, the reasons of all.
    pub async fn price_history(&self, ticker: &Ticker, date: TradeDate) -> Result<PriceHistory, MarketError> {
        let mut reasons = Vec::new();
        for source in &self.prices {
            let vendor = source.name();
            let answer = source.daily_bars(ticker, date.day()).await;
            match answer.and_then(|answer| prices::as_of(answer, ticker, date.day(), vendor)) {
                Ok(history) => return Ok(history),
                Err(reason) => reasons.push(reason),
            }
        }
        Err(all_of("the prices", reasons))
    }

    /// Who the instrument is, under the name that it had on the date, if a vendor knows; nothing depends on it.
    pub async fn identity(&self, ticker: &Ticker, date: TradeDate) -> Option<Identity> {
        self.names.as_ref()?.of(ticker, date.day()).await
    }

    /// Articles on the instrument that appeared within the window, newest first.
    pub async fn news(&self, ticker: &Ticker, window: Window) -> Result<Sourced<Vec<Article>>, MarketError> {
        let guarded = |articles, vendor| newest(articles, window, vendor, "articles");
        first("the news", &self.news, |source| source.ticker_news(ticker, window), guarded).await
    }

    /// Articles on the markets that appeared within the window, newest first.
    /// They are searched by these queries; without any, by the vendor's own.
    pub async fn global_news(&self, window: Window, queries: &[String]) -> Result<Sourced<Vec<Article>>, MarketError> {
        let guarded = |articles, vendor| newest(articles, window, vendor, "articles");
        first("the news", &self.global_news, |source| source.global_news(window, queries), guarded).await
    }

    /// What insiders did, as far as it was filed within the window, newest first.
    pub async fn insider_trades(
        &self,
        ticker: &Ticker,
        window: Window,
    ) -> Result<Sourced<Vec<InsiderTrade>>, MarketError> {
        let guarded = |trades, vendor| newest(trades, window, vendor, "insider transactions");
        first("insider transactions", &self.insiders, |source| source.insider_trades(ticker, window), guarded).await
    }

    /// What was written within the window: the answer of each place, newest first.
    pub async fn posts(&self, ticker: &Ticker, window: Window) -> Vec<Result<Sourced<Vec<Post>>, MarketError>> {
        let asking = self.social.iter().map(|source| async move {
            let (vendor, answer) = (source.name(), source.posts(ticker, window).await?);
            let data = newest(answer.data, window, vendor, "posts")?;
            Ok(Sourced { data, vendor, at: answer.at })
        });
        join_all(asking).await
    }

    /// A macro-economic series as it was known at the end of the window.
    pub async fn series(&self, indicator: &str, window: Window) -> Result<Sourced<Series>, MarketError> {
        let guarded = |series: Series, vendor| {
            let mut observations = known_by(series.observations, window.cutoff());
            observations.retain(|observation| observation.date <= window.last);
            let series = Series { observations, ..series }.bounded();
            let what = || format!("values of {} from {window}", series.id);
            if series.observations.is_empty() { Err(MarketError::NoData { vendor, what: what() }) } else { Ok(series) }
        };
        first("the series", &self.macros, |source| source.series(indicator, window), guarded).await
    }

    /// What prediction markets say on a topic, the most traded question first.
    pub async fn odds(&self, topic: &str, date: TradeDate) -> Result<Sourced<Vec<Odds>>, MarketError> {
        // Odds are those of the present by nature; a vendor that has them of the past says so itself.
        let bounded = |odds: Vec<Odds>, _| Ok(odds.into_iter().map(Bounded::bounded).collect());
        first("odds", &self.predictions, |source| source.odds(topic, date), bounded).await
    }
}

/// The first answer that is left with something in it once `guarded` took off what nobody knew; if there is none, the
/// reasons of all.
async fn first<'a, S: Source + ?Sized, T>(
    what: &'static str,
    sources: &'a [Arc<S>],
    ask: impl Fn(&'a S) -> BoxFuture<'a, Answered<T>>,
    guarded: impl Fn(T, &'static str) -> Result<T, MarketError>,
) -> Result<Sourced<T>, MarketError> {
    let mut reasons = Vec::new();
    for source in sources {
        let vendor = source.name();
        match ask(&**source).await.and_then(|answer| Ok((guarded(answer.data, vendor)?, answer.at))) {
            Ok((data, at)) => return Ok(Sourced { data, vendor, at }),
            Err(reason) => reasons.push(reason),
        }
    }
    Err(all_of(what, reasons))
}

/// The one reason, or all of them.
fn all_of(what: &'static str, mut reasons: Vec<MarketError>) -> MarketError {
    if reasons.len() == 1 { reasons.remove(0) } else { MarketError::NoVendor { what, reasons } }
}

/// What came to be known within the window, newest first; an error if that is nothing.
fn newest<T: Known + Bounded>(
    items: Vec<T>,
    window: Window,
    vendor: &'static str,
    what: &str,
) -> Result<Vec<T>, MarketError> {
    let mut known = known_within(items, window);
    known.sort_by_key(|item| std::cmp::Reverse(item.known_at()));
    if known.is_empty() {
        return Err(MarketError::NoData { vendor, what: format!("{what} of {window}") });
    }
    Ok(known.into_iter().map(Bounded::bounded).collect())
}
