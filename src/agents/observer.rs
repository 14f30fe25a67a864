//! What the one who runs an analysis hears and says while it goes on.

use std::time::Duration;

use async_trait::async_trait;

use super::Analysis;
use crate::{domain::Agent, llm::Usage};

/// Something that an agent did.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    Started {
        agent: Agent,
    },
    /// What a model has written so far of the response that is coming: the end of it, and its whole length. It replaces
    /// what was reported of the agent before.
    Writing {
        agent: Agent,
        text: String,
        characters: usize,
    },
    /// The model answered the agent.
    Answered {
        agent: Agent,
        took: Duration,
        usage: Usage,
    },
    /// A tool answered, or failed with `error`, which the agent was told.
    ToolCalled {
        agent: Agent,
        tool: String,
        took: Duration,
        error: Option<String>,
    },
    /// The models are being made ready. Their server may have to fetch one first, which takes its own time.
    Preparing,
    /// A model server fetches a model that it lacked; so much is there.
    ModelPull {
        model: String,
        percent: u8,
    },
    /// The models are ready, and the agents begin.
    Ready,
    Finished {
        agent: Agent,
        took: Duration,
        usage: Usage,
    },
}

/// Hears of steps, keeps checkpoints, and says when to hurry.
#[async_trait]
pub trait Observer: Send + Sync {
    /// A step happened.
    async fn step(&self, step: Step);

    /// An agent's turn is done and `analysis` holds its work: store it, so that another attempt can go on from here.
    async fn checkpoint(&self, analysis: &Analysis);

    /// A model answered in a turn that goes on, and `analysis` holds the answer: store it, as a checkpoint of which
    /// nobody is told.
    async fn progress(&self, analysis: &Analysis);

    /// Whether time is short: then no new debate round begins, and the analysis goes on to its decision.
    fn must_hurry(&self) -> bool;
}
