//! Transient events: the text of an agent's model so far, published while it writes.
//!
//! A [`Writing`] reaches only the listeners of that moment. It is never stored, has no [`EventId`](super::EventId)
//! and so no place in the order of events; a listener that resumes does not get it again. Each one replaces the previous
//! one of its agent, so any of them may be skipped. The whole text comes with the job's checkpoint and result.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{EventKind, JobId};
use crate::domain::Agent;

/// The longest text of a draft, characters.
pub const DRAFT_TAIL: usize = 600;

/// The text that an agent's model has written so far. It is not stored, so it has no `id`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Writing {
    #[serde(rename = "type")]
    kind: WritingType,
    pub job_id: JobId,
    pub data: Draft,
}

/// The `type` of the one kind of event that is not stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum WritingType {
    Writing,
}

/// The unfinished response of an agent's model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Draft {
    pub agent: Agent,
    /// The end of the text so far, at most 600 characters.
    pub text: String,
    /// The length of the whole text so far, characters; 0 before the first one, also when a response begins again.
    pub characters: usize,
}

impl Writing {
    /// The name of this kind of event, as its `type` has it.
    pub const NAME: &str = "writing";

    /// The draft of an agent of this job.
    pub fn new(job_id: JobId, data: Draft) -> Self {
        Self { kind: WritingType::Writing, job_id, data }
    }
}

impl Draft {
    /// A draft with the end of `text`, of which `characters` have been written in all.
    pub fn new(agent: Agent, text: &str, characters: usize) -> Self {
        let cut = text.chars().count().saturating_sub(DRAFT_TAIL);
        Self { agent, text: text.chars().skip(cut).collect(), characters }
    }

    /// Whether a stored event of the job ends the draft: the response is complete, or the attempt is over.
    pub fn is_ended_by(&self, kind: &EventKind) -> bool {
        match kind {
            EventKind::StepStarted { agent }
            | EventKind::ModelAnswered { agent, .. }
            | EventKind::StepFinished { agent, .. } => *agent == self.agent,
            EventKind::Submitted { .. }
            | EventKind::ModelPull { .. }
            | EventKind::ToolCalled { .. }
            | EventKind::Checkpoint { .. }
            | EventKind::SoftTimeLimit => false,
            EventKind::Claimed { .. }
            | EventKind::Retry { .. }
            | EventKind::Released { .. }
            | EventKind::Completed { .. }
            | EventKind::Failed { .. }
            | EventKind::Cancelled
            | EventKind::Requeued => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_draft_has_the_end_of_a_long_text() {
        let draft = Draft::new(Agent::Trader, &format!("{}ä", "x".repeat(DRAFT_TAIL)), 4000);
        assert_eq!(draft.text, format!("{}ä", "x".repeat(DRAFT_TAIL - 1)));
        assert_eq!(draft.characters, 4000);
    }

    #[test]
    fn it_has_the_shape_of_a_stored_event_without_an_id() {
        let writing = Writing::new(JobId::from_u128(7), Draft::new(Agent::Trader, "Buy", 3));
        let json = json!({
            "type": "writing",
            "job_id": "00000000-0000-0000-0000-000000000007",
            "data": {"agent": "trader", "text": "Buy", "characters": 3},
        });
        assert_eq!(serde_json::to_value(&writing).unwrap(), json);
        assert_eq!(serde_json::from_value::<Writing>(json).unwrap(), writing);
    }
}
