//! A store in one file, for one process: no Redis needed.
//!
//! The engine is redb: transactions on a B-tree, durable on commit, written in Rust alone. Each writing step is one
//! transaction ([`step`]), synced to the disk before it is answered; the tables are in [`tables`]. Leases and heartbeats
//! are kept in memory, for they end with the process: jobs that ran when it died are made ready again when the file is
//! opened next.

mod failure;
mod step;
mod tables;

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
use redb::{Database, ReadableDatabase, ReadableTable, backends::InMemoryBackend};
use step::{Step, from_json, last_event, last_purged, prepare};
use tables::{BY_STATUS, BY_TICKER, COUNTS, EVENTS, JOB_EVENTS, JOBS, Key, NUMBERS, Row, key, status_key};
use tokio::sync::{broadcast, watch};

use super::{
    Applied, Claim, Event, EventId, EventKind, Job, JobId, JobRequest, Lease, Listing, Page, Recorded, Replay, Scope,
    Stats, Status, Store, StoreError, WorkerId, WorkerInfo,
    transition::{Guard, Transition},
};

/// Events that the hub may lie behind before it has to read the store.
const LIVE_BUFFER: usize = 4096;

/// Jobs that one call of `tidy` or `expired` handles at most.
const TIDY_LIMIT: usize = 100;

/// Jobs, events and checkpoints in a file.
pub struct EmbeddedStore(Arc<Shared>);

struct Shared {
    database: Database,
    lease: Duration,
    ttl: Duration,
    /// Held through each writing step, so that listeners hear of steps in their order.
    memory: Mutex<Memory>,
    live: broadcast::Sender<Arc<Event>>,
    /// How often a job became ready.
    ready: watch::Sender<u64>,
    /// What `ready` was when a claim found none for the last time.
    seen: AtomicU64,
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
    pub fn open(path: &Path, lease: Duration, ttl: Duration) -> Result<Self, StoreError> {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(|error| not_opened(path, redb::DatabaseError::from(error)))?;
        }
        Self::over(Database::create(path).map_err(|error| not_opened(path, error))?, lease, ttl)
    }

    /// A store that ends with the process.
    pub fn in_memory(lease: Duration, ttl: Duration) -> Result<Self, StoreError> {
        let database = Database::builder().create_with_backend(InMemoryBackend::new());
        Self::over(database.map_err(refused)?, lease, ttl)
    }

    fn over(database: Database, lease: Duration, ttl: Duration) -> Result<Self, StoreError> {
        let orphans = prepare(&database)?;
        let shared = Shared {
            database,
            lease,
            ttl,
            memory: Mutex::default(),
            live: broadcast::Sender::new(LIVE_BUFFER),
            ready: watch::Sender::new(0),
            seen: AtomicU64::new(0),
        };
        for id in orphans {
            shared.requeue(id)?;
        }
        Ok(Self(Arc::new(shared)))
    }

    /// Runs what may touch the disk where it does not hold up other tasks.
    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Shared) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let shared = self.0.clone();
        let done = tokio::task::spawn_blocking(move || work(&shared)).await;
        done.unwrap_or_else(|panic| Err(StoreError::Corrupt(panic.to_string())))
    }
}

impl Shared {
    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
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

    /// Makes a job ready again whose process died.
    fn requeue(&self, id: JobId) -> Result<(), StoreError> {
        let memory = self.memory();
        let mut step = Step::begin(&self.database)?;
        if let Some(row) = step.row(id)? {
            let lease = Lease { job: id, attempt: row.job.attempt };
            let worker = row.job.worker.clone().unwrap_or_else(|| WorkerId("unknown".into()));
            let release = Transition::release(&lease, worker);
            step.follow(row, &release.next, &release.event)?;
        }
        self.commit(step, &memory)
    }

    fn submit(&self, id: JobId, request: JobRequest) -> Result<Job, StoreError> {
        let memory = self.memory();
        let mut step = Step::begin(&self.database)?;
        if let Some(row) = step.row(id)? {
            return Ok(row.job);
        }
        let (ticker, date) = (request.ticker.clone(), request.date);
        let job = Job {
            id,
            request,
            status: Status::Pending,
            created_at: step.now,
            started_at: None,
            completed_at: None,
            error: None,
            error_type: None,
            attempt: 0,
            retry_count: 0,
            worker: None,
            decision: None,
        };
        step.add(job.clone())?;
        step.tell(id, EventKind::Submitted { ticker, date })?;
        self.commit(step, &memory)?;
        Ok(job)
    }

