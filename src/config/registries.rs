//! The registries that Ollama may fetch models from.
//!
//! A model's name may have a host before it: `hf.co/org/model:tag`. Ollama asks that host for the model, so a job could
//! have it ask any server within its reach, and load what that server sends.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize, Serializer};

/// Ollama's own registry. It asks this one if a name has no host.
const OWN: &str = "registry.ollama.ai";

/// Registries by host, and port if it is not the usual one: `hf.co,registry.example:5000`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Registries(Vec<String>);

impl Registries {
    /// Refuses a model whose name leads to another registry than Ollama's own and these.
    pub fn check(&self, model: &str) -> Result<(), String> {
        let Some(host) = host(model) else { return Ok(()) };
        let is_allowed = |allowed: &str| allowed.eq_ignore_ascii_case(host);
        if is_allowed(OWN) || self.0.iter().any(|allowed| is_allowed(allowed)) {
            return Ok(());
        }
        Err(format!(
            "{model} would have Ollama ask the registry {host}, which is not allowed; use a model of Ollama's own library, or \
             have the operator add {host} to OLLAMA_REGISTRIES"
        ))
    }
}

/// The host in a model's name. Ollama reads a name from its end: model, namespace, host. What looks like a host counts as
/// one at any place.
fn host(model: &str) -> Option<&str> {
    let (first, rest) = model.split_once('/')?;
    (rest.contains('/') || first.contains(['.', ':'])).then_some(first)
}

impl FromStr for Registries {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let registry = |text: &str| {
            let is_fine = |byte: u8| byte.is_ascii_alphanumeric() || b"-.:[]".contains(&byte);
            if text.bytes().all(is_fine) {
                Ok(text.to_owned())
            } else {
                Err(format!("{text:?} is not a host; write it as hf.co or registry.example:5000"))
            }
        };
        text.split(',').map(str::trim).filter(|text| !text.is_empty()).map(registry).collect::<Result<_, _>>().map(Self)
    }
}

impl TryFrom<String> for Registries {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl fmt::Display for Registries {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join(","))
    }
}

impl Serialize for Registries {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0.is_empty() { serializer.serialize_none() } else { serializer.collect_str(self) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_named_registries_are_asked() {
        let registries: Registries = "hf.co, registry.example:5000".parse().unwrap();
        for model in [
            "qwen3:8b",
            "library/qwen3:8b",
            "registry.ollama.ai/library/qwen3:8b",
            "hf.co/unsloth/Qwen3-8B-GGUF:Q4_K_M",
            "HF.co/a/b",
            "registry.example:5000/ns/model:tag",
        ] {
            assert_eq!(registries.check(model), Ok(()), "{model}");
        }
        for (model, host) in [
            ("evil.example/ns/model:tag", "evil.example"),
            ("127.0.0.1:6379/x/y:z", "127.0.0.1:6379"),
            ("localhost/x/y", "localhost"),
            ("registry.example/ns/model", "registry.example"),
            ("evil.example/model", "evil.example"),
            ("evil.example/hf.co/a/b", "evil.example"),
            ("hf.co:8080/a/b", "hf.co:8080"),
        ] {
            let refusal = registries.check(model).unwrap_err();
            assert!(refusal.contains(&format!("add {host} to OLLAMA_REGISTRIES")), "{refusal}");
        }
        assert!(Registries::default().check("hf.co/a/b").is_err());
        assert!("https://hf.co".parse::<Registries>().is_err());
    }
}
