//! What models of every server do to their answers, and how it is undone: thoughts that leak into the text, and tool
//! calls that are printed instead of made.

use serde_json::{Deserializer, Value};

use super::{ChatRequest, ChatResponse, Finish, LlmError, ToolCall, ToolSpec, Usage, http::Endpoint};

/// Longer texts are reports, not printed tool calls.
const MAX_PRINTED: usize = 32 << 10;

/// An answer as its server gave it.
#[derive(Default)]
pub(super) struct RawAnswer {
    pub text: String,
    pub calls: Vec<RawCall>,
    pub thoughts: Value,
    pub usage: Usage,
    pub finish: Finish,
}

/// A tool call whose id the server may have left out.
#[derive(Debug, PartialEq)]
pub(super) struct RawCall {
    pub id: Option<String>,
    pub name: String,
    pub arguments: Value,
}

impl RawAnswer {
    /// The answer that an agent can use; an error if there is none in it.
    pub fn into_response(self, endpoint: &Endpoint, request: &ChatRequest) -> Result<ChatResponse, LlmError> {
        let Self { text, mut calls, thoughts, usage, finish } = self;
        let mut text = without_thoughts(&text).to_owned();
        if calls.is_empty()
            && let Some(printed) = printed_calls(&text, &request.tools)
        {
            calls = printed;
            text.clear();
        }
        if text.is_empty() && calls.is_empty() {
            return Err(endpoint.unusable(match finish {
                Finish::Stop => "with nothing".into(),
                Finish::Length => format!("ran out of tokens before it said anything; {}", endpoint.service.room),
            }));
        }
        let turn = request.messages.len();
        let tool_calls = calls.into_iter().enumerate().map(|(index, call)| call.named(turn, index)).collect();
        Ok(ChatResponse { text, tool_calls, thoughts, usage, finish, left_out: 0 })
    }
}

impl RawCall {
    /// The call with an id. Where the server gave none it is made of the turn, which differs in each of a
    /// conversation, and the call's place in it.
    fn named(self, turn: usize, index: usize) -> ToolCall {
        let id = self.id.filter(|id| !id.is_empty()).unwrap_or_else(|| format!("call_{turn}_{index}"));
        ToolCall { id, name: self.name, arguments: self.arguments }
    }
}

/// The text after a model's thoughts. Some templates open them for the model, so that only the closing tag is in its
/// text; thoughts that never end are all there is.
fn without_thoughts(text: &str) -> &str {
    let said = text.rsplit_once("</think>").map_or(text, |(_, said)| said);
    said.split_once("<think>").map_or(said, |(said, _)| said).trim()
}

/// The tool calls that a text consists of: JSON objects with the name of an offered tool and its arguments, alone or in
/// a list, bare, fenced, or in the tags that Qwen and Hermes are trained on. A text with anything else in it is a text.
fn printed_calls(text: &str, tools: &[ToolSpec]) -> Option<Vec<RawCall>> {
    if tools.is_empty() || text.len() > MAX_PRINTED {
        return None;
    }
    let mut bare = text.to_owned();
    for wrapping in ["<tool_call>", "</tool_call>", "```json", "```"] {
        bare = bare.replace(wrapping, " ");
    }
    let values: Vec<Value> = Deserializer::from_str(&bare).into_iter().collect::<Result<_, _>>().ok()?;
    let objects = values.into_iter().flat_map(|value| match value {
        Value::Array(list) => list,
        single => vec![single],
    });
    let calls: Vec<_> = objects.map(|object| printed_call(object, tools)).collect::<Option<_>>()?;
    Some(calls).filter(|calls| !calls.is_empty())
}

fn printed_call(mut object: Value, tools: &[ToolSpec]) -> Option<RawCall> {
    let name = object["name"].as_str()?.to_owned();
    let arguments = ["arguments", "parameters"].into_iter().find_map(|key| object.get_mut(key).map(Value::take))?;
    let offered = tools.iter().any(|tool| tool.name == name);
    (offered && arguments.is_object()).then_some(RawCall { id: None, name, arguments })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn tools() -> Vec<ToolSpec> {
        vec![ToolSpec { name: "get_bars", description: "", parameters: json!({}) }]
    }

    #[test]
    fn thoughts_are_left_out_however_they_are_marked() {
        assert_eq!(without_thoughts("<think>Hm.\nWell.</think>\n\nBuy."), "Buy.");
        assert_eq!(without_thoughts("Hm. Well.</think>Buy."), "Buy.");
        assert_eq!(without_thoughts("<think>Hm</think>So. <think>Or"), "So.");
        assert_eq!(without_thoughts("<think>Hm. And so on and so on"), "");
        assert_eq!(without_thoughts(" Buy at 1 < 2. "), "Buy at 1 < 2.");
    }

    #[test]
    fn tool_calls_printed_as_text_are_recognised() {
        let one = r#"{"name": "get_bars", "arguments": {"days": 3}}"#;
        for text in [
            one.to_owned(),
            format!("```json\n{one}\n```"),
            format!("<tool_call>\n{one}\n</tool_call>"),
            format!("[{one}]"),
            one.replace("arguments", "parameters"),
        ] {
            let calls = printed_calls(&text, &tools()).unwrap();
            assert_eq!(calls, [RawCall { id: None, name: "get_bars".into(), arguments: json!({"days": 3}) }], "{text}");
        }
        let two = format!("<tool_call>{one}</tool_call>\n<tool_call>{one}</tool_call>");
        assert_eq!(printed_calls(&two, &tools()).unwrap().len(), 2);
    }

    #[test]
    fn a_text_that_only_speaks_of_tools_stays_a_text() {
        for text in [
            r#"I would call {"name": "get_bars", "arguments": {}}."#,
            r#"{"name": "other", "arguments": {}}"#,
            r#"{"rating": "Buy"}"#,
            r#"{"name": "get_bars", "arguments": "all"}"#,
            "42",
            "[]",
            "",
        ] {
            assert_eq!(printed_calls(text, &tools()), None, "{text}");
        }
        assert_eq!(printed_calls(r#"{"name": "get_bars", "arguments": {}}"#, &[]), None);
    }
}
