//! A store in Redis (7 or newer, or Valkey), for any number of processes and hosts.
//!
//! Each step is one Lua script, and so atomic; `lua/prelude.lua` has the keys, and what all scripts share. Jobs that are
//! ready wait in streams with a consumer group, one stream for each priority, and a lease is the idle time of the job's
//! entry there. Pub/sub carries the events and wakes those who wait for jobs ([`listener`]); an event lost with a
//! connection is read from the feed.

mod connection;
mod feed;
mod listener;
mod options;
mod record;
mod replicas;
mod scripts;

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use connection::Connection;
use fred::types::Value;
use futures_util::future::try_join_all;
use listener::Listener;
pub use options::{QueueName, RedisOptions};
use record::{Fields, checkpoint, delivery_of, job_of, jobs_of, submitted, to_json, unexpected, worker_of};
use replicas::Replicas;
use scripts::{
    APPLY, BATCH, CLAIM, CLAIM_DELIVERY, CONCLUDE_DELIVERY, EXPIRED, FORGET_WORKER, HEARTBEAT, LIST, OLDEST_READY,
    OUTBOX, PUBLISH, RECORD, STATS, SUBMIT, TIDY, WORKERS,
};
use tokio::sync::broadcast;
use tracing::warn;

use super::{
    Applied, Attempted, BatchId, Claim, DUE_LOOKED_AT, Delivery, Draft, ErrorType, Event, EventId, EventKind, Job,
    JobId, KEY_LIFETIME, Keep, Lease, Listing, Outbox, Page, Progress, Receipt, Recorded, Replay, Scope, Stats, Status,
    Store, StoreError, Submission, SubmitError, WorkerId, WorkerInfo, Writing,
    priority::Turns,
    stored::readable,
    transition::{Guard, Next, Transition},
};

/// Jobs that one call of `tidy` or `expired` handles at most.
const TIDY_LIMIT: usize = 100;

/// Jobs, events, checkpoints and heartbeats in Redis.
pub struct RedisStore {
    connection: Arc<Connection>,
    /// Those that have to have what is to be kept; none if nobody has to.
    replicas: Option<Replicas>,
    listener: Listener,
    lease: Duration,
    keep: Keep,
    /// How often a job had become ready before the last claim that found none.
    seen: AtomicU64,
    turns: Turns,
}

/// Arguments of a script.
macro_rules! args {
    ($($arg:expr),* $(,)?) => { vec![$(Value::from($arg.to_string())),*] };
}

impl RedisStore {
    /// The store at a URL, or as other options say. Redis need not be up yet: the connection is made in the background,
    /// again and again. Must be called within a tokio runtime.
    pub fn connect(
        options: impl Into<RedisOptions>,
        lease: Duration,
        keep: impl Into<Keep>,
    ) -> Result<Self, StoreError> {
        let options = options.into();
        let connection = Arc::new(Connection::new(&options)?.start());
        let replicas = if options.replicas == 0 { None } else { Some(Replicas::start(&options)?) };
        let listener = Listener::start(&options, connection.clone())?;
        let keep = keep.into();
        Ok(Self { connection, replicas, listener, lease, keep, seen: AtomicU64::new(0), turns: Turns::new() })
    }

    /// Waits for the first connection: before, what is read from the feed may be followed by events that nobody hears.
    async fn await_listening(&self) -> Result<(), StoreError> {
        if self.listener.is_listening().await { Ok(()) } else { Err(self.connection.unavailable("no connection yet")) }
    }

    /// Makes sure that the step that left a job like this is on as many replicas as there have to be. If Redis fails over in
    /// between, those of another primary are asked; then only the job as that one has it says whether the step is there.
    async fn assure(&self, left: &Job) -> Result<(), StoreError> {
        let Some(replicas) = &self.replicas else { return Ok(()) };
        replicas.have_it().await?;
        let holds =
            |job: &Job| job.status == left.status || job.attempt > left.attempt || job.status == Status::Cancelled;
        let record = replicas.record(left.id).await?;
        if !record.is_empty() && holds(&job_of(&record)?) {
            return Ok(());
        }
        Err(self.connection.unavailable("it failed over and lost what was written"))
    }

