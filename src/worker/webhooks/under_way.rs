//! The messages that a worker delivers at the moment.

use std::{collections::HashMap, future::pending};

use tokio::task::{AbortHandle, JoinSet};

/// How many messages are delivered at once.
const AT_ONCE: usize = 16;

/// How many of them to one receiver: one that does not answer leaves room for the others.
const AT_ONCE_EACH: usize = 4;

/// Attempts to deliver. Those that have not ended are cut off when this is dropped.
#[derive(Default)]
pub struct UnderWay {
    attempts: JoinSet<()>,
    receivers: Vec<(String, AbortHandle)>,
}

impl UnderWay {
    pub fn has_room(&self) -> bool {
        self.attempts.len() < AT_ONCE
    }

    /// The receivers that have their share.
    pub fn busy(&mut self) -> Vec<String> {
        self.receivers.retain(|(_, attempt)| !attempt.is_finished());
        let mut shares: HashMap<&str, usize> = HashMap::new();
        for (receiver, _) in &self.receivers {
            *shares.entry(receiver).or_default() += 1;
        }
        let busy = shares.into_iter().filter(|(_, share)| *share >= AT_ONCE_EACH);
        busy.map(|(receiver, _)| receiver.to_owned()).collect()
    }

    pub fn begin(&mut self, receiver: String, attempt: impl Future<Output = ()> + Send + 'static) {
        self.receivers.push((receiver, self.attempts.spawn(attempt)));
    }

    /// Waits until an attempt has ended.
    pub async fn one_ended(&mut self) {
        if self.attempts.join_next().await.is_none() {
            pending::<()>().await;
        }
    }
}
