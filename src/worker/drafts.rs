//! Publishes drafts, the unfinished responses of an attempt's models. It is independent of the
//! [`LeaseKeeper`](super::lease_keeper::LeaseKeeper), so that drafts never delay stored events.
//!
//! Of each agent only the latest draft waits to be published. While the store is slow, drafts replace each other; while it
//! is away, they are dropped. Nothing waits for a draft, and no failure to publish one is an error of the job.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{sync::Notify, time::timeout};
use tokio_util::task::AbortOnDropHandle;
use tracing::debug;

use crate::{
    domain::Agent,
    jobs::{Draft, Lease, Queue},
};

/// How long the store may take with one draft; an older one is of no interest.
const PUBLISH_LIMIT: Duration = Duration::from_secs(1);

/// Publishes the drafts of one attempt until it is dropped.
pub struct DraftPublisher {
    waiting: Arc<Waiting>,
    _task: AbortOnDropHandle<()>,
}

/// Drafts that wait to be published.
#[derive(Default)]
struct Waiting {
    /// At most one for each agent, the longest waiting first.
    drafts: Mutex<Vec<Draft>>,
    added: Notify,
}

impl DraftPublisher {
    /// A publisher for the holder of a lease.
    pub fn start(queue: Queue, lease: Lease) -> Self {
        let waiting = Arc::<Waiting>::default();
        let task = tokio::spawn(publish(queue, lease, waiting.clone()));
        Self { waiting, _task: AbortOnDropHandle::new(task) }
    }

    /// Publishes a draft soon, unless a later one of its agent comes before.
    pub fn publish(&self, draft: Draft) {
        self.waiting.replace(draft);
        self.waiting.added.notify_one();
    }

    /// Drops an agent's draft that still waits: its response is complete.
    pub fn discard(&self, agent: Agent) {
        self.waiting.lock().retain(|draft| draft.agent != agent);
    }
}

impl Waiting {
    fn replace(&self, draft: Draft) {
        let mut drafts = self.lock();
        match drafts.iter_mut().find(|known| known.agent == draft.agent) {
            Some(known) => *known = draft,
            None => drafts.push(draft),
        }
    }

    fn take(&self) -> Option<Draft> {
        let mut drafts = self.lock();
        if drafts.is_empty() { None } else { Some(drafts.remove(0)) }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Draft>> {
        self.drafts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn publish(queue: Queue, lease: Lease, waiting: Arc<Waiting>) {
    loop {
        waiting.added.notified().await;
        while let Some(draft) = waiting.take() {
            match timeout(PUBLISH_LIMIT, queue.publish(&lease, &draft)).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => debug!(%error, "a draft was not published"),
                Err(_) => debug!("a draft was not published: the store takes too long"),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_draft_of_each_agent_waits_in_the_place_of_its_first() {
        let waiting = Waiting::default();
        for (agent, text) in [(Agent::NewsAnalyst, "a"), (Agent::MarketAnalyst, "b"), (Agent::NewsAnalyst, "ac")] {
            waiting.replace(Draft::new(agent, text, text.len()));
        }
        let texts: Vec<_> = std::iter::from_fn(|| waiting.take()).map(|draft| draft.text).collect();
        assert_eq!(texts, ["ac", "b"]);
    }
}
