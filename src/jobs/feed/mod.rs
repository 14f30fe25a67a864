//! Streams of events that resume: what the store kept first, then what happens now, nothing lost, nothing twice.
//!
//! One task per process reads the store's live events and hands each to the listeners of its job and to those of all
//! jobs, so that ten thousand listeners cost what their own events cost. A listener registers *before* it reads the
//! stored events: an event that falls between would be missed the other way round. Event ids are ordered, so what
//! arrives both ways is recognised and dropped. A listener that falls behind reads the store again.
//!
//! Those who follow one job can have its drafts too ([`drafts`]): between the stored events, never in place of one, and
//! only the latest of each agent.

mod drafts;
mod listeners;

use std::{
    collections::VecDeque,
    sync::{Arc, OnceLock},
    time::Duration,
};

use drafts::{DraftReader, Drafts};
use listeners::Listeners;
use tokio::sync::broadcast::{self, error::RecvError};
use tokio_util::task::AbortOnDropHandle;
use tracing::warn;

use super::{Event, EventId, JobId, Replay, Store, StoreError, Writing};

/// Whose events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    Job(JobId),
    All,
}

/// Events that are read from the store at once.
const REPLAY_CHUNK: usize = 500;

/// The wait before a store that did not answer is asked again.
const CATCH_UP_PAUSE: Duration = Duration::from_millis(200);

/// The hub of a process's listeners.
pub(super) struct Feed {
    store: Arc<dyn Store>,
    listeners: Arc<Listeners>,
    drafts: Arc<Drafts>,
    _dispatcher: AbortOnDropHandle<()>,
    /// Runs once somebody follows a job with its drafts.
    draft_dispatcher: OnceLock<AbortOnDropHandle<()>>,
}

impl Feed {
    /// Starts to hand on the store's live events.
    pub fn start(store: Arc<dyn Store>) -> Self {
        let (listeners, drafts) = (Arc::<Listeners>::default(), Arc::<Drafts>::default());
        // From here on and not from the task's first step, so that no listener comes before it.
        let live = store.live();
        let dispatcher = tokio::spawn(dispatch(store.clone(), live, listeners.clone(), drafts.clone()));
        Self {
            store,
            listeners,
            drafts,
            _dispatcher: AbortOnDropHandle::new(dispatcher),
            draft_dispatcher: OnceLock::new(),
        }
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
            drafts: None,
            cursor,
            stored: VecDeque::new(),
            replaying: true,
            ended: false,
        })
    }

    /// See [`super::Queue::follow_with_drafts`].
    pub async fn follow_with_drafts(&self, job: JobId, after: Option<EventId>) -> Result<Follower, StoreError> {
        self.draft_dispatcher.get_or_init(|| {
            let dispatching = dispatch_drafts(self.store.drafts(), self.drafts.clone());
            AbortOnDropHandle::new(tokio::spawn(dispatching))
        });
        let mut follower = self.follow(Scope::Job(job), after).await?;
        follower.drafts = Some(self.drafts.read(job));
        Ok(follower)
    }
}

/// A listener's place in a feed.
pub struct Follower {
    store: Arc<dyn Store>,
    listeners: Arc<Listeners>,
    scope: Scope,
    live: broadcast::Receiver<Arc<Event>>,
    /// The job's drafts, for those who want them.
    drafts: Option<DraftReader>,
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
    /// What an agent's model has written so far, which is not stored; only with [`super::Queue::follow_with_drafts`].
    Writing(Arc<Writing>),
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
            let received = tokio::select! {
                // What is stored comes first.
                biased;
                received = self.live.recv() => received,
                writing = next_draft(self.drafts.as_mut()) => return Ok(Some(Followed::Writing(writing))),
            };
            match received {
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

/// Hands on live events until the store is gone; after falling behind it reads what it missed.
async fn dispatch(
    store: Arc<dyn Store>,
    mut live: broadcast::Receiver<Arc<Event>>,
    listeners: Arc<Listeners>,
    drafts: Arc<Drafts>,
) {
    let mut last = EventId::ZERO;
    let send = |event: &Arc<Event>| {
        drafts.settle(event);
        listeners.send(event);
    };
    loop {
        match live.recv().await {
            Ok(event) if event.id > last => {
                last = event.id;
                send(&event);
            }
            Ok(_) => {}
            Err(RecvError::Lagged(missed)) => {
                warn!(missed, "the event feed fell behind; reading the store");
                last = catch_up(&*store, send, last).await;
            }
            Err(RecvError::Closed) => return,
        }
    }
}

/// Hands on the stored events after `last`, as soon as the store answers; returns the last one's id.
async fn catch_up(store: &dyn Store, send: impl Fn(&Arc<Event>), mut last: EventId) -> EventId {
    loop {
        let Ok(replay) = store.replay(Scope::All, last, REPLAY_CHUNK).await else {
            tokio::time::sleep(CATCH_UP_PAUSE).await;
            continue;
        };
        for event in replay.events.iter().cloned().map(Arc::new) {
            last = event.id;
            send(&event);
        }
        if replay.events.len() < REPLAY_CHUNK {
            return last;
        }
    }
}

/// Takes in drafts until the store is gone. Those that are missed are replaced by later ones.
async fn dispatch_drafts(mut live: broadcast::Receiver<Arc<Writing>>, drafts: Arc<Drafts>) {
    loop {
        match live.recv().await {
            Ok(writing) => drafts.replace(writing),
            Err(RecvError::Lagged(_)) => {}
            Err(RecvError::Closed) => return,
        }
    }
}

/// The next draft; never, for those who want none.
async fn next_draft(drafts: Option<&mut DraftReader>) -> Arc<Writing> {
    match drafts {
        Some(drafts) => drafts.next().await,
        None => std::future::pending().await,
    }
}
