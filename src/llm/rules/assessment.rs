//! The rules' votes together.

use super::{
    figures::Figures,
    rule::{Finding, Rule, Subject, rules},
};
use crate::domain::Rating;

/// What the rules make of the evidence.
pub struct Assessment {
    pub figures: Figures,
    /// The rules that had their figures, with what they found.
    pub findings: Vec<(&'static Rule, Finding)>,
    /// Those that had not, by name.
    pub silent: Vec<&'static str>,
}

impl Assessment {
    /// Asks the rules on the subject, or all of them.
    pub fn of(figures: Figures, subject: Option<Subject>) -> Self {
        let (mut findings, mut silent) = (Vec::new(), Vec::new());
        for rule in rules().filter(|rule| subject.is_none_or(|subject| subject == rule.subject)) {
            match (rule.judge)(&figures) {
                Some(finding) => findings.push((rule, finding)),
                None => silent.push(rule.name),
            }
        }
        Self { figures, findings, silent }
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
        let only = |rsi| Assessment::of(Figures::from([("rsi", rsi)]), None).rating();
        assert_eq!(only(20.0), Rating::Buy);
        assert_eq!(only(50.0), Rating::Hold);
        assert_eq!(only(80.0), Rating::Sell);
        let two = Assessment::of(Figures::from([("rsi", 20.0), ("mfi", 50.0)]), None);
        assert_eq!(two.rating(), Rating::Overweight);
    }

    #[test]
    fn without_evidence_the_rules_hold() {
        let nothing = Assessment::of(Figures::from([]), None);
        assert_eq!((nothing.rating(), nothing.silent.len()), (Rating::Hold, rules().count()));
    }

    #[test]
    fn an_analyst_judges_by_the_rules_on_its_subject() {
        let figures = Figures::from([("rsi", 20.0), ("f_score", 0.0)]);
        let filings = Assessment::of(figures, Some(Subject::Filings));
        assert_eq!(filings.rating(), Rating::Sell);
        assert_eq!(filings.silent, ["Gross profitability", "Price to earnings"]);
    }
}
