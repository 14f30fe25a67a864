//! Waits until replicas have what was written.
//!
//! Redis answers nothing else on a connection that waits for replicas, so they are waited for on one of their own, once for
//! all who have come together. It asks about its own last write; that comes after theirs, in the one order in which
//! replicas get what is written.

use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};
use tokio_util::task::AbortOnDropHandle;

use super::{RedisOptions, connection::Connection, record::Fields};
use crate::jobs::{JobId, StoreError};

/// The most who are answered at once; more wait for the next time.
const AT_ONCE: usize = 1024;

type Answer = oneshot::Sender<Result<(), StoreError>>;

/// The replicas that have to have what is to be kept.
pub struct Replicas {
    connection: Arc<Connection>,
    waiting: mpsc::Sender<Answer>,
    _task: AbortOnDropHandle<()>,
}

impl Replicas {
    pub fn start(options: &RedisOptions) -> Result<Self, StoreError> {
        let connection = Arc::new(Connection::new(options)?.start());
        let (waiting, answers) = mpsc::channel(AT_ONCE);
        let task = tokio::spawn(answer(connection.clone(), answers));
        Ok(Self { connection, waiting, _task: AbortOnDropHandle::new(task) })
    }

    /// Waits until they have all that was written before.
    pub async fn have_it(&self) -> Result<(), StoreError> {
        let (answer, answered) = oneshot::channel();
        // The task ends with this.
        let _ = self.waiting.send(answer).await;
        answered.await.unwrap_or_else(|_| Err(self.connection.unavailable("nobody waits for replicas")))
    }

    /// The record of a job, from the primary whose replicas they are.
    pub async fn record(&self, job: JobId) -> Result<Fields, StoreError> {
        self.connection.hash(&format!("job:{job}")).await
    }
}

async fn answer(connection: Arc<Connection>, mut answers: mpsc::Receiver<Answer>) {
    let mut waiting = Vec::new();
    while answers.recv_many(&mut waiting, AT_ONCE).await > 0 {
        let have_it = connection.await_replicas().await;
        for answer in waiting.drain(..) {
            // Whoever asked may have given up.
            let _ = answer.send(have_it.clone());
        }
    }
}
