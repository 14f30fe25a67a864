//! The trader, who turns the plan into a transaction.

use super::{
    AgentError, Analysis,
    case::{self, Case},
    structured::TraderProposal,
};
use crate::domain::Agent;

/// The trader's proposal.
pub async fn propose(case: &Case<'_>, analysis: &mut Analysis) -> Result<(), AgentError> {
    if analysis.trader_plan.is_some() {
        return Ok(());
    }
    let task = format!(
        include_str!("prompts/trader.md"),
        reports = case::reports(analysis),
        plan = analysis.investment_plan.as_deref().unwrap_or_default(),
        ticker = analysis.brief.ticker,
    );
    let (filled, step) = case.fill_in::<TraderProposal>(Agent::Trader, task).await?;
    analysis.warnings.extend(filled.warning(Agent::Trader));
    analysis.trader_plan = Some(filled.text);
    case.keep(analysis, step).await;
    Ok(())
}
