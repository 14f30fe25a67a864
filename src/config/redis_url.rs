//! The URL of Redis.

use std::fmt;

use serde::{Deserialize, Serialize};
use url::Url;

use super::ServerUrl;

/// A `redis:`, `rediss:`, `redis-cluster:` or `redis-sentinel:` URL. Shown without its password.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(try_from = "Url")]
pub struct RedisUrl(ServerUrl);

impl RedisUrl {
    /// The URL with its password.
    pub fn expose(&self) -> &str {
        self.0.expose().as_str()
    }
}

impl Default for RedisUrl {
    fn default() -> Self {
        Self(super::url("redis://127.0.0.1:6379").into())
    }
}

impl TryFrom<Url> for RedisUrl {
    type Error = String;

    fn try_from(url: Url) -> Result<Self, String> {
        let scheme = url.scheme();
        let kind = scheme.strip_suffix("-cluster").or(scheme.strip_suffix("-sentinel")).unwrap_or(scheme);
        if matches!(kind, "redis" | "rediss" | "valkey" | "valkeys") {
            Ok(Self(url.into()))
        } else {
            Err(format!("unknown scheme {scheme}"))
        }
    }
}

impl fmt::Display for RedisUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
