//! What a store of jobs does.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use tokio::sync::broadcast;

use super::{
    Attempted, BatchId, Claim, Delivery, Draft, Event, EventId, EventKind, Job, JobId, Lease, Listing, Outbox, Page,
    Receipt, Scope, Stats, Submission, SubmitError, WorkerId, WorkerInfo, Writing, transition::Transition,
};

/// Keeps jobs, their events, checkpoints and leases, and the workers' heartbeats.
///
/// Every method is one atomic step: after a crash at any moment it has happened wholly or not at all, and no two
/// callers see it half done. Times are the store's, so that hosts with skewed clocks agree.
///
/// A lease lasts as long as the store was told when it was opened; every accepted write of its holder renews it.
#[async_trait]
pub trait Store: Send + Sync + 'static {
    /// Stores pending jobs, queues each for when it may begin, and tells of them. What a store has already, from a submit
    /// whose answer was lost or by the submission's key, is left as it is.
    async fn submit(&self, submission: &Submission) -> Result<Receipt, SubmitError>;

    /// The job, if it is known.
    async fn get(&self, id: JobId) -> Result<Option<Job>, StoreError>;

    /// The last checkpoint of a job that has not ended, in the pipeline's own format.
    async fn checkpoint(&self, id: JobId) -> Result<Option<Vec<u8>>, StoreError>;

    /// The jobs of a batch in the order of their submission; none if it is not known. Each is as it is at its own moment.
    async fn batch(&self, id: BatchId) -> Result<Vec<Job>, StoreError>;

    /// A page of the jobs that match.
    async fn list(&self, listing: &Listing) -> Result<Page, StoreError>;

    /// The jobs by status.
    async fn stats(&self) -> Result<Stats, StoreError>;

    /// For how long the job has been ready that has been so for longest.
    async fn oldest_ready(&self) -> Result<Option<Duration>, StoreError>;

    /// Claims the job that has been ready for longest among those of the [`Priority`](super::Priority) whose turn it is,
    /// or none if none is ready: it runs now, under a new attempt and a fresh lease. Not cancel-safe: a dropped call may
    /// have claimed a job, which comes back when its lease is over.
    async fn claim(&self, worker: &WorkerId) -> Result<Option<Claim>, StoreError>;

    /// Waits until a job may have become ready since this store's last [`claim`](Self::claim) that found none, and for
    /// `timeout` at most. Cancel-safe, and it may wake in vain.
    async fn wait_ready(&self, timeout: Duration) -> Result<(), StoreError>;

    /// Writes of the holder of a lease in mid-attempt: renews the lease, and writes the progress unless that is done
    /// already. The one of default only renews, also in a store that is full.
    async fn record(&self, lease: &Lease, progress: &Progress) -> Result<Recorded, StoreError>;

    /// Changes a job's status, if the guard holds. The holder of a lease may ask again for what ended its attempt.
    async fn apply(&self, transition: &Transition) -> Result<Applied, StoreError>;

    /// Running jobs whose lease is over, some of them at least.
    async fn expired(&self) -> Result<Vec<Job>, StoreError>;

    /// Claims the webhook message that has been due for longest, of those for other [receivers](Delivery::receiver) than
    /// the busy ones, or none if none is due. For `lease` nobody else gets it; unless it is
    /// [concluded](Self::conclude_delivery) until then, it is due again.
    async fn claim_delivery(&self, lease: Duration, busy: &[String]) -> Result<Option<Delivery>, StoreError>;

    /// Writes what became of an attempt to deliver, in the message and in its job if that is still kept. Nothing happens
    /// if another attempt has begun since.
    async fn conclude_delivery(&self, delivery: &Delivery, attempted: &Attempted) -> Result<(), StoreError>;

    /// The webhook messages that are not delivered.
    async fn outbox(&self) -> Result<Outbox, StoreError>;

    /// Makes jobs ready that waited for their time, forgets jobs that ended and are [not to be kept](Keep), and workers
    /// that fell silent; a bounded number of each. Returns whether there is more to do.
    async fn tidy(&self) -> Result<bool, StoreError>;

    /// Keeps what a worker says of itself, with the time of now as `seen_at`.
    async fn heartbeat(&self, worker: &WorkerInfo) -> Result<(), StoreError>;

    /// Forgets a worker that exits.
    async fn forget_worker(&self, worker: &WorkerId) -> Result<(), StoreError>;

    /// The workers heard of within the last lease time.
    async fn workers(&self) -> Result<Vec<WorkerInfo>, StoreError>;

    /// Stored events of `scope` that come after `after`, oldest first, at most `limit`.
    async fn replay(&self, scope: Scope, after: EventId, limit: usize) -> Result<Replay, StoreError>;

    /// The id of the last event of all.
    async fn last_event(&self) -> Result<EventId, StoreError>;

    /// Every event from now on, in order, none missing: a store that loses its connection fills the gap. Before a store
    /// has its first connection, "now" is the time of that; [`replay`](Self::replay) and
    /// [`last_event`](Self::last_event) wait for it. A receiver that falls behind is told by `Lagged` and can replay.
    fn live(&self) -> broadcast::Receiver<Arc<Event>>;

    /// Publishes a draft to those who listen to [`drafts`](Self::drafts) now, if the job still runs under this lease.
    /// Stores nothing and renews nothing. Best effort: a draft that can't be published at once is lost.
    async fn publish(&self, lease: &Lease, draft: &Draft) -> Result<(), StoreError>;

    /// The drafts of all jobs, for as long as the store is connected. With more than one process they arrive from shortly
    /// after the first call; before that call the store spends nothing on them. A receiver that falls behind has missed
    /// some.
    fn drafts(&self) -> broadcast::Receiver<Arc<Writing>>;

    /// Whether the store takes what it has to keep: writes a little, as durably as a job, and leaves nothing that lasts.
    async fn probe(&self) -> Result<(), StoreError>;
}

