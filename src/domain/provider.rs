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
    /// Anthropic's Messages.
    Anthropic,
    /// Google's Gemini.
    Google,
    /// xAI's Grok.
    Xai,
    /// A gateway to the models of many services.
    #[serde(rename = "openrouter")]
    OpenRouter,
    /// `DeepSeek`'s own service.
    #[serde(rename = "deepseek")]
    DeepSeek,
    /// Open models on Groq's chips.
    Groq,
    /// Mistral's own service.
    Mistral,
    /// Alibaba's Qwen, at `DashScope`.
    Qwen,
    /// Zhipu's GLM, at Z.ai.
    Glm,
    /// OpenAI's models at Microsoft Azure; a model's name is that of its deployment.
    Azure,
    /// Any server that speaks Chat Completions; `backend_url` says where.
    #[serde(rename = "openai_compatible")]
    OpenAiCompatible,
    /// No language model: published rules. Never chosen silently.
    Rules,
}

impl Provider {
    /// All, by the key as configuration spells it.
    pub const NAMES: [&'static str; 14] = [
        "ollama",
        "openai",
        "anthropic",
        "google",
        "xai",
        "openrouter",
        "deepseek",
        "groq",
        "mistral",
        "qwen",
        "glm",
        "azure",
        "openai_compatible",
        "rules",
    ];

    /// The key as configuration spells it.
    pub fn as_str(self) -> &'static str {
        Self::NAMES[self as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_that_of_its_provider() {
        for name in Provider::NAMES {
            let provider: Provider = serde_json::from_value(name.into()).unwrap();
            assert_eq!(provider.as_str(), name);
        }
    }
}
