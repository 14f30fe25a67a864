//! The time limits of an attempt.
//!
//! The clock stands still while the models are made ready: a server that lacks one fetches it first, and how long that
//! takes says nothing of the job. The lease is renewed meanwhile, and the job can be cancelled.

use std::time::Duration;

use tokio::{
    sync::watch,
    time::{Instant, sleep},
};

/// The limits of one attempt, and its clock.
pub struct Limits {
    soft: Duration,
    hard: Duration,
    clock: watch::Sender<Clock>,
}

/// A clock that can be stopped.
#[derive(Clone, Copy)]
struct Clock {
    /// What it showed when it was started or stopped last.
    shown: Duration,
    /// Since when it runs; none while it stands still.
    since: Option<Instant>,
}

impl Limits {
    /// Starts the clock.
    pub fn new(soft: Duration, hard: Duration) -> Self {
        let clock = Clock { shown: Duration::ZERO, since: Some(Instant::now()) };
        Self { soft, hard, clock: watch::Sender::new(clock) }
    }

    /// Stops the clock.
    pub fn pause(&self) {
        self.clock.send_modify(|clock| *clock = Clock { shown: clock.passed(), since: None });
    }

    /// Lets the clock go on.
    pub fn go_on(&self) {
        self.clock.send_modify(|clock| *clock = Clock { shown: clock.passed(), since: Some(Instant::now()) });
    }

    /// Whether the soft limit has passed.
    pub fn must_hurry(&self) -> bool {
        self.clock.borrow().passed() >= self.soft
    }

    /// Waits until the hard limit has passed.
    pub async fn used_up(&self) {
        let mut clock = self.clock.subscribe();
        loop {
            let now = *clock.borrow_and_update();
            tokio::select! {
                () = sleep(self.hard.saturating_sub(now.passed())), if now.since.is_some() => return,
                // The sender is there for as long as this is.
                _ = clock.changed() => {}
            }
        }
    }
}

impl Clock {
    fn passed(self) -> Duration {
        self.shown + self.since.map_or(Duration::ZERO, |since| since.elapsed())
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn only_the_time_in_which_the_clock_runs_counts() {
        let limits = Limits::new(Duration::from_secs(15), Duration::from_secs(20));
        let began = Instant::now();
        let mut used_up = pin!(limits.used_up());
        let mut wait = async |seconds| {
            tokio::select! {
                () = &mut used_up => true,
                () = sleep(Duration::from_secs(seconds)) => false,
            }
        };
        assert!(!wait(10).await);
        limits.pause();
        assert!(!wait(3600).await && !limits.must_hurry());
        limits.go_on();
        assert!(!wait(6).await && limits.must_hurry());
        assert!(wait(3600).await);
        assert_eq!(began.elapsed().as_secs(), 3600 + 20);
    }
}