    /// Ends a running job whose record can't be read: it would take a turn, or a lease's end, for ever.
    async fn give_up(&self, fields: &Fields, guard: &str, cause: &StoreError) -> Result<(), StoreError> {
        // Whatever else is wrong with it.
        let [id, attempt, holder] = ["id", "attempt", "worker"].map(|name| fields.get(name).unwrap_or_default());
        let (error_type, error) = (ErrorType::Unknown, format!("another version stored this job: {cause}"));
        warn!(job.id = id, error, "a job that can't be read ends as failed");
        let event = to_json(&EventKind::Failed { error_type, error: error.clone() });
        let status = Status::Failed;
        let args =
            args![id, guard, attempt, holder, self.lease_ms(), status, 0, "", error_type.as_str(), error, "", event];
        self.connection.run::<Value>(&APPLY, args).await?;
        Ok(())
    }

    fn lease_ms(&self) -> u128 {
        self.lease.as_millis()
    }
}

#[async_trait]
impl Store for RedisStore {
    async fn submit(&self, submission: &Submission) -> Result<Receipt, SubmitError> {
        let key = submission.key.as_ref().map_or("", |key| key.as_str());
        let batch = submission.batch.map(|id| id.to_string()).unwrap_or_default();
        let most = submission.most_pending.map(|most| most.to_string()).unwrap_or_default();
        let mut args = args![most, key, submission.fingerprint(), KEY_LIFETIME.as_millis(), batch];
        for (id, request) in &submission.jobs {
            let event = EventKind::Submitted { ticker: request.ticker.clone(), date: request.date };
            let due = request.not_before.map(|time| time.timestamp_millis().to_string()).unwrap_or_default();
            let webhook = u8::from(request.webhook_url.is_some());
            args.extend(args![id, request.ticker, request.priority.as_str(), due, webhook]);
            args.extend(args![to_json(request), to_json(&event)]);
        }
        let (outcome, stored): (String, Vec<Value>) = self.connection.run(&SUBMIT, args).await?;
        match (outcome.as_str(), &submission.key, submission.most_pending) {
            ("conflict", Some(key), _) => return Err(SubmitError::KeyReused(key.clone())),
            ("full", _, Some(most)) => return Err(SubmitError::QueueFull { most }),
            _ => {}
        }
        let job = |(place, answer)| match answer {
            Value::Integer(created_at) => submitted(submission, place, created_at),
            record => job_of(&record.convert().map_err(unexpected)?),
        };
        let jobs: Vec<Job> = stored.into_iter().enumerate().map(job).collect::<Result<_, _>>()?;
        // They are stored in one step, so what is true of one is true of all.
        if let Some(job) = jobs.first() {
            self.assure(job).await?;
        }
        Ok(Receipt { jobs, repeated: outcome == "repeated" })
    }

    async fn get(&self, id: JobId) -> Result<Option<Job>, StoreError> {
        let fields = self.connection.hash(&format!("job:{id}")).await?;
        if fields.is_empty() { Ok(None) } else { job_of(&fields).map(Some) }
    }

    async fn checkpoint(&self, id: JobId) -> Result<Option<Vec<u8>>, StoreError> {
        checkpoint(self.connection.value(&format!("checkpoint:{id}")).await?)
    }

    async fn batch(&self, id: BatchId) -> Result<Vec<Job>, StoreError> {
        let ids: Vec<String> = self.connection.run(&BATCH, args![id]).await?;
        // One script that gave them all would hold up everybody for as long as all of them together do.
        let records = ids.iter().map(async |id| self.connection.hash(&format!("job:{id}")).await);
        let mut records = try_join_all(records).await?;
        records.retain(|record| !record.is_empty());
        Ok(jobs_of(&records))
    }

    async fn list(&self, listing: &Listing) -> Result<Page, StoreError> {
        let status = listing.status.map_or("", Status::as_str);
        let ticker = listing.ticker.as_ref().map_or("", |ticker| ticker.as_str());
        let cursor = listing.cursor.map(|id| id.to_string()).unwrap_or_default();
        let args = args![status, ticker, cursor, listing.limit];
        let (records, more): (Vec<Fields>, bool) = self.connection.run(&LIST, args).await?;
        let last = records.last().filter(|_| more).and_then(|record| record.get("id")?.parse().ok());
        Ok(Page { jobs: jobs_of(&records), next: last })
    }

