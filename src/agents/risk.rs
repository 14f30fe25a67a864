//! The risk team: three views of the trader's proposal.

use super::{
    AgentError, Analysis,
    case::{self, Case},
};
use crate::domain::Agent;

const SPEAKERS: [Agent; 3] = [Agent::AggressiveAnalyst, Agent::ConservativeAnalyst, Agent::NeutralAnalyst];

/// The three in turn, until the rounds are over or time is short.
pub async fn debate(case: &Case<'_>, analysis: &mut Analysis) -> Result<(), AgentError> {
    let turns = SPEAKERS.len() * analysis.brief.max_risk_rounds as usize;
    while analysis.outcome.is_none() && analysis.risk_debate.turns.len() < turns {
        let taken = analysis.risk_debate.turns.len();
        if taken.is_multiple_of(SPEAKERS.len()) && case.observer.must_hurry() {
            let rounds = taken / SPEAKERS.len();
            analysis.warnings.push(format!("the soft time limit ended the risk debate after {rounds} rounds"));
            return Ok(());
        }
        let agent = SPEAKERS[taken % SPEAKERS.len()];
        let (text, step) = case.answer(agent, task(agent, analysis)).await?;
        analysis.risk_debate.turns.push((agent, format!("{agent}: {text}")));
        case.keep(analysis, step).await;
    }
    Ok(())
}

fn task(agent: Agent, analysis: &Analysis) -> String {
    let reports = case::reports(analysis);
    let proposal = analysis.trader_plan.as_deref().unwrap_or_default();
    let debate = case::debate(&analysis.risk_debate.turns);
    match agent {
        Agent::AggressiveAnalyst => {
            format!(include_str!("prompts/aggressive.md"), reports = reports, proposal = proposal, debate = debate)
        }
        Agent::ConservativeAnalyst => {
            format!(include_str!("prompts/conservative.md"), reports = reports, proposal = proposal, debate = debate)
        }
        _ => format!(include_str!("prompts/neutral.md"), reports = reports, proposal = proposal, debate = debate),
    }
}
