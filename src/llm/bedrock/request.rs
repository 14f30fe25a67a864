//! The request of Converse: <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html>.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{
    super::{
        ChatRequest, Message, OutputSchema, ToolCall, ToolSpec,
        capabilities::Feature,
        client::{Client, Question},
        message::with_evidence,
        response::object,
        schema::closed,
    },
    family::Family,
};

/// The top-level keys of a tool's schema. Nova refuses others, and none of those says anything to a model.
const SCHEMA_KEYS: [&str; 4] = ["type", "properties", "required", "$defs"];
/// The text of an empty tool result. Converse refuses a blank text.
const NOTHING: &str = "(nothing)";

/// The body of `/model/{modelId}/converse`.
pub(super) fn request(client: &Client, family: Family, request: &ChatRequest) -> Question {
    let mut body = json!({});
    let (system, mut messages) = conversation(&request.messages, client.known.has(Feature::Reasoning));
    let mut sent = put_options(&mut body, client, family);
    if request.messages.iter().any(has_reasoning) && client.known.has(Feature::Reasoning) {
        sent.push(Feature::Reasoning);
    }
    match &request.schema {
        Some(schema) if !schema.in_words && client.known.has(Feature::Schema) => {
            body["outputConfig"]["textFormat"] = text_format(schema);
            sent.push(Feature::Schema);
        }
        Some(schema) => say(&mut messages, "user", json!({"text": schema.words()})),
        None => {}
    }
    if !system.trim().is_empty() {
        let mut blocks = vec![json!({"text": system})];
        if family.takes_cache_points() && client.known.has(Feature::CachePoint) {
            blocks.push(json!({"cachePoint": {"type": "default"}}));
            sent.push(Feature::CachePoint);
        }
        body["system"] = blocks.into();
    }
    if let Some(tools) = tools(request) {
        body["toolConfig"] = json!({ "tools": tools });
    }
    body["messages"] = messages.into();
    (body, sent)
}

/// Puts effort, temperature and the limit of tokens where the family has them; returns those that were put.
fn put_options(body: &mut Value, client: &Client, family: Family) -> Vec<Feature> {
    let mut sent = Vec::new();
    let effort = client.effort();
    if effort.is_some_and(|effort| family.put_effort(body, effort)) {
        sent.push(Feature::Effort);
    }
    if let Some(temperature) = client.temperature().filter(|_| family.takes_temperature(effort)) {
        // Other providers' scale ends at 2.
        body["inferenceConfig"]["temperature"] = temperature.min(1.0).into();
        sent.push(Feature::Temperature);
    }
    if let Some(most) = family.max_tokens().filter(|_| client.known.has(Feature::MaxTokens)) {
        body["inferenceConfig"]["maxTokens"] = most.into();
        sent.push(Feature::MaxTokens);
    }
    sent
}

fn has_reasoning(message: &Message) -> bool {
    matches!(message, Message::Assistant { thoughts: Value::Array(blocks), .. } if !blocks.is_empty())
}

/// The form of an answer. Its schema goes as a text.
fn text_format(schema: &OutputSchema) -> Value {
    let text = closed(&schema.schema).to_string();
    json!({"type": "json_schema", "structure": {"jsonSchema": {"name": schema.name, "schema": text}}})
}

/// The tools on offer. Converse refuses a history with tool calls unless tools are named, so when none are offered, the
/// tools that were called earlier are named.
fn tools(request: &ChatRequest) -> Option<Vec<Value>> {
    if !request.tools.is_empty() {
        return Some(request.tools.iter().map(offered).collect());
    }
    let called: BTreeSet<_> = request.messages.iter().flat_map(tool_names).collect();
    let named = called.into_iter().map(|name| {
        tool(name, "No longer available. Answer without it.", &json!({"type": "object", "properties": {}}))
    });
    Some(named.collect()).filter(|tools: &Vec<_>| !tools.is_empty())
}

fn tool_names(message: &Message) -> Vec<&str> {
    match message {
        Message::Tool { name, .. } => vec![name],
        Message::Assistant { tool_calls, .. } => tool_calls.iter().map(|call| call.name.as_str()).collect(),
        _ => Vec::new(),
    }
}

fn offered(spec: &ToolSpec) -> Value {
    let mut schema = spec.parameters.as_object().cloned().unwrap_or_default();
    schema.retain(|key, _| SCHEMA_KEYS.contains(&key.as_str()));
    tool(spec.name, spec.description, &schema.into())
}

fn tool(name: &str, description: &str, schema: &Value) -> Value {
    json!({"toolSpec": {"name": name, "description": description, "inputSchema": {"json": schema}}})
}

/// The system's text and the turns, in which user and assistant alternate.
fn conversation(messages: &[Message], with_reasoning: bool) -> (String, Vec<Value>) {
    let (mut system, mut turns) = (Vec::new(), Vec::new());
    for message in messages {
        match message {
            Message::System { content } => system.push(content.as_str()),
            Message::User { content, evidence } => {
                say(&mut turns, "user", json!({"text": with_evidence(content, evidence)}));
            }
            Message::Tool { id, content, .. } => say(&mut turns, "user", tool_result(id, content)),
            Message::Assistant { content, tool_calls, thoughts } => {
                for block in assistant_blocks(content, tool_calls, thoughts, with_reasoning) {
                    say(&mut turns, "assistant", block);
                }
            }
        }
    }
    (system.join("\n\n"), turns)
}

/// The blocks of an earlier answer. An answer with reasoning goes back unchanged and in its order, because Claude refuses
/// reasoning that was moved. Tool calls without a result are left out.
fn assistant_blocks(content: &str, calls: &[ToolCall], thoughts: &Value, with_reasoning: bool) -> Vec<Value> {
    let came = thoughts.as_array().map(Vec::as_slice).unwrap_or_default();
    if came.is_empty() || !with_reasoning {
        let text = Some(json!({ "text": content })).filter(|_| !content.is_empty());
        return text.into_iter().chain(calls.iter().map(tool_use)).collect();
    }
    let (mut blocks, mut left) = (Vec::new(), calls.iter().collect::<Vec<_>>());
    for block in came {
        let Some(call) = block.get("toolUse") else {
            blocks.push(block.clone());
            continue;
        };
        if let Some(place) = left.iter().position(|known| call["toolUseId"] == known.id.as_str()) {
            blocks.push(tool_use(left.remove(place)));
        }
    }
    blocks.extend(left.into_iter().map(tool_use));
    blocks
}

fn tool_use(call: &ToolCall) -> Value {
    json!({"toolUse": {"toolUseId": call.id, "name": call.name, "input": object(&call.arguments)}})
}

fn tool_result(id: &str, content: &str) -> Value {
    let text = if content.trim().is_empty() { NOTHING } else { content };
    json!({"toolResult": {"toolUseId": id, "content": [{"text": text}]}})
}

/// Adds a block to the last turn if it has this role, or starts a turn. A blank text, which Converse refuses, is left out.
fn say(turns: &mut Vec<Value>, role: &str, block: Value) {
    if block["text"].as_str().is_some_and(|text| text.trim().is_empty()) {
        return;
    }
    match turns.last_mut() {
        Some(turn) if turn["role"] == role => {
            if let Some(blocks) = turn["content"].as_array_mut() {
                blocks.push(block);
            }
        }
        _ => turns.push(json!({"role": role, "content": [block]})),
    }
}
