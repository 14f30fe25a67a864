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
        let file = format!("{}.json", spelled(ticker));
        let question = Question::new(VENDOR, "https://api.stocktwits.com/api/2/streams/symbol")
            .path(&file)
            .keep(web::lifetime(window.last));
        self.web.ask(&question, |answer| read(answer, ticker)).await
    }
}

/// The symbol as StockTwits spells it: `BTC.X`, and shares without the suffix of their exchange.
fn spelled(ticker: &Ticker) -> String {
    let symbol = symbol::canonical(ticker);
    match symbol::coin(symbol.as_str()) {
        Some(coin) => format!("{coin}.X"),
        None => match symbol.as_str().split_once('.') {
            Some((company, suffix)) if !["A", "B"].contains(&suffix) => company.into(),
            _ => symbol.into(),
        },
    }
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
