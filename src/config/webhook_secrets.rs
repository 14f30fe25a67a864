//! The secrets that webhooks are signed with.

use std::fmt;

use base64::{Engine, prelude::BASE64_STANDARD};
use secrecy::{ExposeSecret, SecretSlice};
use serde::{Deserialize, Serialize, Serializer};

/// The lengths that a secret may have, bytes, by Standard Webhooks.
const LENGTH: std::ops::RangeInclusive<usize> = 24..=64;

/// Secrets by Standard Webhooks: `whsec_` and the bytes in base64; several are separated by commas. None of them is shown.
#[derive(Clone, Default, Deserialize)]
#[serde(try_from = "String")]
pub struct WebhookSecrets(Vec<SecretSlice<u8>>);

impl WebhookSecrets {
    /// Whether there are none, so that no webhook is sent.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The bytes of each.
    pub fn keys(&self) -> impl Iterator<Item = &[u8]> {
        self.0.iter().map(ExposeSecret::expose_secret)
    }
}

impl TryFrom<String> for WebhookSecrets {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let entries = text.split([',', '\n']).map(str::trim).filter(|entry| !entry.is_empty());
        let secrets = entries.map(|entry| {
            let encoded = entry.strip_prefix("whsec_").ok_or("a secret does not begin with whsec_")?;
            let bytes = BASE64_STANDARD.decode(encoded).map_err(|_| "what follows whsec_ is no base64")?;
            if LENGTH.contains(&bytes.len()) { Ok(bytes.into()) } else { Err("a secret has not 24 to 64 bytes") }
        });
        secrets.collect::<Result<_, _>>().map(Self)
    }
}

impl fmt::Debug for WebhookSecrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} secrets", self.0.len())
    }
}

impl Serialize for WebhookSecrets {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (!self.is_empty()).then_some("***").serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_have_the_form_of_the_standard_and_show_nowhere() {
        let one = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
        for (text, count) in [("", 0), (one, 1), (&format!("{one}, {one}"), 2)] {
            let secrets = WebhookSecrets::try_from(text.to_owned()).unwrap();
            assert_eq!(secrets.keys().count(), count);
            assert!(secrets.keys().all(|key| key.len() == 24));
            let shown = format!("{secrets:?}{}", serde_json::to_string(&secrets).unwrap());
            assert!(!shown.contains("MfKQ"), "{shown}");
        }
        for wrong in ["hunter2", "whsec_hunter 2", "whsec_c2hvcnQ=", &format!("{one};{one}")] {
            assert!(WebhookSecrets::try_from(wrong.to_owned()).is_err(), "{wrong}");
        }
    }
}
