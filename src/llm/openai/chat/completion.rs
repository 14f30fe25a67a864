//! The response, streamed or whole.
//!
//! What comes beside a text and its calls is kept by its own name, whoever the provider is: some models refuse a
//! conversation in which their reasoning is missing, and a gateway passes on the fields of the model behind it.

use serde_json::{Map, Value, json};

use super::super::super::{
    Draft, Finish, LlmError, Usage,
    http::{Event, Events},
    refusal::Refusal,
    response::{MAX_TEXT, RawCall, RawResponse, count, take, text_of, too_long},
};

/// Fields of a message that go back with its calls.
const REASONING: [&str; 3] = ["reasoning_content", "reasoning", "reasoning_details"];
/// Fields of a call that every service knows, beside `index`, the place of a part in a stream.
const KNOWN_OF_CALL: [&str; 4] = ["id", "type", "function", "index"];

/// A response as far as it has come.
#[derive(Default)]
struct Completion {
    text: String,
    refusal: String,
    calls: Vec<Call>,
    reasoning: Map<String, Value>,
    finish_reason: Option<String>,
    /// What went wrong with the choice, as `OpenRouter` reports it.
    error: Option<String>,
    usage: Usage,
    /// Whether there was a choice at all.
    has_choice: bool,
    /// The bytes of calls so far.
    length: usize,
}

#[derive(Default)]
struct Call {
    index: Option<u64>,
    id: Option<String>,
    name: String,
    arguments: Value,
    extra: Map<String, Value>,
}

/// What came of a request.
pub(in crate::llm::openai) enum Outcome {
    Response(RawResponse),
    /// The server failed with the status of a success, or in the middle.
    Refused(Refusal),
    /// The stream had nothing in it; some gateways give their reason only without one.
    NothingStreamed,
}

/// Reads a response.
pub(in crate::llm::openai) async fn read(mut events: Events<'_>, draft: &Draft) -> Result<Outcome, LlmError> {
    let (mut completion, mut streamed) = (Completion::default(), false);
    while let Some(event) = events.next().await? {
        let part = match event {
            Event::Part(part) => {
                streamed = true;
                part
            }
            Event::Whole(whole) => whole,
        };
        if !has_choice(&part) && says_why(&part) {
            return Ok(Outcome::Refused(Refusal::disguised(&part)));
        }
        if completion.add(part, draft) {
            events.begin();
        }
        if completion.text.len() + completion.length > MAX_TEXT {
            completion.finish_reason = Some(too_long());
            break;
        }
    }
    if !completion.has_choice {
        return if streamed { Ok(Outcome::NothingStreamed) } else { Err(events.unusable("with no choice in it")) };
    }
    if streamed && completion.finish_reason.is_none() && !events.ended() {
        return Err(events.broken_off("the connection was closed"));
    }
    Ok(Outcome::Response(completion.into_response()))
}

fn has_choice(part: &Value) -> bool {
    part["choices"].as_array().is_some_and(|choices| !choices.is_empty())
}

/// Whether a body without a choice says what went wrong.
fn says_why(part: &Value) -> bool {
    let failed = |status: &Value| status.as_u64().is_some_and(|code| code != 0);
    !part["error"].is_null() || failed(&part["base_resp"]["status_code"]) || part["detail"].is_string()
}

impl Completion {
    /// Adds a part, or the whole; whether the model wrote something.
    fn add(&mut self, mut part: Value, draft: &Draft) -> bool {
        if part["usage"].is_object() {
            self.usage = usage(&part["usage"]);
        }
        let error = take(&mut part, "error");
        // There is one choice, as one was asked for.
        let Some(choice) = part.pointer_mut("/choices/0") else { return false };
        self.has_choice = true;
        if let Some(reason) = choice["finish_reason"].as_str().filter(|reason| !reason.is_empty()) {
            self.finish_reason = Some(reason.into());
        }
        if let Some(error) = [&choice["error"], &error].into_iter().find(|error| !error.is_null()) {
            self.error = Some(Refusal::disguised(error).message);
        }
        let delta = match take(choice, "delta") {
            Value::Null => take(choice, "message"),
            delta => delta,
        };
        self.add_delta(delta, draft)
    }

