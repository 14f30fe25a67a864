//! What is read: of one moment each, and never held up by a step that writes.

use std::time::{Duration, Instant};

use chrono::Utc;
use redb::{ReadableDatabase, ReadableTable, ReadableTableMetadata};

use super::{
    Shared, TIDY_LIMIT,
    failure::refused,
    step::{count_of, from_json, last_purged, millis},
    tables::{
        BATCHES, BY_STATUS, BY_TICKER, CHECKPOINTS, COUNTS, EVENTS, JOB_EVENTS, JOBS, Key, NUMBERS, Row, WEBHOOKS_DUE,
        ready, status_key,
    },
};
use crate::jobs::{
    BatchId, EventId, Job, JobId, Listing, Outbox, Page, Priority, Replay, Scope, Stats, Status, StoreError,
    stored::readable,
};

impl Shared {
    pub fn get(&self, id: JobId) -> Result<Option<Job>, StoreError> {
        let transaction = self.database.begin_read().map_err(refused)?;
        let jobs = transaction.open_table(JOBS).map_err(refused)?;
        job_at(&jobs, id.as_u128())
    }

    pub fn checkpoint(&self, id: JobId) -> Result<Option<Vec<u8>>, StoreError> {
        let transaction = self.database.begin_read().map_err(refused)?;
        let checkpoints = transaction.open_table(CHECKPOINTS).map_err(refused)?;
        Ok(checkpoints.get(id.as_u128()).map_err(refused)?.map(|state| state.value().to_vec()))
    }

    pub fn batch(&self, id: BatchId) -> Result<Vec<Job>, StoreError> {
        let transaction = self.database.begin_read().map_err(refused)?;
        let jobs = transaction.open_table(JOBS).map_err(refused)?;
        let batches = transaction.open_table(BATCHES).map_err(refused)?;
        let id = id.as_u128();
        let range = batches.range((id, 0)..=(id, Key::MAX)).map_err(refused)?;
        let found = range.map(|entry| listed(&jobs, entry.map_err(refused)?.0.value().1));
        found.filter_map(Result::transpose).collect()
    }

    pub fn list(&self, listing: &Listing) -> Result<Page, StoreError> {
        let transaction = self.database.begin_read().map_err(refused)?;
        let jobs = transaction.open_table(JOBS).map_err(refused)?;
        let before = listing.cursor.map_or(Key::MAX, JobId::as_u128);
        // One more than asked tells whether there is another page.
        let take = listing.limit.saturating_add(1);
        let mut ids: Vec<Key> = match (&listing.ticker, listing.status) {
            (Some(ticker), status) => {
                let table = transaction.open_table(BY_TICKER).map_err(refused)?;
                let ticker = ticker.as_str();
                let mut ids = Vec::new();
                for status in status.map_or(Status::ALL.to_vec(), |status| vec![status]).into_iter().map(status_key) {
                    let range = table.range((ticker, status, 0)..(ticker, status, before)).map_err(refused)?;
                    for entry in range.rev().take(take) {
                        ids.push(entry.map_err(refused)?.0.value().2);
                    }
                }
                // The newest of all are among the newest of each status.
                ids.sort_unstable_by(|a, b| b.cmp(a));
                ids
            }
            (None, Some(status)) => {
                let table = transaction.open_table(BY_STATUS).map_err(refused)?;
                let status = status_key(status);
                let range = table.range((status, 0)..(status, before)).map_err(refused)?;
                let all = range.rev().take(take).map(|entry| Ok(entry.map_err(refused)?.0.value().1));
                all.collect::<Result<_, StoreError>>()?
            }
            (None, None) => {
                let range = jobs.range(0..before).map_err(refused)?;
                let all = range.rev().take(take).map(|entry| Ok(entry.map_err(refused)?.0.value()));
                all.collect::<Result<_, StoreError>>()?
            }
        };
        let more = ids.len() > listing.limit;
        ids.truncate(listing.limit);
        let next = ids.last().filter(|_| more).map(|id| JobId::from_u128(*id));
        let found = ids.into_iter().filter_map(|id| listed(&jobs, id).transpose());
        Ok(Page { jobs: found.collect::<Result<_, _>>()?, next })
    }

    pub fn stats(&self) -> Result<Stats, StoreError> {
        let transaction = self.database.begin_read().map_err(refused)?;
        let counts = transaction.open_table(COUNTS).map_err(refused)?;
        let count = |status| count_of(&counts, status);
        Ok(Stats {
            pending: count(Status::Pending)?,
            running: count(Status::Running)?,
            completed: count(Status::Completed)?,
            failed: count(Status::Failed)?,
            cancelled: count(Status::Cancelled)?,
        })
    }

    pub fn oldest_ready(&self) -> Result<Option<Duration>, StoreError> {
        let transaction = self.database.begin_read().map_err(refused)?;
        let jobs = transaction.open_table(JOBS).map_err(refused)?;
        let mut waits = Vec::new();
        for priority in Priority::ALL {
            let ready = transaction.open_table(ready(priority)).map_err(refused)?;
            if let Some((_, id)) = ready.first().map_err(refused)?
                && let Some(row) = jobs.get(id.value()).map_err(refused)?
            {
                let since = readable(JobId::from_u128(id.value()), from_json::<Row>(row.value())).map(|row| row.since);
                waits.push((Utc::now() - since.unwrap_or_else(Utc::now)).to_std().unwrap_or_default());
            }
        }
        Ok(waits.into_iter().max())
    }

    pub fn expired(&self) -> Result<Vec<Job>, StoreError> {
        let now = Instant::now();
        let memory = self.memory();
        let over = memory.leases.iter().filter(|(_, end)| **end <= now).map(|(id, _)| *id);
        let over: Vec<_> = over.take(TIDY_LIMIT).collect();
        drop(memory);
        over.into_iter().filter_map(|id| self.get(id).transpose()).collect()
    }

    pub fn outbox(&self) -> Result<Outbox, StoreError> {
        let transaction = self.database.begin_read().map_err(refused)?;
        let due = transaction.open_table(WEBHOOKS_DUE).map_err(refused)?;
        let first = due.first().map_err(refused)?.map(|(first, _)| first.value().0);
        let overdue = first.map_or(0, |due| millis(Utc::now()).saturating_sub(due));
        Ok(Outbox { waiting: due.len().map_err(refused)?, overdue: Duration::from_millis(overdue) })
    }

    pub fn replay(&self, scope: Scope, after: EventId, limit: usize) -> Result<Replay, StoreError> {
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
                let id = id.as_u128();
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

fn job_at(jobs: &impl ReadableTable<Key, &'static [u8]>, id: Key) -> Result<Option<Job>, StoreError> {
    let row = jobs.get(id).map_err(refused)?;
    row.map(|row| Ok(from_json::<Row>(row.value())?.job)).transpose()
}

/// The job for a list, which goes on without one that can't be read.
fn listed(jobs: &impl ReadableTable<Key, &'static [u8]>, id: Key) -> Result<Option<Job>, StoreError> {
    let row = jobs.get(id).map_err(refused)?;
    let row = row.and_then(|row| readable(JobId::from_u128(id), from_json::<Row>(row.value())));
    Ok(row.map(|row| row.job))
}

/// The least id after `id`.
fn next_id(id: EventId) -> Option<(u64, u64)> {
    match id.seq.checked_add(1) {
        Some(seq) => Some((id.ms, seq)),
        None => Some((id.ms.checked_add(1)?, 0)),
    }
}
