//! The order in which the agents work.

use std::sync::Arc;

use tokio::sync::mpsc;

use super::{Analysis, Observer, ReadingLimits, Step, analysts, case::Case, memory, portfolio, research, risk, trader};
use crate::{
    domain::{Agent, Ticker},
    llm::{ChatModel, LlmError},
    market::{Market, MarketError},
    memory::DecisionLog,
};

/// The firm, ready for an analysis.
pub struct Firm {
    pub models: Models,
    pub market: Market,
    /// How many analysts work at the same time.
    pub analyst_concurrency: usize,
    /// After so many rounds of tool calls an agent has to answer.
    pub max_tool_rounds: u32,
    pub reading: ReadingLimits,
    /// What the returns of earlier decisions are compared with, in place of the index of the instrument's exchange.
    pub benchmark: Option<Ticker>,
    /// What was decided before.
    pub memory: DecisionLog,
}

/// The models by tier.
#[derive(Clone)]
pub struct Models {
    /// Of the research manager and the portfolio manager.
    pub deep: Arc<dyn ChatModel>,
    /// Of all others.
    pub quick: Arc<dyn ChatModel>,
}

impl Models {
    /// Makes both ready, one after the other: a server fetches no two models faster than one.
    async fn prepare(&self, observer: &dyn Observer) -> Result<(), AgentError> {
        observer.step(Step::Preparing).await;
        prepare(&*self.quick, observer).await?;
        let name = |model: &dyn ChatModel| (model.provider(), model.model().to_owned());
        if name(&*self.deep) != name(&*self.quick) {
            prepare(&*self.deep, observer).await?;
        }
        observer.step(Step::Ready).await;
        Ok(())
    }
}

async fn prepare(model: &dyn ChatModel, observer: &dyn Observer) -> Result<(), AgentError> {
    let (progress, mut told) = mpsc::unbounded_channel();
    let preparing = async move { model.prepare(&progress).await };
    let telling = async {
        while let Some(percent) = told.recv().await {
            observer.step(Step::ModelPull { model: model.model().into(), percent }).await;
        }
    };
    tokio::join!(preparing, telling).0.map_err(AgentError::NotReady)
}

/// Why an analysis could not go on. What was done until then is in the last checkpoint.
#[derive(Debug, thiserror::Error)]
pub enum AgentError {
    #[error("{agent}: {source}")]
    Model { agent: Agent, source: LlmError },
    /// A model that no agent can be given.
    #[error(transparent)]
    NotReady(LlmError),
    #[error(transparent)]
    Market(#[from] MarketError),
}

impl Firm {
    /// Brings an analysis to its end.
    ///
    /// Without prices it ends before a model is asked. Cancel-safe: a dropped run stops all its agents, and goes on
    /// from the last checkpoint if it is run again.
    pub async fn run(&self, mut analysis: Analysis, observer: &dyn Observer) -> Result<Analysis, AgentError> {
        let case = Case::open(self, &analysis, observer).await?;
        for warning in &case.evidence.history.warnings {
            // An attempt that resumes has them already.
            if !analysis.warnings.contains(warning) {
                analysis.warnings.push(warning.clone());
            }
        }
        self.models.prepare(observer).await?;
        analysts::report(&case, &mut analysis).await?;
        research::debate(&case, &mut analysis).await?;
        research::plan(&case, &mut analysis).await?;
        trader::propose(&case, &mut analysis).await?;
        risk::debate(&case, &mut analysis).await?;
        memory::recall(&case, &mut analysis).await;
        portfolio::decide(&case, &mut analysis).await?;
        analysis.bars = case.evidence.recent().to_vec();
        analysis.price_currency.clone_from(&case.evidence.history.currency);
        Ok(analysis)
    }
}
