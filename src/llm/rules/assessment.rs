//! The rules' votes together.

use super::{
    figures::Figures,
    rule::{Finding, RULES, Rule},
};
use crate::domain::Rating;

/// What the rules make of the evidence.
pub struct Assessment {
    pub figures: Figures,
    /// The rules that had their figures, with what they found.
    pub findings: Vec<(&'static Rule, Finding)>,
}

impl Assessment {
    /// Asks every rule.
    pub fn of(figures: Figures) -> Self {
        let findings = RULES.iter().filter_map(|rule| Some((rule, rule.judge(&figures)?))).collect();
        Self { figures, findings }
    }

    /// The weighted mean of the votes, from -1 to 1; 0 without any.
    pub fn score(&self) -> f64 {
        let votes: f64 = self.findings.iter().map(|(rule, finding)| rule.weight * f64::from(finding.vote)).sum();
        let weights: f64 = self.findings.iter().map(|(rule, _)| rule.weight).sum();
        if weights > 0.0 { votes / weights } else { 0.0 }
    }

    /// The rating of the score: the scale from -1 to 1 in five equal parts.
    pub fn rating(&self) -> Rating {
        match self.score() {
            score if score >= 0.6 => Rating::Buy,
            score if score >= 0.2 => Rating::Overweight,
            score if score > -0.2 => Rating::Hold,
            score if score > -0.6 => Rating::Underweight,
            _ => Rating::Sell,
        }
    }

    /// The findings with this vote.
    pub fn voting(&self, vote: i8) -> impl Iterator<Item = &(&'static Rule, Finding)> {
        self.findings.iter().filter(move |(_, finding)| finding.vote == vote)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rating_follows_the_mean_vote() {
        let only = |rsi| Assessment::of(Figures::from([("rsi", rsi)])).rating();
        assert_eq!(only(20.0), Rating::Buy);
        assert_eq!(only(50.0), Rating::Hold);
        assert_eq!(only(80.0), Rating::Sell);
        let two = Assessment::of(Figures::from([("rsi", 20.0), ("mfi", 50.0)]));
        assert_eq!(two.rating(), Rating::Overweight);
    }

    #[test]
    fn without_evidence_the_rules_hold() {
        assert_eq!(Assessment::of(Figures::from([])).rating(), Rating::Hold);
    }
}
