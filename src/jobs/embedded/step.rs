//! One atomic step that writes: a transaction, and what follows once it is committed.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use redb::{Database, ReadableDatabase, ReadableTable, ReadableTableMetadata, WriteTransaction};

use super::{
    failure::refused,
    tables::{
        BATCHES, BY_STATUS, BY_TICKER, CHECKPOINTS, COUNTS, DELAYED, ENDED, EVENTS, JOB_EVENTS, JOBS, KEYS, KEYS_ENDS,
        Key, LAST_PURGED, NUMBERS, Place, Row, WEBHOOKS, WEBHOOKS_DUE, event_id, ready, status_key,
    },
};
use crate::jobs::{
    Event, EventId, EventKind, Job, JobId, Keep, Priority, Status, StoreError,
    stored::readable,
    transition::{Cause, Next},
};

/// A step under way. Dropped without [`commit`](Self::commit), it has not happened.
pub struct Step {
    pub(super) transaction: WriteTransaction,
    pub now: DateTime<Utc>,
    last_event: EventId,
    events: Vec<Event>,
    /// Whether a job became ready.
    woke: bool,
}

/// What a committed step has to be followed by.
pub struct Done {
    /// To be told to listeners, in this order.
    pub events: Vec<Event>,
    pub woke: bool,
}

impl Step {
    /// Begins; waits until no other step is under way.
    pub fn begin(database: &Database) -> Result<Self, StoreError> {
        let transaction = database.begin_write().map_err(refused)?;
        let events = transaction.open_table(EVENTS).map_err(refused)?;
        let last_event = last_event(&events, &transaction.open_table(NUMBERS).map_err(refused)?)?;
        drop(events);
        Ok(Self { transaction, now: Utc::now(), last_event, events: Vec::new(), woke: false })
    }

    /// Makes it durable: once this returns, it survives a crash.
    pub fn commit(self) -> Result<Done, StoreError> {
        self.transaction.commit().map_err(refused)?;
        Ok(Done { events: self.events, woke: self.woke })
    }

    pub fn row(&self, id: JobId) -> Result<Option<Row>, StoreError> {
        let jobs = self.transaction.open_table(JOBS).map_err(refused)?;
        jobs.get(id.as_u128()).map_err(refused)?.map(|row| from_json(row.value())).transpose()
    }

    /// Those of these jobs that are kept.
    pub fn jobs(&self, ids: &[JobId]) -> Result<Vec<Job>, StoreError> {
        ids.iter().filter_map(|id| self.row(*id).transpose()).map(|row| Ok(row?.job)).collect()
    }

    /// Stores a job that is new, to be claimed when it may begin.
    pub fn add(&mut self, job: Job) -> Result<(), StoreError> {
        let id = job.id.as_u128();
        if let Some(batch) = job.batch {
            let mut batches = self.transaction.open_table(BATCHES).map_err(refused)?;
            batches.insert((batch.as_u128(), id), ()).map_err(refused)?;
        }
        self.index(&job)?;
        let delay = job.request.not_before.and_then(|time| (time - self.now).to_std().ok());
        let place = self.wait(id, job.request.priority, delay.unwrap_or_default())?;
        self.write(&Row { job, place, since: self.now, recorded: 0, ending: None })
    }

    /// Takes the job that has been ready for longest, of the first of these priorities that has any.
    pub fn next_ready(&mut self, order: [Priority; 3]) -> Result<Option<Row>, StoreError> {
        for priority in order {
            let mut ready = self.transaction.open_table(ready(priority)).map_err(refused)?;
            while let Some((_, id)) = ready.pop_first().map_err(refused)? {
                let id = JobId::from_u128(id.value());
                // One that can't be read is out of the way of the others then.
                if let Some(Some(row)) = readable(id, self.row(id)) {
                    return Ok(Some(Row { place: Place::Nowhere, ..row }));
                }
            }
        }
        Ok(None)
    }

    /// Changes a job's status, wherever it waits, and stores it. Its other fields are the caller's.
    pub fn change(&mut self, mut row: Row, status: Status, delay: Duration) -> Result<Job, StoreError> {
        let id = row.job.id.as_u128();
        let priority = row.job.request.priority;
        self.stop_waiting(id, priority, row.place)?;
        self.unindex(&row.job)?;
        row.job.status = status;
        self.index(&row.job)?;
        row.since = self.now;
        row.place = if status == Status::Pending { self.wait(id, priority, delay)? } else { Place::Nowhere };
        if status.is_terminal() {
            self.end(id, &mut row.job)?;
        }
        self.write(&row)?;
        Ok(row.job)
    }

