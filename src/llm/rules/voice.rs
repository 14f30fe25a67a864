//! The rules in each agent's words.

use std::fmt::Write;

use serde_json::{Value, json};

use super::{
    assessment::Assessment,
    figures::Figures,
    rule::{Finding, Rule},
};
use crate::domain::{Agent, Decision, shown};

/// In every text, so that nobody takes it for a model's.
const NOTICE: &str = "*From published rules, not from a language model.*";

/// The distance of a stop from the entry, in average true ranges. Wilder's volatility system takes about 3 of them;
/// 2 is the usual choice of the Turtles (Faith, Way of the Turtle, 2007).
const STOP_RANGES: f64 = 2.0;

/// The share of the portfolio that may be lost between entry and stop (Faith, Way of the Turtle, 2007).
const RISK_PER_TRADE: f64 = 0.01;

/// An agent's text.
pub fn text(agent: Agent, assessment: &Assessment) -> String {
    let body = match agent {
        Agent::Reflector => return reflection(&assessment.figures),
        Agent::MarketAnalyst => table(assessment),
        Agent::SentimentAnalyst | Agent::NewsAnalyst | Agent::FundamentalsAnalyst => {
            table(assessment) + &assessment.figures.passed_on()
        }
        Agent::BullResearcher => side(assessment, 1, "for a rise"),
        Agent::BearResearcher => side(assessment, -1, "for a fall"),
        Agent::AggressiveAnalyst => risk(assessment, 2.0, "The score may be followed with twice the usual risk"),
        Agent::ConservativeAnalyst => {
            risk(assessment, 0.5, "Rules fail in clusters, so half of the usual risk is enough")
        }
        Agent::NeutralAnalyst => risk(assessment, 1.0, "The usual risk fits a score that is neither proof nor noise"),
        Agent::ResearchManager | Agent::Trader | Agent::PortfolioManager => verdict(assessment),
    };
    format!("{NOTICE}\n\n{body}")
}

/// An agent's answer in a form, by the form's name.
pub fn form(name: &str, assessment: &Assessment) -> Value {
    let rating = assessment.rating();
    match name {
        "sentiment_report" => {
            let score = mood(assessment);
            json!({
                "overall_band": band(score),
                "overall_score": score,
                // Words out of their context never are more.
                "confidence": "low",
                "narrative": text(Agent::SentimentAnalyst, assessment),
            })
        }
        "research_plan" => json!({
            "recommendation": rating.as_str(),
            "rationale": format!("{} {NOTICE}{}", verdict(assessment), assessment.figures.passed_on()),
            "strategic_actions": actions(assessment),
        }),
        "trader_proposal" => json!({
            "action": action(assessment),
            "reasoning": format!("{} {NOTICE}", verdict(assessment)),
            "entry_price": rounded(assessment.figures.get("close")),
            "stop_loss": rounded(stop(assessment)),
            "position_sizing": position(assessment, 1.0),
        }),
        "portfolio_decision" => json!({
            "rating": rating.as_str(),
            "executive_summary": format!("{} {}", verdict(assessment), actions(assessment)),
            "investment_thesis": format!("{NOTICE}\n\n{}", table(assessment)),
            "time_horizon": "until the rules turn; they look at horizons of two weeks to twelve months",
        }),
        unknown => json!({ "error": format!("the rules know no form {unknown}") }),
    }
}

/// Every rule with its vote.
fn table(assessment: &Assessment) -> String {
    let silent = assessment.silent.join(", ");
    if assessment.findings.is_empty() {
        return format!(
            "No rule has a vote here, for want of figures: {silent}. Nothing from here goes into the decision."
        );
    }
    let mut text = String::from("| Rule | Vote | Because | Source |\n| --- | --- | --- | --- |\n");
    for (Rule { name, source, .. }, Finding { vote, because }) in &assessment.findings {
        // Writing to a String can't fail.
        let vote = ["down", "none", "up"][usize::try_from(vote + 1).unwrap_or(1)];
        let _ = writeln!(text, "| {name} | {vote} | {because} | {source} |");
    }
    if !silent.is_empty() {
        let _ = writeln!(text, "\nWithout a vote, for want of figures: {silent}.");
    }
    text + "\n" + &verdict(assessment)
}