    fn claim(&self, worker: WorkerId) -> Result<Option<Claim>, StoreError> {
        let mut memory = self.memory();
        let mut step = Step::begin(&self.database)?;
        let Some(mut row) = step.next_ready()? else {
            self.seen.store(*self.ready.borrow(), Ordering::Relaxed);
            return Ok(None);
        };
        let id = row.job.id;
        let checkpoint = step.checkpoint(id)?;
        row.job.attempt += 1;
        row.job.started_at = Some(step.now);
        row.job.worker = Some(worker.clone());
        let claimed = EventKind::Claimed { worker, attempt: row.job.attempt, resumed: checkpoint.is_some() };
        step.tell(id, claimed)?;
        let job = step.change(row, Status::Running, Duration::ZERO)?;
        self.commit(step, &memory)?;
        memory.leases.insert(id, Instant::now() + self.lease);
        Ok(Some(Claim { job, checkpoint }))
    }

    fn record(&self, lease: &Lease, events: Vec<EventKind>, checkpoint: Option<&[u8]>) -> Result<Recorded, StoreError> {
        let mut memory = self.memory();
        let mut step = Step::begin(&self.database)?;
        let held = step.row(lease.job)?.is_some_and(|row| runs_under(&row.job, lease.attempt));
        if !held {
            return Ok(Recorded::LeaseLost);
        }
        if !events.is_empty() || checkpoint.is_some() {
            for event in events {
                step.tell(lease.job, event)?;
            }
            if let Some(state) = checkpoint {
                step.set_checkpoint(lease.job, state)?;
            }
            self.commit(step, &memory)?;
        }
        memory.leases.insert(lease.job, Instant::now() + self.lease);
        Ok(Recorded::Done)
    }

    fn apply(&self, transition: &Transition) -> Result<Applied, StoreError> {
        let mut memory = self.memory();
        let mut step = Step::begin(&self.database)?;
        let Some(row) = step.row(transition.job)? else { return Ok(Applied::Unknown) };
        let holds = match transition.guard {
            Guard::Attempt(attempt) => runs_under(&row.job, attempt),
            Guard::Expired(attempt) => runs_under(&row.job, attempt) && memory.is_over(row.job.id),
            Guard::Unfinished => !row.job.status.is_terminal(),
        };
        if !holds {
            return Ok(Applied::Refused(row.job));
        }
        let job = step.follow(row, &transition.next, &transition.event)?;
        self.commit(step, &memory)?;
        memory.leases.remove(&job.id);
        Ok(Applied::Done(job))
    }

    fn tidy(&self) -> Result<(), StoreError> {
        let mut memory = self.memory();
        let silent = Instant::now().checked_sub(self.lease);
        memory.workers.retain(|_, (_, seen)| silent.is_none_or(|silent| *seen >= silent));
        let mut step = Step::begin(&self.database)?;
        if !step.has_chores(self.ttl)? {
            return Ok(());
        }
        step.wake_due(TIDY_LIMIT)?;
        step.forget_old(self.ttl, TIDY_LIMIT)?;
        self.commit(step, &memory)
    }

    fn get(&self, id: JobId) -> Result<Option<Job>, StoreError> {
        let transaction = self.database.begin_read().map_err(refused)?;
        let jobs = transaction.open_table(JOBS).map_err(refused)?;
        job_at(&jobs, key(id))
    }

    fn list(&self, listing: &Listing) -> Result<Page, StoreError> {
        let transaction = self.database.begin_read().map_err(refused)?;
        let jobs = transaction.open_table(JOBS).map_err(refused)?;
        let before = listing.cursor.map_or(Key::MAX, key);
        // One more than asked tells whether there is another page.
        let take = listing.limit.saturating_add(1);
        let mut found: Vec<Job> = match (&listing.ticker, listing.status) {
            (Some(ticker), status) => {
                let table = transaction.open_table(BY_TICKER).map_err(refused)?;
                let range = table.range((ticker.as_str(), 0)..(ticker.as_str(), before)).map_err(refused)?;
                let all = range.rev().map(|entry| job_at(&jobs, entry.map_err(refused)?.0.value().1));
                let matching = all.filter_map(Result::transpose);
                let matching = matching
                    .filter(|job| job.as_ref().map_or(true, |job| status.is_none_or(|status| job.status == status)));
                matching.take(take).collect::<Result<_, _>>()?
            }
            (None, Some(status)) => {
                let table = transaction.open_table(BY_STATUS).map_err(refused)?;
                let status = status_key(status);
                let range = table.range((status, 0)..(status, before)).map_err(refused)?;
                let all = range.rev().take(take).map(|entry| job_at(&jobs, entry.map_err(refused)?.0.value().1));
                all.filter_map(Result::transpose).collect::<Result<_, _>>()?
            }
            (None, None) => {
                let range = jobs.range(0..before).map_err(refused)?;
                let all = range.rev().take(take);
                all.map(|entry| Ok(from_json::<Row>(entry.map_err(refused)?.1.value())?.job))
                    .collect::<Result<_, _>>()?
            }
        };
        let more = found.len() > listing.limit;
        found.truncate(listing.limit);
        Ok(Page { next: found.last().filter(|_| more).map(|job| job.id), jobs: found })
    }

