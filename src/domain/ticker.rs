//! The symbol of an instrument, safe to use in a path, a URL and a Redis key.

use std::{fmt, str::FromStr};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// An instrument's symbol as vendors spell it: `NVDA`, `BRK.B`, `^GSPC`, `BTC-USD`, `EURUSD=X`, `M&M.NS`.
///
/// Upper-cased; 1 to 20 of the characters `A-Z 0-9 . - ^ = & _ +`, at least one of them a letter or a digit, so that no
/// ticker is a path such as `..`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(!try_from, !into, example = &"NVDA")]
pub struct Ticker(
    #[schemars(length(min = 1, max = 20), regex(pattern = r"^[.\-^=&_+]*[A-Za-z0-9][A-Za-z0-9.\-^=&_+]*$"))] String,
);

/// Why a text is not a [`Ticker`].
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum TickerError {
    #[error("a ticker has 1 to 20 characters, not {0}")]
    Length(usize),
    #[error("a ticker has only letters, digits and . - ^ = & _ +, not {0:?}")]
    Character(char),
    #[error("a ticker has at least one letter or digit")]
    OnlyPunctuation,
}

impl Ticker {
    /// The upper-case symbol.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Ticker {
    type Err = TickerError;

    fn from_str(text: &str) -> Result<Self, TickerError> {
        let length = text.chars().count();
        if !(1..=20).contains(&length) {
            return Err(TickerError::Length(length));
        }
        if let Some(c) = text.chars().find(|c| !c.is_ascii_alphanumeric() && !".-^=&_+".contains(*c)) {
            return Err(TickerError::Character(c));
        }
        if !text.contains(|c: char| c.is_ascii_alphanumeric()) {
            return Err(TickerError::OnlyPunctuation);
        }
        Ok(Self(text.to_ascii_uppercase()))
    }
}

impl TryFrom<String> for Ticker {
    type Error = TickerError;

    fn try_from(text: String) -> Result<Self, TickerError> {
        text.parse()
    }
}

impl From<Ticker> for String {
    fn from(ticker: Ticker) -> Self {
        ticker.0
    }
}

impl fmt::Display for Ticker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn symbols_of_every_kind_of_instrument_are_tickers() {
        for text in
            ["NVDA", "brk.b", "^GSPC", "BTC-USD", "EURUSD=X", "0700.HK", "M&M.NS", "NIFTY_FIN_SERVICE.NS", "A+B"]
        {
            assert_eq!(text.parse::<Ticker>().unwrap().as_str(), text.to_ascii_uppercase());
        }
    }

    #[test]
    fn paths_blanks_and_long_texts_are_not() {
        assert_eq!("../../etc/passwd".parse::<Ticker>(), Err(TickerError::Character('/')));
        assert_eq!("..".parse::<Ticker>(), Err(TickerError::OnlyPunctuation));
        assert_eq!("&_+".parse::<Ticker>(), Err(TickerError::OnlyPunctuation));
        assert_eq!("A;B".parse::<Ticker>(), Err(TickerError::Character(';')));
        assert_eq!("".parse::<Ticker>(), Err(TickerError::Length(0)));
        assert_eq!("A".repeat(21).parse::<Ticker>(), Err(TickerError::Length(21)));
        assert_eq!("NV DA".parse::<Ticker>(), Err(TickerError::Character(' ')));
        assert_eq!("ÄPFEL".parse::<Ticker>(), Err(TickerError::Character('Ä')));
    }
}
