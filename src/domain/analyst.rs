//! The analysts that a job may select.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One of the four analysts, by the key that the job's configuration uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Analyst {
    /// Prices and technical indicators.
    Market,
    /// News tone and social media; the key is older than the analyst's name, Sentiment Analyst.
    Social,
    /// Company news, macro-economic series, event odds.
    News,
    /// Company profile and financial statements.
    Fundamentals,
}

impl Analyst {
    /// All four, in the order in which reports are shown.
    pub const ALL: [Self; 4] = [Self::Market, Self::Social, Self::News, Self::Fundamentals];
}
