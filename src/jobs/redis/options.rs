//! How Redis is reached, which queue in it, and how sure a write has to be.

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
};

use rustls::{
    ClientConfig, RootCertStore,
    client::WebPkiServerVerifier,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use serde::{Deserialize, Serialize};

use crate::jobs::StoreError;

/// What a store in Redis is opened with. The URL alone is enough for one on a server without TLS of its own.
#[derive(Debug, Clone, Default)]
pub struct RedisOptions {
    /// A `redis:`, `rediss:`, `redis-cluster:` or `redis-sentinel:` URL.
    pub url: String,
    /// The file with the certificates of those who sign the server's; those of the host if there is none.
    pub ca: Option<PathBuf>,
    /// The files of the certificate that the server is shown, and of its key.
    pub identity: Option<(PathBuf, PathBuf)>,
    pub queue: QueueName,
    /// How many replicas have to have a job before it is accepted, and its end before it counts.
    pub replicas: u32,
}

impl<T: AsRef<str> + ?Sized> From<&T> for RedisOptions {
    fn from(url: &T) -> Self {
        Self { url: url.as_ref().into(), ..Self::default() }
    }
}

impl RedisOptions {
    /// TLS with these certificates; none if there are none, for the client then has what it needs.
    pub(super) fn tls(&self) -> Result<Option<ClientConfig>, StoreError> {
        if self.ca.is_none() && self.identity.is_none() {
            return Ok(None);
        }
        if !["rediss", "valkeys"].iter().any(|scheme| self.url.starts_with(scheme)) {
            return Err(unusable("REDIS_TLS_CA and REDIS_TLS_CERT are for a rediss: URL, and REDIS_URL has another"));
        }
        let roots = Arc::new(self.ca.as_deref().map_or_else(|| Ok(roots_of_host()), roots_of)?);
        let verifier = WebPkiServerVerifier::builder(roots).build();
        let verifier = verifier.map_err(|error| unusable(format!("REDIS_TLS_CA: {error}")))?;
        let builder = ClientConfig::builder().with_webpki_verifier(verifier);
        let Some((certificate, key)) = &self.identity else { return Ok(Some(builder.with_no_client_auth())) };
        let chain = certificates("REDIS_TLS_CERT", certificate)?;
        let key = PrivateKeyDer::from_pem_file(key).map_err(|error| unreadable("REDIS_TLS_KEY", key, &error))?;
        let shown = builder.with_client_auth_cert(chain, key);
        shown.map(Some).map_err(|error| unusable(format!("REDIS_TLS_CERT and REDIS_TLS_KEY: {error}")))
    }
}

fn roots_of(file: &Path) -> Result<RootCertStore, StoreError> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates("REDIS_TLS_CA", file)? {
        roots.add(certificate).map_err(|error| unreadable("REDIS_TLS_CA", file, &error))?;
    }
    Ok(roots)
}

fn roots_of_host() -> RootCertStore {
    let mut roots = RootCertStore::empty();
    // Some that can't be read are no reason to trust none of the others.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    roots
}

/// The certificates in a file; at least one.
fn certificates(setting: &str, file: &Path) -> Result<Vec<CertificateDer<'static>>, StoreError> {
    let read = CertificateDer::pem_file_iter(file).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let found = read.map_err(|error| unreadable(setting, file, &error))?;
    if found.is_empty() { Err(unreadable(setting, file, &"it has no certificate")) } else { Ok(found) }
}

fn unreadable(setting: &str, file: &Path, cause: &dyn fmt::Display) -> StoreError {
    unusable(format!("{setting}={}: {cause}; it is a PEM file", file.display()))
}

fn unusable(cause: impl fmt::Display) -> StoreError {
    StoreError::Unavailable(format!("Redis can't be asked: {cause}"))
}

/// The name of a queue: stacks with different names share a Redis without meeting.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct QueueName(String);

/// The longest name of a queue, characters.
const MAX_NAME: usize = 64;

impl QueueName {
    /// What all keys begin with. The braces are a hash tag: a cluster keeps keys with the same one on the same node.
    pub(super) fn key(&self) -> String {
        format!("{{{}}}", self.0)
    }
}

impl Default for QueueName {
    fn default() -> Self {
        Self("ta:0".into())
    }
}

impl TryFrom<String> for QueueName {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        let usable = |c: char| c.is_ascii_alphanumeric() || ":-_.".contains(c);
        if (1..=MAX_NAME).contains(&name.len()) && name.chars().all(usable) {
            Ok(Self(name))
        } else {
            Err("not a name".into())
        }
    }
}

impl From<QueueName> for String {
    fn from(name: QueueName) -> Self {
        name.0
    }
}
