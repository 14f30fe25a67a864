//! The URL of Redis, whose password no log shows.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize, Serializer};
use url::Url;

/// A `redis:`, `rediss:`, `redis-cluster:` or `redis-sentinel:` URL. Shown with its password left out.
#[derive(Clone, Deserialize)]
#[serde(try_from = "String")]
pub struct RedisUrl(SecretString);

impl RedisUrl {
    /// The URL with its password.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl Default for RedisUrl {
    fn default() -> Self {
        Self("redis://127.0.0.1:6379".to_owned().into())
    }
}

impl TryFrom<String> for RedisUrl {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let scheme = Url::parse(&text).map_err(|e| e.to_string())?.scheme().to_owned();
        let kind = scheme.strip_suffix("-cluster").or(scheme.strip_suffix("-sentinel")).unwrap_or(&scheme);
        if matches!(kind, "redis" | "rediss" | "valkey" | "valkeys") {
            Ok(Self(text.into()))
        } else {
            Err(format!("unknown scheme {scheme}"))
        }
    }
}

impl fmt::Display for RedisUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut url = Url::parse(self.expose()).map_err(|_| fmt::Error)?;
        if url.password().is_some() {
            // Only URLs without a host refuse a password, and they have none.
            let _ = url.set_password(Some("***"));
        }
        url.fmt(f)
    }
}

impl fmt::Debug for RedisUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for RedisUrl {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
