//! The tables of the file, and what is in a row.

use redb::TableDefinition;
use serde::{Deserialize, Serialize};

use crate::jobs::{EventId, Job, JobId, Status};

/// A job id as a key: the order of the numbers is the order of the ids, which is that of submission.
pub type Key = u128;

/// Every job, as a [`Row`] in JSON.
pub const JOBS: TableDefinition<Key, &[u8]> = TableDefinition::new("jobs");

/// Jobs by status, for listings.
pub const BY_STATUS: TableDefinition<(u8, Key), ()> = TableDefinition::new("jobs_by_status");

/// Jobs by ticker, for listings.
pub const BY_TICKER: TableDefinition<(&str, Key), ()> = TableDefinition::new("jobs_by_ticker");

/// How many jobs have each status.
pub const COUNTS: TableDefinition<u8, u64> = TableDefinition::new("counts");

/// Jobs that can be claimed, in the order in which they became ready.
pub const READY: TableDefinition<u64, Key> = TableDefinition::new("ready");

/// Jobs that wait out a backoff, by the millisecond at which they are due.
pub const DELAYED: TableDefinition<(u64, Key), ()> = TableDefinition::new("delayed");

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

/// A job, and where it waits.
#[derive(Serialize, Deserialize)]
pub struct Row {
    pub job: Job,
    pub place: Place,
}

/// Where a job waits.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub enum Place {
    /// In [`READY`], under this number.
    Ready(u64),
    /// In [`DELAYED`], until this millisecond.
    Delayed(u64),
    /// It does not wait: it runs, or has ended.
    Nowhere,
}

pub fn key(id: JobId) -> Key {
    u128::from_be_bytes(*id.as_bytes())
}

pub fn job_id(key: Key) -> JobId {
    JobId::from_bytes(key.to_be_bytes())
}

pub fn status_key(status: Status) -> u8 {
    status as u8
}

pub fn event_id((ms, seq): (u64, u64)) -> EventId {
    EventId { ms, seq }
}
