//! What the agents of a job said, in the order in which a reader wants it: the decision, and then how it came about.

use super::{JobResult, Reports};
use crate::{
    agents::{Analysis, StepRecord},
    domain::Agent,
    llm::Message,
};

/// A section of a report, in which something is said.
pub struct Section<'a> {
    /// Its name in links.
    pub anchor: &'static str,
    pub title: &'static str,
    /// Reports that stand beside each other.
    pub reports: Vec<Words<'a>>,
    /// The turns of a debate, as they were taken.
    pub turns: Vec<Words<'a>>,
    /// What an agent makes of it.
    pub conclusion: Option<Words<'a>>,
}

/// What an agent said at once.
#[derive(Debug, Clone, Copy)]
pub struct Words<'a> {
    pub agent: Agent,
    pub text: &'a str,
    /// Which of the agent's turns it was, from 1.
    pub turn: usize,
}

/// Of a finished job.
pub fn of_result(result: &JobResult) -> Vec<Section<'_>> {
    sections(&result.reports, &result.steps)
}

/// Of a team that may still be at work.
pub fn of_analysis<'a>(reports: &'a Reports, analysis: &'a Analysis) -> Vec<Section<'a>> {
    sections(reports, &analysis.steps)
}

fn sections<'a>(reports: &'a Reports, steps: &'a [StepRecord]) -> Vec<Section<'a>> {
    let analysts = [
        once(Agent::MarketAnalyst, &reports.market),
        once(Agent::SentimentAnalyst, &reports.sentiment),
        once(Agent::NewsAnalyst, &reports.news),
        once(Agent::FundamentalsAnalyst, &reports.fundamentals),
    ];
    let research = turns(steps, &[Agent::BullResearcher, Agent::BearResearcher]);
    let risk = turns(steps, &[Agent::AggressiveAnalyst, Agent::ConservativeAnalyst, Agent::NeutralAnalyst]);
    let section = |anchor, title, conclusion| Section { anchor, title, reports: vec![], turns: vec![], conclusion };
    let all = [
        section("decision", "Decision", once(Agent::PortfolioManager, &reports.portfolio_manager)),
        Section { reports: analysts.into_iter().flatten().collect(), ..section("analysts", "Analysts", None) },
        Section {
            turns: research,
            ..section("research", "Research debate", once(Agent::ResearchManager, &reports.research_manager))
        },
        section("trading", "Trading plan", once(Agent::Trader, &reports.trader)),
        Section { turns: risk, ..section("risk", "Risk debate", None) },
    ];
    all.into_iter().filter(|section| section.words().next().is_some()).collect()
}

impl<'a> Section<'a> {
    /// All that is said in it, in order.
    pub fn words(&self) -> impl Iterator<Item = &Words<'a>> {
        self.reports.iter().chain(&self.turns).chain(&self.conclusion)
    }

    /// Each agent's first words, for a table of contents; none where only one speaks, for whom the title stands.
    pub fn agents(&self) -> Vec<&Words<'a>> {
        let firsts: Vec<_> = self.words().filter(|words| words.turn == 1).collect();
        if firsts.len() > 1 { firsts } else { vec![] }
    }
}

fn once(agent: Agent, text: &str) -> Option<Words<'_>> {
    (!text.is_empty()).then_some(Words { agent, text, turn: 1 })
}

fn turns<'a>(steps: &'a [StepRecord], speakers: &[Agent]) -> Vec<Words<'a>> {
    let mut turns: Vec<Words<'a>> = Vec::new();
    for step in steps.iter().filter(|step| speakers.contains(&step.agent)) {
        let turn = 1 + turns.iter().filter(|earlier| earlier.agent == step.agent).count();
        turns.extend(last_words(step).map(|text| Words { agent: step.agent, text, turn }));
    }
    turns
}

/// What an agent ended its turn with.
fn last_words(step: &StepRecord) -> Option<&str> {
    step.messages.iter().rev().find_map(|message| match message {
        Message::Assistant { content, .. } => Some(content.as_str()),
        _ => None,
    })
}
