//! A conversation in the form of Chat Completions, such as every server behind it takes.
//!
//! Servers put a conversation into their model's template, and templates differ: user and assistant may have to take
//! turns, a message may hold one call, the system may have no message of its own.

use serde_json::{Map, Value, json};

use super::super::{
    super::{
        Message, ToolCall,
        capabilities::{Capabilities, Feature},
        message::with_evidence,
        response::object,
    },
    Dialect,
};

/// The messages, the words of a form at their end, and the optional features that they use.
pub(super) fn messages(
    conversation: &[Message],
    in_words: Option<String>,
    dialect: Dialect,
    known: &Capabilities,
) -> (Vec<Value>, Vec<Feature>) {
    let mut list = List { messages: Vec::new(), features: Vec::new(), dialect, known };
    for message in conversation {
        match message {
            Message::System { content } => list.system(content),
            Message::User { content, evidence } => list.user(&with_evidence(content, evidence)),
            Message::Tool { id, content, .. } => list.tool(id, content),
            Message::Assistant { content, tool_calls, thoughts } => list.assistant(content, tool_calls, thoughts),
        }
    }
    if let Some(words) = in_words {
        list.user(&words);
    }
    if !known.has(Feature::ParallelCalls) {
        list.messages = one_call_each(list.messages);
    }
    (list.messages, list.features)
}

struct List<'a> {
    messages: Vec<Value>,
    features: Vec<Feature>,
    dialect: Dialect,
    known: &'a Capabilities,
}

impl List<'_> {
    fn system(&mut self, content: &str) {
        if self.known.has(Feature::SystemMessage) {
            self.features.push(Feature::SystemMessage);
            self.messages.push(json!({"role": "system", "content": content}));
        } else {
            self.user(content);
        }
    }

    /// What the user says; in one message with what he said before, for some templates want turns to be taken.
    fn user(&mut self, content: &str) {
        let last = self.messages.last_mut();
        match last {
            Some(last) if last["role"] == "user" => {
                let before = last["content"].as_str().unwrap_or_default();
                last["content"] = format!("{before}\n\n{content}").into();
                return;
            }
            Some(last) if last["role"] == "tool" && self.dialect.answers_tools => {
                self.messages.push(json!({"role": "assistant", "content": "I have read the results."}));
            }
            _ => {}
        }
        self.messages.push(json!({"role": "user", "content": content}));
    }

    fn tool(&mut self, id: &str, content: &str) {
        self.messages.push(json!({"role": "tool", "tool_call_id": id, "content": content}));
    }

    fn assistant(&mut self, content: &str, tool_calls: &[ToolCall], thoughts: &Value) {
        let mut said = json!({"role": "assistant", "content": content});
        // An empty list of calls is refused.
        if !tool_calls.is_empty() {
            said["tool_calls"] = tool_calls.iter().map(tool_call).collect();
        }
        if tool_calls.len() > 1 {
            self.features.push(Feature::ParallelCalls);
        }
        if !thoughts.is_null() && self.known.has(Feature::Reasoning) {
            self.features.push(Feature::Reasoning);
            put_reasoning(&mut said, thoughts);
        }
        self.messages.push(said);
    }
}

/// Puts back what came with a response beside its text and calls; see `completion`.
fn put_reasoning(said: &mut Value, thoughts: &Value) {
    let add = |into: Option<&mut Value>, fields: &Value| {
        if let (Some(Value::Object(into)), Value::Object(fields)) = (into, fields) {
            into.extend(fields.clone());
        }
    };
    add(Some(&mut *said), &thoughts["message"]);
    for (index, fields) in thoughts["calls"].as_array().into_iter().flatten().enumerate() {
        add(said.get_mut("tool_calls").and_then(|calls| calls.get_mut(index)), fields);
    }
}

/// The arguments are JSON in a string.
fn tool_call(ToolCall { id, name, arguments }: &ToolCall) -> Value {
    json!({"id": id, "type": "function", "function": {"name": name, "arguments": object(arguments).to_string()}})
}

/// Each call in a message of its own, followed by its result.
fn one_call_each(messages: Vec<Value>) -> Vec<Value> {
    let mut results: Map<String, Value> = Map::new();
    for message in messages.iter().filter(|message| message["role"] == "tool") {
        results.insert(message["tool_call_id"].as_str().unwrap_or_default().into(), message.clone());
    }
    let mut split = Vec::new();
    for message in messages {
        let calls = message["tool_calls"].as_array().cloned().unwrap_or_default();
        // Results follow their calls.
        if calls.is_empty() && message["role"] != "tool" {
            split.push(message);
            continue;
        }
        for (index, call) in calls.into_iter().enumerate() {
            let id = call["id"].as_str().unwrap_or_default().to_owned();
            let mut one = message.clone();
            one["tool_calls"] = json!([call]);
            if index > 0 {
                one["content"] = "".into();
            }
            split.push(one);
            split.extend(results.remove(&id));
        }
    }
    split
}

#[cfg(test)]
mod tests {
    use super::{
        super::super::{super::message::Message, Dialect},
        *,
    };
    use crate::domain::Provider;

    fn call(id: &str) -> ToolCall {
        ToolCall { id: id.into(), name: "x".into(), arguments: json!({}) }
    }

    fn tool(id: &str) -> Message {
        Message::Tool { id: id.into(), name: "x".into(), content: format!("result {id}") }
    }

    fn conversation() -> Vec<Message> {
        let calls = vec![call("a"), call("b")];
        vec![
            Message::System { content: "S".into() },
            Message::user("one"),
            Message::Assistant { content: "Let me.".into(), tool_calls: calls, thoughts: Value::Null },
            tool("a"),
            tool("b"),
            Message::user("two"),
        ]
    }

    fn roles(messages: &[Value]) -> String {
        messages.iter().map(|message| message["role"].as_str().unwrap()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn users_who_speak_twice_speak_once() {
        let in_words = Some("Answer in JSON.".to_owned());
        let known = Capabilities::default();
        let (messages, _) = messages(&conversation(), in_words, Dialect::of(Provider::OpenAi), &known);
        assert_eq!(roles(&messages), "system user assistant tool tool user");
        assert_eq!(messages[5]["content"], "two\n\nAnswer in JSON.");
    }

    #[test]
    fn a_template_with_one_call_a_message_gets_them_one_after_the_other() {
        let known = Capabilities::default();
        known.lacks(Feature::ParallelCalls);
        known.lacks(Feature::SystemMessage);
        let (messages, _) = messages(&conversation(), None, Dialect::of(Provider::Mistral), &known);
        assert_eq!(roles(&messages), "user assistant tool assistant tool assistant user");
        assert_eq!((&messages[2]["tool_call_id"], &messages[4]["tool_call_id"]), (&json!("a"), &json!("b")));
        assert_eq!(messages[0]["content"], "S\n\none");
    }

    #[test]
    fn what_came_with_a_response_returns_where_it_stood() {
        let thoughts = json!({"message": {"reasoning_content": "Hm."}, "calls": [{"extra_content": {"s": 1}}]});
        let said = Message::Assistant { content: String::new(), tool_calls: vec![call("a")], thoughts };
        let (messages, sent) = messages(&[said], None, Dialect::of(Provider::OpenAi), &Capabilities::default());
        assert_eq!(messages[0]["reasoning_content"], "Hm.");
        assert_eq!(messages[0]["tool_calls"][0]["extra_content"]["s"], 1);
        assert_eq!(sent, [Feature::Reasoning]);
    }
}
