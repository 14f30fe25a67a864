//! The model providers that a job may name.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Who serves the language models.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Provider {
    /// A local Ollama server, spoken to by its native API.
    Ollama,
    /// OpenAI's Chat Completions.
    #[serde(rename = "openai")]
    OpenAi,
    /// Any server that speaks Chat Completions; `backend_url` says where.
    #[serde(rename = "openai_compatible")]
    OpenAiCompatible,
    /// No language model: published technical rules. Never chosen silently.
    Rules,
}

impl Provider {
    /// The key as configuration spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ollama => "ollama",
            Self::OpenAi => "openai",
            Self::OpenAiCompatible => "openai_compatible",
            Self::Rules => "rules",
        }
    }
}
