//! The seams: one trait for each kind of data. A vendor implements those that it has.

use async_trait::async_trait;
use chrono::NaiveDate;

use super::{
    Article, DailyBars, Frequency, Identity, InsiderTrade, MarketError, Odds, Post, Profile, Retrieved, Series,
    Statement, StatementKind, Window,
};
use crate::domain::{Ticker, TradeDate};

/// What a vendor answers.
pub type Answered<T> = Result<Retrieved<T>, MarketError>;

/// Something that is asked for data.
pub trait Source: Send + Sync {
    /// The name as configuration spells it, for errors and provenance.
    fn name(&self) -> &'static str;
}

/// A vendor of daily bars.
#[async_trait]
pub trait PriceSource: Source {
    /// All daily bars up to `until`, the day included; at least one. There may be later ones, which the market drops.
    async fn daily_bars(&self, ticker: &Ticker, until: NaiveDate) -> Answered<DailyBars>;

    /// Whether it tells when shares were split.
    fn tells_splits(&self) -> bool {
        true
    }
}

/// A vendor of company data. What it knew only later may be among its answers; the market drops it.
#[async_trait]
pub trait FundamentalSource: Source {
    async fn profile(&self, ticker: &Ticker, date: TradeDate) -> Answered<Profile>;

    /// A statement with its periods in any order.
    async fn statement(
        &self,
        ticker: &Ticker,
        kind: StatementKind,
        frequency: Frequency,
        date: TradeDate,
    ) -> Answered<Statement>;
}

/// A vendor of articles. Those outside the window may be among its answers; the market drops them.
#[async_trait]
pub trait NewsSource: Source {
    /// Articles on an instrument.
    async fn ticker_news(&self, ticker: &Ticker, window: Window) -> Answered<Vec<Article>>;

    /// Articles on the markets and the economy, found by these queries; by the vendor's own if there are none.
    async fn global_news(&self, window: Window, queries: &[String]) -> Answered<Vec<Article>>;
}

/// A vendor of what insiders buy and sell.
#[async_trait]
pub trait InsiderSource: Source {
    async fn insider_trades(&self, ticker: &Ticker, window: Window) -> Answered<Vec<InsiderTrade>>;
}

/// A place where people write. Only the present is known of most.
#[async_trait]
pub trait SocialSource: Source {
    async fn posts(&self, ticker: &Ticker, window: Window) -> Answered<Vec<Post>>;
}

/// A vendor of macro-economic series.
#[async_trait]
pub trait MacroSource: Source {
    /// A series by its common name or its id, as it was known at the end of the window.
    async fn series(&self, indicator: &str, window: Window) -> Answered<Series>;
}

/// A prediction market.
#[async_trait]
pub trait PredictionSource: Source {
    /// Open questions on a topic, the most traded first.
    async fn odds(&self, topic: &str, date: TradeDate) -> Answered<Vec<Odds>>;
}

/// A vendor that knows what a symbol stands for.
#[async_trait]
pub trait IdentitySource: Source {
    async fn identity(&self, ticker: &Ticker) -> Answered<Identity>;

    /// The name that the instrument had on a day, if it had another one than today and the vendor knows it.
    async fn former_name(&self, _ticker: &Ticker, _day: NaiveDate) -> Option<String> {
        None
    }
}
