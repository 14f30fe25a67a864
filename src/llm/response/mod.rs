//! From what a server sent to what an agent can use.
//!
//! A client fills a [`RawResponse`]; [`RawResponse::into_response`] cleans it the same way for every protocol: reasoning
//! that leaked into the text is removed ([`reasoning`]), tool calls that were printed instead of made are read
//! ([`printed`]), names, ids and arguments of calls are made such that every server takes them back. Whether the response
//! is complete is left to the agent, which sees the reason in [`Finish`].

mod json;
mod printed;
mod reasoning;

pub(super) use json::{count, lenient, take, text_of};
pub(super) use reasoning::without_reasoning;
use serde_json::{Map, Value, json};

use super::{ChatRequest, ChatResponse, Finish, ToolCall, ToolSpec, Usage};

/// The longest text of one response, bytes. A long report has 50 kB.
pub(super) const MAX_TEXT: usize = 256 << 10;
/// The most reasoning that is kept to be returned with the next request, bytes.
const MAX_THOUGHTS: usize = 1 << 20;
/// The most tool calls in one response; models that loop make thousands.
const MAX_CALLS: usize = 32;
/// The longest name of a tool that every service takes back.
const MAX_NAME: usize = 64;

/// A response as its server gave it.
#[derive(Default)]
pub(super) struct RawResponse {
    pub text: String,
    pub calls: Vec<RawCall>,
    pub thoughts: Value,
    pub usage: Usage,
    pub finish: Finish,
}

/// A tool call as its server gave it. The id may be missing, the arguments may be an object, or JSON in a string.
#[derive(Debug, PartialEq)]
pub(super) struct RawCall {
    pub id: Option<String>,
    pub name: String,
    pub arguments: Value,
}

impl RawResponse {
    /// A failed attempt to call a tool, where the service reports it as an error.
    pub fn bad_call(reason: String) -> Self {
        Self { usage: Usage { calls: 1, ..Usage::default() }, finish: Finish::BadCall(reason), ..Self::default() }
    }

    /// The response that an agent can use.
    pub fn into_response(self, request: &ChatRequest) -> ChatResponse {
        let Self { text, mut calls, mut thoughts, usage, mut finish } = self;
        let mut text = without_reasoning(&text);
        if calls.is_empty() {
            match printed::calls(&text, &request.tools) {
                printed::Printed::Nothing => {}
                // A form may be wrapped like a call; reading it is up to the agent.
                printed::Printed::Unusable { .. } if request.schema.is_some() && text.starts_with(['{', '[', '`']) => {}
                printed::Printed::Calls { calls: read, prose } => {
                    calls = read;
                    text = prose;
                    thoughts = Value::Null;
                }
                printed::Printed::Unusable { prose } => {
                    finish = Finish::BadCall("it printed a tool call as text".into());
                    text = prose;
                }
            }
        }
        if calls.len() > MAX_CALLS {
            finish = Finish::BadCall(format!("it called {} tools at once; the maximum is {MAX_CALLS}", calls.len()));
            calls.clear();
        }
        if text.len() > MAX_TEXT {
            text.truncate(text.floor_char_boundary(MAX_TEXT));
            finish = Finish::Interrupted(too_long());
        }
        if calls.is_empty() || thoughts.to_string().len() > MAX_THOUGHTS {
            // Only a response that calls tools goes back to the server.
            thoughts = Value::Null;
        }
        let turn = request.messages.len();
        let mut tool_calls: Vec<ToolCall> = Vec::new();
        for call in calls {
            let id = call.id.clone().filter(|id| !id.is_empty() && tool_calls.iter().all(|made| made.id != *id));
            let id = id.unwrap_or_else(|| made_id(turn, tool_calls.len()));
            tool_calls.push(ToolCall {
                id,
                name: name(&call.name, &request.tools),
                arguments: arguments(call.arguments),
            });
        }
        ChatResponse { text, tool_calls, thoughts, usage, finish, left_out: 0 }
    }
}

/// Why a response was cut here.
pub(super) fn too_long() -> String {
    format!("it is longer than {} KiB", MAX_TEXT >> 10)
}

/// An id for a call without one: unique in a conversation, and nine letters and digits, as Mistral wants them.
fn made_id(turn: usize, index: usize) -> String {
    format!("c{:05}{:03}", turn % 100_000, index % 1000)
}

