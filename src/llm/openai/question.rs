//! What Chat Completions are asked in JSON: <https://platform.openai.com/docs/api-reference/chat>.

use serde_json::{Value, json};

use super::{
    super::{
        ChatRequest, Message, OutputSchema, ToolCall, ToolSpec,
        client::{Client, Question},
        message::with_evidence,
        optional::Part,
    },
    Dialect,
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
pub(super) fn question(client: &Client, request: &ChatRequest, dialect: Dialect, form: Form) -> Question {
    let mut body = json!({"model": client.model, "stream": false});
    let mut sent = Vec::new();
    if let Some(temperature) = client.temperature() {
        body["temperature"] = temperature.into();
        sent.push(Part::Temperature);
    }
    if client.effort().is_some_and(|effort| dialect.put_effort(&mut body, effort)) {
        sent.push(Part::Effort);
    }
    if dialect.thinks_in_streams {
        body["enable_thinking"] = false.into();
    }
    if !request.tools.is_empty() {
        body["tools"] = request.tools.iter().map(tool).collect();
    }
    let mut messages = messages(&request.messages, dialect);
    if let Some(schema) = &request.schema {
        match form {
            Form::Schema => body["response_format"] = response_format(schema),
            Form::Object => body["response_format"] = json!({"type": "json_object"}),
            Form::Text => {}
        }
        if form != Form::Schema {
            messages.push(json!({"role": "user", "content": schema.in_words()}));
        }
    }
    body["messages"] = messages.into();
    (body, sent)
}

fn messages(messages: &[Message], dialect: Dialect) -> Vec<Value> {
    let mut all = Vec::new();
    for (place, said) in messages.iter().enumerate() {
        let after_tool = place.checked_sub(1).is_some_and(|before| matches!(messages[before], Message::Tool { .. }));
        if dialect.answers_tools && after_tool && matches!(said, Message::User { .. }) {
            all.push(json!({"role": "assistant", "content": "I have what the tools said."}));
        }
        all.push(message(said));
    }
    all
}

fn response_format(OutputSchema { name, schema }: &OutputSchema) -> Value {
    json!({
        "type": "json_schema",
        "json_schema": {"name": name, "schema": schema, "strict": allows_strict(schema)},
    })
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
        Message::User { content, evidence } => {
            json!({"role": "user", "content": with_evidence(content, evidence)})
        }
        Message::Assistant { content, tool_calls, thoughts } => {
            let mut said = json!({"role": "assistant", "content": content});
            // An empty list of calls is refused.
            if !tool_calls.is_empty() {
                said["tool_calls"] = tool_calls.iter().map(tool_call).collect();
            }
            if !thoughts.is_null() {
                said["reasoning_content"] = thoughts.clone();
            }
            said
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