    /// Does what a transition says, once its guard is known to hold.
    pub fn follow(&mut self, mut row: Row, next: &Next, event: &EventKind) -> Result<Job, StoreError> {
        let job = &mut row.job;
        let mut delay = Duration::ZERO;
        match next {
            Next::Pending { delay: wait, cause } => {
                delay = *wait;
                if let Some(cause) = cause {
                    job.retry_count += 1;
                    show(job, cause);
                }
            }
            Next::Anew => {
                job.retry_count = 0;
                self.reopen(job)?;
            }
            Next::Completed(decision) => {
                (job.error, job.error_type) = (None, None);
                job.decision = Some(*decision);
            }
            Next::Failed(cause) => show(job, cause),
            Next::Cancelled => {}
        }
        let told = self.tell(job.id, event.clone())?;
        if next.status().is_terminal() {
            self.post(job, told, event)?;
        }
        self.change(row, next.status(), delay)
    }

    /// Appends an event; returns its id.
    pub fn tell(&mut self, job: JobId, kind: EventKind) -> Result<EventId, StoreError> {
        let ms = millis(self.now);
        let last = self.last_event;
        // The clock may have been set back; ids only rise.
        let id = if ms > last.ms { EventId { ms, seq: 0 } } else { EventId { ms: last.ms, seq: last.seq + 1 } };
        let event = Event { id, job_id: job, at: self.now, kind };
        let mut events = self.transaction.open_table(EVENTS).map_err(refused)?;
        events.insert((id.ms, id.seq), to_json(&event).as_slice()).map_err(refused)?;
        let mut by_job = self.transaction.open_table(JOB_EVENTS).map_err(refused)?;
        by_job.insert((job.as_u128(), id.ms, id.seq), ()).map_err(refused)?;
        self.last_event = id;
        self.events.push(event);
        Ok(id)
    }

    pub fn checkpoint(&self, job: JobId) -> Result<Option<Vec<u8>>, StoreError> {
        let checkpoints = self.transaction.open_table(CHECKPOINTS).map_err(refused)?;
        Ok(checkpoints.get(job.as_u128()).map_err(refused)?.map(|state| state.value().to_vec()))
    }

    pub fn set_checkpoint(&mut self, job: JobId, state: &[u8]) -> Result<(), StoreError> {
        let mut checkpoints = self.transaction.open_table(CHECKPOINTS).map_err(refused)?;
        checkpoints.insert(job.as_u128(), state).map_err(refused)?;
        Ok(())
    }

    /// Whether a delayed job is due, or an old one or a key can be forgotten. A step without a chore need not be
    /// committed.
    pub fn has_chores(&self, keep: Keep) -> Result<bool, StoreError> {
        let due = self.earliest(DELAYED, self.now, 1)?;
        let old = self.surplus(keep, 1)?;
        Ok(!due.is_empty() || !old.is_empty() || self.has_old_keys()?)
    }

    /// Makes ready what is due, at most `limit` jobs.
    pub fn wake_due(&mut self, limit: usize) -> Result<(), StoreError> {
        let due = self.earliest(DELAYED, self.now, limit)?;
        for (time, id) in due {
            self.transaction.open_table(DELAYED).map_err(refused)?.remove((time, id)).map_err(refused)?;
            let job = JobId::from_u128(id);
            if let Some(Some(mut row)) = readable(job, self.row(job)) {
                let priority = row.job.request.priority;
                row.since = self.now;
                row.place = self.wait(id, priority, Duration::ZERO)?;
                self.write(&row)?;
            }
        }
        Ok(())
    }

    /// Forgets jobs that ended and are not to be kept, at most `limit`, with all that belongs to them.
    pub fn forget_old(&mut self, keep: Keep, limit: usize) -> Result<(), StoreError> {
        for (ended, id) in self.surplus(keep, limit)? {
            self.transaction.open_table(ENDED).map_err(refused)?.remove((ended, id)).map_err(refused)?;
            let row = readable(JobId::from_u128(id), self.row(JobId::from_u128(id))).flatten();
            self.transaction.open_table(JOBS).map_err(refused)?.remove(id).map_err(refused)?;
            if let Some(Row { job, .. }) = row {
                self.unindex(&job)?;
                if let Some(batch) = job.batch {
                    let mut batches = self.transaction.open_table(BATCHES).map_err(refused)?;
                    batches.remove((batch.as_u128(), id)).map_err(refused)?;
                }
            }
            self.forget_events(id)?;
        }
        Ok(())
    }

    fn forget_events(&mut self, job: Key) -> Result<(), StoreError> {
        let mut by_job = self.transaction.open_table(JOB_EVENTS).map_err(refused)?;
        let mut events = self.transaction.open_table(EVENTS).map_err(refused)?;
        let mut numbers = self.transaction.open_table(NUMBERS).map_err(refused)?;
        let mut last_purged = last_purged(&numbers)?;
        for entry in by_job.extract_from_if((job, 0, 0)..=(job, u64::MAX, u64::MAX), |_, ()| true).map_err(refused)? {
            let (_, ms, seq) = entry.map_err(refused)?.0.value();
            events.remove((ms, seq)).map_err(refused)?;
            last_purged = last_purged.max((ms, seq));
        }
        numbers.insert(LAST_PURGED, last_purged).map_err(refused)?;
        Ok(())
    }

