//! What happens to a job, as its listeners see it.

use std::{fmt, str::FromStr};

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{ErrorType, JobId, WorkerId};
use crate::domain::{Agent, Decision, Rating, Ticker, TradeDate};

/// An event's place in the order of all events of a store: milliseconds and a counter, as Redis Streams number their
/// entries, written `1715299200000-0`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventId {
    pub ms: u64,
    pub seq: u64,
}

impl EventId {
    /// Before every event.
    pub const ZERO: Self = Self { ms: 0, seq: 0 };

    /// The greatest; no event comes after it.
    pub const MAX: Self = Self { ms: u64::MAX, seq: u64::MAX };
}

/// A text that is no event id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an event id is two numbers, such as 1715299200000-0")]
pub struct EventIdError;

impl FromStr for EventId {
    type Err = EventIdError;

    fn from_str(text: &str) -> Result<Self, EventIdError> {
        let (ms, seq) = text.split_once('-').ok_or(EventIdError)?;
        let number = |part: &str| {
            let digits = !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
            part.parse().ok().filter(|_| digits).ok_or(EventIdError)
        };
        Ok(Self { ms: number(ms)?, seq: number(seq)? })
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.ms, self.seq)
    }
}

impl Serialize for EventId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for EventId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// One event of a job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Event {
    #[schemars(with = "String")]
    pub id: EventId,
    pub job_id: JobId,
    /// By the store's clock.
    pub at: DateTime<Utc>,
    #[serde(flatten)]
    pub kind: EventKind,
}

/// What happened; `type` and `data` of an event.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", content = "data", rename_all = "snake_case")]
pub enum EventKind {
    /// The job was accepted.
    Submitted {
        ticker: Ticker,
        date: TradeDate,
    },
    /// A worker began an attempt; `resumed` if it goes on from a checkpoint.
    Claimed {
        worker: WorkerId,
        attempt: u32,
        resumed: bool,
    },
    /// A model server fetches a model that it lacked; `percent` of it is there.
    ModelPull {
        model: String,
        percent: u8,
    },
    /// An agent began its turn.
    StepStarted {
        agent: Agent,
    },
    /// A model answered an agent; the answer is stored.
    ModelAnswered {
        agent: Agent,
        seconds: f64,
        tokens_in: u64,
        tokens_out: u64,
        /// Those of `tokens_in` that the provider had in its cache.
        tokens_cached: u64,
    },
    /// An agent's tool answered, or failed with `error`.
    ToolCalled {
        agent: Agent,
        tool: String,
        seconds: f64,
        error: Option<String>,
    },
    /// An agent ended its turn.
    StepFinished {
        agent: Agent,
        seconds: f64,
        tokens_in: u64,
        tokens_out: u64,
        /// Those of `tokens_in` that the provider had in its cache.
        #[serde(default)]
        tokens_cached: u64,
        /// US dollars, if the model's price is known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cost_usd: Option<f64>,
    },
    /// The pipeline's state was stored; `steps` turns are done.
    Checkpoint {
        steps: u32,
    },
    /// The soft time limit passed: no new debate round begins.
    SoftTimeLimit,
    /// The attempt failed, and another follows after `delay_seconds`.
    Retry {
        error_type: ErrorType,
        error: String,
        retry_count: u32,
        delay_seconds: f64,
    },
    /// The worker handed the job back, unfinished, because it stops.
    Released {
        worker: WorkerId,
    },
    Completed {
        decision: Decision,
        rating: Rating,
    },
    Failed {
        error_type: ErrorType,
        error: String,
    },
    Cancelled,
    /// A client had the failed job tried again.
    Requeued,
}

impl EventKind {
    /// Whether the job has ended. After a failure, `requeued` may follow.
    pub fn is_terminal(&self) -> bool {
        matches!(self, Self::Completed { .. } | Self::Failed { .. } | Self::Cancelled)
    }

    /// The event's `type`.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Submitted { .. } => "submitted",
            Self::Claimed { .. } => "claimed",
            Self::ModelPull { .. } => "model_pull",
            Self::StepStarted { .. } => "step_started",
            Self::ModelAnswered { .. } => "model_answered",
            Self::ToolCalled { .. } => "tool_called",
            Self::StepFinished { .. } => "step_finished",
            Self::Checkpoint { .. } => "checkpoint",
            Self::SoftTimeLimit => "soft_time_limit",
            Self::Retry { .. } => "retry",
            Self::Released { .. } => "released",
            Self::Completed { .. } => "completed",
            Self::Failed { .. } => "failed",
            Self::Cancelled => "cancelled",
            Self::Requeued => "requeued",
        }
    }
}
