//! What Chat Completions answer in JSON: <https://platform.openai.com/docs/api-reference/chat>.

use serde::Deserialize;
use serde_json::{Value, json};

use super::super::{
    Finish, Usage,
    answer::{RawAnswer, RawCall},
};

/// The answer of `/chat/completions`.
#[derive(Deserialize)]
pub(super) struct Completion {
    #[serde(default)]
    choices: Vec<Choice>,
    usage: Option<CompletionUsage>,
    /// What went wrong, where a gateway says so with the status of a success.
    error: Option<Value>,
}

#[derive(Deserialize)]
struct Choice {
    message: ChoiceMessage,
    finish_reason: Option<String>,
}

#[derive(Deserialize)]
struct ChoiceMessage {
    #[serde(default)]
    content: Value,
    tool_calls: Option<Vec<ChoiceCall>>,
    #[serde(default)]
    reasoning_content: Value,
}

#[derive(Deserialize)]
struct ChoiceCall {
    id: Option<String>,
    function: ChoiceFunction,
}

#[derive(Deserialize)]
struct ChoiceFunction {
    name: String,
    #[serde(default)]
    arguments: Value,
}

#[derive(Deserialize)]
struct CompletionUsage {
    #[serde(default)]
    prompt_tokens: u64,
    #[serde(default)]
    completion_tokens: u64,
    /// Those in the cache, in OpenAI's words.
    prompt_tokens_details: Option<PromptDetails>,
    /// The same in the words of `DeepSeek`.
    prompt_cache_hit_tokens: Option<u64>,
}

#[derive(Deserialize)]
struct PromptDetails {
    cached_tokens: Option<u64>,
}

impl Completion {
    /// The first choice; there is one, as one was asked for, unless the server is broken or tells of an error.
    pub fn into_answer(self) -> Result<RawAnswer, Option<Value>> {
        let Some(choice) = self.choices.into_iter().next() else { return Err(self.error) };
        Ok(RawAnswer {
            text: text(&choice.message.content),
            calls: choice.message.tool_calls.into_iter().flatten().map(ChoiceCall::into_raw).collect(),
            thoughts: choice.message.reasoning_content,
            usage: self.usage.map_or(Usage { calls: 1, ..Usage::default() }, Usage::from),
            finish: if choice.finish_reason.as_deref() == Some("length") { Finish::Length } else { Finish::Stop },
        })
    }
}

/// The text of a message, or of the parts that models of Mistral that think make of it.
fn text(content: &Value) -> String {
    match content {
        Value::String(text) => text.clone(),
        Value::Array(parts) => parts.iter().filter_map(|part| part["text"].as_str()).collect(),
        _ => String::new(),
    }
}

impl From<CompletionUsage> for Usage {
    fn from(usage: CompletionUsage) -> Self {
        let cached = usage.prompt_tokens_details.and_then(|details| details.cached_tokens);
        Self {
            calls: 1,
            tokens_in: usage.prompt_tokens,
            tokens_out: usage.completion_tokens,
            tokens_cached: cached.or(usage.prompt_cache_hit_tokens).unwrap_or_default(),
            cost_usd: None,
        }
    }
}

impl ChoiceCall {
    /// Arguments that are no JSON stay a text: the tool then says what is wrong with them, and the model tries again.
    fn into_raw(self) -> RawCall {
        let arguments = match self.function.arguments {
            Value::String(text) if text.trim().is_empty() => json!({}),
            Value::String(text) => serde_json::from_str(&text).unwrap_or(Value::String(text)),
            Value::Null => json!({}),
            json => json,
        };
        RawCall { id: self.id, name: self.function.name, arguments }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thoughts_among_the_parts_of_a_text_are_no_part_of_it() {
        let thought = json!({"type": "thinking", "thinking": [{"type": "text", "text": "Hm."}]});
        assert_eq!(text(&json!([thought, {"type": "text", "text": "Buy."}])), "Buy.");
        assert_eq!((text(&json!("Buy.")), text(&Value::Null)), ("Buy.".into(), String::new()));
    }
}
