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
    /// Names and values, in the order in which they are shown. Amounts name their currency.
    pub figures: Vec<(&'static str, String)>,
    pub shares: Shares,
    /// How the figures are to be read.
    pub notes: Vec<String>,
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

/// A statement of a company.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Statement {
    pub periods: Vec<Period>,
    /// How the periods are to be read, a sentence or two each.
    pub notes: Vec<String>,
}

/// A period of a statement.
#[derive(Debug, Clone, PartialEq)]
pub struct Period {
    pub end: NaiveDate,
    /// The trading day at whose close all figures were public, or by which they had to be filed if the vendor does not
    /// say.
    pub known: NaiveDate,
    /// ISO 4217; empty if the vendor does not say.
    pub currency: String,
    /// In the order in which they are shown.
    pub figures: Vec<Figure>,
}

impl Period {
    /// A figure by its name.
    pub fn figure(&self, name: &str) -> Option<&Figure> {
        self.figures.iter().find(|figure| figure.name == name)
    }
}

/// A figure of a statement.
#[derive(Debug, Clone, PartialEq)]
pub struct Figure {
    pub name: &'static str,
    pub value: f64,
    /// Whether it was computed from other figures, such as a quarter from two year-to-date figures.
    pub derived: bool,
    /// The tag that the company filed it under, if the vendor says.
    pub tag: Option<&'static str>,
    pub measure: Measure,
}

/// What a figure counts.
///
/// Figures with shares name the day whose shares they count. Splits up to that day are in them, later ones are not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measure {
    Amount,
    PerShare(NaiveDate),
    ShareCount(NaiveDate),
}

/// The day of vendors that restate the figures of all periods whenever shares are split.
pub const RESTATED: NaiveDate = NaiveDate::MAX;

/// Names of figures that this program computes with.
pub const EARNINGS_PER_SHARE: &str = "Diluted earnings per share";
pub const DILUTED_SHARES: &str = "Diluted shares";

impl Measure {
    /// Of a vendor that restates its figures.
    fn restated(name: &str) -> Self {
        match name {
            EARNINGS_PER_SHARE => Self::PerShare(RESTATED),
            DILUTED_SHARES => Self::ShareCount(RESTATED),
            _ => Self::Amount,
        }
    }
}

impl Figure {
    /// A figure of a vendor that says no more of it, and that restates figures with shares.
    pub fn new(name: &'static str, value: f64) -> Self {
        Self { name, value, derived: false, tag: None, measure: Measure::restated(name) }
    }
}

/// How many shares a company has.
#[derive(Debug, Clone, PartialEq)]
pub enum Shares {
    /// The vendor does not say.
    Unknown,
    Outstanding {
        /// Shares of the analysis date.
        count: f64,
        /// The day of the count.
        on: NaiveDate,
        /// The filing date of the report that says so.
        filed: NaiveDate,
        /// The number in that report, which counts the shares of its day.
        as_filed: f64,
    },
    /// The price is not that of one of the company's shares; the text says why.
    OtherThanPriced(String),
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
