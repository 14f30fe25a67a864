//! The latest draft of each agent, for every job that has listeners.
//!
//! [`Drafts`] is shared by all listeners of a process: however many follow a job, its drafts are kept once, at most one
//! for each agent. A listener ([`DraftReader`]) only remembers the number of the last draft it received. A slow listener
//! therefore costs no memory: it skips drafts that were replaced meanwhile. A stored event that ends a draft removes it, so
//! that later listeners do not receive it.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::watch;

use crate::jobs::{Event, JobId, Writing};

/// The drafts of the jobs that are followed.
#[derive(Default)]
pub struct Drafts {
    by_job: Mutex<HashMap<JobId, Followed>>,
}

struct Followed {
    latest: watch::Sender<Latest>,
    readers: usize,
}

/// The latest draft of each agent of a job, numbered in the order in which they came.
#[derive(Default)]
struct Latest {
    drafts: Vec<(u64, Arc<Writing>)>,
    count: u64,
}

/// A listener's place in the drafts of a job.
pub struct DraftReader {
    drafts: Arc<Drafts>,
    job: JobId,
    latest: watch::Receiver<Latest>,
    /// The number of the last draft that was handed out.
    seen: u64,
}

impl Drafts {
    /// Begins to keep the drafts of a job, for as long as the reader or another one exists.
    pub fn read(self: &Arc<Self>, job: JobId) -> DraftReader {
        let mut by_job = self.lock();
        let followed =
            by_job.entry(job).or_insert_with(|| Followed { latest: watch::Sender::new(Latest::default()), readers: 0 });
        followed.readers += 1;
        DraftReader { drafts: self.clone(), job, latest: followed.latest.subscribe(), seen: 0 }
    }

    /// Takes in a draft, which replaces the previous one of its agent.
    pub fn replace(&self, writing: Arc<Writing>) {
        if let Some(followed) = self.lock().get(&writing.job_id) {
            followed.latest.send_modify(|latest| latest.replace(writing));
        }
    }

    /// Removes the drafts that a stored event ends.
    pub fn settle(&self, event: &Event) {
        if let Some(followed) = self.lock().get(&event.job_id) {
            // A removal wakes no reader.
            followed.latest.send_if_modified(|latest| {
                latest.drafts.retain(|(_, writing)| !writing.data.is_ended_by(&event.kind));
                false
            });
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<JobId, Followed>> {
        self.by_job.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Latest {
    fn replace(&mut self, writing: Arc<Writing>) {
        self.count += 1;
        self.drafts.retain(|(_, known)| known.data.agent != writing.data.agent);
        self.drafts.push((self.count, writing));
    }

    fn after(&self, seen: u64) -> Option<(u64, Arc<Writing>)> {
        self.drafts.iter().find(|(number, _)| *number > seen).cloned()
    }
}

impl DraftReader {
    /// The next draft that is the latest of its agent. Cancel-safe.
    pub async fn next(&mut self) -> Arc<Writing> {
        loop {
            let next = self.latest.borrow_and_update().after(self.seen);
            if let Some((number, writing)) = next {
                self.seen = number;
                return writing;
            }
            if self.latest.changed().await.is_err() {
                // Not while this reader exists, which keeps the sender.
                std::future::pending::<()>().await;
            }
        }
    }
}

impl Drop for DraftReader {
    fn drop(&mut self) {
        let mut by_job = self.drafts.lock();
        if let Some(followed) = by_job.get_mut(&self.job) {
            followed.readers -= 1;
            if followed.readers == 0 {
                by_job.remove(&self.job);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::Utc;
    use futures_util::FutureExt;

    use super::*;
    use crate::{
        domain::Agent,
        jobs::{Draft, EventId, EventKind},
    };

    const JOB: u128 = 1;

    fn writing(job: u128, agent: Agent, text: &str) -> Arc<Writing> {
        let data = Draft::new(agent, text, text.chars().count());
        Arc::new(Writing::new(JobId::from_u128(job), data))
    }

    fn event(kind: EventKind) -> Event {
        Event { id: EventId::ZERO, job_id: JobId::from_u128(JOB), at: Utc::now(), kind }
    }

    /// The texts that wait for a reader.
    fn waiting(reader: &mut DraftReader) -> Vec<String> {
        std::iter::from_fn(|| reader.next().now_or_never()).map(|writing| writing.data.text.clone()).collect()
    }

    #[test]
    fn a_slow_reader_gets_the_latest_of_each_agent_once() {
        let drafts = Arc::new(Drafts::default());
        let mut reader = drafts.read(JobId::from_u128(JOB));
        for text in ["a", "ab", "abc"] {
            drafts.replace(writing(JOB, Agent::MarketAnalyst, text));
            drafts.replace(writing(JOB, Agent::NewsAnalyst, &text.to_uppercase()));
            drafts.replace(writing(2, Agent::NewsAnalyst, "of another job"));
        }
        assert_eq!(waiting(&mut reader), ["abc", "ABC"]);
        assert_eq!(waiting(&mut reader), [""; 0]);
        drafts.replace(writing(JOB, Agent::MarketAnalyst, "abcd"));
        assert_eq!(waiting(&mut reader), ["abcd"]);
    }

    #[test]
    fn whoever_comes_later_gets_no_draft_that_has_ended() {
        let drafts = Arc::new(Drafts::default());
        let _first = drafts.read(JobId::from_u128(JOB));
        drafts.replace(writing(JOB, Agent::MarketAnalyst, "market"));
        drafts.replace(writing(JOB, Agent::NewsAnalyst, "news"));
        drafts.settle(&event(EventKind::StepStarted { agent: Agent::MarketAnalyst }));
        assert_eq!(waiting(&mut drafts.read(JobId::from_u128(JOB))), ["news"]);
        drafts.settle(&event(EventKind::Cancelled));
        assert_eq!(waiting(&mut drafts.read(JobId::from_u128(JOB))), [""; 0]);
    }

    #[test]
    fn a_job_that_nobody_follows_any_more_is_forgotten() {
        let drafts = Arc::new(Drafts::default());
        let readers = [drafts.read(JobId::from_u128(JOB)), drafts.read(JobId::from_u128(JOB))];
        assert_eq!(drafts.lock().len(), 1);
        drop(readers);
        assert!(drafts.lock().is_empty());
    }
}
