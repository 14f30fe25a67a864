//! What an attempt hears from the agents, and what it tells them.

use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;

use super::{drafts::DraftPublisher, lease_keeper::LeaseKeeper, limits::Limits};
use crate::{
    agents::{Analysis, Observer, Step},
    jobs::{Draft, EventKind},
    metrics::METRICS,
};

/// Turns steps into events and drafts, and states into checkpoints.
pub struct AttemptObserver<'a> {
    keeper: &'a LeaseKeeper,
    drafts: &'a DraftPublisher,
    limits: &'a Limits,
    /// Whether the listeners know that time is short.
    told: AtomicBool,
}

impl<'a> AttemptObserver<'a> {
    pub fn new(keeper: &'a LeaseKeeper, drafts: &'a DraftPublisher, limits: &'a Limits) -> Self {
        Self { keeper, drafts, limits, told: AtomicBool::new(false) }
    }
}

#[async_trait]
impl Observer for AttemptObserver<'_> {
    async fn step(&self, step: Step) {
        if let Step::Finished { agent, took, .. } = &step {
            METRICS.step(agent.label(), *took);
        }
        if let Step::Answered { agent, .. } | Step::Finished { agent, .. } = &step {
            self.drafts.discard(*agent);
        }
        self.keeper.event(match step {
            Step::Started { agent } => EventKind::StepStarted { agent },
            Step::ToolCalled { agent, tool, took, error } => {
                EventKind::ToolCalled { agent, tool, seconds: took.as_secs_f64(), error }
            }
            Step::Answered { agent, took, usage } => EventKind::ModelAnswered {
                agent,
                seconds: took.as_secs_f64(),
                tokens_in: usage.tokens_in,
                tokens_out: usage.tokens_out,
                tokens_cached: usage.tokens_cached,
            },
            Step::Writing { agent, text, characters } => {
                return self.drafts.publish(Draft::new(agent, &text, characters));
            }
            Step::Preparing => return self.limits.pause(),
            Step::Ready => return self.limits.go_on(),
            Step::ModelPull { model, percent } => EventKind::ModelPull { model, percent },
            Step::Finished { agent, took, usage } => EventKind::StepFinished {
                agent,
                seconds: took.as_secs_f64(),
                tokens_in: usage.tokens_in,
                tokens_out: usage.tokens_out,
                tokens_cached: usage.tokens_cached,
                cost_usd: usage.cost_usd,
            },
        });
    }

    async fn checkpoint(&self, analysis: &Analysis) {
        let steps = u32::try_from(analysis.steps.len()).unwrap_or(u32::MAX);
        self.keeper.checkpoint(state(analysis));
        self.keeper.event(EventKind::Checkpoint { steps });
    }

    async fn progress(&self, analysis: &Analysis) {
        self.keeper.checkpoint(state(analysis));
    }

    fn must_hurry(&self) -> bool {
        let late = self.limits.must_hurry();
        if late && !self.told.swap(true, Ordering::Relaxed) {
            self.keeper.event(EventKind::SoftTimeLimit);
        }
        late
    }
}

/// The state as it is stored.
fn state(analysis: &Analysis) -> Vec<u8> {
    serde_json::to_vec(analysis).expect("an analysis has no map with keys that are no texts")
}
