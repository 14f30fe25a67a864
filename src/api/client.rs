//! Which address a request comes from.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use axum::{extract::ConnectInfo, http::Request};

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
        match hop.trim().parse::<IpAddr>() {
            Ok(address) if proxies.contain(client) => client = address.to_canonical(),
            _ => break,
        }
    }
    client
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
}
