//! Articles, and what a symbol stands for. Yahoo knows the latest articles only, so past windows are left out.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::json;

use super::{KNOWN, NAME, VENDOR, Yahoo, question, spelled};
use crate::{
    domain::{Ticker, TradeDate},
    market::{
        Answer, Article, Identity, MarketError, NewsSource, Retrieved, Window,
        lenient::those_that_fit,
        source::{Answered, IdentitySource},
        web::{MAX_TEXTS, lifetime},
    },
};

/// Articles that are asked for.
const COUNT: u32 = 30;

/// The latest articles on a stock reach back about so many days.
const REACH: i64 = 7;

/// What is searched for the markets as a whole.
const TOPICS: [&str; 4] = ["stock market", "Federal Reserve interest rates", "inflation economy", "earnings outlook"];

#[derive(Deserialize)]
struct Stream {
    data: StreamData,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct StreamData {
    ticker_stream: TickerStream,
}

#[derive(Deserialize)]
struct TickerStream {
    #[serde(default, deserialize_with = "those_that_fit")]
    stream: Vec<Item>,
}

/// An article, or an advertisement, which has no content.
#[derive(Deserialize)]
struct Item {
    content: Option<Content>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Content {
    title: String,
    #[serde(default)]
    summary: Option<String>,
    pub_date: DateTime<Utc>,
    provider: Option<Provider>,
    canonical_url: Option<Link>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Provider {
    display_name: String,
}

#[derive(Deserialize)]
struct Link {
    url: String,
}

#[derive(Deserialize)]
struct Search {
    #[serde(default, deserialize_with = "those_that_fit")]
    news: Vec<Hit>,
    #[serde(default, deserialize_with = "those_that_fit")]
    quotes: Vec<Quoted>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Hit {
    title: String,
    #[serde(default)]
    publisher: String,
    #[serde(default)]
    link: String,
    provider_publish_time: i64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Quoted {
    #[serde(default)]
    symbol: String,
    longname: Option<String>,
    shortname: Option<String>,
    exch_disp: Option<String>,
    quote_type: Option<String>,
    sector: Option<String>,
    industry: Option<String>,
}

#[async_trait]
impl NewsSource for Yahoo {
    async fn ticker_news(&self, ticker: &Ticker, window: Window) -> Answered<Vec<Article>> {
        let recent = only_recent(window)?;
        let body = json!({"serviceConfig": {"snippetCount": COUNT, "s": [spelled(ticker)]}});
        let question = question("https://finance.yahoo.com/xhr/ncp")
            .query([("queryRef", "latestNews".into()), ("serviceKey", "ncp_fin".into())])
            .post(body)
            .max_body(MAX_TEXTS)
            .keep(recent);
        self.web.ask(&question, |answer| articles(answer, ticker)).await
    }

    async fn global_news(&self, window: Window, queries: &[String]) -> Answered<Vec<Article>> {
        let recent = only_recent(window)?;
        let chosen: Vec<_> = queries.iter().map(String::as_str).collect();
        let topics = if chosen.is_empty() { &TOPICS[..] } else { &chosen };
        let mut found: Option<Retrieved<Vec<Article>>> = None;
        for topic in topics {
            let answer = self.web.ask(&search(topic, 10, 0).keep(recent), hits).await?;
            match &mut found {
                Some(found) => found.data.extend(answer.data),
                None => found = Some(answer),
            }
        }
        found.filter(|found| !found.data.is_empty()).ok_or_else(|| no_news("the markets"))
    }
}

#[async_trait]
impl IdentitySource for Yahoo {
    async fn identity(&self, ticker: &Ticker) -> Answered<Identity> {
        let symbol = spelled(ticker);
        let unknown = || MarketError::UnknownSymbol { vendor: NAME, ticker: ticker.clone(), known: KNOWN.into() };
        let question = search(&symbol, 0, 6).keep(std::time::Duration::from_hours(7 * 24));
        let read = |answer: &Answer| {
            let found: Search = answer.json(VENDOR)?;
            let quoted = found.quotes.into_iter().find(|quoted| quoted.symbol == symbol).ok_or_else(unknown)?;
            quoted.identity().ok_or_else(unknown)
        };
        self.web.ask(&question, read).await
    }
}

/// How long an answer may be kept; an error if the window lies so far back that there is none.
fn only_recent(window: Window) -> Result<std::time::Duration, MarketError> {
    let last = TradeDate::from(window.last);
    if last.is_within_days(REACH) { Ok(lifetime(window.last)) } else { Err(MarketError::LiveOnly { vendor: NAME }) }
}

fn search(text: &str, articles: u32, quotes: u32) -> crate::market::Question {
    question("https://query2.finance.yahoo.com/v1/finance/search")
        .query([
            ("q", text.into()),
            ("newsCount", articles.to_string()),
            ("quotesCount", quotes.to_string()),
            ("enableFuzzyQuery", "false".into()),
            ("newsQueryId", "news_cie_vespa".into()),
        ])
        .max_body(MAX_TEXTS)
}

fn articles(answer: &Answer, ticker: &Ticker) -> Result<Vec<Article>, MarketError> {
    let stream: Stream = answer.json(VENDOR)?;
    let items = stream.data.ticker_stream.stream.into_iter().filter_map(|item| item.content);
    let articles: Vec<_> = items.map(Content::article).collect();
    if articles.is_empty() { Err(no_news(ticker.as_str())) } else { Ok(articles) }
}

fn hits(answer: &Answer) -> Result<Vec<Article>, MarketError> {
    let found: Search = answer.json(VENDOR)?;
    Ok(found.news.into_iter().filter_map(Hit::article).collect())
}

fn no_news(on: &str) -> MarketError {
    MarketError::NoData { vendor: NAME, what: format!("news on {on}") }
}

impl Content {
    fn article(self) -> Article {
        Article {
            published: self.pub_date,
            title: self.title,
            publisher: self.provider.map_or_else(String::new, |provider| provider.display_name),
            summary: self.summary.unwrap_or_default(),
            link: self.canonical_url.map_or_else(String::new, |link| link.url),
            tone: None,
        }
    }
}

impl Hit {
    fn article(self) -> Option<Article> {
        let published = DateTime::from_timestamp(self.provider_publish_time, 0)?;
        let Self { title, publisher, link, .. } = self;
        Some(Article { published, title, publisher, summary: String::new(), link, tone: None })
    }
}

impl Quoted {
    fn identity(self) -> Option<Identity> {
        // Yahoo fills gaps with such words.
        let real = |text: Option<String>| text.filter(|text| !["", "N/A", "None", "null"].contains(&text.trim()));
        Some(Identity {
            name: real(self.longname).or(real(self.shortname))?,
            kind: real(self.quote_type).map(|kind| kind.to_lowercase()),
            exchange: real(self.exch_disp),
            sector: real(self.sector),
            industry: real(self.industry),
        })
    }
}