/// Which jobs are kept after their end. A duration alone keeps any number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keep {
    /// For how long.
    pub ttl: Duration,
    /// How many; of more, those that ended first go.
    pub most: u64,
}

impl From<Duration> for Keep {
    fn from(ttl: Duration) -> Self {
        Self { ttl, most: u64::MAX }
    }
}

/// What the holder of a lease writes in one step.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Progress {
    /// Its place among those of the attempt, from 1. A store that has this one, or a later one, writes nothing: so one whose
    /// answer was lost can be sent again, and one that was long under way does no harm.
    pub number: u64,
    /// Events to append.
    pub events: Vec<EventKind>,
    /// What replaces the checkpoint.
    pub checkpoint: Option<Vec<u8>>,
}

/// What became of a [`Transition`].
#[derive(Debug, Clone, PartialEq)]
pub enum Applied {
    /// It happened, now or when its holder asked before; the job as it is now.
    Done(Job),
    /// The guard did not hold; the job as it is.
    Refused(Job),
    /// No such job.
    Unknown,
}

/// What became of a [`Store::record`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recorded {
    /// It is written, and the lease runs anew.
    Done,
    /// The lease is lost: the job ended, or runs under another attempt. Nothing was written.
    LeaseLost,
}

/// Stored events.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Replay {
    pub events: Vec<Event>,
    /// Whether events right after the asked place are no longer kept.
    pub gap: bool,
}

/// Why a store could not do what was asked; nothing has changed then, unless `Unavailable` says otherwise.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// The store can't be reached or did not answer in time. A write may have happened.
    #[error("the job store is unavailable: {0}")]
    Unavailable(String),
    /// The store has no room.
    #[error("the job store is full: {0}")]
    Full(String),
    /// The store answered something that this program can't read.
    #[error("the job store holds or says something unexpected: {0}")]
    Corrupt(String),
}