    fn stats(&self) -> Result<Stats, StoreError> {
        let transaction = self.database.begin_read().map_err(refused)?;
        let counts = transaction.open_table(COUNTS).map_err(refused)?;
        let count = |status| -> Result<u64, StoreError> {
            Ok(counts.get(status_key(status)).map_err(refused)?.map_or(0, |count| count.value()))
        };
        Ok(Stats {
            pending: count(Status::Pending)?,
            running: count(Status::Running)?,
            completed: count(Status::Completed)?,
            failed: count(Status::Failed)?,
            cancelled: count(Status::Cancelled)?,
        })
    }

    fn expired(&self) -> Result<Vec<Job>, StoreError> {
        let now = Instant::now();
        let memory = self.memory();
        let over = memory.leases.iter().filter(|(_, end)| **end <= now).map(|(id, _)| *id);
        let over: Vec<_> = over.take(TIDY_LIMIT).collect();
        drop(memory);
        over.into_iter().filter_map(|id| self.get(id).transpose()).collect()
    }

    fn replay(&self, scope: Scope, after: EventId, limit: usize) -> Result<Replay, StoreError> {
        let transaction = self.database.begin_read().map_err(refused)?;
        let events = transaction.open_table(EVENTS).map_err(refused)?;
        let Some(first) = next_id(after) else { return Ok(Replay::default()) };
        match scope {
            Scope::All => {
                let numbers = transaction.open_table(NUMBERS).map_err(refused)?;
                let purged = last_purged(&numbers)?;
                let range = events.range(first..).map_err(refused)?.take(limit);
                let found =
                    range.map(|entry| from_json(entry.map_err(refused)?.1.value())).collect::<Result<_, _>>()?;
                Ok(Replay { events: found, gap: (after.ms, after.seq) < purged })
            }
            Scope::Job(id) => {
                let by_job = transaction.open_table(JOB_EVENTS).map_err(refused)?;
                let id = key(id);
                let range = by_job.range((id, first.0, first.1)..=(id, u64::MAX, u64::MAX)).map_err(refused)?;
                let mut found = Vec::new();
                for entry in range.take(limit) {
                    let (_, ms, seq) = entry.map_err(refused)?.0.value();
                    if let Some(event) = events.get((ms, seq)).map_err(refused)? {
                        found.push(from_json(event.value())?);
                    }
                }
                Ok(Replay { events: found, gap: false })
            }
        }
    }
}

impl Memory {
    /// Whether a running job's lease is over. One without a lease never had a holder in this process.
    fn is_over(&self, job: JobId) -> bool {
        self.leases.get(&job).is_none_or(|end| *end <= Instant::now())
    }
}

fn runs_under(job: &Job, attempt: u32) -> bool {
    job.status == Status::Running && job.attempt == attempt
}

fn job_at(jobs: &impl ReadableTable<Key, &'static [u8]>, id: Key) -> Result<Option<Job>, StoreError> {
    let row = jobs.get(id).map_err(refused)?;
    row.map(|row| Ok(from_json::<Row>(row.value())?.job)).transpose()
}

/// The least id after `id`.
fn next_id(id: EventId) -> Option<(u64, u64)> {
    match id.seq.checked_add(1) {
        Some(seq) => Some((id.ms, seq)),
        None => Some((id.ms.checked_add(1)?, 0)),
    }
}

#[async_trait]
impl Store for EmbeddedStore {
    async fn submit(&self, id: JobId, request: &JobRequest) -> Result<Job, StoreError> {
        let request = request.clone();
        self.blocking(move |store| store.submit(id, request)).await
    }

    async fn get(&self, id: JobId) -> Result<Option<Job>, StoreError> {
        self.blocking(move |store| store.get(id)).await
    }

    async fn list(&self, listing: &Listing) -> Result<Page, StoreError> {
        let listing = listing.clone();
        self.blocking(move |store| store.list(&listing)).await
    }

    async fn stats(&self) -> Result<Stats, StoreError> {
        self.blocking(Shared::stats).await
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

    async fn record(
        &self,
        lease: &Lease,
        events: Vec<EventKind>,
        checkpoint: Option<Vec<u8>>,
    ) -> Result<Recorded, StoreError> {
        let lease = lease.clone();
        self.blocking(move |store| store.record(&lease, events, checkpoint.as_deref())).await
    }

    async fn apply(&self, transition: &Transition) -> Result<Applied, StoreError> {
        let transition = transition.clone();
        self.blocking(move |store| store.apply(&transition)).await
    }

    async fn expired(&self) -> Result<Vec<Job>, StoreError> {
        self.blocking(Shared::expired).await
    }

    async fn tidy(&self) -> Result<(), StoreError> {
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

    async fn ping(&self) -> Result<(), StoreError> {
        self.blocking(|store| store.stats().map(drop)).await
    }
}
