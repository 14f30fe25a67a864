//! Words and documents that come from strangers or from a store: none panics, and what is read is written as it was read.

use std::{fmt, str::FromStr};

use serde_json::Value;
use tradingagents::{
    domain::{PriceVendors, Ticker, TraceParent, TradeDate},
    jobs::{BatchId, Event, EventId, IdempotencyKey, JobId, JobRequest},
    llm::Prices,
    market::Indicator,
};

pub fn run(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else { return };
    same::<Ticker>(text);
    same::<TradeDate>(text);
    same::<TraceParent>(text);
    same::<EventId>(text);
    same::<JobId>(text);
    same::<BatchId>(text);
    same::<PriceVendors>(text);
    // It is kept without the quotes in which it may come.
    let _ = text.parse::<IdempotencyKey>().map(|key| assert_eq!(format!("\"{key}\"").parse(), Ok(key)));
    let _ = text.parse::<Indicator>();
    let _ = text.parse::<Prices>();
    document::<JobRequest>(text);
    document::<Event>(text);
}

/// What is read of a text is the same as what is read of how it is written.
fn same<T: FromStr + fmt::Display + PartialEq + fmt::Debug>(text: &str) {
    if let Ok(read) = text.parse::<T>() {
        let written = read.to_string();
        assert_eq!(written.parse::<T>().ok().as_ref(), Some(&read), "{text:?}");
    }
}

fn document<T: serde::de::DeserializeOwned + serde::Serialize + PartialEq + fmt::Debug>(text: &str) {
    if let Ok(read) = serde_json::from_str::<T>(text) {
        let written: Value = serde_json::to_value(&read).expect("it can be written");
        assert_eq!(serde_json::from_value::<T>(written).expect("it can be read again"), read);
    }
}