    fn add_delta(&mut self, mut delta: Value, draft: &Draft) -> bool {
        let more = text_of(&delta["content"]);
        draft.write(&more);
        self.text.push_str(&more);
        self.refusal.push_str(delta["refusal"].as_str().unwrap_or_default());
        let mut wrote = !more.is_empty();
        for name in REASONING {
            let more = take(&mut delta, name);
            if !more.is_null() {
                wrote = true;
                join(self.reasoning.entry(name).or_insert(Value::Null), more);
            }
        }
        if let Value::Array(calls) = take(&mut delta, "tool_calls") {
            wrote |= !calls.is_empty();
            for call in calls {
                self.add_call(call);
            }
        }
        wrote
    }

    /// Adds a part of a call, or a whole one. Parts of one call have its index; those without are calls of their own.
    fn add_call(&mut self, mut part: Value) {
        let index = part["index"].as_u64();
        let known = self.calls.iter().position(|call| index.is_some() && call.index == index);
        // Some servers count each call as the first, but give it an id of its own.
        let other_id = |place: &usize| {
            let (old, new) = (self.calls[*place].id.as_deref(), part["id"].as_str());
            new.is_some_and(|new| !new.is_empty() && old.is_some_and(|old| old != new))
        };
        let place = known.filter(|place| !other_id(place)).unwrap_or_else(|| {
            self.calls.push(Call::default());
            self.calls.len() - 1
        });
        let call = &mut self.calls[place];
        call.index = index;
        if let Some(id) = part["id"].as_str().filter(|id| !id.is_empty()) {
            call.id = Some(id.into());
        }
        let arguments = part.pointer_mut("/function/arguments").map(Value::take).unwrap_or_default();
        self.length += arguments.as_str().map_or(0, str::len);
        join(&mut call.arguments, arguments);
        call.name.push_str(part["function"]["name"].as_str().unwrap_or_default());
        if let Value::Object(fields) = part {
            call.extra.extend(fields.into_iter().filter(|(name, _)| !KNOWN_OF_CALL.contains(&name.as_str())));
        }
    }

    fn into_response(self) -> RawResponse {
        let finish = self.finish();
        let mut thoughts = Value::Null;
        let extras: Vec<Value> = self.calls.iter().map(|call| call.extra.clone().into()).collect();
        if !self.reasoning.is_empty() || self.calls.iter().any(|call| !call.extra.is_empty()) {
            thoughts = json!({"message": self.reasoning, "calls": extras});
        }
        let raw = |Call { id, name, arguments, .. }| RawCall { id, name, arguments };
        RawResponse {
            text: self.text,
            calls: self.calls.into_iter().map(raw).collect(),
            thoughts,
            usage: Usage { calls: 1, ..self.usage },
            finish,
        }
    }

    fn finish(&self) -> Finish {
        if !self.refusal.trim().is_empty() {
            return Finish::Blocked(self.refusal.trim().into());
        }
        if let Some(error) = &self.error {
            return Finish::Interrupted(error.clone());
        }
        match self.finish_reason.as_deref() {
            None
            | Some("stop" | "tool_calls" | "function_call" | "eos" | "eos_token" | "stop_sequence" | "end_turn") => {
                Finish::Stop
            }
            Some("length" | "max_tokens" | "model_length" | "model_context_window_exceeded") => Finish::Length,
            Some(reason @ ("content_filter" | "sensitive" | "refusal" | "safety" | "recitation")) => {
                Finish::Blocked(reason.into())
            }
            Some(other) => Finish::Interrupted(other.into()),
        }
    }
}

/// Joins the parts of a streamed value: texts and lists grow, the entries of a list by their index.
fn join(so_far: &mut Value, more: Value) {
    match (so_far, more) {
        (_, Value::Null) => {}
        (Value::String(text), Value::String(more)) => text.push_str(&more),
        (Value::Array(list), Value::Array(more)) => {
            for entry in more {
                match list.last_mut().filter(|last| goes_on(last, &entry)) {
                    Some(last) => join_entry(last, entry),
                    None => list.push(entry),
                }
            }
        }
        (so_far, more) => *so_far = more,
    }
}

