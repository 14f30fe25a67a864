//! The response of Messages, streamed or whole: <https://docs.claude.com/en/api/messages-streaming>.

use serde_json::{Value, json};

use super::super::{
    Draft, Finish, LlmError, Usage,
    http::{Event, Events},
    refusal::Refusal,
    response::{MAX_TEXT, RawCall, RawResponse, count, take, too_long},
};

/// A response as far as it has come.
#[derive(Default)]
struct Message {
    blocks: Vec<Value>,
    /// The JSON of the tool call that is coming.
    input: String,
    /// The bytes of text so far.
    length: usize,
    stop_reason: Option<String>,
    /// Why the model declined.
    stop_details: Value,
    usage: Usage,
    /// Whether there was a message at all.
    begun: bool,
}

/// Reads a response, or the error in the middle of it.
pub(super) async fn read(mut events: Events<'_>, draft: &Draft) -> Result<Result<RawResponse, Refusal>, LlmError> {
    let mut message = Message::default();
    while let Some(event) = events.next().await? {
        match event {
            Event::Whole(whole) => message.add_whole(whole),
            Event::Part(part) if part["type"] == "message_stop" => break,
            Event::Part(part) if part["type"] == "error" => return Ok(Err(overloaded(&part))),
            Event::Part(part) => {
                if part["type"] == "content_block_delta" {
                    events.begin();
                }
                message.add(part, draft);
                if message.length > MAX_TEXT {
                    message.stop_reason = Some(too_long());
                    break;
                }
            }
        }
    }
    if message.begun { Ok(Ok(message.into_response())) } else { Err(events.unusable("not in the form of its API")) }
}

/// An error in a stream has no status of its own; its type says which one it would have had.
fn overloaded(part: &Value) -> Refusal {
    let mut refusal = Refusal::disguised(part);
    if refusal.code == "rate_limit_error" {
        refusal.status = 429;
    }
    refusal
}

impl Message {
    fn add_whole(&mut self, mut whole: Value) {
        if let Value::Array(blocks) = take(&mut whole, "content") {
            self.blocks = blocks;
            self.begun = true;
        }
        self.add_usage(&whole["usage"]);
        self.end(&whole);
    }

    fn add(&mut self, mut part: Value, draft: &Draft) {
        match part["type"].as_str() {
            Some("message_start") => {
                self.begun = true;
                self.add_usage(&part["message"]["usage"]);
                self.end(&part["message"]);
            }
            Some("content_block_start") => {
                self.input.clear();
                self.blocks.extend(Some(take(&mut part, "content_block")).filter(Value::is_object));
            }
            Some("content_block_delta") => self.add_delta(&part["delta"], draft),
            Some("content_block_stop") => self.end_block(),
            Some("message_delta") => {
                self.add_usage(&part["usage"]);
                self.end(&part["delta"]);
            }
            // Pings, and kinds of events that are not there yet.
            _ => {}
        }
    }

    fn add_delta(&mut self, delta: &Value, draft: &Draft) {
        let Some(block) = self.blocks.last_mut() else { return };
        let field = match delta["type"].as_str() {
            Some("text_delta") => "text",
            Some("thinking_delta") => "thinking",
            Some("signature_delta") => "signature",
            Some("input_json_delta") => {
                self.input.push_str(delta["partial_json"].as_str().unwrap_or_default());
                self.length += delta["partial_json"].as_str().map_or(0, str::len);
                return;
            }
            _ => return,
        };
        let more = delta[field].as_str().unwrap_or_default();
        if field == "text" {
            draft.write(more);
            self.length += more.len();
        }
        match &mut block[field] {
            // A signature comes whole.
            Value::String(text) if field != "signature" => text.push_str(more),
            other => *other = more.into(),
        }
    }

    fn end_block(&mut self) {
        if let Some(block) = self.blocks.last_mut().filter(|_| !self.input.is_empty()) {
            block["input"] = serde_json::from_str(&self.input).unwrap_or_else(|_| json!({}));
        }
        self.input.clear();
    }