    /// Jobs that ended and are not to be kept: those that did so too long ago, and the first of too many.
    fn surplus(&self, keep: Keep, limit: usize) -> Result<Vec<(u64, Key)>, StoreError> {
        let ended = self.transaction.open_table(ENDED).map_err(refused)?.len().map_err(refused)?;
        let over = usize::try_from(ended.saturating_sub(keep.most)).unwrap_or(limit).min(limit);
        let old = self.earliest(ENDED, self.before(keep.ttl), limit)?;
        if over > old.len() { self.earliest(ENDED, DateTime::<Utc>::MAX_UTC, over) } else { Ok(old) }
    }

    /// The time at which what is forgotten now had ended.
    fn before(&self, ttl: Duration) -> DateTime<Utc> {
        let ttl = TimeDelta::from_std(ttl).unwrap_or(TimeDelta::MAX);
        self.now.checked_sub_signed(ttl).unwrap_or(DateTime::UNIX_EPOCH)
    }

    /// The first entries of a table that is ordered by time, up to `until`.
    fn earliest(
        &self,
        table: redb::TableDefinition<(u64, Key), ()>,
        until: DateTime<Utc>,
        limit: usize,
    ) -> Result<Vec<(u64, Key)>, StoreError> {
        let table = self.transaction.open_table(table).map_err(refused)?;
        let range = table.range((0, 0)..=(millis(until), Key::MAX)).map_err(refused)?;
        range.take(limit).map(|entry| Ok(entry.map_err(refused)?.0.value())).collect()
    }

    /// Puts a job where it waits for its next claim.
    fn wait(&mut self, id: Key, priority: Priority, delay: Duration) -> Result<Place, StoreError> {
        if delay.is_zero() {
            let mut ready = self.transaction.open_table(ready(priority)).map_err(refused)?;
            let number = ready.last().map_err(refused)?.map_or(0, |(last, _)| last.value()) + 1;
            ready.insert(number, id).map_err(refused)?;
            self.woke = true;
            return Ok(Place::Ready(number));
        }
        let due = later(self.now, delay);
        self.transaction.open_table(DELAYED).map_err(refused)?.insert((due, id), ()).map_err(refused)?;
        Ok(Place::Delayed(due))
    }

    fn stop_waiting(&mut self, id: Key, priority: Priority, place: Place) -> Result<(), StoreError> {
        match place {
            Place::Nowhere => {}
            Place::Ready(number) => {
                self.transaction.open_table(ready(priority)).map_err(refused)?.remove(number).map_err(refused)?;
            }
            Place::Delayed(due) => {
                self.transaction.open_table(DELAYED).map_err(refused)?.remove((due, id)).map_err(refused)?;
            }
        }
        Ok(())
    }

    /// What an ending brings: its time, and no checkpoint any more.
    fn end(&mut self, id: Key, job: &mut Job) -> Result<(), StoreError> {
        job.completed_at = Some(self.now);
        self.transaction.open_table(ENDED).map_err(refused)?.insert((millis(self.now), id), ()).map_err(refused)?;
        self.transaction.open_table(CHECKPOINTS).map_err(refused)?.remove(id).map_err(refused)?;
        Ok(())
    }

    /// Takes an ending back. What it told stays told.
    fn reopen(&mut self, job: &mut Job) -> Result<(), StoreError> {
        job.webhook = None;
        if let Some(end) = job.completed_at.take() {
            let mut ended = self.transaction.open_table(ENDED).map_err(refused)?;
            ended.remove((millis(end), job.id.as_u128())).map_err(refused)?;
        }
        Ok(())
    }

    fn index(&mut self, job: &Job) -> Result<(), StoreError> {
        let (ticker, status, id) = (job.request.ticker.as_str(), status_key(job.status), job.id.as_u128());
        self.transaction.open_table(BY_STATUS).map_err(refused)?.insert((status, id), ()).map_err(refused)?;
        self.transaction.open_table(BY_TICKER).map_err(refused)?.insert((ticker, status, id), ()).map_err(refused)?;
        self.count(job.status, |count| count + 1)
    }

    fn unindex(&mut self, job: &Job) -> Result<(), StoreError> {
        let (ticker, status, id) = (job.request.ticker.as_str(), status_key(job.status), job.id.as_u128());
        self.transaction.open_table(BY_STATUS).map_err(refused)?.remove((status, id)).map_err(refused)?;
        self.transaction.open_table(BY_TICKER).map_err(refused)?.remove((ticker, status, id)).map_err(refused)?;
        self.count(job.status, |count| count.saturating_sub(1))
    }

