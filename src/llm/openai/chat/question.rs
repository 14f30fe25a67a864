//! The body of a request.

use serde_json::{Value, json};

use super::{
    super::{
        super::{
            ChatRequest, OutputSchema, ToolSpec,
            capabilities::Feature,
            client::{Client, Question},
            schema::strict,
        },
        Dialect,
    },
    messages::messages,
};
use crate::domain::ReasoningEffort;

/// The body of `/chat/completions`.
pub(in crate::llm::openai) fn question(client: &Client, request: &ChatRequest, dialect: Dialect) -> Question {
    let mut body = json!({"model": client.model, "stream": false});
    let mut sent = Vec::new();
    if client.known.has(Feature::Stream) {
        body["stream"] = true.into();
        sent.push(Feature::Stream);
        if client.known.has(Feature::StreamUsage) {
            body["stream_options"] = json!({"include_usage": true});
            sent.push(Feature::StreamUsage);
        }
    }
    if let Some(temperature) = client.temperature() {
        body["temperature"] = temperature.into();
        sent.push(Feature::Temperature);
    }
    if dialect.reasoning_split {
        body["reasoning_split"] = true.into();
    }
    put_effort(client, request, dialect, &mut body, &mut sent);
    if dialect.reasoning_split && client.known.has(Feature::ThinkingSwitch) {
        body["reasoning_split"] = true.into();
        sent.push(Feature::ThinkingSwitch);
    }
    let in_words = put_form(client, request.schema.as_ref(), &mut body, &mut sent);
    let (messages, features) = messages(&request.messages, in_words, dialect, &client.known);
    sent.extend(features);
    body["messages"] = messages.into();
    if !request.tools.is_empty() {
        body["tools"] = request.tools.iter().map(tool).collect();
    }
    (body, sent)
}

fn put_effort(client: &Client, request: &ChatRequest, dialect: Dialect, body: &mut Value, sent: &mut Vec<Feature>) {
    if !request.tools.is_empty() && !client.known.has(Feature::EffortWithTools) {
        body["reasoning_effort"] = "none".into();
        return;
    }
    let effort = client.effort();
    if effort.is_some_and(|effort| dialect.put_effort(body, effort)) {
        sent.push(Feature::Effort);
    }
    if dialect.thinks_in_streams && client.known.has(Feature::ThinkingSwitch) {
        let streams = body["stream"] == true;
        let thinks = effort.map(|effort| effort != ReasoningEffort::None && streams).or((!streams).then_some(false));
        if let Some(thinks) = thinks {
            body["enable_thinking"] = thinks.into();
            sent.push(Feature::ThinkingSwitch);
        }
    }
}

/// Asks for the form of the response: by its schema, or for any JSON object, or in words alone. Returns the words.
fn put_form(
    client: &Client,
    schema: Option<&OutputSchema>,
    body: &mut Value,
    sent: &mut Vec<Feature>,
) -> Option<String> {
    let schema = schema?;
    let has = |feature| client.known.has(feature) && !schema.in_words;
    if has(Feature::Schema) {
        let OutputSchema { name, schema, .. } = schema;
        let form = json!({"name": name, "schema": strict(schema), "strict": true});
        body["response_format"] = json!({"type": "json_schema", "json_schema": form});
        sent.push(Feature::Schema);
        return None;
    }
    if has(Feature::JsonObject) {
        body["response_format"] = json!({"type": "json_object"});
        sent.push(Feature::JsonObject);
    }
    Some(schema.words())
}

fn tool(tool: &ToolSpec) -> Value {
    json!({
        "type": "function",
        "function": {"name": tool.name, "description": tool.description, "parameters": tool.parameters},
    })
}
