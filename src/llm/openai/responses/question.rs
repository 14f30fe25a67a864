//! The body of a request.

use serde_json::{Value, json};

use super::super::super::{
    ChatRequest, Message, OutputSchema, ToolCall, ToolSpec,
    capabilities::Feature,
    client::{Client, Question},
    message::with_evidence,
    response::object,
    schema::strict,
};

/// The body of `/responses`.
pub(in crate::llm::openai) fn question(client: &Client, request: &ChatRequest) -> Question {
    let mut body = json!({"model": client.model, "store": false});
    let mut sent = Vec::new();
    if client.known.has(Feature::Stream) {
        body["stream"] = true.into();
        sent.push(Feature::Stream);
    }
    if client.known.has(Feature::Reasoning) {
        body["include"] = json!(["reasoning.encrypted_content"]);
        sent.push(Feature::Reasoning);
    }
    if let Some(temperature) = client.temperature() {
        body["temperature"] = temperature.into();
        sent.push(Feature::Temperature);
    }
    if let Some(effort) = client.effort() {
        body["reasoning"] = json!({"effort": effort.as_str()});
        sent.push(Feature::Effort);
    }
    let (system, mut input) = conversation(&request.messages, client.known.has(Feature::Reasoning));
    if let Some(OutputSchema { name, schema, in_words }) = &request.schema {
        if client.known.has(Feature::Schema) && !in_words {
            body["text"]["format"] =
                json!({"type": "json_schema", "name": name, "schema": strict(schema), "strict": true});
            sent.push(Feature::Schema);
        } else if let Some(schema) = &request.schema {
            input.push(json!({"role": "user", "content": schema.words()}));
        }
    }
    if !system.is_empty() {
        body["instructions"] = system.into();
    }
    if !request.tools.is_empty() {
        body["tools"] = request.tools.iter().map(tool).collect();
    }
    body["input"] = input.into();
    (body, sent)
}

fn tool(ToolSpec { name, description, parameters }: &ToolSpec) -> Value {
    json!({"type": "function", "name": name, "description": description, "parameters": parameters, "strict": false})
}

/// The system's text and the items of the conversation.
fn conversation(messages: &[Message], with_reasoning: bool) -> (String, Vec<Value>) {
    let (mut system, mut items) = (Vec::new(), Vec::new());
    for message in messages {
        match message {
            Message::System { content } => system.push(content.as_str()),
            Message::User { content, evidence } => {
                items.push(json!({"role": "user", "content": with_evidence(content, evidence)}));
            }
            Message::Tool { id, content, .. } => {
                items.push(json!({"type": "function_call_output", "call_id": id, "output": content}));
            }
            Message::Assistant { content, tool_calls, thoughts } => {
                if let Some(reasoning) = thoughts.as_array().filter(|_| with_reasoning) {
                    items.extend(reasoning.iter().cloned());
                }
                if !content.is_empty() {
                    items.push(json!({"role": "assistant", "content": content}));
                }
                items.extend(tool_calls.iter().map(call));
            }
        }
    }
    (system.join("\n\n"), items)
}

/// The arguments are JSON in a string.
fn call(ToolCall { id, name, arguments }: &ToolCall) -> Value {
    json!({"type": "function_call", "call_id": id, "name": name, "arguments": object(arguments).to_string()})
}
