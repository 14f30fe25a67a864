//! Where the services that speak Chat Completions differ.

use serde_json::{Value, json};

use crate::domain::{Provider, ReasoningEffort};

/// What a service wants otherwise than OpenAI.
#[derive(Debug, Clone, Copy)]
pub(super) struct Dialect {
    effort: EffortWord,
    /// Whether a user may not speak right after a tool.
    pub answers_tools: bool,
    /// Whether its open models reason unless they are told not to, and do so in streams alone
    /// (<https://www.alibabacloud.com/help/en/model-studio/deep-thinking>).
    pub thinks_in_streams: bool,
}

/// How a service is told how long to think.
#[derive(Debug, Clone, Copy)]
enum EffortWord {
    /// `"reasoning_effort": "low"`
    Flat,
    /// `"reasoning": {"effort": "low"}`
    Nested,
    /// By the model's name, or not at all.
    Never,
}

const LIKE_OPENAI: Dialect = Dialect { effort: EffortWord::Flat, answers_tools: false, thinks_in_streams: false };

impl Dialect {
    pub fn of(provider: Provider) -> Self {
        let silent = Self { effort: EffortWord::Never, ..LIKE_OPENAI };
        match provider {
            Provider::OpenRouter => Self { effort: EffortWord::Nested, ..LIKE_OPENAI },
            Provider::Mistral => Self { answers_tools: true, ..silent },
            Provider::Qwen => Self { thinks_in_streams: true, ..silent },
            Provider::DeepSeek | Provider::Glm => silent,
            _ => LIKE_OPENAI,
        }
    }

    /// Puts the effort into a request; false if there is no word for it.
    pub fn put_effort(self, body: &mut Value, effort: ReasoningEffort) -> bool {
        let word = effort.as_str();
        match self.effort {
            EffortWord::Flat => body["reasoning_effort"] = word.into(),
            EffortWord::Nested => body["reasoning"] = json!({"effort": word}),
            EffortWord::Never => return false,
        }
        true
    }
}
