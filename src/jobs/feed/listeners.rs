//! Who listens in this process: to all jobs, or to one.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::broadcast;

use super::Scope;
use crate::jobs::{Event, JobId};

/// Events that a listener may lie behind before it reads the store again.
const LISTENER_BUFFER: usize = 64;

/// Events that those who listen to all jobs may lie behind.
const ALL_BUFFER: usize = 1024;

/// The channels of the listeners.
pub struct Listeners {
    all: broadcast::Sender<Arc<Event>>,
    by_job: Mutex<HashMap<JobId, broadcast::Sender<Arc<Event>>>>,
}

impl Default for Listeners {
    fn default() -> Self {
        Self { all: broadcast::Sender::new(ALL_BUFFER), by_job: Mutex::default() }
    }
}

impl Listeners {
    pub fn subscribe(&self, scope: Scope) -> broadcast::Receiver<Arc<Event>> {
        match scope {
            Scope::All => self.all.subscribe(),
            Scope::Job(id) => {
                let mut by_job = self.by_job.lock().unwrap_or_else(PoisonError::into_inner);
                by_job.entry(id).or_insert_with(|| broadcast::Sender::new(LISTENER_BUFFER)).subscribe()
            }
        }
    }

    /// Forgets a job when its last listener leaves. The receiver goes while the map is locked: of two that leave at once,
    /// one is the last.
    pub fn leave(&self, scope: Scope, live: broadcast::Receiver<Arc<Event>>) {
        if let Scope::Job(id) = scope {
            let mut by_job = self.by_job.lock().unwrap_or_else(PoisonError::into_inner);
            drop(live);
            if by_job.get(&id).is_some_and(|sender| sender.receiver_count() == 0) {
                by_job.remove(&id);
            }
        }
    }

    /// Hands an event to those who listen.
    pub fn send(&self, event: &Arc<Event>) {
        // An error only says that nobody listens.
        let _ = self.all.send(event.clone());
        let by_job = self.by_job.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(sender) = by_job.get(&event.job_id) {
            let _ = sender.send(event.clone());
        }
    }
}
