//! The research team: bull and bear debate, and their manager makes a plan of it.

use super::{
    AgentError, Analysis,
    case::{self, Case},
    structured::ResearchPlan,
};
use crate::domain::Agent;

const SPEAKERS: [Agent; 2] = [Agent::BullResearcher, Agent::BearResearcher];

/// Bull and bear in turn, until the rounds are over or time is short.
pub async fn debate(case: &Case<'_>, analysis: &mut Analysis) -> Result<(), AgentError> {
    let turns = SPEAKERS.len() * analysis.brief.max_debate_rounds as usize;
    while analysis.investment_plan.is_none() && analysis.debate.turns.len() < turns {
        let taken = analysis.debate.turns.len();
        if taken.is_multiple_of(SPEAKERS.len()) && case.observer.must_hurry() {
            let rounds = taken / SPEAKERS.len();
            analysis.warnings.push(format!("the soft time limit ended the research debate after {rounds} rounds"));
            return Ok(());
        }
        let agent = SPEAKERS[taken % SPEAKERS.len()];
        let (text, step) = case.answer(agent, task(agent, analysis)).await?;
        let name = if agent == Agent::BullResearcher { "Bull" } else { "Bear" };
        analysis.debate.turns.push((agent, format!("{name} Analyst: {text}")));
        case.keep(analysis, step).await;
    }
    Ok(())
}

fn task(agent: Agent, analysis: &Analysis) -> String {
    let ticker = &analysis.brief.ticker;
    let reports = case::reports(analysis);
    let debate = case::debate(&analysis.debate.turns);
    if agent == Agent::BullResearcher {
        format!(include_str!("prompts/bull.md"), reports = reports, ticker = ticker, debate = debate)
    } else {
        format!(include_str!("prompts/bear.md"), reports = reports, ticker = ticker, debate = debate)
    }
}

/// The manager's plan.
pub async fn plan(case: &Case<'_>, analysis: &mut Analysis) -> Result<(), AgentError> {
    if analysis.investment_plan.is_some() {
        return Ok(());
    }
    let debate = match &analysis.debate.turns[..] {
        [] => case::reports(analysis),
        turns => case::debate(turns),
    };
    let task = format!(include_str!("prompts/research_manager.md"), debate = debate);
    let (filled, step) = case.fill_in::<ResearchPlan>(Agent::ResearchManager, task).await?;
    analysis.warnings.extend(filled.warning(Agent::ResearchManager));
    analysis.investment_plan = Some(filled.text);
    case.keep(analysis, step).await;
    Ok(())
}
