//! What the portfolio manager says, and what a program does with it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The five tiers of a rating, best to worst, and the honest sixth. English in every output language.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub enum Rating {
    Buy,
    Overweight,
    Hold,
    Underweight,
    Sell,
    /// The rating could not be read from the model's answer: a person has to look.
    #[serde(rename = "REVIEW")]
    Review,
}

/// The three-valued signal that the job API answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum Decision {
    Buy,
    Sell,
    Hold,
}

/// How the rating was read from the portfolio manager's answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DecisionSource {
    /// The answer matched the schema.
    Structured,
    /// The answer matched the schema after one repair round.
    Repaired,
    /// The answer was plain text with a rating in it.
    Text,
}

impl Rating {
    /// The tiers that a model may choose from.
    pub const TIERS: [Self; 5] = [Self::Buy, Self::Overweight, Self::Hold, Self::Underweight, Self::Sell];

    /// The signal: Buy and Overweight buy, Underweight and Sell sell, everything else holds.
    pub fn decision(self) -> Decision {
        match self {
            Self::Buy | Self::Overweight => Decision::Buy,
            Self::Hold | Self::Review => Decision::Hold,
            Self::Underweight | Self::Sell => Decision::Sell,
        }
    }

    /// The word as reports print it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Buy => "Buy",
            Self::Overweight => "Overweight",
            Self::Hold => "Hold",
            Self::Underweight => "Underweight",
            Self::Sell => "Sell",
            Self::Review => "REVIEW",
        }
    }
}

impl Decision {
    /// The word as the API answers it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Buy => "BUY",
            Self::Sell => "SELL",
            Self::Hold => "HOLD",
        }
    }
}
