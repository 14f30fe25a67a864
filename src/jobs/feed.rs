//! Streams of events that resume: what the store kept first, then what happens now, nothing lost, nothing twice.
//!
//! One task per process reads the store's live events and hands each to the listeners of its job and to those of all
//! jobs, so that ten thousand listeners cost what their own events cost. A listener registers *before* it reads the
//! stored events: an event that falls between would be missed the other way round. Event ids are ordered, so what
//! arrives both ways is recognised and dropped. A listener that falls behind reads the store again.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{
    sync::broadcast::{self, error::RecvError},
    task::AbortHandle,
};
use tracing::warn;

use super::{Event, EventId, JobId, Replay, Store, StoreError};

/// Whose events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    Job(JobId),
    All,
}

/// Events that a listener may lie behind before it reads the store again.
const LISTENER_BUFFER: usize = 64;

/// Events that are read from the store at once.
const REPLAY_CHUNK: usize = 500;

/// The wait before a store that did not answer is asked again.
const CATCH_UP_PAUSE: Duration = Duration::from_millis(200);

/// The hub of a process's listeners.
pub(super) struct Feed {
    store: Arc<dyn Store>,
    listeners: Arc<Listeners>,
    dispatcher: AbortHandle,
}

struct Listeners {
    all: broadcast::Sender<Arc<Event>>,
    by_job: Mutex<HashMap<JobId, broadcast::Sender<Arc<Event>>>>,
}

impl Feed {
    /// Starts to hand on the store's live events.
    pub fn start(store: Arc<dyn Store>) -> Self {
        let listeners = Arc::new(Listeners { all: broadcast::Sender::new(1024), by_job: Mutex::default() });
        // From here on and not from the task's first step, so that no listener comes before it.
        let live = store.live();
        let dispatcher = tokio::spawn(dispatch(store.clone(), live, listeners.clone())).abort_handle();
        Self { store, listeners, dispatcher }
    }

    /// See [`super::Queue::follow`].
    pub async fn follow(&self, scope: Scope, after: Option<EventId>) -> Result<Follower, StoreError> {
        let live = self.listeners.subscribe(scope);
        let cursor = match (after, scope) {
            (Some(id), _) => id,
            (None, Scope::Job(_)) => EventId::ZERO,
            (None, Scope::All) => self.store.last_event().await?,
        };
        Ok(Follower {
            store: self.store.clone(),
            listeners: self.listeners.clone(),
            scope,
            live,
            cursor,
            stored: VecDeque::new(),
            replaying: true,
            ended: false,
        })
    }
}

impl Drop for Feed {
    fn drop(&mut self) {
        self.dispatcher.abort();
    }
}

/// A listener's place in a feed.
pub struct Follower {
    store: Arc<dyn Store>,
    listeners: Arc<Listeners>,
    scope: Scope,
    live: broadcast::Receiver<Arc<Event>>,
    /// The last event that was handed out.
    cursor: EventId,
    stored: VecDeque<Event>,
    /// Whether the store may have events after the cursor that `stored` has not.
    replaying: bool,
    ended: bool,
}

/// What a listener gets.
#[derive(Debug, Clone, PartialEq)]
pub enum Followed {
    Event(Arc<Event>),
    /// Events after the listener's place are no longer kept; the next one is the oldest that is.
    Gap,
}

impl Follower {
    /// The next event; none once a job has ended and its events were handed out, or if there is no such job.
    /// Cancel-safe.
    pub async fn next(&mut self) -> Result<Option<Followed>, StoreError> {
        loop {
            if self.ended {
                return Ok(None);
            }
            if let Some(event) = self.stored.pop_front() {
                return Ok(Some(self.hand_out(Arc::new(event))));
            }
            if self.replaying {
                let mut replay = self.read().await?;
                if replay.events.is_empty() && self.job_has_ended().await? {
                    // Its last event may have come between the two questions.
                    replay = self.read().await?;
                    self.ended = replay.events.is_empty();
                }
                self.replaying = replay.events.len() == REPLAY_CHUNK;
                self.stored.extend(replay.events);
                if replay.gap {
                    return Ok(Some(Followed::Gap));
                }
                continue;
            }
            match self.live.recv().await {
                Ok(event) if event.id > self.cursor => return Ok(Some(self.hand_out(event))),
                Ok(_) => {}
                Err(RecvError::Lagged(_)) => self.replaying = true,
                Err(RecvError::Closed) => return Ok(None),
            }
        }
    }

    /// The next stored events.
    async fn read(&self) -> Result<Replay, StoreError> {
        self.store.replay(self.scope, self.cursor, REPLAY_CHUNK).await
    }

    /// Whether nothing will happen any more.
    async fn job_has_ended(&self) -> Result<bool, StoreError> {
        let Scope::Job(id) = self.scope else { return Ok(false) };
        Ok(self.store.get(id).await?.is_none_or(|job| job.status.is_terminal()))
    }

    fn hand_out(&mut self, event: Arc<Event>) -> Followed {
        self.cursor = event.id;
        // What ended once may have gone on since: the stored events say so.
        let is_last = self.stored.is_empty() && !self.replaying;
        self.ended = is_last && matches!(self.scope, Scope::Job(_)) && event.kind.is_terminal();
        Followed::Event(event)
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        let live = std::mem::replace(&mut self.live, broadcast::Sender::new(1).subscribe());
        self.listeners.leave(self.scope, live);
    }
}

impl Listeners {
    fn subscribe(&self, scope: Scope) -> broadcast::Receiver<Arc<Event>> {
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
    fn leave(&self, scope: Scope, live: broadcast::Receiver<Arc<Event>>) {
        if let Scope::Job(id) = scope {
            let mut by_job = self.by_job.lock().unwrap_or_else(PoisonError::into_inner);
            drop(live);
            if by_job.get(&id).is_some_and(|sender| sender.receiver_count() == 0) {
                by_job.remove(&id);
            }
        }
    }

    /// Hands an event to those who listen.
    fn send(&self, event: &Arc<Event>) {
        // An error only says that nobody listens.
        let _ = self.all.send(event.clone());
        let by_job = self.by_job.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(sender) = by_job.get(&event.job_id) {
            let _ = sender.send(event.clone());
        }
    }
}

/// Hands on live events until the store is gone; after falling behind it reads what it missed.
async fn dispatch(store: Arc<dyn Store>, mut live: broadcast::Receiver<Arc<Event>>, listeners: Arc<Listeners>) {
    let mut last = EventId::ZERO;
    loop {
        match live.recv().await {
            Ok(event) if event.id > last => {
                last = event.id;
                listeners.send(&event);
            }
            Ok(_) => {}
            Err(RecvError::Lagged(missed)) => {
                warn!(missed, "the event feed fell behind; reading the store");
                last = catch_up(&*store, &listeners, last).await;
            }
            Err(RecvError::Closed) => return,
        }
    }
}

/// Hands on the stored events after `last`, as soon as the store answers; returns the last one's id.
async fn catch_up(store: &dyn Store, listeners: &Listeners, mut last: EventId) -> EventId {
    loop {
        let Ok(replay) = store.replay(Scope::All, last, REPLAY_CHUNK).await else {
            tokio::time::sleep(CATCH_UP_PAUSE).await;
            continue;
        };
        for event in replay.events.iter().cloned().map(Arc::new) {
            last = event.id;
            listeners.send(&event);
        }
        if replay.events.len() < REPLAY_CHUNK {
            return last;
        }
    }
}
