//! The portfolio manager, who decides.

use super::{
    AgentError, Analysis, Outcome,
    case::{self, Case},
    rating,
    structured::PortfolioDecision,
};
use crate::domain::{Agent, Rating};

/// The decision, which ends the analysis. A rating that can't be read from the answer is one for a person to look at.
pub async fn decide(case: &Case<'_>, analysis: &mut Analysis) -> Result<(), AgentError> {
    if analysis.outcome.is_some() {
        return Ok(());
    }
    let agent = Agent::PortfolioManager;
    let task = format!(
        include_str!("prompts/portfolio_manager.md"),
        plan = analysis.investment_plan.as_deref().unwrap_or_default(),
        proposal = analysis.trader_plan.as_deref().unwrap_or_default(),
        debate = case::debate(&analysis.risk_debate.turns),
        lessons = analysis.lessons.as_deref().unwrap_or_default(),
        ticker = analysis.brief.ticker,
    );
    let (filled, step) = case.fill_in::<PortfolioDecision>(agent, task).await?;
    analysis.warnings.extend(filled.warning(agent));
    let read = filled.form.map(|form| form.rating).ok().or_else(|| rating::in_text(&filled.text));
    if read.is_none() {
        analysis.warnings.push(format!(
            "{agent}: no rating could be read from the answer; the decision is HOLD only because nothing else is safe, so read the report"
        ));
    }
    analysis.outcome =
        Some(Outcome { text: filled.text, rating: read.unwrap_or(Rating::Review), source: filled.source });
    case.keep(analysis, step).await;
    Ok(())
}
