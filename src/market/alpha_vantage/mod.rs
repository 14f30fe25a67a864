//! Alpha Vantage, with a key. A free one is good for 25 requests a day, and its daily bars want a paid one.
//!
//! Its errors come with status 200, as JSON that explains itself.

mod company;
mod news;
mod prices;

use std::sync::Arc;

use secrecy::SecretString;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{Answer, MarketError, Question, Web, source::Source, symbol};
use crate::domain::{Ticker, Vendor};

const VENDOR: Vendor = Vendor::AlphaVantage;
const NAME: &str = "alpha_vantage";

/// Alpha Vantage.
pub struct AlphaVantage {
    web: Arc<Web>,
    key: Option<SecretString>,
}

impl AlphaVantage {
    pub fn new(web: Arc<Web>, key: Option<SecretString>) -> Self {
        Self { web, key }
    }

    fn question(&self, function: &str) -> Result<Question, MarketError> {
        let missing = MarketError::NotConfigured { vendor: NAME, setting: "ALPHA_VANTAGE_API_KEY" };
        let key = self.key.as_ref().ok_or(missing)?;
        let question = Question::new(VENDOR, "https://www.alphavantage.co/query");
        Ok(question.query([("function", function.into())]).secret("apikey", key))
    }
}

impl Source for AlphaVantage {
    fn name(&self) -> &'static str {
        NAME
    }
}

/// Reads an answer; what it says instead of data becomes an error.
fn read<T: DeserializeOwned>(answer: &Answer, what: &str) -> Result<T, MarketError> {
    let json: Value = answer.json(VENDOR)?;
    if json.as_object().is_none_or(serde_json::Map::is_empty) {
        return Err(nothing(what));
    }
    if json["Error Message"].is_string() {
        return Err(nothing(what));
    }
    if let Some(said) = ["Information", "Note"].iter().find_map(|key| json[*key].as_str()) {
        return Err(refusal(said));
    }
    serde_json::from_value(json).map_err(|error| MarketError::Malformed { vendor: NAME, cause: error.to_string() })
}

fn refusal(said: &str) -> MarketError {
    let words = said.to_lowercase();
    let limits = ["rate limit", "requests per day", "call frequency", "per second", "per minute"];
    if limits.iter().any(|limit| words.contains(limit)) {
        MarketError::RateLimited { vendor: NAME, retry_after: None }
    } else if words.contains("premium") {
        MarketError::NotConfigured { vendor: NAME, setting: "ALPHA_VANTAGE_API_KEY (a premium key is asked for)" }
    } else if words.contains("api key") || words.contains("apikey") {
        MarketError::NotConfigured { vendor: NAME, setting: "ALPHA_VANTAGE_API_KEY (it refuses the one it has)" }
    } else {
        MarketError::Unavailable { vendor: NAME, cause: said.chars().take(200).collect(), transient: false }
    }
}

fn nothing(what: &str) -> MarketError {
    MarketError::NoData { vendor: NAME, what: what.into() }
}

fn spelled(ticker: &Ticker) -> String {
    symbol::canonical(ticker).into()
}

/// A number, which it writes as a text; none if it has none.
fn number(value: &Value) -> Option<f64> {
    value.as_str()?.parse().ok()
}
