//! The JSON of a request for Messages: <https://docs.claude.com/en/api/messages>.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::super::{
    ChatRequest, Message, ToolSpec,
    capabilities::Feature,
    client::{Client, Question},
    message::with_evidence,
    response::object,
    schema::closed,
};
use crate::domain::ReasoningEffort;

/// The longest response, tokens; the API wants one named. A long report has some 4,000, and reasoning counts too.
const MAX_TOKENS: u32 = 16_000;

/// The body of `/messages`.
pub(super) fn question(client: &Client, request: &ChatRequest) -> Question {
    let mut body = json!({"model": client.model, "max_tokens": MAX_TOKENS});
    let streams = client.known.has(Feature::Stream);
    body["stream"] = streams.into();
    let (system, mut messages) = conversation(&request.messages);
    let mut sent = if streams { vec![Feature::Stream] } else { Vec::new() };
    if let Some(temperature) = client.temperature() {
        // Other providers' scale ends at 2.
        body["temperature"] = temperature.min(1.0).into();
        sent.push(Feature::Temperature);
    }
    // There is no level for no reasoning at all: it is what a model does that is not asked for an effort.
    if let Some(effort) = client.effort().filter(|effort| *effort != ReasoningEffort::None) {
        body["output_config"]["effort"] = effort.max(ReasoningEffort::Low).as_str().into();
        sent.push(Feature::Effort);
    }
    match &request.schema {
        Some(schema) if !schema.in_words && client.known.has(Feature::Schema) => {
            body["output_config"]["format"] = json!({"type": "json_schema", "schema": closed(&schema.schema)});
            sent.push(Feature::Schema);
        }
        Some(schema) => say(&mut messages, "user", json!({"type": "text", "text": schema.words()})),
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
            // The blocks of a response that called tools, as they came.
            Message::Assistant { thoughts: Value::Array(blocks), .. } => {
                for block in blocks {
                    say(&mut turns, "assistant", block.clone());
                }
            }
            Message::Assistant { content, tool_calls, .. } => {
                if !content.is_empty() {
                    say(&mut turns, "assistant", json!({"type": "text", "text": content}));
                }
                for call in tool_calls {
                    let input = object(&call.arguments);
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
