//! How far the agents of a job are, as its events tell it.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use crate::{
    domain::Agent,
    jobs::{Event, EventKind, Job, Status},
};

/// How far a job's agents are.
#[derive(Debug, Default)]
pub struct Progress {
    pub agents: BTreeMap<Agent, Turns>,
    /// A model that is being pulled, and how much of it is there.
    pub pull: Option<(String, u8)>,
    /// Attempts that failed or were handed back, and what followed.
    pub troubles: Vec<(DateTime<Utc>, String)>,
    /// Whether debates were cut short.
    pub hurried: bool,
}

/// The turns of one agent.
#[derive(Debug, Default)]
pub struct Turns {
    /// How many have ended.
    pub ended: usize,
    /// When the one began that goes on.
    pub since: Option<DateTime<Utc>>,
    pub seconds: f64,
    pub tokens_in: u64,
    pub tokens_out: u64,
    pub cost_usd: Option<f64>,
    pub tools: Vec<ToolUse>,
}

/// A tool that was called.
#[derive(Debug)]
pub struct ToolUse {
    pub tool: String,
    pub seconds: f64,
    pub error: Option<String>,
}

impl Progress {
    /// What the events tell. Once the job has ended, nobody works any more.
    pub fn of(events: &[Event], job: &Job) -> Self {
        let mut progress = Self::default();
        for event in events {
            progress.hear(event);
        }
        if job.status != Status::Running {
            progress.stop();
        }
        progress
    }

    /// The turns of an agent.
    pub fn turns(&self, agent: Agent) -> Option<&Turns> {
        self.agents.get(&agent)
    }

    fn hear(&mut self, event: &Event) {
        match &event.kind {
            // From the beginning, so what an earlier attempt did counts no more.
            EventKind::Claimed { resumed: false, .. } | EventKind::Requeued => self.agents.clear(),
            EventKind::Claimed { resumed: true, .. } => self.stop(),
            EventKind::ModelPull { model, percent } => self.pull = Some((model.clone(), *percent)),
            EventKind::StepStarted { agent } => {
                self.pull = None;
                self.agents.entry(*agent).or_default().since = Some(event.at);
            }
            EventKind::ToolCalled { agent, tool, seconds, error } => {
                let call = ToolUse { tool: tool.clone(), seconds: *seconds, error: error.clone() };
                self.agents.entry(*agent).or_default().tools.push(call);
            }
            EventKind::StepFinished { agent, seconds, tokens_in, tokens_out, cost_usd, .. } => {
                let turns = self.agents.entry(*agent).or_default();
                turns.since = None;
                turns.ended += 1;
                turns.seconds += seconds;
                turns.tokens_in += tokens_in;
                turns.tokens_out += tokens_out;
                turns.cost_usd = cost_usd.map(|cost| cost + turns.cost_usd.unwrap_or_default()).or(turns.cost_usd);
            }
            EventKind::SoftTimeLimit => self.hurried = true,
            EventKind::Retry { error, delay_seconds, .. } => {
                self.stop();
                self.troubles.push((event.at, format!("{error} It is tried again after {delay_seconds:.0} s.")));
            }
            EventKind::Released { worker } => {
                self.stop();
                self.troubles.push((event.at, format!("Worker {worker} stopped and handed the job back.")));
            }
            _ => {}
        }
    }

    /// Nobody works now.
    fn stop(&mut self) {
        self.pull = None;
        for turns in self.agents.values_mut() {
            turns.since = None;
        }
    }
}
