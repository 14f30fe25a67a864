//! The tables of the file, and what is in a row.

use chrono::{DateTime, Utc};
use redb::TableDefinition;
use serde::{Deserialize, Serialize};

use crate::jobs::{Delivery, EventId, Job, JobId, Priority, Status};

/// A job id as a key: the order of the numbers is the order of the ids, which is that of submission.
pub type Key = u128;

/// Every job, as a [`Row`] in JSON.
pub const JOBS: TableDefinition<Key, &[u8]> = TableDefinition::new("jobs");

/// Jobs by status, for listings.
pub const BY_STATUS: TableDefinition<(u8, Key), ()> = TableDefinition::new("jobs_by_status");

/// Jobs by ticker and status, for listings.
pub const BY_TICKER: TableDefinition<(&str, u8, Key), ()> = TableDefinition::new("jobs_by_ticker_and_status");

/// How many jobs have each status.
pub const COUNTS: TableDefinition<u8, u64> = TableDefinition::new("counts");

/// The jobs of each batch.
pub const BATCHES: TableDefinition<(Key, Key), ()> = TableDefinition::new("batches");

/// Submissions by their idempotency keys, as [`Remembered`] in JSON.
pub const KEYS: TableDefinition<&str, &[u8]> = TableDefinition::new("idempotency_keys");

/// The idempotency keys by the millisecond at which they are forgotten.
pub const KEYS_ENDS: TableDefinition<(u64, &str), ()> = TableDefinition::new("idempotency_keys_by_end");

/// Jobs of this priority that can be claimed, in the order in which they became ready.
pub const fn ready(priority: Priority) -> TableDefinition<'static, u64, Key> {
    TableDefinition::new(match priority {
        Priority::High => "ready_high",
        Priority::Normal => "ready",
        Priority::Low => "ready_low",
    })
}

/// Jobs that wait for their time, by the millisecond at which they are due.
pub const DELAYED: TableDefinition<(u64, Key), ()> = TableDefinition::new("delayed");

/// Webhook messages that are not delivered, by the event that ended their job, as [`Waiting`] in JSON.
pub const WEBHOOKS: TableDefinition<(u64, u64), &[u8]> = TableDefinition::new("webhooks");

/// The messages by the millisecond at which each is due.
pub const WEBHOOKS_DUE: TableDefinition<(u64, (u64, u64)), ()> = TableDefinition::new("webhooks_due");

/// Jobs that have ended, by the millisecond of their end.
pub const ENDED: TableDefinition<(u64, Key), ()> = TableDefinition::new("ended");

/// The pipeline's state of jobs that have not ended.
pub const CHECKPOINTS: TableDefinition<Key, &[u8]> = TableDefinition::new("checkpoints");

/// All events by their ids, in JSON.
pub const EVENTS: TableDefinition<(u64, u64), &[u8]> = TableDefinition::new("events");

/// The ids of each job's events.
pub const JOB_EVENTS: TableDefinition<(Key, u64, u64), ()> = TableDefinition::new("events_by_job");

/// Numbers that outlive the process, by name.
pub const NUMBERS: TableDefinition<&str, (u64, u64)> = TableDefinition::new("numbers");

/// In [`NUMBERS`]: the last event that was removed with its job.
pub const LAST_PURGED: &str = "last_purged_event";

/// In [`NUMBERS`]: when it was last tried whether the file can be written.
pub const LAST_PROBE: &str = "last_probe";

/// A job, and where it waits.
#[derive(Serialize, Deserialize)]
pub struct Row {
    pub job: Job,
    pub place: Place,
    /// When it came there.
    #[serde(default = "Utc::now")]
    pub since: DateTime<Utc>,
    /// The number of the last progress of the attempt that is written.
    #[serde(default)]
    pub recorded: u64,
    /// The attempt that was last ended by its holder, and the status to which that led.
    #[serde(default)]
    pub ending: Option<(u32, Status)>,
}

/// Where a job waits.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub enum Place {
    /// In [`ready`] of its priority, under this number.
    Ready(u64),
    /// In [`DELAYED`], until this millisecond.
    Delayed(u64),
    /// It does not wait: it runs, or has ended.
    Nowhere,
}

/// A submission that had an idempotency key.
#[derive(Serialize, Deserialize)]
pub struct Remembered {
    pub fingerprint: String,
    pub jobs: Vec<JobId>,
    /// The millisecond at which it is forgotten.
    pub until: u64,
}

/// A webhook message that waits.
#[derive(Serialize, Deserialize)]
pub struct Waiting {
    pub delivery: Delivery,
    /// The millisecond at which it is due.
    pub due: u64,
}

pub fn status_key(status: Status) -> u8 {
    status as u8
}

pub fn event_id((ms, seq): (u64, u64)) -> EventId {
    EventId { ms, seq }
}
