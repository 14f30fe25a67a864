//! Answers that have a form: what is asked for, and how it is shown.
//!
//! Models write numbers as texts and say "N/A" for nothing; both are read as what they mean.

use std::fmt::Write;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, de::DeserializeOwned};
use serde_json::Value;

use super::{rating, tools::schema};
use crate::{domain::Rating, llm::OutputSchema};

/// An answer with a form.
pub trait Structured: DeserializeOwned + JsonSchema + Send {
    /// Its name, as the model is told.
    const NAME: &'static str;

    /// The answer as Markdown.
    fn render(&self) -> String;

    /// The form.
    fn form() -> OutputSchema {
        OutputSchema { name: Self::NAME, schema: schema::<Self>() }
    }

    /// Reads an answer; an error says what is wrong with it, for the model to mend.
    fn read(text: &str) -> Result<Self, String> {
        let start = text.find('{').ok_or("there is no JSON object in it")?;
        let end = text.rfind('}').filter(|end| *end > start).ok_or("the JSON object does not end")?;
        serde_json::from_str(&text[start..=end]).map_err(|error| error.to_string())
    }
}

/// The sentiment analyst's report.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct SentimentReport {
    /// The mood in a word
    overall_band: Band,
    /// 0 is bearish, 5 neutral, 10 bullish
    #[schemars(range(min = 0.0, max = 10.0))]
    overall_score: f64,
    /// How much the sources carry
    confidence: Confidence,
    /// The report, in Markdown
    narrative: String,
}

#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
enum Band {
    Bullish,
    #[serde(rename = "Mildly Bullish")]
    MildlyBullish,
    Neutral,
    Mixed,
    #[serde(rename = "Mildly Bearish")]
    MildlyBearish,
    Bearish,
}

#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Confidence {
    Low,
    Medium,
    High,
}

/// The research manager's plan.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct ResearchPlan {
    #[serde(deserialize_with = "tier")]
    #[schemars(with = "Tier")]
    recommendation: Rating,
    /// The strongest points of both sides, and what decided
    rationale: String,
    /// The steps for the trader, sizes included
    strategic_actions: String,
}

/// The trader's proposal.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct TraderProposal {
    action: Action,
    /// Two to four sentences
    reasoning: String,
    #[serde(default, deserialize_with = "price")]
    entry_price: Option<f64>,
    #[serde(default, deserialize_with = "price")]
    stop_loss: Option<f64>,
    /// For example "2 % of the portfolio"
    #[serde(default)]
    position_sizing: Option<String>,
}

#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
enum Action {
    Buy,
    Hold,
    Sell,
}

/// The portfolio manager's decision.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct PortfolioDecision {
    #[serde(deserialize_with = "tier")]
    #[schemars(with = "Tier")]
    pub rating: Rating,
    /// Two to four sentences: entry, size, risk levels, horizon
    executive_summary: String,
    /// The reasons, with the evidence
    investment_thesis: String,
    #[serde(default, deserialize_with = "price")]
    price_target: Option<f64>,
    /// For example "3 to 6 months"
    #[serde(default)]
    time_horizon: Option<String>,
}

/// The tiers as a schema offers them: [`Rating::Review`] is not a model's to choose.
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

fn tier<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Rating, D::Error> {
    let word = String::deserialize(deserializer)?;
    let known = "Buy, Overweight, Hold, Underweight, Sell";
    rating::tier(&word).ok_or_else(|| serde::de::Error::custom(format!("{word:?} is not one of {known}")))
}

fn price<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<f64>, D::Error> {
    match Value::deserialize(deserializer)? {
        Value::Null => Ok(None),
        Value::Number(number) => Ok(number.as_f64()),
        Value::String(text) if is_nothing(&text) => Ok(None),
        Value::String(text) => {
            let digits = text.trim().trim_start_matches('$').replace(',', "");
            let number = digits.parse().map(Some);
            number.map_err(|_| serde::de::Error::custom(format!("{text:?} is not a number")))
        }
        other => Err(serde::de::Error::custom(format!("{other} is not a number"))),
    }
}

/// What models write for nothing.
fn is_nothing(text: &str) -> bool {
    let nothing = ["", "none", "n/a", "na", "null", "nil", "-", "tbd", "unknown"];
    nothing.contains(&text.trim().to_lowercase().as_str())
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
        let error = PortfolioDecision::read(r#"{"rating": "Strong Buy"}"#).unwrap_err();
        assert!(error.contains(r#""Strong Buy" is not one of Buy, Overweight"#), "{error}");
        let error = PortfolioDecision::read(r#"{"rating": "Buy"}"#).unwrap_err();
        assert!(error.contains("missing field `executive_summary`"), "{error}");
    }

    #[test]
    fn a_model_can_not_choose_the_rating_that_asks_for_a_person() {
        assert!(PortfolioDecision::read(r#"{"rating": "REVIEW"}"#).is_err());
        assert!(!PortfolioDecision::form().schema.to_string().contains("REVIEW"));
    }
}