    async fn stats(&self) -> Result<Stats, StoreError> {
        let statuses = Status::ALL.map(|status| Value::from(status.as_str()));
        let [pending, running, completed, failed, cancelled] =
            self.connection.run::<Vec<u64>>(&STATS, statuses.into()).await?[..]
        else {
            return Err(StoreError::Corrupt("counts are missing".into()));
        };
        Ok(Stats { pending, running, completed, failed, cancelled })
    }

    async fn oldest_ready(&self) -> Result<Option<Duration>, StoreError> {
        let since: Option<u64> = self.connection.run(&OLDEST_READY, Vec::new()).await?;
        Ok(since.map(Duration::from_millis))
    }

    async fn claim(&self, worker: &WorkerId) -> Result<Option<Claim>, StoreError> {
        let seen = self.listener.ready();
        let mut args = args![worker];
        args.extend(self.turns.next().map(|priority| Value::from(priority.as_str())));
        loop {
            let claimed: Option<(Fields, Value)> = self.connection.run(&CLAIM, args.clone()).await?;
            let Some((fields, state)) = claimed else {
                self.seen.store(seen, Ordering::Relaxed);
                return Ok(None);
            };
            match job_of(&fields) {
                Ok(job) => return Ok(Some(Claim { job, checkpoint: checkpoint(state)? })),
                Err(error) => self.give_up(&fields, "held", &error).await?,
            }
        }
    }

    async fn wait_ready(&self, timeout: Duration) -> Result<(), StoreError> {
        // That the time is over is no error.
        let _ = tokio::time::timeout(timeout, self.listener.wait_ready(self.seen.load(Ordering::Relaxed))).await;
        Ok(())
    }

    async fn record(&self, lease: &Lease, progress: &Progress) -> Result<Recorded, StoreError> {
        let mut args = args![lease.job, lease.attempt, holder(lease), progress.number];
        args.push(Value::Bytes(progress.checkpoint.clone().unwrap_or_default().into()));
        args.extend(progress.events.iter().map(|event| Value::from(to_json(event))));
        let held: bool = self.connection.run(&RECORD, args).await?;
        Ok(if held { Recorded::Done } else { Recorded::LeaseLost })
    }

    async fn apply(&self, transition: &Transition) -> Result<Applied, StoreError> {
        let (guard, lease) = match &transition.guard {
            Guard::Held(lease) => ("held", Some(lease)),
            Guard::Expired(lease) => ("expired", Some(lease)),
            Guard::Unfinished => ("unfinished", None),
            Guard::Failed => ("failed", None),
        };
        let (attempt, holder) = lease.map_or((0, ""), |lease| (lease.attempt, holder(lease)));
        let (delay, cause, retries) = match &transition.next {
            Next::Pending { delay, cause: None } => (delay.as_millis(), None, ""),
            Next::Pending { delay, cause } => (delay.as_millis(), cause.as_ref(), "count"),
            Next::Anew => (0, None, "reset"),
            Next::Failed(cause) => (0, Some(cause), ""),
            Next::Completed(_) | Next::Cancelled => (0, None, ""),
        };
        let status = transition.next.status();
        let error_type = cause.map_or("", |cause| cause.error_type.as_str());
        let error = cause.map_or("", |cause| &cause.error);
        let decision = if let Next::Completed(decision) = transition.next { decision.as_str() } else { "" };
        let event = to_json(&transition.event);
        let mut args = args![transition.job, guard, attempt, holder, self.lease_ms(), status, delay, retries];
        args.extend(args![error_type, error, decision, event]);
        let Some((done, fields)): Option<(bool, Fields)> = self.connection.run(&APPLY, args).await? else {
            return Ok(Applied::Unknown);
        };
        let job = job_of(&fields)?;
        self.assure(&job).await?;
        Ok(if done { Applied::Done(job) } else { Applied::Refused(job) })
    }

