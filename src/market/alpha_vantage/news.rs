//! Articles with a tone. It takes a past window.

use async_trait::async_trait;
use chrono::{DateTime, NaiveDateTime, Utc};
use serde::Deserialize;

use super::{AlphaVantage, nothing, read, spelled};
use crate::{
    domain::Ticker,
    market::{
        Answer, Article, MarketError, NewsSource, Window,
        lenient::those_that_fit,
        source::Answered,
        symbol,
        web::{MAX_TEXTS, lifetime},
    },
};

/// What counts as news of the markets, by its own names.
const TOPICS: &str = "financial_markets,economy_macro,economy_monetary";

#[derive(Deserialize)]
struct Reply {
    #[serde(default, deserialize_with = "those_that_fit")]
    feed: Vec<Item>,
}

#[derive(Deserialize)]
struct Item {
    title: String,
    #[serde(default)]
    url: String,
    time_published: String,
    #[serde(default)]
    summary: String,
    #[serde(default)]
    source: String,
    overall_sentiment_label: Option<String>,
}

impl AlphaVantage {
    async fn news(&self, of: (&'static str, String), window: Window) -> Answered<Vec<Article>> {
        let what = format!("articles on {} of {window}", of.1);
        let time = |time: DateTime<Utc>| time.format("%Y%m%dT%H%M").to_string();
        let question = self
            .question("NEWS_SENTIMENT")?
            .query([
                of,
                ("time_from", time(window.begin())),
                ("time_to", time(window.end())),
                ("sort", "LATEST".into()),
                ("limit", "50".into()),
            ])
            .max_body(MAX_TEXTS)
            .keep(lifetime(window.last));
        self.web.ask(&question, |answer| articles(answer, &what)).await
    }
}

#[async_trait]
impl NewsSource for AlphaVantage {
    async fn ticker_news(&self, ticker: &Ticker, window: Window) -> Answered<Vec<Article>> {
        let symbol = spelled(ticker);
        let symbol = symbol::coin(&symbol).map_or_else(|| symbol.clone(), |coin| format!("CRYPTO:{coin}"));
        self.news(("tickers", symbol), window).await
    }

    /// It knows topics only, so the queries are not looked at.
    async fn global_news(&self, window: Window, _queries: &[String]) -> Answered<Vec<Article>> {
        self.news(("topics", TOPICS.into()), window).await
    }
}

fn articles(answer: &Answer, what: &str) -> Result<Vec<Article>, MarketError> {
    let reply: Reply = read(answer, what)?;
    let articles: Vec<_> = reply.feed.into_iter().filter_map(Item::article).collect();
    if articles.is_empty() { Err(nothing(what)) } else { Ok(articles) }
}

impl Item {
    fn article(self) -> Option<Article> {
        let published = NaiveDateTime::parse_from_str(&self.time_published, "%Y%m%dT%H%M%S").ok()?;
        Some(Article {
            published: DateTime::<Utc>::from_naive_utc_and_offset(published, Utc),
            title: self.title,
            publisher: self.source,
            summary: self.summary,
            link: self.url,
            tone: self.overall_sentiment_label,
        })
    }
}
