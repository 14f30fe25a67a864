//! When a host may be asked: not too often, and not at all for a while after it could not be reached or wanted no more.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::{Instant, sleep_until};

use crate::{domain::Vendor, market::MarketError};

/// How long a host is left alone, beats.
const CLOSED: u32 = 30;

/// What is known of the hosts.
pub struct Hosts {
    beat: Duration,
    hosts: Mutex<HashMap<String, Host>>,
}

#[derive(Default)]
struct Host {
    /// The earliest time of the next request.
    next: Option<Instant>,
    /// Until when it is left alone, and why.
    closed: Option<(Instant, MarketError)>,
}

impl Hosts {
    pub fn new(beat: Duration) -> Self {
        Self { beat, hosts: Mutex::default() }
    }

    /// Waits for the next free moment of the host; an error if it is left alone.
    pub async fn turn(&self, host: &str, vendor: Vendor) -> Result<(), MarketError> {
        let now = Instant::now();
        let mine = {
            let mut hosts = self.lock();
            let host = hosts.entry(host.into()).or_default();
            if let Some((_, error)) = host.closed.as_ref().filter(|(until, _)| *until > now) {
                return Err(error.clone());
            }
            let mine = host.next.map_or(now, |next| next.max(now));
            host.next = Some(mine + self.beat.mul_f64(gap(vendor)));
            mine
        };
        if mine > now {
            sleep_until(mine).await;
        }
        Ok(())
    }

    /// Leaves the host alone for a while; whoever asks meanwhile gets this error at once.
    pub fn close(&self, host: &str, error: &MarketError) {
        let until = Instant::now() + self.beat * CLOSED;
        self.lock().entry(host.into()).or_default().closed = Some((until, error.clone()));
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Host>> {
        self.hosts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The least time between two requests, beats. The SEC allows 10 a second (sec.gov, "Accessing EDGAR Data"), Alpha
/// Vantage asks free keys for one a second, and so does Reddit's feed in practice.
fn gap(vendor: Vendor) -> f64 {
    match vendor {
        Vendor::SecEdgar => 0.11,
        Vendor::AlphaVantage | Vendor::Reddit => 1.0,
        _ => 0.0,
    }
}