    async fn expired(&self) -> Result<Vec<Job>, StoreError> {
        let records: Vec<Fields> = self.connection.run(&EXPIRED, args![self.lease_ms(), TIDY_LIMIT]).await?;
        let mut jobs = Vec::new();
        for fields in &records {
            match job_of(fields) {
                Ok(job) => jobs.push(job),
                // If that fails, the next time has to do; the others are none the worse for it.
                Err(error) => drop(self.give_up(fields, "expired", &error).await),
            }
        }
        Ok(jobs)
    }

    async fn claim_delivery(&self, lease: Duration, busy: &[String]) -> Result<Option<Delivery>, StoreError> {
        let mut args = args![lease.as_millis(), DUE_LOOKED_AT];
        args.extend(busy.iter().map(Value::from));
        loop {
            let claimed: Option<(String, Fields)> = self.connection.run(&CLAIM_DELIVERY, args.clone()).await?;
            let Some((event, fields)) = claimed else { return Ok(None) };
            // One that can't be read waits for a version that can, for as long as it is claimed.
            if let Some(delivery) = readable(&event, delivery_of(&event, &fields)) {
                return Ok(Some(delivery));
            }
        }
    }

    async fn conclude_delivery(&self, delivery: &Delivery, attempted: &Attempted) -> Result<(), StoreError> {
        let delay = if let Attempted::Retry { delay, .. } = attempted { delay.as_millis() } else { 0 };
        let (status, error) = (word(&attempted.status()), attempted.error().unwrap_or_default());
        let args = args![delivery.event, delivery.attempt, status, delay, error];
        self.connection.run(&CONCLUDE_DELIVERY, args).await
    }

    async fn outbox(&self) -> Result<Outbox, StoreError> {
        let (waiting, overdue): (u64, u64) = self.connection.run(&OUTBOX, Vec::new()).await?;
        Ok(Outbox { waiting, overdue: Duration::from_millis(overdue) })
    }

    async fn tidy(&self) -> Result<bool, StoreError> {
        let Keep { ttl, most } = self.keep;
        self.connection.run(&TIDY, args![self.lease_ms(), ttl.as_millis(), most, TIDY_LIMIT]).await
    }

    async fn heartbeat(&self, worker: &WorkerInfo) -> Result<(), StoreError> {
        self.connection.run(&HEARTBEAT, args![worker.id, to_json(worker)]).await
    }

    async fn forget_worker(&self, worker: &WorkerId) -> Result<(), StoreError> {
        self.connection.run(&FORGET_WORKER, args![worker]).await
    }

    async fn workers(&self) -> Result<Vec<WorkerInfo>, StoreError> {
        let workers: Vec<(String, u64)> = self.connection.run(&WORKERS, args![self.lease_ms()]).await?;
        Ok(workers.iter().filter_map(|(info, seen)| readable("a worker", worker_of(info, *seen))).collect())
    }

    async fn replay(&self, scope: Scope, after: EventId, limit: usize) -> Result<Replay, StoreError> {
        self.await_listening().await?;
        feed::read(&self.connection, scope, after, limit).await
    }

    async fn last_event(&self) -> Result<EventId, StoreError> {
        self.await_listening().await?;
        feed::last(&self.connection).await
    }

    fn live(&self) -> broadcast::Receiver<Arc<Event>> {
        self.listener.live()
    }

    async fn publish(&self, lease: &Lease, draft: &Draft) -> Result<(), StoreError> {
        self.connection.run(&PUBLISH, args![lease.job, lease.attempt, holder(lease), to_json(draft)]).await
    }

    fn drafts(&self) -> broadcast::Receiver<Arc<Writing>> {
        self.listener.drafts()
    }

    async fn probe(&self) -> Result<(), StoreError> {
        self.connection.probe().await?;
        match &self.replicas {
            Some(replicas) => replicas.have_it().await,
            None => Ok(()),
        }
    }
}

/// The name of a lease's worker, as the job's record has it.
fn holder(lease: &Lease) -> &str {
    lease.worker.as_ref().map_or("", |worker| &worker.0)
}

/// The serde name of an enumeration's variant.
fn word(value: &impl serde::Serialize) -> String {
    to_json(value).trim_matches('"').to_owned()
}
