//! Webhooks: telling a job's end to the URL that its client named.
//!
//! The message is written in the same step as the end, and waits in the store until somebody delivers it: a claim hides
//! it for a time, and it shows again unless that attempt is concluded. So it is delivered at least once whoever dies, and
//! with the same id each time.

use std::time::Duration;

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use url::Position;

use super::{BatchId, ErrorType, EventId, EventKind, JobId, JobRequest, Status, stored};
use crate::domain::{Decision, Rating, Ticker, TradeDate};

/// What became of a job's webhook.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Webhook {
    /// The message's id, the same in each delivery: the header `webhook-id`.
    pub id: String,
    pub status: WebhookStatus,
    /// Attempts that were concluded.
    pub attempts: u32,
    /// Why the last attempt failed; null once delivered.
    pub error: Option<String>,
}

/// Where a message is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum WebhookStatus {
    /// It waits for its first attempt, or another.
    Pending,
    /// The receiver answered with success.
    Delivered,
    /// No attempt follows any more.
    Failed,
}

/// A message that somebody claimed to deliver.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Delivery {
    pub job: JobId,
    #[serde(deserialize_with = "stored::request")]
    pub request: JobRequest,
    pub batch: Option<BatchId>,
    pub created_at: DateTime<Utc>,
    /// The event that ended the job. Its id is the message's in the store.
    pub event: EventId,
    pub end: EventKind,
    /// How many claims there were; what is said of an earlier one is refused.
    pub attempt: u32,
}

/// Due messages that a claim looks at while some receivers are busy.
pub const DUE_LOOKED_AT: usize = 1000;

/// The messages that are not delivered, those under way included.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Outbox {
    pub waiting: u64,
    /// For how long the message has been due that has been so for longest.
    pub overdue: Duration,
}

/// What became of an attempt to deliver.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Attempted {
    Delivered,
    /// Another attempt follows after `delay`.
    Retry {
        error: String,
        delay: Duration,
    },
    /// It is given up.
    Failed {
        error: String,
    },
}

/// What a receiver gets.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Message {
    #[serde(rename = "type")]
    kind: MessageType,
    /// When the job ended.
    timestamp: DateTime<Utc>,
    data: Ended,
}

#[derive(Debug, Clone, Copy, Serialize, JsonSchema)]
enum MessageType {
    #[serde(rename = "job.completed")]
    Completed,
    #[serde(rename = "job.failed")]
    Failed,
    #[serde(rename = "job.cancelled")]
    Cancelled,
}

/// A job that has ended.
#[derive(Debug, Serialize, JsonSchema)]
struct Ended {
    job_id: JobId,
    batch_id: Option<BatchId>,
    ticker: Ticker,
    date: TradeDate,
    status: Status,
    created_at: DateTime<Utc>,
    completed_at: DateTime<Utc>,
    /// Of a completed job.
    decision: Option<Decision>,
    /// Of a completed job.
    rating: Option<Rating>,
    /// Of a failed job.
    error: Option<String>,
    /// Of a failed job.
    error_type: Option<ErrorType>,
}

/// The id of the message about the event that ended a job. Event ids are unique in a store, job ids everywhere.
pub fn message_id(job: JobId, event: EventId) -> String {
    format!("msg_{job}_{event}")
}

impl Attempted {
    /// The status that the message has then.
    pub fn status(&self) -> WebhookStatus {
        match self {
            Self::Delivered => WebhookStatus::Delivered,
            Self::Retry { .. } => WebhookStatus::Pending,
            Self::Failed { .. } => WebhookStatus::Failed,
        }
    }

    /// The word for metrics.
    pub fn outcome(&self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Retry { .. } => "retried",
            Self::Failed { .. } => "failed",
        }
    }

    /// Why it failed, if it did.
    pub fn error(&self) -> Option<&str> {
        match self {
            Self::Delivered => None,
            Self::Retry { error, .. } | Self::Failed { error } => Some(error),
        }
    }
}

impl Delivery {
    /// The message's id, the same in each attempt.
    pub fn id(&self) -> String {
        message_id(self.job, self.event)
    }

    /// Whom it is for: host and port, as far as the URL names one.
    pub fn receiver(&self) -> Option<&str> {
        let url = self.request.webhook_url.as_ref()?.as_url();
        Some(&url[Position::BeforeHost..Position::AfterPort])
    }

    /// The message, the same in each attempt; none if the event ends no job.
    pub fn message(&self) -> Option<Message> {
        let timestamp = DateTime::from_timestamp_millis(i64::try_from(self.event.ms).ok()?)?;
        let data = Ended {
            job_id: self.job,
            batch_id: self.batch,
            ticker: self.request.ticker.clone(),
            date: self.request.date,
            status: Status::Completed,
            created_at: self.created_at,
            completed_at: timestamp,
            decision: None,
            rating: None,
            error: None,
            error_type: None,
        };
        let (kind, data) = match self.end.clone() {
            EventKind::Completed { decision, rating } => {
                (MessageType::Completed, Ended { decision: Some(decision), rating: Some(rating), ..data })
            }
            EventKind::Failed { error_type, error } => {
                let (error, error_type) = (Some(error), Some(error_type));
                (MessageType::Failed, Ended { status: Status::Failed, error, error_type, ..data })
            }
            EventKind::Cancelled => (MessageType::Cancelled, Ended { status: Status::Cancelled, ..data }),
            _ => return None,
        };
        Some(Message { kind, timestamp, data })
    }
}
