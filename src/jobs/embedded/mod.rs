//! A store in one file, for one process: no Redis needed.
//!
//! The engine is redb: transactions on a B-tree, durable on commit, written in Rust alone. What is done to jobs is in
//! [`writes`], what is asked of them in [`reads`]. Each writing step is one transaction ([`step`]), synced to the disk
//! before it is answered; the tables are in [`tables`]. Leases and heartbeats are kept in memory, for they end with the
//! process: jobs that ran when it died are made ready again when the file is opened next.

mod failure;
mod keys;
mod outbox;
mod reads;
mod step;
mod tables;
mod writes;

use std::{
    collections::HashMap,
    fs,
    path::Path,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use async_trait::async_trait;
use failure::{not_opened, refused};
use redb::{Database, ReadableDatabase, StorageError, TransactionError, backends::InMemoryBackend};
use step::{Step, last_event, millis, prepare};
use tables::{EVENTS, LAST_PROBE, NUMBERS};
use tokio::sync::{broadcast, watch};
use tokio_util::sync::CancellationToken;
use tracing::warn;

use super::{
    Applied, Attempted, BatchId, Claim, Delivery, Draft, Event, EventId, Job, JobId, Keep, Lease, Listing, Outbox,
    Page, Progress, Receipt, Recorded, Replay, Scope, Stats, Store, StoreError, Submission, SubmitError, WorkerId,
    WorkerInfo, Writing, priority::Turns, transition::Transition,
};

/// Events that the hub may lie behind before it has to read the store.
const LIVE_BUFFER: usize = 4096;

/// Drafts that the hub may lie behind before it misses some.
const DRAFT_BUFFER: usize = 256;

/// Jobs that one call of `tidy` or `expired` handles at most.
const TIDY_LIMIT: usize = 100;

/// Jobs, events and checkpoints in a file.
pub struct EmbeddedStore(Arc<Shared>);

struct Shared {
    database: Database,
    lease: Duration,
    keep: Keep,
    /// Held through each writing step, so that listeners hear of steps in their order.
    memory: Mutex<Memory>,
    live: broadcast::Sender<Arc<Event>>,
    drafts: broadcast::Sender<Arc<Writing>>,
    /// How often a job became ready.
    ready: watch::Sender<u64>,
    /// What `ready` was when a claim found none for the last time.
    seen: AtomicU64,
    turns: Turns,
    /// Cancelled once the engine takes nothing more.
    failed: CancellationToken,
}

/// What ends with the process.
#[derive(Default)]
struct Memory {
    /// When each running job's lease is over.
    leases: HashMap<JobId, Instant>,
    workers: HashMap<WorkerId, (WorkerInfo, Instant)>,
}

impl EmbeddedStore {
    /// Opens the file, or makes it with its folder.
    pub fn open(path: &Path, lease: Duration, keep: impl Into<Keep>) -> Result<Self, StoreError> {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(|error| not_opened(path, redb::DatabaseError::from(error)))?;
        }
        Self::over(Database::create(path).map_err(|error| not_opened(path, error))?, lease, keep.into())
    }

    /// A store that ends with the process.
    pub fn in_memory(lease: Duration, keep: impl Into<Keep>) -> Result<Self, StoreError> {
        let database = Database::builder().create_with_backend(InMemoryBackend::new());
        Self::over(database.map_err(refused)?, lease, keep.into())
    }

    fn over(database: Database, lease: Duration, keep: Keep) -> Result<Self, StoreError> {
        let orphans = prepare(&database)?;
        let shared = Shared {
            database,
            lease,
            keep,
            memory: Mutex::default(),
            live: broadcast::Sender::new(LIVE_BUFFER),
            drafts: broadcast::Sender::new(DRAFT_BUFFER),
            ready: watch::Sender::new(0),
            seen: AtomicU64::new(0),
            turns: Turns::new(),
            failed: CancellationToken::new(),
        };
        for id in orphans {
            match shared.requeue(id) {
                Err(error @ StoreError::Corrupt(_)) => warn!(job.id = %id, %error, "a job that ran can't be read"),
                requeued => requeued?,
            }
        }
        Ok(Self(Arc::new(shared)))
    }

    /// Cancelled once a write to the disk has failed. From then on the engine refuses all writes, also when there is room
    /// again, until the file is opened anew; what it had committed is safe.
    pub fn failed(&self) -> CancellationToken {
        self.0.failed.clone()
    }

    /// Runs what may touch the disk where it does not hold up other tasks.
    async fn blocking<T: Send + 'static, E: From<StoreError> + Send + 'static>(
        &self,
        work: impl FnOnce(&Shared) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E> {
        let shared = self.0.clone();
        let work = move || work(&shared).inspect_err(|_| shared.notice_failure());
        let done = tokio::task::spawn_blocking(work).await;
        done.unwrap_or_else(|panic| Err(StoreError::Corrupt(panic.to_string()).into()))
    }
}

impl Shared {
    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells whoever waits for it, if the engine takes nothing more.
    fn notice_failure(&self) {
        let begun = self.database.try_begin_write();
        if matches!(begun, Err(TransactionError::Storage(StorageError::PreviousIo))) {
            self.failed.cancel();
        }
    }

    fn probe(&self) -> Result<(), StoreError> {
        let memory = self.memory();
        let step = Step::begin(&self.database)?;
        let mut numbers = step.transaction.open_table(NUMBERS).map_err(refused)?;
        numbers.insert(LAST_PROBE, (millis(step.now), 0)).map_err(refused)?;
        drop(numbers);
        self.commit(step, &memory)
    }

    /// Commits a step and tells of it, while `memory` is held.
    fn commit(&self, step: Step, _memory: &Memory) -> Result<(), StoreError> {
        let done = step.commit()?;
        for event in done.events {
            // An error only says that nobody listens.
            let _ = self.live.send(Arc::new(event));
        }
        if done.woke {
            self.ready.send_modify(|count| *count += 1);
        }
        Ok(())
    }
}

#[async_trait]
impl Store for EmbeddedStore {
    async fn submit(&self, submission: &Submission) -> Result<Receipt, SubmitError> {
        let submission = submission.clone();
        self.blocking(move |store| store.submit(submission)).await
    }

    async fn get(&self, id: JobId) -> Result<Option<Job>, StoreError> {
        self.blocking(move |store| store.get(id)).await
    }

    async fn checkpoint(&self, id: JobId) -> Result<Option<Vec<u8>>, StoreError> {
        self.blocking(move |store| store.checkpoint(id)).await
    }

    async fn batch(&self, id: BatchId) -> Result<Vec<Job>, StoreError> {
        self.blocking(move |store| store.batch(id)).await
    }

    async fn list(&self, listing: &Listing) -> Result<Page, StoreError> {
        let listing = listing.clone();
        self.blocking(move |store| store.list(&listing)).await
    }

    async fn stats(&self) -> Result<Stats, StoreError> {
        self.blocking(Shared::stats).await
    }

    async fn oldest_ready(&self) -> Result<Option<Duration>, StoreError> {
        self.blocking(Shared::oldest_ready).await
    }

    async fn claim(&self, worker: &WorkerId) -> Result<Option<Claim>, StoreError> {
        let worker = worker.clone();
        self.blocking(move |store| store.claim(worker)).await
    }

    async fn wait_ready(&self, timeout: Duration) -> Result<(), StoreError> {
        let seen = self.0.seen.load(Ordering::Relaxed);
        let mut ready = self.0.ready.subscribe();
        // Running out of time is a normal end, and the sender lives as long as the store.
        let _ = tokio::time::timeout(timeout, ready.wait_for(|count| *count != seen)).await;
        Ok(())
    }

    async fn record(&self, lease: &Lease, progress: &Progress) -> Result<Recorded, StoreError> {
        let (lease, progress) = (lease.clone(), progress.clone());
        self.blocking(move |store| store.record(&lease, progress)).await
    }

    async fn apply(&self, transition: &Transition) -> Result<Applied, StoreError> {
        let transition = transition.clone();
        self.blocking(move |store| store.apply(&transition)).await
    }

    async fn expired(&self) -> Result<Vec<Job>, StoreError> {
        self.blocking(Shared::expired).await
    }

    async fn claim_delivery(&self, lease: Duration, busy: &[String]) -> Result<Option<Delivery>, StoreError> {
        let busy = busy.to_vec();
        self.blocking(move |store| store.claim_delivery(lease, &busy)).await
    }

    async fn conclude_delivery(&self, delivery: &Delivery, attempted: &Attempted) -> Result<(), StoreError> {
        let (delivery, attempted) = (delivery.clone(), attempted.clone());
        self.blocking(move |store| store.conclude_delivery(&delivery, &attempted)).await
    }

    async fn outbox(&self) -> Result<Outbox, StoreError> {
        self.blocking(Shared::outbox).await
    }

    async fn tidy(&self) -> Result<bool, StoreError> {
        self.blocking(Shared::tidy).await
    }

    async fn heartbeat(&self, worker: &WorkerInfo) -> Result<(), StoreError> {
        let seen = WorkerInfo { seen_at: chrono::Utc::now(), ..worker.clone() };
        self.0.memory().workers.insert(worker.id.clone(), (seen, Instant::now()));
        Ok(())
    }

    async fn forget_worker(&self, worker: &WorkerId) -> Result<(), StoreError> {
        self.0.memory().workers.remove(worker);
        Ok(())
    }

    async fn workers(&self) -> Result<Vec<WorkerInfo>, StoreError> {
        let memory = self.0.memory();
        let recent = memory.workers.values().filter(|(_, seen)| seen.elapsed() <= self.0.lease);
        let mut workers: Vec<_> = recent.map(|(info, _)| info.clone()).collect();
        workers.sort_by(|a, b| a.id.0.cmp(&b.id.0));
        Ok(workers)
    }

    async fn replay(&self, scope: Scope, after: EventId, limit: usize) -> Result<Replay, StoreError> {
        self.blocking(move |store| store.replay(scope, after, limit)).await
    }

    async fn last_event(&self) -> Result<EventId, StoreError> {
        self.blocking(|store| {
            let transaction = store.database.begin_read().map_err(refused)?;
            let events = transaction.open_table(EVENTS).map_err(refused)?;
            last_event(&events, &transaction.open_table(NUMBERS).map_err(refused)?)
        })
        .await
    }

    fn live(&self) -> broadcast::Receiver<Arc<Event>> {
        self.0.live.subscribe()
    }

    async fn publish(&self, lease: &Lease, draft: &Draft) -> Result<(), StoreError> {
        // Reading the job costs more than the rest, and is for nothing while nobody listens.
        if self.0.drafts.receiver_count() > 0
            && self.get(lease.job).await?.is_some_and(|job| writes::runs_under(&job, lease))
        {
            let _ = self.0.drafts.send(Arc::new(Writing::new(lease.job, draft.clone())));
        }
        Ok(())
    }

    fn drafts(&self) -> broadcast::Receiver<Arc<Writing>> {
        self.0.drafts.subscribe()
    }

    async fn probe(&self) -> Result<(), StoreError> {
        self.blocking(Shared::probe).await
    }
}
