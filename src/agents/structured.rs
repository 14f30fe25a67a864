//! Answers that have a form: what is asked for, and how it is shown. [`forms`] reads what models make of it.
//!
//! The doc comments of the forms and their fields go to models, as descriptions in the schema.

use std::fmt::Write;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, de::DeserializeOwned};

use super::{
    forms::{self, is_nothing},
    tools::schema,
};
use crate::{
    domain::{Decision, Rating},
    llm::OutputSchema,
};

/// An answer with a form.
pub trait Structured: DeserializeOwned + JsonSchema + Send {
    /// Its name, as the model is told.
    const NAME: &'static str;

    /// The answer as Markdown.
    fn render(&self) -> String;

    /// The form.
    fn form() -> OutputSchema {
        OutputSchema { name: Self::NAME, schema: schema::<Self>(), in_words: false }
    }

    /// Reads an answer; an error says what is wrong with it, in words that help the model to correct it.
    fn read(text: &str) -> Result<Self, String> {
        forms::read(text)
    }
}

/// The sentiment analyst's report.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct SentimentReport {
    /// The mood in a word
    overall_band: Band,
    /// 0 is bearish, 5 neutral, 10 bullish
    #[serde(deserialize_with = "forms::score")]
    #[schemars(range(min = 0.0, max = 10.0))]
    overall_score: f64,
    /// How much the sources carry
    confidence: Confidence,
    /// The report, in Markdown
    #[serde(deserialize_with = "forms::text")]
    narrative: String,
}

#[derive(Debug, Clone, Copy, JsonSchema)]
enum Band {
    Bullish,
    #[schemars(rename = "Mildly Bullish")]
    MildlyBullish,
    Neutral,
    Mixed,
    #[schemars(rename = "Mildly Bearish")]
    MildlyBearish,
    Bearish,
}

impl<'de> Deserialize<'de> for Band {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(match forms::word(deserializer)?.as_str() {
            "bullish" => Self::Bullish,
            "mildly bullish" => Self::MildlyBullish,
            "neutral" => Self::Neutral,
            "mixed" => Self::Mixed,
            "mildly bearish" => Self::MildlyBearish,
            "bearish" => Self::Bearish,
            other => {
                let known = "Bullish, Mildly Bullish, Neutral, Mixed, Mildly Bearish, Bearish";
                return Err(serde::de::Error::custom(format!("{other:?} is not one of {known}")));
            }
        })
    }
}

#[derive(Debug, Clone, Copy, JsonSchema)]
#[schemars(rename_all = "lowercase")]
enum Confidence {
    Low,
    Medium,
    High,
}

impl<'de> Deserialize<'de> for Confidence {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match forms::word(deserializer)?.as_str() {
            "low" => Ok(Self::Low),
            "medium" | "moderate" => Ok(Self::Medium),
            "high" => Ok(Self::High),
            other => Err(serde::de::Error::custom(format!("{other:?} is not one of low, medium, high"))),
        }
    }
}

/// The research manager's plan.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct ResearchPlan {
    #[serde(deserialize_with = "forms::tier")]
    #[schemars(with = "Tier")]
    recommendation: Rating,
    /// The strongest points of both sides, and what decided
    #[serde(deserialize_with = "forms::text")]
    rationale: String,
    /// The steps for the trader, sizes included
    #[serde(deserialize_with = "forms::text")]
    strategic_actions: String,
}

/// The trader's proposal.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct TraderProposal {
    #[serde(deserialize_with = "forms::action")]
    #[schemars(with = "Action")]
    action: Decision,
    /// Two to four sentences
    #[serde(deserialize_with = "forms::text")]
    reasoning: String,
    #[serde(default, deserialize_with = "forms::price")]
    entry_price: Option<f64>,
    #[serde(default, deserialize_with = "forms::price")]
    stop_loss: Option<f64>,
    /// For example "2 % of the portfolio"
    #[serde(default, deserialize_with = "forms::optional_text")]
    position_sizing: Option<String>,
}

// The actions as a schema offers them.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "only its schema is used")]
enum Action {
    Buy,
    Hold,
    Sell,
}

/// The portfolio manager's decision.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct PortfolioDecision {
    #[serde(deserialize_with = "forms::tier")]
    #[schemars(with = "Tier")]
    pub rating: Rating,
    /// Two to four sentences: entry, size, risk levels, horizon
    #[serde(deserialize_with = "forms::text")]
    executive_summary: String,
    /// The reasons, with the evidence
    #[serde(deserialize_with = "forms::text")]
    investment_thesis: String,
    #[serde(default, deserialize_with = "forms::price")]
    price_target: Option<f64>,
    /// For example "3 to 6 months"
    #[serde(default, deserialize_with = "forms::optional_text")]
    time_horizon: Option<String>,
}

