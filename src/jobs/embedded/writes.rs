//! The steps that write. Each is one transaction, and held back while another is under way.

use std::{
    sync::atomic::Ordering,
    time::{Duration, Instant},
};

use super::{Memory, Shared, TIDY_LIMIT, step::Step};
use crate::jobs::{
    Applied, Attempted, BatchId, Claim, Delivery, EventKind, Job, JobId, JobRequest, Lease, Progress, Receipt,
    Recorded, Status, StoreError, Submission, SubmitError, WorkerId,
    transition::{Guard, Transition},
};

impl Shared {
    /// Makes a job ready again whose process died.
    pub fn requeue(&self, id: JobId) -> Result<(), StoreError> {
        let memory = self.memory();
        let mut step = Step::begin(&self.database)?;
        if let Some(row) = step.row(id)? {
            let worker = row.job.worker.clone().unwrap_or_else(|| WorkerId("unknown".into()));
            let release = Transition::release(&row.job.lease(), worker);
            step.follow(row, &release.next, &release.event)?;
        }
        self.commit(step, &memory)
    }

    pub fn submit(&self, submission: Submission) -> Result<Receipt, SubmitError> {
        let fingerprint = submission.fingerprint();
        let memory = self.memory();
        let mut step = Step::begin(&self.database)?;
        if let Some(key) = &submission.key
            && let Some(before) = step.remembered(key)?
        {
            let jobs = step.jobs(&before.jobs)?;
            match jobs.is_empty() {
                false if before.fingerprint == fingerprint => return Ok(Receipt { jobs, repeated: true }),
                false => return Err(SubmitError::KeyReused(key.clone())),
                true => {}
            }
        }
        let Submission { jobs: asked, batch, key, most_pending } = submission;
        let (mut jobs, mut is_new) = (Vec::with_capacity(asked.len()), false);
        for (id, request) in asked {
            let known = step.row(id)?;
            is_new |= known.is_none();
            jobs.push(known.map_or_else(|| add(&mut step, id, request, batch), |row| Ok(row.job))?);
        }
        if let Some(most) = most_pending.filter(|_| is_new)
            && step.pending()? > most
        {
            // Without a commit, nothing has happened.
            return Err(SubmitError::QueueFull { most });
        }
        if let Some(key) = key {
            step.remember(&key, fingerprint, jobs.iter().map(|job| job.id).collect())?;
        }
        self.commit(step, &memory)?;
        Ok(Receipt { jobs, repeated: false })
    }

    pub fn claim(&self, worker: WorkerId) -> Result<Option<Claim>, StoreError> {
        let mut memory = self.memory();
        let mut step = Step::begin(&self.database)?;
        let Some(mut row) = step.next_ready(self.turns.next())? else {
            self.seen.store(*self.ready.borrow(), Ordering::Relaxed);
            return Ok(None);
        };
        let id = row.job.id;
        let checkpoint = step.checkpoint(id)?;
        row.job.attempt += 1;
        row.recorded = 0;
        row.job.started_at = Some(step.now);
        row.job.worker = Some(worker.clone());
        let claimed = EventKind::Claimed { worker, attempt: row.job.attempt, resumed: checkpoint.is_some() };
        step.tell(id, claimed)?;
        let job = step.change(row, Status::Running, Duration::ZERO)?;
        self.commit(step, &memory)?;
        memory.leases.insert(id, Instant::now() + self.lease);
        Ok(Some(Claim { job, checkpoint }))
    }

    pub fn record(&self, lease: &Lease, progress: Progress) -> Result<Recorded, StoreError> {
        let mut memory = self.memory();
        let mut step = Step::begin(&self.database)?;
        let row = step.row(lease.job)?.filter(|row| runs_under(&row.job, lease));
        let Some(mut row) = row else { return Ok(Recorded::LeaseLost) };
        if progress.number > row.recorded {
            for event in progress.events {
                step.tell(lease.job, event)?;
            }
            if let Some(state) = progress.checkpoint {
                step.set_checkpoint(lease.job, &state)?;
            }
            row.recorded = progress.number;
            step.write(&row)?;
            self.commit(step, &memory)?;
        }
        memory.leases.insert(lease.job, Instant::now() + self.lease);
        Ok(Recorded::Done)
    }

    pub fn apply(&self, transition: &Transition) -> Result<Applied, StoreError> {
        let mut memory = self.memory();
        let mut step = Step::begin(&self.database)?;
        let Some(mut row) = step.row(transition.job)? else { return Ok(Applied::Unknown) };
        let ending = transition.ending();
        let holds = match &transition.guard {
            Guard::Held(lease) => runs_under(&row.job, lease),
            Guard::Expired(lease) => runs_under(&row.job, lease) && memory.is_over(row.job.id),
            Guard::Unfinished => !row.job.status.is_terminal(),
            Guard::Failed => row.job.status == Status::Failed,
        };
        if !holds {
            let is_done = ending.is_some() && ending == row.ending;
            return Ok(if is_done { Applied::Done(row.job) } else { Applied::Refused(row.job) });
        }
        row.ending = ending.or(row.ending);
        let job = step.follow(row, &transition.next, &transition.event)?;
        self.commit(step, &memory)?;
        memory.leases.remove(&job.id);
        Ok(Applied::Done(job))
    }

    pub fn claim_delivery(&self, lease: Duration, busy: &[String]) -> Result<Option<Delivery>, StoreError> {
        let memory = self.memory();
        let mut step = Step::begin(&self.database)?;
        let claimed = step.claim_message(lease, busy)?;
        if claimed.is_some() {
            self.commit(step, &memory)?;
        }
        Ok(claimed)
    }

    pub fn conclude_delivery(&self, delivery: &Delivery, attempted: &Attempted) -> Result<(), StoreError> {
        let memory = self.memory();
        let mut step = Step::begin(&self.database)?;
        if step.conclude_message(delivery, attempted)? {
            self.commit(step, &memory)?;
        }
        Ok(())
    }

    pub fn tidy(&self) -> Result<bool, StoreError> {
        let mut memory = self.memory();
        let silent = Instant::now().checked_sub(self.lease);
        memory.workers.retain(|_, (_, seen)| silent.is_none_or(|silent| *seen >= silent));
        let mut step = Step::begin(&self.database)?;
        if !step.has_chores(self.keep)? {
            return Ok(false);
        }
        step.wake_due(TIDY_LIMIT)?;
        step.forget_old(self.keep, TIDY_LIMIT)?;
        step.forget_keys(TIDY_LIMIT)?;
        let more = step.has_chores(self.keep)?;
        self.commit(step, &memory)?;
        Ok(more)
    }
}

/// Stores a job that is new.
fn add(step: &mut Step, id: JobId, request: JobRequest, batch: Option<BatchId>) -> Result<Job, StoreError> {
    let (ticker, date) = (request.ticker.clone(), request.date);
    let job = Job::new(id, request, batch, step.now);
    step.add(job.clone())?;
    step.tell(id, EventKind::Submitted { ticker, date })?;
    Ok(job)
}

impl Memory {
    /// Whether a running job's lease is over. One without a lease never had a holder in this process.
    fn is_over(&self, job: JobId) -> bool {
        self.leases.get(&job).is_none_or(|end| *end <= Instant::now())
    }
}

/// Whether the job runs under this lease.
pub fn runs_under(job: &Job, lease: &Lease) -> bool {
    job.status == Status::Running && job.attempt == lease.attempt && job.worker == lease.worker
}
