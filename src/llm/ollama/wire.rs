//! Ollama's JSON: <https://docs.ollama.com/api>.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{
    super::{
        ChatRequest, Draft, Finish, Message, ToolSpec, Usage,
        message::with_evidence,
        response::{RawCall, RawResponse, count, object},
    },
    Options,
};
use crate::domain::ReasoningEffort;

/// The body of `/api/chat`.
///
/// `truncate` and `shift` keep the server from dropping the oldest messages when the context is full: the first before
/// it answers, the second while it does.
pub(super) fn chat(
    model: &str,
    request: &ChatRequest,
    temperature: Option<f64>,
    options: &Options,
    think: Option<Value>,
) -> Value {
    let in_words = request.schema.as_ref().filter(|schema| schema.in_words).map(|schema| Message::user(schema.words()));
    let messages = messages(request.messages.iter().chain(&in_words));
    let mut body = json!({
        "model": model,
        "messages": messages,
        "stream": true,
        "truncate": false,
        "shift": false,
        "keep_alive": keep_alive(&options.keep_alive),
        "options": {"num_ctx": options.num_ctx},
    });
    if let Some(temperature) = temperature {
        body["options"]["temperature"] = temperature.into();
    }
    if !request.tools.is_empty() {
        body["tools"] = request.tools.iter().map(tool).collect();
    }
    if let Some(schema) = request.schema.as_ref().filter(|schema| !schema.in_words) {
        body["format"] = schema.schema.clone();
    }
    if let Some(think) = think {
        body["think"] = think;
    }
    body
}

/// The switch for thinking: off, unless an effort is asked for. Only gpt-oss knows levels, and it can't be switched off.
pub(super) fn think(model: &str, effort: Option<ReasoningEffort>) -> Option<Value> {
    let has_levels = model.rsplit('/').next().is_some_and(|name| name.starts_with("gpt-oss"));
    if has_levels {
        effort.map(|effort| effort.common().into())
    } else {
        Some(effort.is_some_and(|effort| effort != ReasoningEffort::None).into())
    }
}

/// The body of `/api/show`.
pub(super) fn show(model: &str) -> Value {
    json!({"model": model})
}

/// The body of `/api/pull`.
pub(super) fn pull(model: &str) -> Value {
    json!({"model": model, "stream": true})
}

/// A line of the response of `/api/pull`.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct PullLine {
    /// What goes on; `success` at the end.
    pub status: Option<String>,
    pub digest: Option<String>,
    /// Bytes.
    pub total: Option<u64>,
    /// Bytes.
    pub completed: Option<u64>,
    pub error: Option<Value>,
}

/// The answer of `/api/tags`.
#[derive(Deserialize)]
pub(super) struct Tags {
    #[serde(default)]
    models: Vec<Tag>,
}

#[derive(Deserialize)]
struct Tag {
    name: String,
}

impl Tags {
    pub fn into_names(self) -> Vec<String> {
        self.models.into_iter().map(|tag| tag.name).collect()
    }
}

/// Ollama takes a number as seconds, and a text only with a unit.
fn keep_alive(text: &str) -> Value {
    text.parse::<i64>().map_or_else(|_| text.into(), Into::into)
}

/// The messages. What the user says at once is one message, because some templates want user and assistant to take turns.
fn messages<'a>(conversation: impl Iterator<Item = &'a Message>) -> Vec<Value> {
    let mut messages: Vec<Value> = Vec::new();
    for message in conversation.map(message) {
        match messages.last_mut().filter(|last| last["role"] == "user" && message["role"] == "user") {
            Some(last) => {
                let both = [&last["content"], &message["content"]].map(|content| content.as_str().unwrap_or_default());
                last["content"] = both.join("\n\n").into();
            }
            None => messages.push(message),
        }
    }
    messages
}

