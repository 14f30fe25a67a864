//! Places for connections: so many in all, and so many for each address.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use ipnet::IpNet;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::client;
use crate::config::Networks;

/// The places of a server.
pub struct Seats {
    all: Arc<Semaphore>,
    per_address: usize,
    /// Whose clients are many behind one address.
    proxies: Networks,
    taken: Mutex<HashMap<IpNet, usize>>,
}

/// The place of a connection, until it is dropped.
pub struct Seat {
    _of_all: OwnedSemaphorePermit,
    _of_address: Option<SeatOfAddress>,
}

struct SeatOfAddress {
    seats: Arc<Seats>,
    address: IpNet,
}

/// Which places are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Full {
    All,
    OfAddress,
}

impl Full {
    /// Of what there are no more, with the setting that says how many there may be.
    pub fn of_what(self) -> &'static str {
        match self {
            Self::All => "connections (MAX_CONNECTIONS)",
            Self::OfAddress => "connections from one address (MAX_CONNECTIONS_PER_ADDRESS)",
        }
    }
}

impl Seats {
    pub fn new(all: usize, per_address: usize, proxies: Networks) -> Self {
        Self { all: Arc::new(Semaphore::new(all)), per_address, proxies, taken: Mutex::default() }
    }

    /// A place for a connection from this address.
    pub fn take(self: &Arc<Self>, address: IpAddr) -> Result<Seat, Full> {
        let of_all = self.all.clone().try_acquire_owned().map_err(|_| Full::All)?;
        let of_address = if self.proxies.contain(address) { None } else { Some(self.of_address(address)?) };
        Ok(Seat { _of_all: of_all, _of_address: of_address })
    }

    fn of_address(self: &Arc<Self>, address: IpAddr) -> Result<SeatOfAddress, Full> {
        let address = client::network(address.to_canonical());
        let mut taken = self.taken();
        let count = taken.entry(address).or_default();
        if *count >= self.per_address {
            return Err(Full::OfAddress);
        }
        *count += 1;
        Ok(SeatOfAddress { seats: self.clone(), address })
    }

    fn taken(&self) -> MutexGuard<'_, HashMap<IpNet, usize>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for SeatOfAddress {
    fn drop(&mut self) {
        let mut taken = self.seats.taken();
        if let Some(count) = taken.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                taken.remove(&self.address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_its_share_and_a_proxy_all_that_there_is() {
        let seats = Arc::new(Seats::new(4, 1, "10.0.0.0/8".parse().unwrap()));
        let take = |address: &str| seats.take(address.parse().unwrap());
        let first = take("2001:db8::1").unwrap();
        assert_eq!(take("2001:db8::2").err(), Some(Full::OfAddress), "one network of IPv6 is one address");
        let others = [take("192.0.2.1"), take("10.0.0.1"), take("::ffff:10.0.0.1")].map(|seat| seat.ok().unwrap());
        assert_eq!(take("192.0.2.2").err(), Some(Full::All));
        drop(first);
        assert!(take("2001:db8::2").is_ok());
        drop(others);
        assert!(seats.taken().is_empty(), "who is gone is forgotten");
    }
}
