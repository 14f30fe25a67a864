//! Origins of web pages.

use std::str::FromStr;

use serde::{Deserialize, Serialize, Serializer};
use url::Url;

/// Origins as browsers write them (RFC 6454, 6.2): `https://desk.example,http://localhost:3000`, or `*` for every one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Origins(Vec<String>);

impl Origins {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The origins; none if every origin is meant.
    pub fn listed(&self) -> Option<&[String]> {
        if self.0.iter().any(|origin| origin == "*") { None } else { Some(&self.0) }
    }

    /// Whether an origin is one of them.
    pub fn contain(&self, origin: &str) -> bool {
        self.listed().is_none_or(|origins| origins.iter().any(|known| known == origin))
    }
}

impl FromStr for Origins {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let origin = |text: &str| {
            let origin = Url::parse(text).map(|url| url.origin().ascii_serialization());
            // What a URL has beside its origin, a browser would not send, and so it would never match.
            let is_origin = origin.is_ok_and(|origin| origin == text.trim_end_matches('/'));
            if text == "*" || is_origin {
                Ok(text.trim_end_matches('/').to_owned())
            } else {
                Err(format!("{text:?} is no origin; write it as https://desk.example"))
            }
        };
        text.split(',').map(str::trim).filter(|text| !text.is_empty()).map(origin).collect::<Result<_, _>>().map(Self)
    }
}

impl TryFrom<String> for Origins {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl Serialize for Origins {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.is_empty() { serializer.serialize_none() } else { serializer.serialize_str(&self.0.join(",")) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_a_scheme_a_host_and_a_port() {
        let origins: Origins = "https://desk.example, http://localhost:3000/".parse().unwrap();
        assert!(origins.contain("https://desk.example") && origins.contain("http://localhost:3000"));
        for other in ["http://desk.example", "https://desk.example.evil.example", "https://desk.example:8443", "null"] {
            assert!(!origins.contain(other), "{other}");
        }
        assert!("*".parse::<Origins>().unwrap().contain("https://anywhere.example"));
        assert!(!Origins::default().contain("https://anywhere.example"));
        for wrong in ["desk.example", "https://desk.example/page", "https://desk.example:443", "null"] {
            assert!(wrong.parse::<Origins>().unwrap_err().contains(wrong), "{wrong}");
        }
    }
}
