//! Polymarket: odds of coming events, without a key. They are those of this moment, so past dates are left out.

use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, NaiveDate, Utc};
use serde::Deserialize;
use serde_json::Value;

use super::{
    Answer, MarketError, Odds, PredictionSource, Question, Web,
    lenient::those_that_fit,
    source::{Answered, Source},
    web,
};
use crate::domain::{TradeDate, Vendor};

const VENDOR: Vendor = Vendor::Polymarket;
const NAME: &str = "polymarket";

/// Polymarket.
pub struct Polymarket {
    web: Arc<Web>,
}

#[derive(Deserialize)]
struct Reply {
    #[serde(default)]
    events: Vec<Event>,
}

#[derive(Deserialize)]
struct Event {
    #[serde(default, deserialize_with = "those_that_fit")]
    markets: Vec<Traded>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Traded {
    question: String,
    #[serde(default)]
    closed: bool,
    end_date: Option<DateTime<Utc>>,
    /// A list, as JSON in a text.
    outcomes: Option<String>,
    outcome_prices: Option<String>,
    /// Missing of some questions, where the same number may be there as a text.
    volume_num: Option<f64>,
    #[serde(default)]
    volume: Value,
    one_week_price_change: Option<f64>,
}

impl Polymarket {
    pub fn new(web: Arc<Web>) -> Self {
        Self { web }
    }
}

impl Source for Polymarket {
    fn name(&self) -> &'static str {
        NAME
    }
}

#[async_trait]
impl PredictionSource for Polymarket {
    async fn odds(&self, topic: &str, date: TradeDate) -> Answered<Vec<Odds>> {
        if !date.is_now() {
            return Err(MarketError::LiveOnly { vendor: NAME });
        }
        let question = Question::new(VENDOR, "https://gamma-api.polymarket.com/public-search")
            .query([("q", topic.into()), ("limit_per_type", "20".into())])
            .max_body(web::MAX_TEXTS)
            .keep(web::lifetime(date.day()));
        self.web.ask(&question, |answer| read(answer, topic, date.day())).await
    }
}

fn read(answer: &Answer, topic: &str, today: NaiveDate) -> Result<Vec<Odds>, MarketError> {
    let reply: Reply = answer.json(VENDOR)?;
    let traded = reply.events.into_iter().flat_map(|event| event.markets);
    let mut odds: Vec<_> = traded.filter_map(|traded| traded.odds(today)).collect();
    odds.sort_by(|a, b| b.volume.total_cmp(&a.volume));
    if odds.is_empty() {
        return Err(MarketError::NoData { vendor: NAME, what: format!("open questions on {topic:?}") });
    }
    Ok(odds)
}

impl Traded {
    /// The odds of the first outcome; none once the question is settled.
    fn odds(self, today: NaiveDate) -> Option<Odds> {
        let resolves = self.end_date.map(|at| at.date_naive());
        if self.closed || resolves.is_some_and(|day| day < today) {
            return None;
        }
        let volume = self.volume_num.or_else(|| number(&self.volume)).unwrap_or(0.0);
        let probability: f64 = first(self.outcome_prices.as_deref())?.as_str()?.parse().ok()?;
        if !(0.0..=1.0).contains(&probability) {
            return None;
        }
        Some(Odds {
            outcome: first(self.outcomes.as_deref())?.as_str()?.into(),
            probability,
            question: self.question,
            volume,
            resolves,
            week_change: self.one_week_price_change,
        })
    }
}

fn number(value: &Value) -> Option<f64> {
    value.as_f64().or_else(|| value.as_str()?.parse().ok()).filter(|number| number.is_finite())
}

fn first(list: Option<&str>) -> Option<Value> {
    serde_json::from_str::<Vec<Value>>(list?).ok()?.into_iter().next()
}
