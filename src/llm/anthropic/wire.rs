//! The JSON of Messages: <https://docs.claude.com/en/api/messages>.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::{Value, json};

use super::super::{
    ChatRequest, Finish, Message, ToolSpec, Usage,
    answer::{RawAnswer, RawCall},
    client::{Client, Question},
    message::with_evidence,
    optional::Part,
};

/// The longest answer, tokens; the API wants one named. A long report has some 4,000, and thoughts count too.
const MAX_TOKENS: u32 = 16_000;

/// Limits within a schema that the API refuses; the answer is checked after it came anyway.
const UNKNOWN_LIMITS: [&str; 6] = ["minimum", "maximum", "multipleOf", "minLength", "maxLength", "maxItems"];

/// The body of `/messages`.
pub(super) fn question(client: &Client, request: &ChatRequest) -> Question {
    let mut body = json!({"model": client.model, "max_tokens": MAX_TOKENS});
    let (system, mut messages) = conversation(&request.messages);
    let mut sent = Vec::new();
    if let Some(temperature) = client.temperature() {
        // Other providers' scale ends at 2.
        body["temperature"] = temperature.min(1.0).into();
        sent.push(Part::Temperature);
    }
    if let Some(effort) = client.effort() {
        body["output_config"]["effort"] = effort.as_str().into();
        sent.push(Part::Effort);
    }
    match &request.schema {
        Some(schema) if client.takes_schema() => {
            body["output_config"]["format"] = json!({"type": "json_schema", "schema": closed(&schema.schema)});
            sent.push(Part::Schema);
        }
        Some(schema) => say(&mut messages, "user", json!({"type": "text", "text": schema.in_words()})),
        None => {}
    }
    put_tools(&mut body, request);
    if !system.is_empty() {
        body["system"] = json!([{"type": "text", "text": system, "cache_control": {"type": "ephemeral"}}]);
    }
    body["messages"] = messages.into();
    (body, sent)
}

/// The tools on offer. Where there are none any more, those that were called still have to be named.
fn put_tools(body: &mut Value, request: &ChatRequest) {
    let called: BTreeSet<_> = request.messages.iter().filter_map(tool_name).collect();
    if !request.tools.is_empty() {
        body["tools"] = request.tools.iter().map(tool).collect();
    } else if !called.is_empty() {
        let named = called.into_iter().map(|name| json!({"name": name, "input_schema": {"type": "object"}}));
        body["tools"] = named.collect();
        body["tool_choice"] = json!({"type": "none"});
    }
}

fn tool_name(message: &Message) -> Option<&str> {
    if let Message::Tool { name, .. } = message { Some(name) } else { None }
}

fn tool(tool: &ToolSpec) -> Value {
    json!({"name": tool.name, "description": tool.description, "input_schema": tool.parameters})
}

/// The system's text and the turns, in which user and model alternate.
fn conversation(messages: &[Message]) -> (String, Vec<Value>) {
    let (mut system, mut turns) = (Vec::new(), Vec::new());
    for message in messages {
        match message {
            Message::System { content } => system.push(content.as_str()),
            Message::User { content, evidence } => {
                say(&mut turns, "user", json!({"type": "text", "text": with_evidence(content, evidence)}));
            }
            Message::Tool { id, content, .. } => {
                say(&mut turns, "user", json!({"type": "tool_result", "tool_use_id": id, "content": content}));
            }
            Message::Assistant { content, tool_calls, thoughts } => {
                for thought in thoughts.as_array().into_iter().flatten() {
                    say(&mut turns, "assistant", thought.clone());
                }
                if !content.is_empty() {
                    say(&mut turns, "assistant", json!({"type": "text", "text": content}));
                }
                for call in tool_calls {
                    // The arguments have to be an object, whatever the model made of them.
                    let input = if call.arguments.is_object() { call.arguments.clone() } else { json!({}) };
                    let call = json!({"type": "tool_use", "id": call.id, "name": call.name, "input": input});
                    say(&mut turns, "assistant", call);
                }
            }
        }
    }
    (system.join("\n\n"), turns)
}

/// Adds a block to the turn that goes on, or begins another.
fn say(turns: &mut Vec<Value>, role: &str, block: Value) {
    match turns.last_mut() {
        Some(turn) if turn["role"] == role => {
            if let Some(blocks) = turn["content"].as_array_mut() {
                blocks.push(block);
            }
        }
        _ => turns.push(json!({"role": role, "content": [block]})),
    }
}

/// The schema as the API takes it: each object closed, and without limits.
fn closed(schema: &Value) -> Value {
    match schema {
        Value::Object(map) => {
            let kept = map.iter().filter(|(name, _)| !UNKNOWN_LIMITS.contains(&name.as_str()));
            let mut schema: Value = kept.map(|(name, value)| (name.clone(), closed(value))).collect();
            if schema.get("properties").is_some_and(Value::is_object) {
                schema["additionalProperties"] = false.into();
            }
            schema
        }
        Value::Array(list) => list.iter().map(closed).collect(),
        other => other.clone(),
    }
}

/// The answer of `/messages`.
#[derive(Deserialize)]
pub(super) struct Answer {
    content: Vec<Value>,
    stop_reason: Option<String>,
    #[serde(default)]
    usage: AnswerUsage,
}

/// Tokens.
#[derive(Default, Deserialize)]
#[serde(default)]
struct AnswerUsage {
    /// Without those that were put into the cache or read from it.
    #[serde(rename = "input_tokens")]
    input: u64,
    #[serde(rename = "output_tokens")]
    output: u64,
    #[serde(rename = "cache_creation_input_tokens")]
    cached_now: Option<u64>,
    #[serde(rename = "cache_read_input_tokens")]
    cached_before: Option<u64>,
}

impl Answer {
    pub fn into_answer(self) -> RawAnswer {
        let (mut text, mut calls, mut thoughts) = (String::new(), Vec::new(), Vec::new());
        for mut block in self.content {
            match block["type"].as_str() {
                Some("text") => text.push_str(block["text"].as_str().unwrap_or_default()),
                Some("tool_use") => calls.push(RawCall {
                    id: block["id"].as_str().map(Into::into),
                    name: block["name"].as_str().unwrap_or_default().into(),
                    arguments: block["input"].take(),
                }),
                Some("thinking" | "redacted_thinking") => thoughts.push(block),
                // Blocks of kinds that nobody asked for.
                _ => {}
            }
        }
        let cut = matches!(self.stop_reason.as_deref(), Some("max_tokens" | "model_context_window_exceeded"));
        RawAnswer {
            text,
            calls,
            thoughts: if thoughts.is_empty() { Value::Null } else { thoughts.into() },
            usage: self.usage.into(),
            finish: if cut { Finish::Length } else { Finish::Stop },
        }
    }
}

impl From<AnswerUsage> for Usage {
    fn from(usage: AnswerUsage) -> Self {
        let cached = usage.cached_before.unwrap_or_default();
        Self {
            calls: 1,
            tokens_in: usage.input + cached + usage.cached_now.unwrap_or_default(),
            tokens_out: usage.output,
            tokens_cached: cached,
            cost_usd: None,
        }
    }
}
