//! The one place that writes for an attempt: it renews the lease, and appends events and checkpoints in their order.
//!
//! Writes wait in a channel, and whatever has come together goes to the store in one step. While the store is away
//! they wait on, so that an attempt goes on working through an outage; a step whose answer was lost is sent again under
//! its number, by which the store knows it. Once the store says that the lease is lost, nothing is written any more.

use std::time::Duration;

use tokio::{
    sync::{mpsc, oneshot},
    time::{Instant, sleep, sleep_until},
};
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};
use tracing::warn;

use super::STORE_PAUSE;
use crate::jobs::{EventKind, Lease, Progress, Queue, Recorded, StoreError};

/// The most writes that go to the store in one step.
const BATCH: usize = 64;

/// Holds a lease until it is dropped or lost.
pub struct LeaseKeeper {
    // Unbounded, for agents don't stop while the store is away; what they say within a time limit is bounded.
    writes: mpsc::UnboundedSender<Write>,
    lost: CancellationToken,
    _task: AbortOnDropHandle<()>,
}

/// The lease is lost: the job was cancelled, or another attempt runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LeaseLost;

enum Write {
    Event(EventKind),
    /// The pipeline's state.
    Checkpoint(Vec<u8>),
    /// Answered once everything before it is written.
    Confirm(oneshot::Sender<()>),
}

impl LeaseKeeper {
    /// Starts to renew, four times in a lease time: three renewals may fail before the lease is in danger.
    pub fn start(queue: Queue, lease: Lease, lease_time: Duration) -> Self {
        let (writes, waiting) = mpsc::unbounded_channel();
        let lost = CancellationToken::new();
        let keep = keep(queue, lease, lease_time / 4, waiting, lost.clone());
        Self { writes, lost, _task: AbortOnDropHandle::new(tokio::spawn(keep)) }
    }

    /// Appends an event, in time.
    pub fn event(&self, event: EventKind) {
        self.write(Write::Event(event));
    }

    /// Replaces the checkpoint, in time.
    pub fn checkpoint(&self, state: Vec<u8>) {
        self.write(Write::Checkpoint(state));
    }

    /// Waits until everything is written, and the lease is known to be held after that.
    pub async fn confirm(&self) -> Result<(), LeaseLost> {
        let (done, confirmed) = oneshot::channel();
        self.write(Write::Confirm(done));
        confirmed.await.map_err(|_| LeaseLost)
    }

    /// Waits until the lease is lost, which may be never.
    pub async fn lost(&self) {
        self.lost.cancelled().await;
    }

    fn write(&self, write: Write) {
        // The keeper ends only when the lease is lost; then nothing is to be written.
        let _ = self.writes.send(write);
    }
}

/// Writes what comes, and renews when nothing does.
async fn keep(
    queue: Queue,
    lease: Lease,
    period: Duration,
    mut waiting: mpsc::UnboundedReceiver<Write>,
    lost: CancellationToken,
) {
    let mut writes = Vec::new();
    let mut number = 0;
    let mut renewed = Instant::now();
    loop {
        tokio::select! {
            received = waiting.recv_many(&mut writes, BATCH) => if received == 0 { return },
            () = sleep_until(renewed + period) => {}
        }
        number += 1;
        if record(&queue, &lease, number, std::mem::take(&mut writes)).await.is_err() {
            lost.cancel();
            return;
        }
        renewed = Instant::now();
    }
}

/// Writes a batch, however long the store is away.
async fn record(queue: &Queue, lease: &Lease, number: u64, writes: Vec<Write>) -> Result<(), LeaseLost> {
    let (mut progress, mut confirms) = (Progress::default(), Vec::new());
    for write in writes {
        match write {
            Write::Event(event) => progress.events.push(event),
            Write::Checkpoint(state) => progress.checkpoint = Some(state),
            Write::Confirm(done) => confirms.push(done),
        }
    }
    if !progress.events.is_empty() || progress.checkpoint.is_some() {
        progress.number = number;
    }
    let mut warned = false;
    loop {
        match queue.record(lease, &progress).await {
            Ok(Recorded::Done) => break,
            Ok(Recorded::LeaseLost) => return Err(LeaseLost),
            Err(StoreError::Full(cause)) => {
                if !warned {
                    warn!(cause, "no room for the progress of a job; keeping it until there is");
                    warned = true;
                }
                // A renewal takes no room. If it fails too, the next round has to do.
                let _ = queue.record(lease, &Progress::default()).await;
            }
            Err(error) if warned => tracing::debug!(%error, "still can't write the progress"),
            Err(error) => {
                warn!(%error, "can't write the progress of a job; keeping it until the store answers");
                warned = true;
            }
        }
        sleep(STORE_PAUSE).await;
    }
    for done in confirms {
        // Whoever asked may have given up.
        let _ = done.send(());
    }
    Ok(())
}