fn message(message: &Message) -> Value {
    match message {
        Message::System { content } => json!({"role": "system", "content": content}),
        Message::User { content, evidence } => {
            json!({"role": "user", "content": with_evidence(content, evidence)})
        }
        Message::Assistant { content, tool_calls, thoughts } => {
            let call = |call: &_| {
                let crate::llm::ToolCall { id, name, arguments } = call;
                json!({"id": id, "function": {"name": name, "arguments": object(arguments)}})
            };
            let calls: Vec<_> = tool_calls.iter().map(call).collect();
            let mut said = json!({"role": "assistant", "content": content, "tool_calls": calls});
            if !thoughts.is_null() {
                said["thinking"] = thoughts.clone();
            }
            said
        }
        Message::Tool { id, name, content } => {
            json!({"role": "tool", "tool_name": name, "tool_call_id": id, "content": content})
        }
    }
}

fn tool(tool: &ToolSpec) -> Value {
    json!({
        "type": "function",
        "function": {"name": tool.name, "description": tool.description, "parameters": tool.parameters},
    })
}

/// A line of the response of `/api/chat`. Servers that speak as Ollama does leave fields out or say null.
pub(super) struct Chunk(pub Value);

impl Chunk {
    /// Whether it is a part of a response.
    pub fn is_one(&self) -> bool {
        self.0["message"].is_object() || self.0["done"].is_boolean()
    }

    /// What went wrong after the response had begun.
    pub fn error(&self) -> Option<&Value> {
        self.0.get("error").filter(|error| !error.is_null()).map(|_| &self.0)
    }

    /// Adds this part; true if it was the last.
    pub fn add_to(&self, response: &mut RawResponse, draft: &Draft) -> bool {
        let message = &self.0["message"];
        let more = message["content"].as_str().unwrap_or_default();
        draft.write(more);
        response.text.push_str(more);
        if let Some(more) = message["thinking"].as_str().filter(|more| !more.is_empty()) {
            let so_far = response.thoughts.as_str().unwrap_or_default();
            response.thoughts = format!("{so_far}{more}").into();
        }
        let calls = message["tool_calls"].as_array().into_iter().flatten();
        response.calls.extend(calls.map(|call| RawCall {
            id: call["id"].as_str().map(Into::into),
            name: call["function"]["name"].as_str().unwrap_or_default().into(),
            arguments: call["function"]["arguments"].clone(),
        }));
        let done = self.0["done"] == true;
        if done {
            response.usage = Usage {
                calls: 1,
                tokens_in: count(&self.0["prompt_eval_count"]),
                tokens_out: count(&self.0["eval_count"]),
                ..Usage::default()
            };
            response.finish = match self.0["done_reason"].as_str() {
                None | Some("stop" | "") => Finish::Stop,
                Some("length") => Finish::Length,
                // Such as `load`: the server loaded the model, and asked it nothing.
                Some(other) => Finish::Interrupted(other.into()),
            };
        }
        done
    }
}

/// The answer of `/api/version`.
#[derive(Deserialize)]
pub(super) struct Version {
    pub version: String,
}

/// The answer of `/api/show`, as far as it matters.
#[derive(Deserialize)]
pub(super) struct Details {
    /// Missing before 0.6.4.
    capabilities: Option<Vec<String>>,
    #[serde(default)]
    model_info: Map<String, Value>,
}

impl Details {
    /// Whether the model calls tools; taken for granted if the server does not say.
    pub fn has_tools(&self) -> bool {
        self.capabilities.as_ref().is_none_or(|all| all.iter().any(|one| one == "tools"))
    }

    /// The longest context that the model was trained for, tokens. The server gives it no more.
    pub fn longest_context(&self) -> Option<u64> {
        let architecture = self.model_info.get("general.architecture").and_then(Value::as_str).unwrap_or_default();
        self.model_info.get(&format!("{architecture}.context_length")).and_then(Value::as_u64)
    }

    /// The context that the model gets, in words.
    pub fn context(&self, num_ctx: u32) -> String {
        match self.longest_context() {
            Some(most) if most < num_ctx.into() => {
                format!("its context is {most} tokens at most, less than OLLAMA_NUM_CTX={num_ctx}")
            }
            _ => format!("its context is {num_ctx} tokens"),
        }
    }
}
