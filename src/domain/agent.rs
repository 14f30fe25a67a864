//! The members of the firm, by the names that events, reports and logs use: twelve who work on every job, and the
//! reflector, who looks back where there is something to look back on.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Analyst;

/// An agent: one step of the pipeline, or one speaker of a debate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Agent {
    MarketAnalyst,
    SentimentAnalyst,
    NewsAnalyst,
    FundamentalsAnalyst,
    BullResearcher,
    BearResearcher,
    ResearchManager,
    Trader,
    AggressiveAnalyst,
    ConservativeAnalyst,
    NeutralAnalyst,
    PortfolioManager,
    Reflector,
}

impl Agent {
    /// The twelve who work on every job, in the order of the pipeline.
    pub const ALL: [Self; 12] = [
        Self::MarketAnalyst,
        Self::SentimentAnalyst,
        Self::NewsAnalyst,
        Self::FundamentalsAnalyst,
        Self::BullResearcher,
        Self::BearResearcher,
        Self::ResearchManager,
        Self::Trader,
        Self::AggressiveAnalyst,
        Self::ConservativeAnalyst,
        Self::NeutralAnalyst,
        Self::PortfolioManager,
    ];

    /// The name that people read.
    pub fn label(self) -> &'static str {
        match self {
            Self::MarketAnalyst => "Market Analyst",
            Self::SentimentAnalyst => "Sentiment Analyst",
            Self::NewsAnalyst => "News Analyst",
            Self::FundamentalsAnalyst => "Fundamentals Analyst",
            Self::BullResearcher => "Bull Researcher",
            Self::BearResearcher => "Bear Researcher",
            Self::ResearchManager => "Research Manager",
            Self::Trader => "Trader",
            Self::AggressiveAnalyst => "Aggressive Analyst",
            Self::ConservativeAnalyst => "Conservative Analyst",
            Self::NeutralAnalyst => "Neutral Analyst",
            Self::PortfolioManager => "Portfolio Manager",
            Self::Reflector => "Reflector",
        }
    }
}

impl From<Analyst> for Agent {
    fn from(analyst: Analyst) -> Self {
        match analyst {
            Analyst::Market => Self::MarketAnalyst,
            Analyst::Social => Self::SentimentAnalyst,
            Analyst::News => Self::NewsAnalyst,
            Analyst::Fundamentals => Self::FundamentalsAnalyst,
        }
    }
}

impl fmt::Display for Agent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.label())
    }
}