    fn add_usage(&mut self, usage: &Value) {
        // Later counts replace earlier ones; those that don't change are not repeated.
        let keep = |name: &str, known: u64| if usage[name].is_null() { known } else { count(&usage[name]) };
        let known = self.usage;
        let cached = keep("cache_read_input_tokens", known.tokens_cached);
        // The input is reported without what was put into the cache or read from it.
        let input = count(&usage["input_tokens"]) + count(&usage["cache_creation_input_tokens"]);
        self.usage = Usage {
            calls: 1,
            tokens_in: if input > 0 { input + cached } else { known.tokens_in },
            tokens_out: keep("output_tokens", known.tokens_out),
            tokens_cached: cached,
            cost_usd: None,
        };
    }

    fn end(&mut self, end: &Value) {
        if let Some(reason) = end["stop_reason"].as_str() {
            self.stop_reason = Some(reason.into());
        }
        if end["stop_details"].is_object() {
            self.stop_details = end["stop_details"].clone();
        }
    }

    fn into_response(self) -> RawResponse {
        let (mut text, mut calls) = (String::new(), Vec::new());
        for block in &self.blocks {
            match block["type"].as_str() {
                Some("text") => text.push_str(block["text"].as_str().unwrap_or_default()),
                Some("tool_use") => calls.push(RawCall {
                    id: block["id"].as_str().map(Into::into),
                    name: block["name"].as_str().unwrap_or_default().into(),
                    arguments: block["input"].clone(),
                }),
                // Reasoning, and blocks of kinds that nobody asked for.
                _ => {}
            }
        }
        let finish = self.finish();
        RawResponse { text, calls, thoughts: self.blocks.into(), usage: Usage { calls: 1, ..self.usage }, finish }
    }

    fn finish(&self) -> Finish {
        match self.stop_reason.as_deref() {
            None | Some("end_turn" | "tool_use" | "stop_sequence") => Finish::Stop,
            Some("max_tokens" | "model_context_window_exceeded") => Finish::Length,
            Some("refusal") => {
                let why = self.stop_details["explanation"].as_str();
                Finish::Blocked(why.map_or("refusal".into(), |why| format!("refusal: {why}")))
            }
            Some(other) => Finish::Interrupted(other.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn streamed(parts: &[Value]) -> RawResponse {
        let mut message = Message::default();
        for part in parts {
            message.add(part.clone(), &Draft::default());
        }
        message.into_response()
    }

    #[test]
    fn blocks_are_put_together_from_their_parts_in_their_order() {
        let response = streamed(&[
            json!({"type": "message_start", "message": {"usage": {"input_tokens": 7, "cache_read_input_tokens": 3}}}),
            json!({"type": "content_block_start", "content_block": {"type": "thinking", "thinking": ""}}),
            json!({"type": "content_block_delta", "delta": {"type": "thinking_delta", "thinking": "Hm."}}),
            json!({"type": "content_block_delta", "delta": {"type": "signature_delta", "signature": "s"}}),
            json!({"type": "content_block_stop"}),
            json!({"type": "content_block_start", "content_block": {"type": "tool_use", "id": "t", "name": "x", "input": {}}}),
            json!({"type": "content_block_delta", "delta": {"type": "input_json_delta", "partial_json": "{\"a\":"}}),
            json!({"type": "content_block_delta", "delta": {"type": "input_json_delta", "partial_json": " 1}"}}),
            json!({"type": "content_block_stop"}),
            json!({"type": "message_delta", "delta": {"stop_reason": "tool_use"}, "usage": {"output_tokens": 5}}),
        ]);
        let thinking = json!({"type": "thinking", "thinking": "Hm.", "signature": "s"});
        let call = json!({"type": "tool_use", "id": "t", "name": "x", "input": {"a": 1}});
        assert_eq!(response.thoughts, json!([thinking, call]));
        assert_eq!(response.calls[0].arguments, json!({"a": 1}));
        let usage = response.usage;
        assert_eq!((usage.tokens_in, usage.tokens_cached, usage.tokens_out), (10, 3, 5));
        assert_eq!(response.finish, Finish::Stop);
    }

    #[test]
    fn a_refusal_keeps_its_reason() {
        let details = json!({"type": "refusal", "explanation": "Not this."});
        let end = json!({"type": "message_delta", "delta": {"stop_reason": "refusal", "stop_details": details}});
        assert_eq!(streamed(&[end]).finish, Finish::Blocked("refusal: Not this.".into()));
    }
}