// The tiers as a schema offers them: `Rating::Review` is not a model's to choose.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "only its schema is used")]
enum Tier {
    Buy,
    Overweight,
    Hold,
    Underweight,
    Sell,
}

impl Structured for SentimentReport {
    const NAME: &'static str = "sentiment_report";

    fn render(&self) -> String {
        let band = match self.overall_band {
            Band::Bullish => "Bullish",
            Band::MildlyBullish => "Mildly Bullish",
            Band::Neutral => "Neutral",
            Band::Mixed => "Mixed",
            Band::MildlyBearish => "Mildly Bearish",
            Band::Bearish => "Bearish",
        };
        let score = self.overall_score.clamp(0.0, 10.0);
        let confidence = self.confidence;
        format!(
            "**Overall Sentiment:** **{band}** (Score: {score:.1}/10)\n**Confidence:** {confidence:?}\n\n{}",
            self.narrative
        )
    }
}

impl Structured for ResearchPlan {
    const NAME: &'static str = "research_plan";

    fn render(&self) -> String {
        let Self { recommendation, rationale, strategic_actions } = self;
        format!(
            "**Recommendation**: {}\n\n**Rationale**: {rationale}\n\n**Strategic Actions**: {strategic_actions}",
            recommendation.as_str()
        )
    }
}

impl Structured for TraderProposal {
    const NAME: &'static str = "trader_proposal";

    fn render(&self) -> String {
        let mut text = format!("**Action**: {:?}\n\n**Reasoning**: {}", self.action, self.reasoning);
        line(&mut text, "Entry Price", self.entry_price.map(|price| price.to_string()));
        line(&mut text, "Stop Loss", self.stop_loss.map(|price| price.to_string()));
        line(&mut text, "Position Sizing", self.position_sizing.clone());
        let action = format!("{:?}", self.action).to_uppercase();
        text + &format!("\n\nFINAL TRANSACTION PROPOSAL: **{action}**")
    }
}

impl Structured for PortfolioDecision {
    const NAME: &'static str = "portfolio_decision";

    fn render(&self) -> String {
        let Self { rating, executive_summary, investment_thesis, .. } = self;
        let mut text = format!(
            "**Rating**: {}\n\n**Executive Summary**: {executive_summary}\n\n**Investment Thesis**: {investment_thesis}",
            rating.as_str()
        );
        line(&mut text, "Price Target", self.price_target.map(|price| price.to_string()));
        line(&mut text, "Time Horizon", self.time_horizon.clone());
        text
    }
}

/// A line for a value that is there.
fn line(text: &mut String, name: &str, value: Option<String>) {
    if let Some(value) = value.filter(|value| !is_nothing(value)) {
        // Writing to a String can't fail.
        let _ = write!(text, "\n\n**{name}**: {value}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_models_make_of_numbers_is_read_as_meant() {
        let text = r#"Here you are: ```json
            {"action": "Buy", "reasoning": "Up.", "entry_price": "$1,234.5", "stop_loss": "N/A", "position_sizing": "tbd"}
            ```"#;
        let shown = TraderProposal::read(text).unwrap().render();
        assert_eq!(
            shown,
            "**Action**: Buy\n\n**Reasoning**: Up.\n\n**Entry Price**: 1234.5\n\nFINAL TRANSACTION PROPOSAL: **BUY**"
        );
    }

    #[test]
    fn what_is_wrong_is_said_for_the_model_to_mend() {
        assert_eq!(PortfolioDecision::read("Buy!").unwrap_err(), "there is no JSON object in it");
        let error = PortfolioDecision::read(r#"{"rating": "To the moon"}"#).unwrap_err();
        assert!(error.contains(r#""To the moon" is not one of Buy, Overweight"#), "{error}");
        let error = PortfolioDecision::read(r#"{"rating": "Buy"}"#).unwrap_err();
        assert!(error.contains("missing field `executive_summary`"), "{error}");
    }

    #[test]
    fn nothing_but_words_for_models_is_in_a_form() {
        let forms = [SentimentReport::form(), ResearchPlan::form(), TraderProposal::form(), PortfolioDecision::form()];
        for form in forms {
            let schema = form.schema.to_string();
            assert!(!schema.contains("::") && !schema.contains("[`"), "{schema}");
        }
    }

    #[test]
    fn a_model_can_not_choose_the_rating_that_asks_for_a_person() {
        assert!(PortfolioDecision::read(r#"{"rating": "REVIEW"}"#).is_err());
        assert!(!PortfolioDecision::form().schema.to_string().contains("REVIEW"));
    }
}
