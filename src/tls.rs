//! TLS of the program's HTTP clients: ring for the cryptography, the host's certificates as roots.

use reqwest::{Client, ClientBuilder, redirect::Policy};
use url::Url;

/// Makes ring the process's provider of cryptography. Without one, reqwest panics when it builds a client.
pub fn install() {
    // It fails only if a provider is there already, and ring is the only one that is built in.
    let _ = rustls::crypto::ring::default_provider().install_default();
}

/// The builder of a client for this URL's server alone. It follows no redirect: a POST would become a GET.
///
/// reqwest reads the host's certificates when it builds a client, and fails where there are none, even if no TLS is
/// spoken. So a client of an http URL gets an empty set: a minimal container can talk to its neighbours.
pub fn client_builder(url: &Url) -> ClientBuilder {
    install();
    let builder = Client::builder().redirect(Policy::none());
    if url.scheme() == "https" { builder } else { builder.tls_certs_only([]) }
}
