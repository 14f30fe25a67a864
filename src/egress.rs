//! How far connections may lead whose URL comes from a client: into the internet, and not into the networks around this
//! program, where services trust their neighbours (server-side request forgery, CWE-918).
//!
//! An address in a URL is looked at at once. A name is resolved when the connection is made, and only public addresses
//! are connected to: what a name leads to may change after a check (DNS rebinding). No redirect is followed, and no proxy
//! is asked, for it would resolve the name out of sight.

use std::{
    error::Error,
    iter,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::Arc,
};

use ipnet::{Ipv4Net, Ipv6Net};
use reqwest::{
    ClientBuilder,
    dns::{Addrs, Name, Resolve, Resolving},
};
use tokio::net::lookup_host;
use url::{Host, Url};

use crate::http_client;

/// How far a connection may lead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Anywhere: the operator named the URL.
    Anywhere,
    /// To public addresses.
    Public,
}

/// A URL leads further than it may. The address that a name has is not told: it would be a map of the network.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{host} is at no public address, and a job may name no other; an operator can allow it (ALLOW_PRIVATE_URLS)")]
pub struct OutOfReach {
    host: String,
}

impl OutOfReach {
    /// The one that an error comes from.
    pub fn behind<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a Self> {
        iter::successors(Some(error), |&error| error.source()).find_map(|error| error.downcast_ref())
    }
}

impl Reach {
    /// Refuses a URL of which it is known at once that it leads too far.
    pub fn check(self, url: &Url) -> Result<(), OutOfReach> {
        let is_public = match url.host() {
            Some(Host::Ipv4(address)) => is_public(address.into()),
            Some(Host::Ipv6(address)) => is_public(address.into()),
            // RFC 6761, 6.3: whoever is asked, it is this host.
            Some(Host::Domain(name)) => name != "localhost" && !name.ends_with(".localhost"),
            None => true,
        };
        if is_public || self == Self::Anywhere {
            Ok(())
        } else {
            Err(OutOfReach { host: url.host_str().unwrap_or_default().into() })
        }
    }

    /// The builder of a client for this URL's server alone, whose connections lead no further.
    pub fn client_builder(self, url: &Url) -> Result<ClientBuilder, OutOfReach> {
        self.check(url)?;
        Ok(self.resolving(http_client::client_builder(url)))
    }

    fn resolving(self, builder: ClientBuilder) -> ClientBuilder {
        match self {
            Self::Anywhere => builder,
            Self::Public => builder.no_proxy().dns_resolver(Arc::new(PublicAddresses)),
        }
    }
}

/// Finds the public addresses of a name.
struct PublicAddresses;

impl Resolve for PublicAddresses {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found: Vec<SocketAddr> = lookup_host((name.as_str(), 0)).await?.collect();
            let public: Vec<_> = found.iter().copied().filter(|address| is_public(address.ip())).collect();
            if public.is_empty() && !found.is_empty() {
                return Err(OutOfReach { host: name.as_str().into() }.into());
            }
            Ok(Box::new(public.into_iter()) as Addrs)
        })
    }
}

/// IPv4 networks that are not public, by IANA's registry of special-purpose addresses (RFC 6890), and multicast.
const SPECIAL: [(Ipv4Addr, u8); 15] = [
    (Ipv4Addr::UNSPECIFIED, 8),           // this host on this network; 0.0.0.0 leads to loopback
    (Ipv4Addr::new(10, 0, 0, 0), 8),      // private
    (Ipv4Addr::new(100, 64, 0, 0), 10),   // shared, of carriers and of clouds
    (Ipv4Addr::new(127, 0, 0, 0), 8),     // loopback
    (Ipv4Addr::new(169, 254, 0, 0), 16),  // link-local, and the metadata of clouds
    (Ipv4Addr::new(172, 16, 0, 0), 12),   // private
    (Ipv4Addr::new(192, 0, 0, 0), 24),    // of protocols
    (Ipv4Addr::new(192, 0, 2, 0), 24),    // for documentation
    (Ipv4Addr::new(192, 88, 99, 0), 24),  // relays of 6to4
    (Ipv4Addr::new(192, 168, 0, 0), 16),  // private
    (Ipv4Addr::new(198, 18, 0, 0), 15),   // of benchmarks
    (Ipv4Addr::new(198, 51, 100, 0), 24), // for documentation
    (Ipv4Addr::new(203, 0, 113, 0), 24),  // for documentation
    (Ipv4Addr::new(224, 0, 0, 0), 4),     // multicast
    (Ipv4Addr::new(240, 0, 0, 0), 4),     // reserved, and broadcast
];

