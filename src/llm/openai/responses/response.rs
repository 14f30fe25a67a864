//! The response, streamed or whole.

use serde_json::{Value, json};

use super::super::super::{
    Draft, Finish, LlmError, Usage,
    http::{Event, Events},
    refusal::Refusal,
    response::{MAX_TEXT, RawCall, RawResponse, count, take, text_of, too_long},
};

/// Reads a response, or the error in the middle of it.
pub(in crate::llm::openai) async fn read(
    mut events: Events<'_>,
    draft: &Draft,
) -> Result<Result<RawResponse, Refusal>, LlmError> {
    let (mut items, mut length) = (Vec::new(), 0);
    while let Some(event) = events.next().await? {
        let mut part = match event {
            Event::Whole(whole) if whole["output"].is_array() || !whole["error"].is_null() => {
                return Ok(outcome(whole, items));
            }
            Event::Whole(_) => return Err(events.unusable("not in the form of its API")),
            Event::Part(part) => part,
        };
        match part["type"].as_str() {
            Some("response.completed" | "response.incomplete" | "response.failed" | "response.done") => {
                return Ok(outcome(take(&mut part, "response"), items));
            }
            Some("error") => return Ok(Err(failed(&part))),
            Some("response.output_item.done") => items.push(take(&mut part, "item")),
            Some("response.output_text.delta") => {
                events.begin();
                let more = part["delta"].as_str().unwrap_or_default();
                draft.write(more);
                length += more.len();
            }
            Some("response.function_call_arguments.delta") => {
                events.begin();
                length += part["delta"].as_str().map_or(0, str::len);
            }
            _ => {}
        }
        if length > MAX_TEXT {
            let text = draft.subscribe().borrow().clone();
            return Ok(Ok(RawResponse { text, finish: Finish::Interrupted(too_long()), ..RawResponse::default() }));
        }
    }
    Err(events.broken_off("the connection was closed"))
}

/// What a response says; `items` are those that came before, for gateways that don't repeat them at the end.
fn outcome(mut response: Value, items: Vec<Value>) -> Result<RawResponse, Refusal> {
    if !response["error"].is_null() {
        return Err(failed(&response["error"]));
    }
    let items = match take(&mut response, "output") {
        Value::Array(output) if !output.is_empty() => output,
        _ => items,
    };
    let mut raw = RawResponse { usage: usage(&response["usage"]), ..RawResponse::default() };
    let (mut refusal, mut reasoning) = (String::new(), Vec::new());
    for item in items {
        match item["type"].as_str() {
            Some("message") => {
                raw.text.push_str(&text_of(&item["content"]));
                for part in item["content"].as_array().into_iter().flatten() {
                    refusal.push_str(part["refusal"].as_str().unwrap_or_default());
                }
            }
            Some("function_call") => raw.calls.push(RawCall {
                id: item["call_id"].as_str().map(Into::into),
                name: item["name"].as_str().unwrap_or_default().into(),
                arguments: item["arguments"].clone(),
            }),
            // What is not encrypted is not known to the server any more.
            Some("reasoning") if item["encrypted_content"].is_string() => reasoning.push(returned(&item)),
            _ => {}
        }
    }
    if !reasoning.is_empty() {
        raw.thoughts = reasoning.into();
    }
    raw.finish = finish(&response, &refusal);
    Ok(raw)
}

/// A reasoning item as it goes back.
fn returned(item: &Value) -> Value {
    let summary = if item["summary"].is_array() { item["summary"].clone() } else { json!([]) };
    json!({"type": "reasoning", "id": item["id"], "summary": summary, "encrypted_content": item["encrypted_content"]})
}

fn finish(response: &Value, refusal: &str) -> Finish {
    if !refusal.trim().is_empty() {
        return Finish::Blocked(refusal.trim().into());
    }
    let reason = response["incomplete_details"]["reason"].as_str();
    match reason.or(response["status"].as_str()) {
        None | Some("completed") => Finish::Stop,
        Some("max_output_tokens" | "max_tokens") => Finish::Length,
        Some("content_filter") => Finish::Blocked("content_filter".into()),
        Some(other) => Finish::Interrupted(other.into()),
    }
}

/// An error with the status that it would have had at the beginning.
fn failed(error: &Value) -> Refusal {
    let mut refusal = Refusal::disguised(error);
    match refusal.code.as_str() {
        "rate_limit_exceeded" => refusal.status = 429,
        "invalid_prompt" | "context_length_exceeded" | "invalid_request_error" => refusal.status = 400,
        _ => {}
    }
    refusal
}

fn usage(usage: &Value) -> Usage {
    Usage {
        calls: 1,
        tokens_in: count(&usage["input_tokens"]),
        tokens_out: count(&usage["output_tokens"]),
        tokens_cached: count(&usage["input_tokens_details"]["cached_tokens"]),
        cost_usd: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encrypted_reasoning_is_kept_to_be_returned_and_the_rest_is_read() {
        let response = json!({
            "status": "completed",
            "output": [
                {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "x", "status": null},
                {"type": "reasoning", "id": "rs_2", "summary": []},
                {"type": "message", "content": [{"type": "output_text", "text": "Let me look."}]},
                {"type": "function_call", "call_id": "c", "name": "get_bars", "arguments": "{}"},
            ],
            "usage": {"input_tokens": 9, "input_tokens_details": {"cached_tokens": 4}, "output_tokens": 2},
        });
        let raw = outcome(response, Vec::new()).unwrap();
        assert_eq!((raw.text.as_str(), raw.calls.len(), raw.usage.tokens_cached), ("Let me look.", 1, 4));
        let kept = json!([{"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "x"}]);
        assert_eq!(raw.thoughts, kept);
    }

    #[test]
    fn what_is_not_complete_says_why() {
        let finish = |response| outcome(response, Vec::new()).unwrap().finish;
        let incomplete = |reason: &str| json!({"status": "incomplete", "incomplete_details": {"reason": reason}});
        assert_eq!(finish(incomplete("max_output_tokens")), Finish::Length);
        assert_eq!(finish(incomplete("content_filter")), Finish::Blocked("content_filter".into()));
        let refusal = json!({"output": [{"type": "message", "content": [{"type": "refusal", "refusal": "No."}]}]});
        assert_eq!(finish(refusal), Finish::Blocked("No.".into()));
        let failed = json!({"status": "failed", "error": {"code": "rate_limit_exceeded", "message": "Slow down"}});
        assert_eq!(outcome(failed, Vec::new()).err().unwrap().status, 429);
    }
}
