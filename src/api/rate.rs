//! How often clients may submit: so many a minute for each key and each address, by the generic cell rate algorithm
//! (ITU-T I.371), which the crate governor has.

use std::{hash::Hash, net::IpAddr, num::NonZeroU32, sync::Arc};

use axum::{
    extract::{Request, State},
    http::Method,
    middleware::Next,
    response::{IntoResponse, Response},
};
use governor::{
    DefaultKeyedRateLimiter, Quota, RateLimiter,
    clock::{Clock, DefaultClock},
};
use ipnet::{IpNet, Ipv6Net};

use super::{Problem, auth::Caller, client};
use crate::config::{Config, Networks};

/// Once in so many submissions, those clients are forgotten who may submit at will again.
const BETWEEN_CLEANINGS: u32 = 1000;

/// The limits of all clients.
pub struct Limits {
    keys: Option<Limiter<Arc<str>>>,
    addresses: Option<Limiter<IpNet>>,
    proxies: Networks,
}

struct Limiter<K: Hash + Eq + Clone> {
    buckets: DefaultKeyedRateLimiter<K>,
    /// Submissions a minute.
    quota: NonZeroU32,
}

impl Limits {
    /// As the settings say.
    pub fn new(config: &Config) -> Self {
        Self {
            keys: config.rate_limit_key.map(Limiter::new),
            addresses: config.rate_limit_address.map(Limiter::new),
            proxies: config.trusted_proxies.clone(),
        }
    }
}

impl<K: Hash + Eq + Clone> Limiter<K> {
    fn new(quota: NonZeroU32) -> Self {
        Self { buckets: RateLimiter::keyed(Quota::per_minute(quota)), quota }
    }

    /// Counts a submission; the problem of a client who submits too often.
    fn refuse(&self, whose: &str, client: &K) -> Option<Problem> {
        if fastrand::u32(..BETWEEN_CLEANINGS) == 0 {
            self.buckets.retain_recent();
        }
        let refused = self.buckets.check_key(client).err()?;
        let wait = refused.wait_time_from(DefaultClock::default().now());
        Some(Problem::too_often(format!("Each {whose} may submit {} times a minute", self.quota), wait))
    }
}

/// Counts submissions by address, before it is known who sends them: so guesses of keys are counted too.
pub async fn by_address(State(limits): State<Arc<Limits>>, request: Request, next: Next) -> Response {
    let refused = limits
        .addresses
        .as_ref()
        .filter(|_| request.method() == Method::POST)
        .and_then(|limiter| limiter.refuse("address", &network(client::address(&request, &limits.proxies))));
    match refused {
        Some(problem) => problem.into_response(),
        None => next.run(request).await,
    }
}

/// Counts submissions by key.
pub async fn by_key(State(limits): State<Arc<Limits>>, request: Request, next: Next) -> Response {
    let limiter = limits.keys.as_ref().filter(|_| request.method() == Method::POST);
    let caller = request.extensions().get::<Caller>();
    match limiter.zip(caller).and_then(|(limiter, Caller(name))| limiter.refuse("key", name)) {
        Some(problem) => problem.into_response(),
        None => next.run(request).await,
    }
}

/// The address, or what one client has of IPv6: a network of 64 bits (RFC 6177).
fn network(address: IpAddr) -> IpNet {
    match address {
        IpAddr::V4(_) => address.into(),
        IpAddr::V6(address) => Ipv6Net::new_assert(address, 64).trunc().into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_addresses_of_one_ipv6_network_count_together() {
        let limiter = Limiter::new(NonZeroU32::MIN);
        let check = |address: &str| limiter.refuse("address", &network(address.parse().unwrap())).is_none();
        assert!(check("2001:db8::1"));
        assert!(!check("2001:db8::2"));
        assert!(check("2001:db8:0:1::1"));
        assert!(check("192.0.2.1"));
        assert!(check("192.0.2.2"));
    }
}
