//! Ollama's JSON: <https://docs.ollama.com/api>.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{
    super::{
        ChatRequest, Finish, Message, ToolSpec, Usage,
        answer::{RawAnswer, RawCall},
        message::with_evidence,
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
    let mut body = json!({
        "model": model,
        "messages": request.messages.iter().map(message).collect::<Vec<_>>(),
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
    if let Some(schema) = &request.schema {
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
    if has_levels { effort.map(|effort| effort.as_str().into()) } else { Some(effort.is_some().into()) }
}

/// The body of `/api/show`.
pub(super) fn show(model: &str) -> Value {
    json!({"model": model})
}

/// The body of `/api/pull`.
pub(super) fn pull(model: &str) -> Value {
    json!({"model": model, "stream": true})
}

/// A line of the answer of `/api/pull`.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct PullLine {
    /// What goes on; `success` at the end.
    pub status: String,
    pub digest: Option<String>,
    /// Bytes.
    pub total: Option<u64>,
    /// Bytes.
    pub completed: Option<u64>,
    pub error: Option<String>,
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

fn message(message: &Message) -> Value {
    match message {
        Message::System { content } => json!({"role": "system", "content": content}),
        Message::User { content, evidence } => {
            json!({"role": "user", "content": with_evidence(content, evidence)})
        }
        Message::Assistant { content, tool_calls, .. } => {
            let call = |call: &_| {
                let crate::llm::ToolCall { id, name, arguments } = call;
                json!({"id": id, "function": {"name": name, "arguments": arguments}})
            };
            let calls: Vec<_> = tool_calls.iter().map(call).collect();
            json!({"role": "assistant", "content": content, "tool_calls": calls})
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

/// A line of the answer of `/api/chat`.
#[derive(Deserialize)]
pub(super) struct Chunk {
    #[serde(default)]
    message: ChunkMessage,
    #[serde(default)]
    done: bool,
    done_reason: Option<String>,
    prompt_eval_count: Option<u64>,
    eval_count: Option<u64>,
    /// What went wrong after the answer had begun.
    pub error: Option<String>,
    /// The HTTP status that it would have had before.
    pub status: Option<u16>,
}

#[derive(Default, Deserialize)]
struct ChunkMessage {
    #[serde(default)]
    content: String,
    #[serde(default)]
    tool_calls: Vec<ChunkCall>,
}

#[derive(Deserialize)]
struct ChunkCall {
    id: Option<String>,
    function: ChunkFunction,
}

#[derive(Deserialize)]
struct ChunkFunction {
    name: String,
    #[serde(default)]
    arguments: Map<String, Value>,
}

impl Chunk {
    /// Adds this part; true if it was the last.
    pub fn add_to(self, answer: &mut RawAnswer) -> bool {
        answer.text.push_str(&self.message.content);
        answer.calls.extend(self.message.tool_calls.into_iter().map(|ChunkCall { id, function }| RawCall {
            id,
            name: function.name,
            arguments: function.arguments.into(),
        }));
        if self.done {
            answer.usage = Usage {
                calls: 1,
                tokens_in: self.prompt_eval_count.unwrap_or_default(),
                tokens_out: self.eval_count.unwrap_or_default(),
                ..Usage::default()
            };
            answer.finish = if self.done_reason.as_deref() == Some("length") { Finish::Length } else { Finish::Stop };
        }
        self.done
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