/// The score in a sentence.
fn verdict(assessment: &Assessment) -> String {
    let count = |vote| assessment.voting(vote).count();
    format!(
        "Votes for a rise: {}, for a fall: {}, for neither: {}; the weighted mean vote is {:+.2}, which rates {}.",
        count(1),
        count(-1),
        count(0),
        assessment.score(),
        assessment.rating().as_str()
    )
}

/// The findings of one side of the debate.
fn side(assessment: &Assessment, vote: i8, direction: &str) -> String {
    let points: Vec<_> =
        assessment.voting(vote).map(|(rule, finding)| format!("- {}: {}", rule.name, finding.because)).collect();
    let case = if points.is_empty() {
        format!("No rule votes {direction}. I have no case.")
    } else {
        let against = assessment.voting(-vote).count();
        format!("These rules vote {direction}, against {against} that vote the other way:\n\n{}", points.join("\n"))
    };
    case + &assessment.figures.passed_on()
}

/// The tone of the news from 0, bearish, to 10; 5 where no rule has a vote on it.
fn mood(assessment: &Assessment) -> f64 {
    let tone = assessment.figures.get("news_tone").filter(|_| !assessment.findings.is_empty());
    5.0 + 5.0 * tone.unwrap_or(0.0)
}

/// A mood in a word, as the prompt has it.
fn band(score: f64) -> &'static str {
    match score {
        score if score >= 6.5 => "Bullish",
        score if score >= 5.5 => "Mildly Bullish",
        score if score > 4.5 => "Neutral",
        score if score > 3.4 => "Mildly Bearish",
        _ => "Bearish",
    }
}

/// Whether a rating was right, in a sentence.
fn reflection(figures: &Figures) -> String {
    let (Some(direction), Some(alpha)) = (figures.get("expected_direction"), figures.get("alpha_percent")) else {
        return "By rule, not by a language model: nothing is known of the outcome.".into();
    };
    let judged = match direction * alpha {
        _ if direction == 0.0 => "the rating took no side",
        agreement if agreement > 0.0 => "the rating pointed the right way",
        _ => "the rating pointed the wrong way",
    };
    format!("By rule, not by a language model: {judged}, as the price did {alpha:+.2} points against its benchmark.")
}

/// A view on how much to risk.
fn risk(assessment: &Assessment, share: f64, view: &str) -> String {
    match position(assessment, share) {
        Some(size) => format!("{view}: {size}."),
        None => format!("{view}. Nothing is bought here, so nothing is at risk."),
    }
}

fn action(assessment: &Assessment) -> &'static str {
    match assessment.rating().decision() {
        Decision::Buy => "Buy",
        Decision::Hold => "Hold",
        Decision::Sell => "Sell",
    }
}

fn actions(assessment: &Assessment) -> String {
    match (position(assessment, 1.0), stop(assessment)) {
        (Some(size), Some(stop)) => format!("Buy {size}, with a stop at {}.", shown::price(stop)),
        _ if action(assessment) == "Sell" => "Sell what is held; buy nothing.".into(),
        _ => "Do nothing until more rules agree.".into(),
    }
}

/// The price to leave a purchase at.
fn stop(assessment: &Assessment) -> Option<f64> {
    let (close, range) = (assessment.figures.get("close")?, assessment.figures.get("atr")?);
    (action(assessment) == "Buy").then_some(close - STOP_RANGES * range).filter(|stop| *stop > 0.0)
}

/// The size of a purchase, so that the stop loses `share` times [`RISK_PER_TRADE`].
fn position(assessment: &Assessment, share: f64) -> Option<String> {
    let (close, stop) = (assessment.figures.get("close")?, stop(assessment)?);
    let risked = RISK_PER_TRADE * share;
    let size = (risked * close / (close - stop)).min(1.0);
    Some(format!("{:.0} % of the portfolio, which risks {:.1} % of it down to the stop", size * 100.0, risked * 100.0))
}

fn rounded(price: Option<f64>) -> Option<f64> {
    // As it is shown, which has more digits where the price is small.
    price.and_then(|price| shown::price(price).parse().ok())
}
