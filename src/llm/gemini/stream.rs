//! The response of generateContent, streamed or whole: <https://ai.google.dev/api/generate-content>.

use serde_json::{Value, json};

use super::super::{
    Draft, Finish, LlmError, Usage,
    http::{Event, Events},
    refusal::Refusal,
    response::{MAX_TEXT, RawCall, RawResponse, count, too_long},
};

/// A response as far as it has come.
#[derive(Default)]
struct Content {
    parts: Vec<Value>,
    /// The bytes of text so far.
    length: usize,
    finish_reason: Option<String>,
    /// What the service adds to the reason.
    finish_message: Option<String>,
    /// Why the prompt was blocked.
    block_reason: Option<String>,
    usage: Usage,
    /// Whether there was a response at all.
    begun: bool,
}

/// Reads a response, or the error in the middle of it.
pub(super) async fn read(mut events: Events<'_>, draft: &Draft) -> Result<Result<RawResponse, Refusal>, LlmError> {
    let mut content = Content::default();
    while let Some(event) = events.next().await? {
        let (Event::Part(part) | Event::Whole(part)) = event;
        events.begin();
        // Without `alt=sse` a stream is one list.
        let chunks = if let Value::Array(chunks) = part { chunks } else { vec![part] };
        for chunk in chunks {
            if chunk.get("error").is_some() {
                return Ok(Err(Refusal::disguised(&chunk["error"])));
            }
            content.add(chunk, draft);
        }
        if content.length > MAX_TEXT {
            content.finish_reason = Some(too_long());
            break;
        }
    }
    if content.begun { Ok(Ok(content.into_response())) } else { Err(events.unusable("not in the form of its API")) }
}

impl Content {
    fn add(&mut self, mut chunk: Value, draft: &Draft) {
        self.begun |= chunk["candidates"].is_array() || chunk["promptFeedback"].is_object();
        if let Some(reason) = chunk["promptFeedback"]["blockReason"].as_str() {
            self.block_reason = Some(reason.into());
        }
        if let Some(usage) = chunk.get("usageMetadata") {
            self.usage = usage_of(usage);
        }
        // There is one candidate, as one was asked for.
        let Some(candidate) = chunk.pointer_mut("/candidates/0") else { return };
        for (field, kept) in [("finishReason", &mut self.finish_reason), ("finishMessage", &mut self.finish_message)] {
            if let Some(said) = candidate[field].as_str() {
                *kept = Some(said.into());
            }
        }
        if let Some(Value::Array(parts)) = candidate.pointer_mut("/content/parts").map(Value::take) {
            for part in parts {
                self.add_part(part, draft);
            }
        }
    }

    fn add_part(&mut self, part: Value, draft: &Draft) {
        let thought = part["thought"] == true;
        if let Some(more) = part["text"].as_str() {
            self.length += more.len();
            if !thought {
                draft.write(more);
            }
        }
        // Pieces of one text are put together; a signed part stays as it is.
        let last = self
            .parts
            .last_mut()
            .filter(|last| is_plain(last) && is_plain(&part) && last["thought"] == part["thought"]);
        match last {
            Some(last) => {
                let joined = [&last["text"], &part["text"]].map(|text| text.as_str().unwrap_or_default()).concat();
                last["text"] = joined.into();
            }
            None => self.parts.push(part),
        }
    }

    fn into_response(self) -> RawResponse {
        let said = self.parts.iter().filter(|part| part["thought"] != true);
        let text = said.clone().filter_map(|part| part["text"].as_str()).collect();
        let calls = said.filter_map(|part| part.get("functionCall")).map(call).collect();
        let signed = self.parts.iter().any(|part| part.get("thoughtSignature").is_some());
        let finish = self.finish();
        RawResponse {
            text,
            calls,
            thoughts: if signed { self.parts.into() } else { Value::Null },
            usage: Usage { calls: 1, ..self.usage },
            finish,
        }
    }

    fn finish(&self) -> Finish {
        if let Some(reason) = &self.block_reason {
            return Finish::Blocked(reason.clone());
        }
        let reason = match (self.finish_reason.as_deref(), &self.finish_message) {
            (None | Some("STOP" | ""), _) => return Finish::Stop,
            (Some("MAX_TOKENS"), _) => return Finish::Length,
            (Some(reason), Some(message)) => format!("{reason}: {message}"),
            (Some(reason), None) => reason.into(),
        };
        match self.finish_reason.as_deref().unwrap_or_default() {
            "MALFORMED_FUNCTION_CALL" | "UNEXPECTED_TOOL_CALL" | "TOO_MANY_TOOL_CALLS" => Finish::BadCall(reason),
            "SAFETY" | "RECITATION" | "BLOCKLIST" | "PROHIBITED_CONTENT" | "SPII" | "LANGUAGE" | "MODEL_ARMOR" => {
                Finish::Blocked(reason)
            }
            _ => Finish::Interrupted(reason),
        }
    }
}

/// Whether a part is a text and nothing else.
fn is_plain(part: &Value) -> bool {
    part["text"].is_string()
        && part.as_object().is_some_and(|part| part.keys().all(|key| key == "text" || key == "thought"))
}

fn call(call: &Value) -> RawCall {
    RawCall {
        id: call["id"].as_str().map(Into::into),
        name: call["name"].as_str().unwrap_or_default().into(),
        arguments: call.get("args").cloned().unwrap_or_else(|| json!({})),
    }
}

fn usage_of(usage: &Value) -> Usage {
    Usage {
        calls: 1,
        tokens_in: count(&usage["promptTokenCount"]),
        tokens_out: count(&usage["candidatesTokenCount"]) + count(&usage["thoughtsTokenCount"]),
        tokens_cached: count(&usage["cachedContentTokenCount"]),
        cost_usd: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn streamed(chunks: &[Value]) -> RawResponse {
        let mut content = Content::default();
        for chunk in chunks {
            content.add(chunk.clone(), &Draft::default());
        }
        content.into_response()
    }

    fn chunk(parts: &Value) -> Value {
        json!({"candidates": [{"content": {"parts": parts}}]})
    }

    #[test]
    fn signed_parts_return_where_they_stood_and_texts_are_joined() {
        let call = json!({"functionCall": {"name": "x", "args": {}}, "thoughtSignature": "s"});
        let response = streamed(&[
            chunk(&json!([{"text": "Hm.", "thought": true}])),
            chunk(&json!([{"text": "Let "}])),
            chunk(&json!([{"text": "me."}, call])),
        ]);
        assert_eq!(response.text, "Let me.");
        assert_eq!(response.thoughts, json!([{"text": "Hm.", "thought": true}, {"text": "Let me."}, call]));
    }

    #[test]
    fn a_block_and_a_slip_are_told_from_an_end() {
        let end = |reason: &str| streamed(&[json!({"candidates": [{"finishReason": reason}]})]).finish;
        assert_eq!(end("STOP"), Finish::Stop);
        assert_eq!(end("MAX_TOKENS"), Finish::Length);
        assert_eq!(end("SAFETY"), Finish::Blocked("SAFETY".into()));
        assert_eq!(end("MALFORMED_FUNCTION_CALL"), Finish::BadCall("MALFORMED_FUNCTION_CALL".into()));
        assert_eq!(end("OTHER"), Finish::Interrupted("OTHER".into()));
        let blocked = streamed(&[json!({"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}})]);
        assert_eq!(blocked.finish, Finish::Blocked("PROHIBITED_CONTENT".into()));
    }
}
