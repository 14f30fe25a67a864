//! The API's answers, as far as a client reads them. What only a later API says is passed over.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{
    domain::{Decision, Ticker, TradeDate},
    jobs::{JobId, Priority, Status},
};

/// A job as the API shows it. The fields from `started_at` on may be absent, as they are in the answer to a submission.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JobView {
    pub job_id: JobId,
    pub status: Status,
    pub created_at: DateTime<Utc>,
    pub ticker: Ticker,
    pub date: TradeDate,
    #[serde(default)]
    pub started_at: Option<DateTime<Utc>>,
    #[serde(default)]
    pub completed_at: Option<DateTime<Utc>>,
    /// The outcome, once completed.
    #[serde(default)]
    pub decision: Option<Decision>,
    #[serde(default)]
    pub error: Option<String>,
    #[serde(default)]
    pub error_type: Option<String>,
    #[serde(default)]
    pub retry_count: u32,
    /// Attempts that were begun.
    #[serde(default)]
    pub attempt: u32,
    #[serde(default)]
    pub priority: Priority,
    /// When it may begin at the earliest.
    #[serde(default)]
    pub not_before: Option<DateTime<Utc>>,
}

/// A part of a listing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JobPage {
    pub jobs: Vec<JobView>,
    /// Where the next page begins; none after the last.
    #[serde(default)]
    pub next_cursor: Option<JobId>,
}

/// The API's state.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Health {
    /// `healthy`, `degraded` or `unhealthy`.
    pub status: String,
    /// The state of each part, by name.
    #[serde(default)]
    pub components: Map<String, Value>,
}
