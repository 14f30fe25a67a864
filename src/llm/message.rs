//! What goes to a model and what comes back, in no provider's own form.

use std::{iter, ops::AddAssign};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::domain::Agent;

/// A request for one answer.
#[derive(Debug, Clone)]
pub struct ChatRequest {
    /// Who asks; for logs, and for the rules model, which plays each agent by its own rules.
    pub agent: Agent,
    pub messages: Vec<Message>,
    /// The tools that the model may call; without any, a final text is asked for.
    pub tools: Vec<ToolSpec>,
    /// The form of the answer, if it has to be JSON.
    pub schema: Option<OutputSchema>,
}

/// A message of a conversation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "role", rename_all = "snake_case")]
pub enum Message {
    System {
        content: String,
    },
    User {
        content: String,
        /// What tools told an agent that calls none itself, the oldest first; it comes after `content`.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        evidence: Vec<String>,
    },
    Assistant {
        content: String,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        tool_calls: Vec<ToolCall>,
        /// See [`ChatResponse::thoughts`].
        #[serde(default, skip_serializing_if = "Value::is_null")]
        thoughts: Value,
    },
    /// A tool's answer to the call `id`.
    Tool {
        id: String,
        name: String,
        content: String,
    },
}

impl Message {
    /// A user's words, without evidence.
    pub fn user(content: impl Into<String>) -> Self {
        Self::User { content: content.into(), evidence: Vec::new() }
    }
}

/// A user's words and the evidence after them, as one text.
pub(super) fn with_evidence(content: &str, evidence: &[String]) -> String {
    let parts = iter::once(content).chain(evidence.iter().map(String::as_str));
    parts.collect::<Vec<_>>().join("\n\n")
}

/// A tool that a model may call.
#[derive(Debug, Clone)]
pub struct ToolSpec {
    pub name: &'static str,
    pub description: &'static str,
    /// The arguments, as a JSON schema of an object.
    pub parameters: Value,
}

/// A model's wish to call a tool.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ToolCall {
    /// Names the call in the answer; unique within a conversation.
    pub id: String,
    pub name: String,
    pub arguments: Value,
}

/// The JSON that a response has to be.
#[derive(Debug, Clone)]
pub struct OutputSchema {
    pub name: &'static str,
    pub schema: Value,
    /// Ask for it in words alone, because the model ignored it in the protocol's own form.
    pub in_words: bool,
}

impl OutputSchema {
    /// The schema as a request in words, for models that take no other.
    pub(super) fn words(&self) -> String {
        format!("Answer with one JSON object that keeps to this JSON schema, and with nothing else:\n{}", self.schema)
    }
}

/// A model's response: a text, or tool calls, or both.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ChatResponse {
    pub text: String,
    pub tool_calls: Vec<ToolCall>,
    /// What the provider wants back with the next request, in its own form, to go on reasoning; null for most.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub thoughts: Value,
    pub usage: Usage,
    pub finish: Finish,
    /// Tool results that the model was not shown because its context had no room for them; the oldest ones.
    #[serde(default)]
    pub left_out: usize,
}

/// Why a model stopped. Anything but [`Finish::Stop`] means that the response is not complete; the reason is the
/// provider's own word for it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Finish {
    #[default]
    Stop,
    /// The output limit or the context was used up, so the end is missing.
    Length,
    /// A filter blocked the response, or the model refused.
    Blocked(String),
    /// The server stopped in the middle, for a reason of its own.
    Interrupted(String),
    /// The model tried to call a tool in a way that can't be carried out.
    BadCall(String),
}

impl ChatResponse {
    /// How much memory the response takes, bytes, roughly.
    pub fn size(&self) -> usize {
        let calls = self.tool_calls.iter().map(|call| call.name.len() + call.arguments.to_string().len());
        let thoughts = if self.thoughts.is_null() { 0 } else { self.thoughts.to_string().len() };
        self.text.len() + thoughts + calls.sum::<usize>()
    }
}

/// Tokens of one or more calls; zero where a provider does not count.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Usage {
    pub calls: u64,
    pub tokens_in: u64,
    pub tokens_out: u64,
    /// Those of `tokens_in` that the provider had in its cache.
    #[serde(default)]
    pub tokens_cached: u64,
    /// What they cost, US dollars; none if the price of one of the models is not known (`LLM_PRICES`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost_usd: Option<f64>,
}

impl AddAssign for Usage {
    fn add_assign(&mut self, other: Self) {
        self.cost_usd = match (self.calls, other.calls) {
            (0, _) => other.cost_usd,
            (_, 0) => self.cost_usd,
            _ => self.cost_usd.zip(other.cost_usd).map(|(one, more)| one + more),
        };
        self.calls += other.calls;
        self.tokens_in += other.tokens_in;
        self.tokens_out += other.tokens_out;
        self.tokens_cached += other.tokens_cached;
    }
}
