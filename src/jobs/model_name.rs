//! The name of a model, which becomes part of URLs and of the address that Ollama fetches.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The most letters of a name.
const MAX: usize = 128;

/// A model as its provider names it: `qwen3:8b`, `gpt-6.1-sol`, `org/model`.
///
/// Its parts between slashes begin with a letter, a digit or one of `_@~`. No part is empty, and no two dots follow each
/// other, so that a name leads to no other path; and nothing in it begins a query or an escape.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(!try_from, !into)]
pub struct ModelName(
    #[schemars(
        length(min = 1, max = 128),
        regex(pattern = r"^[A-Za-z0-9_@~]([.]?[A-Za-z0-9_:@+~=,\-])*(/[A-Za-z0-9_@~]([.]?[A-Za-z0-9_:@+~=,\-])*)*$")
    )]
    String,
);

impl ModelName {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for ModelName {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        if text.len() <= MAX && text.split('/').all(is_part) {
            return Ok(Self(text));
        }
        let shown: String = text.chars().take(40).collect();
        Err(format!(
            "{shown:?} is not a model name: 1 to {MAX} letters, digits and -._:@+~=, with single slashes between its parts, \
             such as qwen3:8b or openai/gpt-oss-120b"
        ))
    }
}

impl From<ModelName> for String {
    fn from(name: ModelName) -> Self {
        name.0
    }
}

/// Whether a part between slashes is one: it neither ends in a dot nor has two in a row.
fn is_part(text: &str) -> bool {
    let is_first = |byte: &u8| byte.is_ascii_alphanumeric() || b"_@~".contains(byte);
    let is_other = |byte: u8| byte.is_ascii_alphanumeric() || b"_@~.:+=,-".contains(&byte);
    text.as_bytes().first().is_some_and(is_first)
        && text.bytes().all(is_other)
        && !text.contains("..")
        && !text.ends_with('.')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_all_providers_are_names() {
        for name in [
            "qwen3:8b",
            "gpt-6.1-sol",
            "hf.co/unsloth/Qwen3-8B-GGUF:Q4_K_M",
            "registry.example:5000/ns/model:tag",
            "anthropic/claude-opus-5.5:beta",
            "~anthropic/claude-sonnet-latest",
            "@preset/firm",
            "claude-opus-5@20260801",
            "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.anthropic.claude-opus-4-6-v1:0",
            "models/gemini-4-argon",
            "ft:gpt-4.1:org::id",
            "a",
        ] {
            assert_eq!(ModelName::try_from(name.to_owned()).unwrap().as_str(), name);
        }
    }

    #[test]
    fn what_would_lead_elsewhere_is_refused() {
        let too_long = "a".repeat(MAX + 1);
        for name in [
            "",
            "..",
            "../models",
            "a/../b",
            "a..b",
            "/etc/passwd",
            "//host/a",
            "a//b",
            "a/",
            "a/.",
            "./a",
            ".hidden",
            "a.",
            "a?b",
            "a#b",
            "a&b=c",
            "a%2e%2e",
            r"a\b",
            "a b",
            "a\nb",
            "a\u{7f}",
            "ä",
            "https://host/model",
            &too_long,
        ] {
            assert!(ModelName::try_from(name.to_owned()).is_err(), "{name:?}");
        }
    }
}
