//! StockTwits: the newest messages on a symbol, some with a declared mood. It has no history.

use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde::Deserialize;

use super::{
    Answer, MarketError, Mood, Post, Question, SocialSource, Web, Window,
    lenient::those_that_fit,
    source::{Answered, Source},
    symbol, web,
};
use crate::domain::{Ticker, TradeDate, Vendor};

const VENDOR: Vendor = Vendor::StockTwits;
const NAME: &str = "stocktwits";

/// How much of a message is kept, characters.
const LENGTH: usize = 280;

/// StockTwits.
pub struct StockTwits {
    web: Arc<Web>,
}

#[derive(Deserialize)]
struct Reply {
    #[serde(default, deserialize_with = "those_that_fit")]
    messages: Vec<Message>,
}

#[derive(Deserialize)]
struct Message {
    body: String,
    created_at: DateTime<Utc>,
    #[serde(default)]
    entities: Entities,
}

#[derive(Default, Deserialize)]
struct Entities {
    sentiment: Option<Sentiment>,
}

#[derive(Deserialize)]
struct Sentiment {
    basic: Option<String>,
}

impl StockTwits {
    pub fn new(web: Arc<Web>) -> Self {
        Self { web }
    }
}

impl Source for StockTwits {
    fn name(&self) -> &'static str {
        NAME
    }
}

#[async_trait]
impl SocialSource for StockTwits {
    async fn posts(&self, ticker: &Ticker, window: Window) -> Answered<Vec<Post>> {
        if !TradeDate::from(window.last).is_now() {
            return Err(MarketError::LiveOnly { vendor: NAME });
        }
        let what = || format!("messages on {ticker}; it knows symbols of the United States and coins only");
        let symbol = spelled(ticker).ok_or_else(|| MarketError::NoData { vendor: NAME, what: what() })?;
        let file = format!("{symbol}.json");
        let question = Question::new(VENDOR, "https://api.stocktwits.com/api/2/streams/symbol")
            .path(&file)
            .max_body(web::MAX_TEXTS)
            .keep(web::lifetime(window.last));
        self.web.ask(&question, |answer| read(answer, ticker)).await
    }
}

/// The symbol as StockTwits spells it: `BTC.X` for coins. It lists shares in the United States, and `BA` of another
/// exchange would be another company.
fn spelled(ticker: &Ticker) -> Option<String> {
    let symbol = symbol::without_exchange(ticker)?;
    let is_coin = symbol::coin(symbol::canonical(ticker).as_str()).is_some();
    Some(if is_coin { format!("{symbol}.X") } else { symbol })
}

fn read(answer: &Answer, ticker: &Ticker) -> Result<Vec<Post>, MarketError> {
    if answer.status == 404 {
        let known = "the symbols of stocktwits.com".into();
        return Err(MarketError::UnknownSymbol { vendor: NAME, ticker: ticker.clone(), known });
    }
    let reply: Reply = answer.json(VENDOR)?;
    if reply.messages.is_empty() {
        return Err(MarketError::NoData { vendor: NAME, what: format!("messages on {ticker}") });
    }
    Ok(reply.messages.into_iter().map(Message::post).collect())
}

impl Message {
    fn post(self) -> Post {
        let mood = self.entities.sentiment.and_then(|sentiment| match sentiment.basic?.as_str() {
            "Bullish" => Some(Mood::Bullish),
            "Bearish" => Some(Mood::Bearish),
            _ => None,
        });
        let text = self.body.chars().take(LENGTH).collect();
        Post { written: self.created_at, place: "StockTwits".into(), text, mood }
    }
}
