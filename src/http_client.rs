//! What the program's HTTP clients share: TLS (ring for the cryptography, the host's certificates as roots), the name that
//! they give, and their errors in words.

use std::error::Error;

use reqwest::{Client, ClientBuilder, redirect::Policy};
use url::Url;

/// The name that this program gives itself.
pub const PROGRAM: &str = concat!("tradingagents/", env!("CARGO_PKG_VERSION"));

/// Makes ring the process's provider of cryptography. Without one, reqwest panics when it builds a client.
pub fn install_tls() {
    // It fails only if a provider is there already, and ring is the only one that is built in.
    let _ = rustls::crypto::ring::default_provider().install_default();
}

/// The builder of a client for this URL's server alone. It follows no redirect: a POST would become a GET.
///
/// reqwest reads the host's certificates when it builds a client, and fails where there are none, even if no TLS is
/// spoken. So a client of an http URL gets an empty set: a minimal container can talk to its neighbours.
pub fn client_builder(url: &Url) -> ClientBuilder {
    install_tls();
    let builder = Client::builder().redirect(Policy::none());
    if url.scheme() == "https" { builder } else { builder.tls_certs_only([]) }
}

/// The innermost cause of an error, which is what went wrong; the outer ones say which request failed, with its URL.
pub fn root_cause(error: &dyn Error) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}
