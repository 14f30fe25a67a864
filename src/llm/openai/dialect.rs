//! Where the services that speak Chat Completions differ.

use serde_json::{Value, json};

use crate::domain::{EffortField, Provider, ReasoningEffort};

/// What a service wants otherwise than OpenAI.
#[derive(Debug, Clone, Copy)]
pub(super) struct Dialect {
    effort: EffortField,
    /// Whether a user may not speak right after a tool.
    pub answers_tools: bool,
    /// Whether its open models reason unless they are told not to, and do so in streams alone
    /// (<https://www.alibabacloud.com/help/en/model-studio/deep-thinking>).
    pub thinks_in_streams: bool,
    /// Whether its reasoning models are asked to keep thoughts out of the text.
    pub reasoning_split: bool,
}

impl Dialect {
    pub fn of(provider: Provider) -> Self {
        let quirks = provider.service().quirks;
        Self {
            effort: quirks.effort,
            answers_tools: quirks.no_user_after_tool,
            thinks_in_streams: quirks.enable_thinking,
            reasoning_split: quirks.reasoning_split,
        }
    }

    /// Puts the effort into a request; false if there is no word for it.
    pub fn put_effort(self, body: &mut Value, effort: ReasoningEffort) -> bool {
        let word = effort.as_str();
        match self.effort {
            EffortField::Flat => body["reasoning_effort"] = word.into(),
            EffortField::Nested => body["reasoning"] = json!({"effort": word}),
            EffortField::None => return false,
        }
        true
    }
}
