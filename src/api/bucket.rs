//! So much a minute for each client: the generic cell rate algorithm (ITU-T I.371), as virtual scheduling. All that is kept
//! of a client is the time at which it may do as much at once as anybody. The crate governor has the same, but can't be
//! asked without counting, by which a guess of a key is refused before the key is looked at.

use std::{
    collections::HashMap,
    hash::Hash,
    num::NonZeroU32,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

const MINUTE: Duration = Duration::from_mins(1);

/// Once in so many times, those clients are forgotten who may do as much as anybody.
const BETWEEN_CLEANINGS: u32 = 1000;

/// What each client has left.
pub struct Buckets<C> {
    quota: NonZeroU32,
    full: Mutex<HashMap<C, Instant>>,
}

impl<C: Hash + Eq> Buckets<C> {
    /// Each client may do so much a minute, and so much at once.
    pub fn new(quota: NonZeroU32) -> Self {
        Self { quota, full: Mutex::default() }
    }

    pub fn quota(&self) -> u32 {
        self.quota.get()
    }

    /// How long a client has to wait until it may do one more.
    pub fn wait(&self, client: &C) -> Result<(), Duration> {
        self.after(self.full().get(client).copied(), 1).map(drop)
    }

    /// Counts so much, or says how long the client has to wait for it; more than the quota it never may.
    pub fn take(&self, client: C, count: u32) -> Result<(), Duration> {
        let mut full = self.full();
        if fastrand::u32(..BETWEEN_CLEANINGS) == 0 {
            let now = Instant::now();
            full.retain(|_, time| *time > now);
        }
        let after = self.after(full.get(&client).copied(), count)?;
        full.insert(client, after);
        Ok(())
    }

    /// When a bucket that is full at this time will be so after one has done so much.
    fn after(&self, full: Option<Instant>, count: u32) -> Result<Instant, Duration> {
        let now = Instant::now();
        let after = full.unwrap_or(now).max(now) + MINUTE / self.quota.get() * count;
        let wait = after.saturating_duration_since(now + MINUTE);
        if wait.is_zero() { Ok(after) } else { Err(wait) }
    }

    fn full(&self) -> MutexGuard<'_, HashMap<C, Instant>> {
        self.full.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_client_may_do_its_quota_at_once_and_then_has_to_wait() {
        let buckets = Buckets::new(NonZeroU32::new(3).unwrap());
        assert_eq!((buckets.take("a", 1), buckets.take("a", 2), buckets.wait(&"b")), (Ok(()), Ok(()), Ok(())));
        let (one, two) = (buckets.wait(&"a").unwrap_err(), buckets.take("a", 2).unwrap_err());
        assert!(one <= MINUTE / 3 && two > MINUTE / 3 && two <= MINUTE / 3 * 2, "{one:?} {two:?}");
        assert_eq!(buckets.take("b", 3), Ok(()), "what is refused counts nothing, and others count for themselves");
    }
}
