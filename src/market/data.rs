//! What vendors give beside prices, in no vendor's own form.

use std::fmt;

use chrono::{DateTime, NaiveDate, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Data, and when it was got from its vendor: now, or when it went into the cache.
#[derive(Debug, Clone, PartialEq)]
pub struct Retrieved<T> {
    pub data: T,
    pub at: DateTime<Utc>,
}

impl<T> Retrieved<T> {
    /// Data that was got just now.
    pub fn now(data: T) -> Self {
        Self { data, at: Utc::now() }
    }

    /// The same retrieval with something made of its data.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Retrieved<U> {
        Retrieved { data: change(self.data), at: self.at }
    }
}

/// Data, and where it comes from.
#[derive(Debug, Clone, PartialEq)]
pub struct Sourced<T> {
    pub data: T,
    pub vendor: &'static str,
    pub at: DateTime<Utc>,
}

/// An article.
#[derive(Debug, Clone, PartialEq)]
pub struct Article {
    pub published: DateTime<Utc>,
    pub title: String,
    pub publisher: String,
    /// Empty where the vendor has titles only.
    pub summary: String,
    pub link: String,
    /// The vendor's own judgement of its tone, if it has one.
    pub tone: Option<String>,
}

/// What somebody wrote on social media.
#[derive(Debug, Clone, PartialEq)]
pub struct Post {
    pub written: DateTime<Utc>,
    /// Where: `r/stocks`, `StockTwits`.
    pub place: String,
    pub text: String,
    /// What the writer chose as his mood.
    pub mood: Option<Mood>,
}

/// A declared mood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mood {
    Bullish,
    Bearish,
}

/// What an insider of the company did.
#[derive(Debug, Clone, PartialEq)]
pub struct InsiderTrade {
    /// The day of the trade, which is filed some days later.
    pub date: NaiveDate,
    pub who: String,
    pub role: String,
    /// In the vendor's words.
    pub action: String,
    pub shares: Option<f64>,
    /// In the currency of the shares.
    pub value: Option<f64>,
}

/// What is known of a company in short.
#[derive(Debug, Clone, PartialEq)]
pub struct Profile {
    /// The day from which on this was known.
    pub known: NaiveDate,
    /// Names and values, in the order in which they are shown.
    pub figures: Vec<(&'static str, String)>,
}

/// One of the three statements of a company.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatementKind {
    BalanceSheet,
    CashFlow,
    Income,
}

/// How long the periods of a statement are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Frequency {
    Quarterly,
    Annual,
}

/// A period of a statement.
#[derive(Debug, Clone, PartialEq)]
pub struct Period {
    pub end: NaiveDate,
    /// The day on which it was filed, or by which it had to be if the vendor does not say.
    pub known: NaiveDate,
    pub currency: String,
    /// Names and values, in the order in which they are shown.
    pub items: Vec<(&'static str, f64)>,
}

/// A macro-economic series.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    pub id: String,
    pub title: String,
    pub units: String,
    pub frequency: String,
    /// Oldest first.
    pub observations: Vec<Observation>,
}

/// A value of a series.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Observation {
    /// The day, or the first day of the month or quarter, that the value is of.
    pub date: NaiveDate,
    pub value: f64,
    /// From when on this value counts as published, if the vendor says so.
    pub published: Option<DateTime<Utc>>,
}

/// What a prediction market says.
#[derive(Debug, Clone, PartialEq)]
pub struct Odds {
    pub question: String,
    /// The outcome that the probability is of, such as `Yes`.
    pub outcome: String,
    /// From 0 to 1.
    pub probability: f64,
    /// Traded so far, US dollars.
    pub volume: f64,
    pub resolves: Option<NaiveDate>,
    /// Of the probability, over a week.
    pub week_change: Option<f64>,
}

/// Who an instrument is.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Identity {
    pub name: String,
    /// Share, fund, index, currency, in the vendor's word.
    pub kind: Option<String>,
    pub exchange: Option<String>,
    pub sector: Option<String>,
    pub industry: Option<String>,
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        let parts = [&self.kind, &self.exchange, &self.sector, &self.industry];
        let known: Vec<_> = parts.into_iter().flatten().map(String::as_str).collect();
        if known.is_empty() { Ok(()) } else { write!(f, " ({})", known.join(", ")) }
    }
}