/// What IANA has given out of IPv6. All else is loopback, local, multicast or an IPv4 address in disguise.
const GLOBAL6: (Ipv6Addr, u8) = (Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);

/// What is not public of that.
const SPECIAL6: [(Ipv6Addr, u8); 4] = [
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23), // of protocols: Teredo has IPv4 addresses in it
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32), // for documentation
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16), // 6to4, with IPv4 addresses in it
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20), // for documentation
];

/// Whether an address is one of the public internet.
pub fn is_public(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => {
            !SPECIAL.iter().any(|(network, bits)| Ipv4Net::new_assert(*network, *bits).contains(&address))
        }
        IpAddr::V6(address) => {
            let within = |(network, bits): &(Ipv6Addr, u8)| Ipv6Net::new_assert(*network, *bits).contains(&address);
            within(&GLOBAL6) && !SPECIAL6.iter().any(within)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(url: &str) -> Result<(), OutOfReach> {
        Reach::Public.check(&Url::parse(url).unwrap())
    }

    #[test]
    fn private_addresses_are_out_of_reach_however_they_are_written() {
        let ways = "127.0.0.1 127.1 2130706433 0x7f000001 0177.0.0.1 127.0.0.1. %31%32%37.0.0.1 127.0.0.1 \
                    [::ffff:127.0.0.1] [::ffff:a9fe:a9fe] [::127.0.0.1] [64:ff9b::10.0.0.1] [2002:7f00:1::]";
        let networks = "0.0.0.0 10.1.2.3 100.64.0.1 100.127.255.255 169.254.169.254 172.16.0.1 172.31.255.255 \
                        192.168.1.1 198.18.0.1 224.0.0.1 255.255.255.255 [::] [::1] [64:ff9b:1::1] [2001::1] \
                        [2001:db8::1] [fc00::1] [fd00:ec2::254] [fe80::1] [fec0::1] [ff02::1]";
        for host in ways.split(' ').chain(networks.split(' ')).chain(["localhost", "LOCALHOST", "ollama.localhost"]) {
            assert!(check(&format!("http://{host}:11434/v1")).is_err(), "{host}");
            assert_eq!(Reach::Anywhere.check(&Url::parse(&format!("http://{host}/")).unwrap()), Ok(()));
        }
        let public = "1.1.1.1 100.128.0.1 172.32.0.1 192.0.1.1 [2606:4700::1] [::ffff:1.1.1.1] api.example";
        for host in public.split(' ') {
            assert_eq!(check(&format!("https://{host}/v1")), Ok(()), "{host}");
        }
    }

    #[tokio::test]
    async fn a_name_is_out_of_reach_when_its_addresses_are() {
        let server = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = Url::parse(&format!("http://localhost:{}/", server.local_addr().unwrap().port())).unwrap();
        // As with a name of which nothing is known before it is resolved.
        let client = Reach::Public.resolving(http_client::client_builder(&url)).build().unwrap();
        let error = client.get(url.clone()).send().await.unwrap_err();
        assert_eq!(OutOfReach::behind(&error), Some(&OutOfReach { host: "localhost".into() }), "{error:?}");

        let client = Reach::Anywhere.resolving(http_client::client_builder(&url)).build().unwrap();
        let asked = tokio::spawn(client.get(url).send());
        server.accept().await.unwrap();
        asked.abort();
    }
}
