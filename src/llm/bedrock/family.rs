//! Request fields of single model families, beyond the base that Converse has for all models.
//!
//! An id names its family somewhere: `anthropic.claude-…`, `us.anthropic.claude-…`, or an ARN that ends in one of them.
//! The ARN of an application inference profile names none; such a model is asked for nothing special.

use serde_json::{Value, json};

use crate::domain::ReasoningEffort;

/// The longest answer of a Claude, tokens. Bedrock counts it against the quota when the request arrives, so that the
/// default, which is the model's maximum, would use up the quota of a minute at once.
const MAX_TOKENS: u32 = 16_000;

/// Models that take the same fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Family {
    Claude,
    Nova,
    /// Nova 2, which thinks.
    Nova2,
    /// OpenAI's open models and Kimi.
    FlatEffort,
    /// OpenAI's other models.
    Gpt,
    Other,
}

impl Family {
    pub fn of(model: &str) -> Self {
        let named = |name: &str| model.contains(name);
        match () {
            () if named("claude") => Self::Claude,
            () if named("amazon.nova-2") => Self::Nova2,
            () if named("amazon.nova") => Self::Nova,
            () if named("gpt-oss") || named("kimi") => Self::FlatEffort,
            () if named("openai.gpt") => Self::Gpt,
            () => Self::Other,
        }
    }

    /// Whether the cache is used where a cache point is set
    /// (<https://docs.aws.amazon.com/bedrock/latest/userguide/prompt-caching.html>). Other models refuse the point.
    pub fn takes_cache_points(self) -> bool {
        matches!(self, Self::Claude | Self::Nova | Self::Nova2)
    }

    /// `maxTokens`. None leaves it to the model, whose limit may be lower than ours.
    pub fn max_tokens(self) -> Option<u32> {
        (self == Self::Claude).then_some(MAX_TOKENS)
    }

    /// Puts the effort where the family has it. False if it has none.
    pub fn put_effort(self, body: &mut Value, effort: ReasoningEffort) -> bool {
        let level = if effort == ReasoningEffort::Minimal { ReasoningEffort::Low } else { effort };
        let fields = match self {
            Self::Gpt => json!({"reasoning": {"effort": level.as_str()}}),
            // The others have no level for no reasoning at all.
            _ if effort == ReasoningEffort::None => return false,
            Self::Claude => {
                body["outputConfig"]["effort"] = level.as_str().into();
                return true;
            }
            Self::Nova2 => json!({"reasoningConfig": {"type": "enabled", "maxReasoningEffort": effort.common()}}),
            Self::FlatEffort => json!({"reasoning_effort": effort.common()}),
            Self::Nova | Self::Other => return false,
        };
        body["additionalModelRequestFields"] = fields;
        true
    }

    /// Whether a temperature may be sent along with this effort. Nova 2 refuses it with its highest
    /// (<https://docs.aws.amazon.com/nova/latest/nova2-userguide/extended-thinking.html>).
    pub fn takes_temperature(self, effort: Option<ReasoningEffort>) -> bool {
        self != Self::Nova2 || effort < Some(ReasoningEffort::High)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_family_is_known_by_id_profile_and_arn() {
        for (model, family) in [
            ("anthropic.claude-opus-4-6-v1", Family::Claude),
            ("global.anthropic.claude-sonnet-5-5", Family::Claude),
            (
                "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.anthropic.claude-sonnet-4-6-v1:0",
                Family::Claude,
            ),
            ("us.amazon.nova-2-lite-v1:0", Family::Nova2),
            ("amazon.nova-pro-v1:0", Family::Nova),
            ("openai.gpt-oss-120b-1:0", Family::FlatEffort),
            ("moonshot.kimi-k2-thinking", Family::FlatEffort),
            ("openai.gpt-6-luna", Family::Gpt),
            ("us.meta.llama4-maverick-17b-instruct-v1:0", Family::Other),
            ("arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abcdefghijk2", Family::Other),
        ] {
            assert_eq!(Family::of(model), family, "{model}");
        }
    }
}