    /// How many jobs are pending.
    pub fn pending(&self) -> Result<u64, StoreError> {
        let counts = self.transaction.open_table(COUNTS).map_err(refused)?;
        count_of(&counts, Status::Pending)
    }

    fn count(&mut self, status: Status, change: impl FnOnce(u64) -> u64) -> Result<(), StoreError> {
        let mut counts = self.transaction.open_table(COUNTS).map_err(refused)?;
        let count = count_of(&counts, status)?;
        counts.insert(status_key(status), change(count)).map_err(refused)?;
        Ok(())
    }

    pub fn write(&mut self, row: &Row) -> Result<(), StoreError> {
        let mut jobs = self.transaction.open_table(JOBS).map_err(refused)?;
        jobs.insert(row.job.id.as_u128(), to_json(row).as_slice()).map_err(refused)?;
        Ok(())
    }
}

/// Makes all tables, so that a reader finds them, and returns the jobs that ran when the last process ended.
pub fn prepare(database: &Database) -> Result<Vec<JobId>, StoreError> {
    let transaction = database.begin_write().map_err(refused)?;
    transaction.open_table(JOBS).map_err(refused)?;
    transaction.open_table(BY_TICKER).map_err(refused)?;
    transaction.open_table(BY_STATUS).map_err(refused)?;
    transaction.open_table(COUNTS).map_err(refused)?;
    for priority in Priority::ALL {
        transaction.open_table(ready(priority)).map_err(refused)?;
    }
    transaction.open_table(BATCHES).map_err(refused)?;
    transaction.open_table(KEYS).map_err(refused)?;
    transaction.open_table(KEYS_ENDS).map_err(refused)?;
    transaction.open_table(WEBHOOKS).map_err(refused)?;
    transaction.open_table(WEBHOOKS_DUE).map_err(refused)?;
    transaction.open_table(DELAYED).map_err(refused)?;
    transaction.open_table(ENDED).map_err(refused)?;
    transaction.open_table(CHECKPOINTS).map_err(refused)?;
    transaction.open_table(EVENTS).map_err(refused)?;
    transaction.open_table(JOB_EVENTS).map_err(refused)?;
    transaction.open_table(NUMBERS).map_err(refused)?;
    transaction.commit().map_err(refused)?;

    let transaction = database.begin_read().map_err(refused)?;
    let by_status = transaction.open_table(BY_STATUS).map_err(refused)?;
    let running = status_key(Status::Running);
    let range = by_status.range((running, 0)..=(running, Key::MAX)).map_err(refused)?;
    range.map(|entry| Ok(JobId::from_u128(entry.map_err(refused)?.0.value().1))).collect()
}

/// The id of the last event of all, whether or not its job has been forgotten.
pub fn last_event(
    events: &impl ReadableTable<(u64, u64), &'static [u8]>,
    numbers: &impl ReadableTable<&'static str, (u64, u64)>,
) -> Result<EventId, StoreError> {
    let kept = events.last().map_err(refused)?.map_or((0, 0), |(id, _)| id.value());
    Ok(event_id(kept.max(last_purged(numbers)?)))
}

/// The greatest id among the events that were removed with their jobs.
pub fn last_purged(numbers: &impl ReadableTable<&'static str, (u64, u64)>) -> Result<(u64, u64), StoreError> {
    Ok(numbers.get(LAST_PURGED).map_err(refused)?.map_or((0, 0), |id| id.value()))
}

/// How many jobs have this status.
pub fn count_of(counts: &impl ReadableTable<u8, u64>, status: Status) -> Result<u64, StoreError> {
    Ok(counts.get(status_key(status)).map_err(refused)?.map_or(0, |count| count.value()))
}

/// The millisecond that comes so long after a time.
pub fn later(time: DateTime<Utc>, delay: Duration) -> u64 {
    millis(time).saturating_add(u64::try_from(delay.as_millis()).unwrap_or(u64::MAX))
}

pub fn millis(time: DateTime<Utc>) -> u64 {
    u64::try_from(time.timestamp_millis()).unwrap_or_default()
}

pub fn from_json<T: serde::de::DeserializeOwned>(bytes: &[u8]) -> Result<T, StoreError> {
    serde_json::from_slice(bytes).map_err(|error| StoreError::Corrupt(error.to_string()))
}

pub fn to_json(value: &impl serde::Serialize) -> Vec<u8> {
    serde_json::to_vec(value).expect("rows have no map with keys that are no texts")
}

fn show(job: &mut Job, cause: &Cause) {
    job.error = Some(cause.error.clone());
    job.error_type = Some(cause.error_type);
}