/// The name of a call as every service takes it back: `[a-zA-Z0-9_-]`. gpt-oss appends tokens of its own format, others
/// a prefix such as `functions.`.
fn name(name: &str, offered: &[ToolSpec]) -> String {
    let bare = name.split("<|").next().unwrap_or_default().trim();
    let bare = bare.strip_prefix("functions.").or_else(|| bare.strip_prefix("default_api.")).unwrap_or(bare);
    if let Some(tool) = offered.iter().find(|tool| tool.name == bare) {
        return tool.name.into();
    }
    let allowed = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    let name: String = bare.chars().map(|c| if allowed(c) { c } else { '_' }).take(MAX_NAME).collect();
    if name.is_empty() { "unnamed".into() } else { name }
}

/// The arguments of a call. JSON in a string is read; a text that is not JSON stays a text, so that the tool can say what
/// is wrong with it.
fn arguments(arguments: Value) -> Value {
    match arguments {
        Value::String(text) if text.trim().is_empty() => json!({}),
        Value::String(text) => match serde_json::from_str(&text) {
            // Some gateways encode twice.
            Ok(Value::String(inner)) => serde_json::from_str(&inner).unwrap_or(Value::String(inner)),
            Ok(Value::Null) => json!({}),
            Ok(value) => value,
            Err(_) => Value::String(text),
        },
        Value::Null => json!({}),
        value => value,
    }
}

/// Arguments as history may hold them: always an object, whatever the model wrote.
pub(super) fn object(arguments: &Value) -> Value {
    if arguments.is_object() { arguments.clone() } else { Value::Object(Map::new()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Agent;

    fn request(tools: &[&'static str]) -> ChatRequest {
        let tools = tools.iter().map(|name| ToolSpec { name, description: "", parameters: json!({}) }).collect();
        ChatRequest { agent: Agent::MarketAnalyst, messages: Vec::new(), tools, schema: None }
    }

    fn call(id: &str, name: &str, arguments: Value) -> RawCall {
        RawCall { id: Some(id.into()), name: name.into(), arguments }
    }

    #[test]
    fn names_of_calls_are_such_as_every_service_takes_back() {
        let offered = &request(&["get_bars"]).tools;
        for said in ["get_bars", "get_bars<|channel|>commentary", "functions.get_bars", " get_bars "] {
            assert_eq!(name(said, offered), "get_bars");
        }
        assert_eq!(name("börse.holen", offered), "b_rse_holen");
        assert_eq!(name("", offered), "unnamed");
    }

    #[test]
    fn ids_are_unique_and_made_up_where_they_are_missing() {
        let calls = vec![call("a", "x", json!({})), call("a", "x", json!({})), call("", "x", json!({}))];
        let response = RawResponse { calls, ..RawResponse::default() }.into_response(&request(&["x"]));
        let ids: Vec<_> = response.tool_calls.iter().map(|call| call.id.as_str()).collect();
        assert_eq!(ids, ["a", "c00000001", "c00000002"]);
    }

    #[test]
    fn arguments_are_read_from_strings_and_broken_ones_stay_text() {
        assert_eq!(arguments(json!(r#"{"days": 3}"#)), json!({"days": 3}));
        assert_eq!(arguments(json!(r#""{\"days\": 3}""#)), json!({"days": 3}));
        assert_eq!((arguments(json!("")), arguments(Value::Null)), (json!({}), json!({})));
        assert_eq!(arguments(json!(r#"{"days": "#)), json!(r#"{"days": "#));
        assert_eq!(object(&json!("broken")), json!({}));
    }

    #[test]
    fn what_a_model_writes_is_bounded() {
        let long = RawResponse { text: "ä".repeat(MAX_TEXT), ..RawResponse::default() }.into_response(&request(&[]));
        assert!(long.text.len() <= MAX_TEXT && matches!(long.finish, Finish::Interrupted(_)));
        let calls = (0..33).map(|index| call(&index.to_string(), "x", json!({}))).collect();
        let many = RawResponse { calls, ..RawResponse::default() }.into_response(&request(&["x"]));
        assert!(many.tool_calls.is_empty() && matches!(many.finish, Finish::BadCall(_)));
    }
}
