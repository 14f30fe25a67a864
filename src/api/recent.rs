//! An answer that holds for a moment.

use std::time::Duration;

use tokio::{sync::Mutex, time::Instant};

/// For how long an answer holds.
const HOLDS: Duration = Duration::from_secs(1);

/// The last answer to a question that many ask. It is looked for once at a time: who asks meanwhile waits for that answer.
pub struct Recent<T>(Mutex<Option<(Instant, T)>>);

impl<T> Default for Recent<T> {
    fn default() -> Self {
        Self(Mutex::new(None))
    }
}

impl<T: Clone> Recent<T> {
    /// The last answer while it holds, or else a new one.
    pub async fn get<F: Future<Output = T>>(&self, look: impl FnOnce() -> F) -> T {
        let mut last = self.0.lock().await;
        if let Some((when, answer)) = &*last
            && when.elapsed() < HOLDS
        {
            return answer.clone();
        }
        let answer = look().await;
        *last = Some((Instant::now(), answer.clone()));
        answer
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use tokio::time::advance;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_question_is_asked_once_a_moment_however_many_ask_it() {
        let (recent, asked) = (Recent::default(), AtomicU32::new(0));
        let ask = || {
            recent.get(async || {
                tokio::task::yield_now().await;
                asked.fetch_add(1, Ordering::Relaxed)
            })
        };
        assert_eq!(tokio::join!(ask(), ask()), (0, 0));
        advance(HOLDS).await;
        assert_eq!(ask().await, 1);
    }
}
