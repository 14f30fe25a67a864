//! The URL of a server, whose user and password no log shows.

use std::fmt;

use serde::{Deserialize, Serialize, Serializer};
use url::Url;

/// The parameter with the password of Redis' sentinels, where it is not that of Redis itself.
const SENTINEL_PASSWORD: &str = "sentinelPassword=";

/// A URL that may hold a user and a password. Shown without the password.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct ServerUrl(Url);

impl ServerUrl {
    /// The URL with its password.
    pub fn expose(&self) -> &Url {
        &self.0
    }
}

impl From<Url> for ServerUrl {
    fn from(url: Url) -> Self {
        Self(url)
    }
}

impl fmt::Display for ServerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut url = self.0.clone();
        if url.password().is_some() {
            // Only URLs without a host refuse a password, and they have none.
            let _ = url.set_password(Some("***"));
        }
        if let Some(query) = url.query().filter(|query| query.contains(SENTINEL_PASSWORD)) {
            let masked = query.split('&').map(|pair| {
                if pair.starts_with(SENTINEL_PASSWORD) { format!("{SENTINEL_PASSWORD}***") } else { pair.to_owned() }
            });
            let masked = masked.collect::<Vec<_>>().join("&");
            url.set_query(Some(&masked));
        }
        url.fmt(f)
    }
}

impl fmt::Debug for ServerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for ServerUrl {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
