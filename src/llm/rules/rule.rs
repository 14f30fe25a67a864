//! What a rule is: its formula and its source. What a source leaves open, such as a limit, is said where it is chosen.
//! `docs/RULES.md` holds [`reference`], word for word.

use super::{figures::Figures, fundamental, technical, tone};
use crate::domain::Agent;

/// A published rule.
pub struct Rule {
    pub subject: Subject,
    pub name: &'static str,
    /// How it votes.
    pub formula: &'static str,
    /// Where it was published.
    pub source: &'static str,
    /// When it misleads.
    pub weakness: &'static str,
    /// What its vote counts.
    pub weight: f64,
    /// Its vote; none if the evidence lacks a figure that it needs.
    pub judge: fn(&Figures) -> Option<Finding>,
}

/// What a rule looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// Prices and volume.
    Market,
    /// What the company filed.
    Filings,
    /// What the press writes.
    News,
}

/// What a rule makes of the evidence.
#[derive(Debug, PartialEq)]
pub struct Finding {
    /// 1 for a rise, -1 for a fall, 0 for neither.
    pub vote: i8,
    /// The figures that it rests on, in words.
    pub because: String,
}

impl Subject {
    /// The one that an analyst reports on; none for those who judge the whole.
    pub fn of(agent: Agent) -> Option<Self> {
        match agent {
            Agent::MarketAnalyst => Some(Self::Market),
            Agent::FundamentalsAnalyst => Some(Self::Filings),
            Agent::NewsAnalyst | Agent::SentimentAnalyst => Some(Self::News),
            _ => None,
        }
    }
}

/// All rules, in the order in which they are shown.
pub fn rules() -> impl Iterator<Item = &'static Rule> {
    technical::RULES.iter().chain(&fundamental::RULES).chain(&tone::RULES)
}

/// The rules as the documentation has them, in Markdown.
pub fn reference() -> String {
    let sections = rules().map(|Rule { name, formula, source, weakness, weight, .. }| {
        format!("### {name}\n\n- Vote: {formula}.\n- Weight: {weight}.\n- Source: {source}.\n- Limits: {weakness}.\n")
    });
    sections.collect::<Vec<_>>().join("\n")
}

/// The sign of a value outside the band around zero.
pub fn sign(value: f64, band: f64) -> i8 {
    i8::from(value > band) - i8::from(value < -band)
}

/// Against an extreme: up from a low one, down from a high one.
pub fn contrarian(value: f64, low: f64, high: f64) -> i8 {
    i8::from(value < low) - i8::from(value > high)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documentation_has_each_rule_word_for_word() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/RULES.md");
        let text = std::fs::read_to_string(path).unwrap();
        assert!(text.contains(&reference()), "put this into docs/RULES.md:\n\n{}", reference());
        assert!(text.contains(&format!("The {} rules", rules().count())));
    }
}
