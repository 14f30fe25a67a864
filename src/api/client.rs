//! Which address a request comes from.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use axum::{extract::ConnectInfo, http::Request};
use ipnet::{IpNet, Ipv6Net};

use crate::config::Networks;

/// The address of the client. Behind trusted proxies it is the last one in `X-Forwarded-For` that is no trusted proxy:
/// what stands before it, a client may have written itself.
pub fn address<B>(request: &Request<B>, proxies: &Networks) -> IpAddr {
    // The server always says who is connected.
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
    let mut client = peer.map_or(Ipv4Addr::UNSPECIFIED.into(), |ConnectInfo(peer)| peer.ip().to_canonical());
    let values: Vec<_> = request.headers().get_all("x-forwarded-for").iter().collect();
    let hops = values.iter().rev().filter_map(|value| value.to_str().ok()).flat_map(|value| value.rsplit(','));
    for hop in hops {
        match of_hop(hop.trim()) {
            Some(address) if proxies.contain(client) => client = address.to_canonical(),
            _ => break,
        }
    }
    client
}

/// The address, or what one client has of IPv6: a network of 64 bits (RFC 6177).
pub fn network(address: IpAddr) -> IpNet {
    match address {
        IpAddr::V4(_) => address.into(),
        IpAddr::V6(address) => Ipv6Net::new_assert(address, 64).trunc().into(),
    }
}

/// The address of an entry; some proxies write the port too, and IPv6 in brackets.
fn of_hop(hop: &str) -> Option<IpAddr> {
    let with_port = || hop.parse::<SocketAddr>().map(|hop| hop.ip());
    let in_brackets = || hop.strip_prefix('[')?.strip_suffix(']')?.parse().ok();
    hop.parse().or_else(|_| with_port()).ok().or_else(in_brackets)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(peer: &str, forwarded: &[&str]) -> String {
        let peer = SocketAddr::new(peer.parse().unwrap(), 1234);
        let request = Request::builder().extension(ConnectInfo(peer));
        let request = forwarded.iter().fold(request, |request, value| request.header("x-forwarded-for", *value));
        address(&request.body(()).unwrap(), &"10.0.0.0/8".parse().unwrap()).to_string()
    }

    #[test]
    fn a_client_is_believed_only_by_what_a_trusted_proxy_says() {
        assert_eq!(client("192.0.2.1", &["198.51.100.7"]), "192.0.2.1", "no proxy of ours");
        assert_eq!(client("10.0.0.1", &["198.51.100.7"]), "198.51.100.7");
        assert_eq!(client("::ffff:10.0.0.1", &["198.51.100.7"]), "198.51.100.7");
        assert_eq!(client("10.0.0.1", &["127.0.0.1, 198.51.100.7, 10.0.0.2"]), "198.51.100.7", "the first is a lie");
        assert_eq!(client("10.0.0.1", &["127.0.0.1", "198.51.100.7"]), "198.51.100.7");
        assert_eq!(client("10.0.0.1", &["198.51.100.7, unknown"]), "10.0.0.1");
        assert_eq!(client("10.0.0.1", &[]), "10.0.0.1");
    }

    #[test]
    fn a_proxy_may_write_the_port_of_its_client() {
        assert_eq!(client("10.0.0.1", &["198.51.100.7:4711"]), "198.51.100.7");
        assert_eq!(client("10.0.0.1", &["[2001:db8::7]:4711, 10.0.0.2:80"]), "2001:db8::7");
        assert_eq!(client("10.0.0.1", &["[2001:db8::7]"]), "2001:db8::7");
        assert_eq!(client("10.0.0.1", &["198.51.100.7:port"]), "10.0.0.1");
    }

    #[test]
    fn the_addresses_of_one_ipv6_network_are_one_client() {
        let of = |address: &str| network(address.parse().unwrap());
        assert_eq!(of("2001:db8::1"), of("2001:db8::2"));
        assert_ne!(of("2001:db8::1"), of("2001:db8:0:1::1"));
        assert_ne!(of("192.0.2.1"), of("192.0.2.2"));
    }
}