/// Whether an entry of `reasoning_details` is the next part of the one before.
fn goes_on(last: &Value, entry: &Value) -> bool {
    let same = |name: &str| last[name] == entry[name];
    entry["type"] != "reasoning.encrypted" && !entry["index"].is_null() && same("index") && same("type")
}

fn join_entry(last: &mut Value, entry: Value) {
    let (Value::Object(last), Value::Object(entry)) = (last, entry) else { return };
    for (name, value) in entry {
        match last.get_mut(&name) {
            Some(Value::String(text)) if name == "text" || name == "summary" => {
                text.push_str(value.as_str().unwrap_or_default());
            }
            Some(_) if value.is_null() => {}
            _ => {
                last.insert(name, value);
            }
        }
    }
}

fn usage(usage: &Value) -> Usage {
    // Those in the cache, in the words of OpenAI, then of DeepSeek and Moonshot.
    let cached =
        [&usage["prompt_tokens_details"]["cached_tokens"], &usage["prompt_cache_hit_tokens"], &usage["cached_tokens"]];
    Usage {
        calls: 1,
        tokens_in: count(&usage["prompt_tokens"]),
        tokens_out: count(&usage["completion_tokens"]),
        tokens_cached: cached.into_iter().map(count).max().unwrap_or_default(),
        cost_usd: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn streamed(deltas: &[Value]) -> RawResponse {
        let mut completion = Completion::default();
        for delta in deltas {
            completion.add(json!({"choices": [{"delta": delta}]}), &Draft::default());
        }
        completion.into_response()
    }

    fn part(index: u64, id: Option<&str>, name: &str, arguments: &str) -> Value {
        json!({"tool_calls": [{"index": index, "id": id, "function": {"name": name, "arguments": arguments}}]})
    }

    #[test]
    fn calls_are_put_together_from_their_parts() {
        let response = streamed(&[
            part(0, Some("a"), "x", ""),
            part(0, None, "", "{\"days\":"),
            part(0, None, "", " 3}"),
            part(1, Some("b"), "y", "{}"),
        ]);
        let calls: Vec<_> = response.calls.iter().map(|call| (call.name.as_str(), call.arguments.as_str())).collect();
        assert_eq!(calls, [("x", Some("{\"days\": 3}")), ("y", Some("{}"))]);
        let counted_wrong = streamed(&[part(0, Some("a"), "x", "{}"), part(0, Some("b"), "x", "{}")]);
        assert_eq!(counted_wrong.calls.len(), 2);
    }

    #[test]
    fn reasoning_is_kept_by_its_own_name_and_its_parts_are_joined() {
        let details = |text: &str| json!({"reasoning_details": [{"type": "reasoning.text", "index": 0, "text": text}]});
        let sealed = json!({"reasoning_details": [{"type": "reasoning.encrypted", "index": 1, "data": "x"}]});
        let response =
            streamed(&[json!({"reasoning": "H"}), json!({"reasoning": "m"}), details("H"), details("m"), sealed]);
        assert_eq!(response.thoughts["message"]["reasoning"], "Hm");
        let details = &response.thoughts["message"]["reasoning_details"];
        assert_eq!((&details[0]["text"], &details[1]["data"]), (&json!("Hm"), &json!("x")));
    }

    #[test]
    fn only_an_end_that_is_one_counts_as_complete() {
        let finish = |reason: &str| Completion { finish_reason: Some(reason.into()), ..Completion::default() }.finish();
        assert_eq!((finish("stop"), finish("tool_calls")), (Finish::Stop, Finish::Stop));
        assert_eq!((finish("length"), finish("model_length")), (Finish::Length, Finish::Length));
        assert_eq!(finish("content_filter"), Finish::Blocked("content_filter".into()));
        assert_eq!(finish("network_error"), Finish::Interrupted("network_error".into()));
    }
}
