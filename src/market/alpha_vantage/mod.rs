//! Alpha Vantage, with a key. A free one is good for 25 requests a day, and its daily bars want a paid one.
//!
//! Its errors come with status 200, as JSON that explains itself.

mod company;
mod news;
mod overview;
mod prices;
mod statements;

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
    if let Some(said) = json["Error Message"].as_str() {
        return Err(if is_about_key(said) { refused_key() } else { nothing(what) });
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
    } else if is_about_key(said) {
        refused_key()
    } else {
        MarketError::Unavailable { vendor: NAME, cause: said.chars().take(200).collect(), transient: false }
    }
}

/// Whether a message is about the key that was sent. An unknown symbol is an "Invalid API call".
fn is_about_key(said: &str) -> bool {
    let words = said.to_lowercase();
    words.contains("api key") || words.contains("apikey")
}

fn refused_key() -> MarketError {
    MarketError::NotConfigured { vendor: NAME, setting: "ALPHA_VANTAGE_API_KEY (it refuses the one it has)" }
}

fn nothing(what: &str) -> MarketError {
    MarketError::NoData { vendor: NAME, what: what.into() }
}

/// The suffixes of exchanges as Yahoo writes them, and as Alpha Vantage does (its documentation of
/// `TIME_SERIES_DAILY`, and the answers of `SYMBOL_SEARCH`).
const SUFFIXES: [(&str, &str); 14] = [
    ("L", "LON"),
    ("IL", "LON"),
    ("TO", "TRT"),
    ("V", "TRV"),
    ("DE", "DEX"),
    ("F", "FRK"),
    ("PA", "PAR"),
    ("AS", "AMS"),
    ("BR", "BRU"),
    ("LS", "LIS"),
    ("SA", "SAO"),
    ("BO", "BSE"),
    ("SS", "SHH"),
    ("SZ", "SHZ"),
];

/// The symbol as Alpha Vantage spells it: `BA.LON` for `BA.L`.
fn spelled(ticker: &Ticker) -> String {
    let symbol = symbol::canonical(ticker);
    let translated = symbol.as_str().rsplit_once('.').and_then(|(company, suffix)| {
        let (_, exchange) = SUFFIXES.iter().find(|(yahoo, _)| *yahoo == suffix)?;
        Some(format!("{company}.{exchange}"))
    });
    translated.unwrap_or_else(|| symbol.into())
}

/// A number, which it writes as a text; none if it has none, also where it writes "NaN".
fn number(value: &Value) -> Option<f64> {
    value.as_str()?.parse().ok().filter(|number: &f64| number.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suffixes_of_exchanges_are_translated() {
        for (yahoo, alpha) in [
            ("BA.L", "BA.LON"),
            ("SHOP.TO", "SHOP.TRT"),
            ("MBG.DE", "MBG.DEX"),
            ("RELIANCE.BO", "RELIANCE.BSE"),
            ("600104.SS", "600104.SHH"),
            ("000002.SZ", "000002.SHZ"),
            ("BRK.B", "BRK.B"),
            ("NVDA", "NVDA"),
        ] {
            assert_eq!(spelled(&yahoo.parse().unwrap()), alpha);
        }
    }

    #[test]
    fn a_message_about_the_key_names_its_setting() {
        let answer = |text: &str| Answer::kept(format!(r#"{{"Error Message": "{text}"}}"#).into_bytes());
        let refused = read::<Value>(&answer("the parameter apikey is invalid or missing."), "it").unwrap_err();
        assert!(refused.to_string().contains("ALPHA_VANTAGE_API_KEY"), "{refused}");
        let unknown = read::<Value>(&answer("Invalid API call. Please retry."), "it").unwrap_err();
        assert!(matches!(unknown, MarketError::NoData { .. }), "{unknown}");
    }
}
