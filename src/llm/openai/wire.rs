//! The JSON of Chat Completions: <https://platform.openai.com/docs/api-reference/chat>.

use serde::Deserialize;
use serde_json::{Value, json};

use super::super::{
    ChatRequest, Finish, Message, OutputSchema, ToolCall, ToolSpec, Usage,
    answer::{RawAnswer, RawCall},
};

/// How a JSON answer is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// By its schema.
    Schema,
    /// As any JSON object, with the schema in words.
    Object,
    /// As a text, with the schema, if there is one, in words.
    Text,
}

impl Form {
    /// The form to begin with.
    pub fn first(request: &ChatRequest) -> Self {
        if request.schema.is_some() { Self::Schema } else { Self::Text }
    }

    /// The form after a refusal of this one.
    pub fn next(self) -> Option<Self> {
        match self {
            Self::Schema => Some(Self::Object),
            Self::Object => Some(Self::Text),
            Self::Text => None,
        }
    }
}

/// The body of `/chat/completions`.
pub(super) fn chat(model: &str, request: &ChatRequest, temperature: Option<f64>, form: Form) -> Value {
    let mut messages: Vec<_> = request.messages.iter().map(message).collect();
    let mut body = json!({"model": model, "stream": false});
    if let Some(schema) = &request.schema {
        match form {
            Form::Schema => body["response_format"] = response_format(schema),
            Form::Object => body["response_format"] = json!({"type": "json_object"}),
            Form::Text => {}
        }
        if form != Form::Schema {
            messages.push(json!({"role": "user", "content": in_words(schema)}));
        }
    }
    body["messages"] = messages.into();
    if let Some(temperature) = temperature {
        body["temperature"] = temperature.into();
    }
    if !request.tools.is_empty() {
        body["tools"] = request.tools.iter().map(tool).collect();
    }
    body
}

fn response_format(OutputSchema { name, schema }: &OutputSchema) -> Value {
    json!({
        "type": "json_schema",
        "json_schema": {"name": name, "schema": schema, "strict": allows_strict(schema)},
    })
}

fn in_words(schema: &OutputSchema) -> String {
    format!("Answer with one JSON object that keeps to this JSON schema, and with nothing else:\n{}", schema.schema)
}

/// Whether OpenAI accepts the schema as strict: each object closed, each of its properties required.
fn allows_strict(schema: &Value) -> bool {
    match schema {
        Value::Object(map) => {
            let closed = map.get("properties").and_then(Value::as_object).is_none_or(|properties| {
                let required = map.get("required").and_then(Value::as_array).map_or(0, Vec::len);
                map.get("additionalProperties") == Some(&Value::Bool(false)) && required == properties.len()
            });
            closed && map.values().all(allows_strict)
        }
        Value::Array(list) => list.iter().all(allows_strict),
        _ => true,
    }
}

fn message(message: &Message) -> Value {
    match message {
        Message::System { content } => json!({"role": "system", "content": content}),
        Message::User { content } => json!({"role": "user", "content": content}),
        // An empty list of calls is refused.
        Message::Assistant { content, tool_calls } if tool_calls.is_empty() => {
            json!({"role": "assistant", "content": content})
        }
        Message::Assistant { content, tool_calls } => {
            let calls: Vec<_> = tool_calls.iter().map(tool_call).collect();
            json!({"role": "assistant", "content": content, "tool_calls": calls})
        }
        Message::Tool { id, content, .. } => json!({"role": "tool", "tool_call_id": id, "content": content}),
    }
}

/// The arguments are JSON in a string.
fn tool_call(ToolCall { id, name, arguments }: &ToolCall) -> Value {
    json!({"id": id, "type": "function", "function": {"name": name, "arguments": arguments.to_string()}})
}

fn tool(tool: &ToolSpec) -> Value {
    json!({
        "type": "function",
        "function": {"name": tool.name, "description": tool.description, "parameters": tool.parameters},
    })
}

/// The answer of `/chat/completions`.
#[derive(Deserialize)]
pub(super) struct Completion {
    #[serde(default)]
    choices: Vec<Choice>,
    usage: Option<CompletionUsage>,
}

#[derive(Deserialize)]
struct Choice {
    message: ChoiceMessage,
    finish_reason: Option<String>,
}

#[derive(Deserialize)]
struct ChoiceMessage {
    content: Option<String>,
    tool_calls: Option<Vec<ChoiceCall>>,
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
}

impl Completion {
    /// The first choice; there is one, as one was asked for, unless the server is broken.
    pub fn into_answer(self) -> Option<RawAnswer> {
        let choice = self.choices.into_iter().next()?;
        let (tokens_in, tokens_out) = self.usage.map_or((0, 0), |usage| (usage.prompt_tokens, usage.completion_tokens));
        Some(RawAnswer {
            text: choice.message.content.unwrap_or_default(),
            calls: choice.message.tool_calls.into_iter().flatten().map(ChoiceCall::into_raw).collect(),
            usage: Usage { calls: 1, tokens_in, tokens_out },
            finish: if choice.finish_reason.as_deref() == Some("length") { Finish::Length } else { Finish::Stop },
        })
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

/// The answer of `/models`.
#[derive(Deserialize)]
pub(super) struct Models {
    #[serde(default)]
    data: Vec<Model>,
}

#[derive(Deserialize)]
struct Model {
    id: String,
}

impl Models {
    pub fn have(&self, name: &str) -> bool {
        self.data.iter().any(|model| model.id == name)
    }

    /// The first few.
    pub fn in_words(&self) -> String {
        let names: Vec<_> = self.data.iter().take(10).map(|model| model.id.as_str()).collect();
        match self.data.len() {
            0 => "it has none".into(),
            all if all > names.len() => format!("it has {} and {} more", names.join(", "), all - names.len()),
            _ => format!("it has {}", names.join(", ")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_schema_that_is_closed_throughout_is_strict() {
        let closed = json!({
            "type": "object",
            "properties": {"rating": {"enum": ["Buy", "Sell"]}, "levels": {"type": "array", "items": {
                "type": "object", "properties": {"price": {"type": "number"}}, "required": ["price"],
                "additionalProperties": false}}},
            "required": ["rating", "levels"],
            "additionalProperties": false,
        });
        assert!(allows_strict(&closed));
        let mut optional = closed.clone();
        optional["required"] = json!(["rating"]);
        assert!(!allows_strict(&optional));
        let mut open_within = closed;
        open_within["properties"]["levels"]["items"]["additionalProperties"] = true.into();
        assert!(!allows_strict(&open_within));
    }
}
