//! The keys that let clients in, each with a name that logs may show.

use std::{fmt, str::FromStr};

use ring::digest::{SHA256, SHA256_OUTPUT_LEN, digest};
use serde::{Deserialize, Serialize, Serializer};
use subtle::ConstantTimeEq;

/// The lengths that a key may have. Sixteen characters are beyond guessing if they are random.
const KEY_LENGTH: std::ops::RangeInclusive<usize> = 16..=256;
/// The longest name.
const NAME_LENGTH: usize = 64;

/// Named keys: `n8n=KEY,cron=KEY`, separated by commas or line ends. Two keys may have one name, so that a new key works
/// before the old one goes. Only their digests are kept.
#[derive(Clone, Default, Deserialize)]
#[serde(try_from = "String")]
pub struct ApiKeys(Vec<ApiKey>);

#[derive(Clone)]
struct ApiKey {
    name: String,
    digest: [u8; SHA256_OUTPUT_LEN],
}

impl ApiKeys {
    /// Whether there are none, so that everybody is let in.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The name of a key, if it is one of these. It takes as long whichever it is: all are compared, by digests of one
    /// length, each in constant time.
    pub fn name_of(&self, key: &str) -> Option<&str> {
        let shown = sha256(key);
        let mut found = None;
        for known in &self.0 {
            if known.digest.ct_eq(&shown).into() {
                found = Some(known.name.as_str());
            }
        }
        found
    }
}

fn sha256(key: &str) -> [u8; SHA256_OUTPUT_LEN] {
    digest(&SHA256, key.as_bytes()).as_ref().try_into().expect("SHA-256 has 32 bytes")
}

impl FromStr for ApiKeys {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let entries = text.split([',', '\n']).map(str::trim).filter(|entry| !entry.is_empty());
        entries.map(ApiKey::from_str).collect::<Result<_, _>>().map(Self)
    }
}

impl FromStr for ApiKey {
    type Err = &'static str;

    fn from_str(entry: &str) -> Result<Self, Self::Err> {
        // What is wrong is told without the value, for it may be a key.
        let (name, key) = entry.split_once('=').ok_or("an entry has no name")?;
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        if !(1..=NAME_LENGTH).contains(&name.len()) || !name.bytes().all(is_name) {
            return Err("a name is not 1 to 64 letters, digits and -_.");
        }
        // The characters of a bearer token (RFC 6750, 2.1).
        let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte);
        if !KEY_LENGTH.contains(&key.len()) || !key.bytes().all(is_token) {
            return Err("a key is not 16 to 256 letters, digits and -._~+/=");
        }
        Ok(Self { name: name.into(), digest: sha256(key) })
    }
}

impl TryFrom<String> for ApiKeys {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl fmt::Debug for ApiKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|key| &key.name)).finish()
    }
}

impl Serialize for ApiKeys {
    /// The names alone.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.is_empty() {
            return serializer.serialize_none();
        }
        let shown: Vec<_> = self.0.iter().map(|key| format!("{}=***", key.name)).collect();
        serializer.serialize_str(&shown.join(","))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_known_by_its_name_and_shown_nowhere() {
        let keys: ApiKeys =
            "n8n=0123456789abcdef, cron=c2VjcmV0LWtleS1vZi1jcm9u==\ncron=another-key-of-cron".parse().unwrap();
        assert_eq!(keys.name_of("0123456789abcdef"), Some("n8n"));
        assert_eq!(keys.name_of("c2VjcmV0LWtleS1vZi1jcm9u=="), Some("cron"));
        assert_eq!(keys.name_of("another-key-of-cron"), Some("cron"));
        for unknown in ["", "0123456789abcde", "0123456789abcdef0", "n8n"] {
            assert_eq!(keys.name_of(unknown), None, "{unknown}");
        }
        assert_eq!(serde_json::to_value(&keys).unwrap(), "n8n=***,cron=***,cron=***");
        assert!(!format!("{keys:?}").contains("0123456789abcdef"));
    }

    #[test]
    fn what_is_no_list_of_keys_is_refused_without_a_word_of_it() {
        for wrong in
            ["0123456789abcdef0123", "n8n=short", "=0123456789abcdef", "n 8=0123456789abcdef", "a=0123456789 abcdef"]
        {
            let error = wrong.parse::<ApiKeys>().unwrap_err();
            assert!(!error.contains("0123"), "{error}");
        }
        assert!("".parse::<ApiKeys>().unwrap().is_empty());
    }
}
