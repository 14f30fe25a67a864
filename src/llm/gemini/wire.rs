//! The JSON of generateContent: <https://ai.google.dev/api/generate-content>.

use serde::Deserialize;
use serde_json::{Value, json};

use super::super::{
    ChatRequest, Finish, Message, ToolSpec, Usage,
    answer::{RawAnswer, RawCall},
    client::{Client, Question},
    message::with_evidence,
    optional::Part,
};
use crate::domain::ReasoningEffort;

/// The body of `:generateContent`.
pub(super) fn question(client: &Client, request: &ChatRequest) -> Question {
    let (system, mut contents) = conversation(&request.messages);
    let (mut body, mut sent) = (json!({"generationConfig": {}}), Vec::new());
    let options = &mut body["generationConfig"];
    if let Some(temperature) = client.temperature() {
        options["temperature"] = temperature.into();
        sent.push(Part::Temperature);
    }
    if let Some(effort) = client.effort() {
        options["thinkingConfig"] = thinking(&client.model, effort);
        sent.push(Part::Effort);
    }
    match &request.schema {
        Some(schema) if client.takes_schema() => {
            options["responseMimeType"] = "application/json".into();
            options["responseJsonSchema"] = schema.schema.clone();
            sent.push(Part::Schema);
        }
        Some(schema) => say(&mut contents, "user", json!({"text": schema.in_words()})),
        None => {}
    }
    if !request.tools.is_empty() {
        body["tools"] = json!([{"functionDeclarations": request.tools.iter().map(tool).collect::<Vec<_>>()}]);
    }
    if !system.is_empty() {
        body["systemInstruction"] = json!({"parts": [{"text": system}]});
    }
    body["contents"] = contents.into();
    (body, sent)
}

/// Models up to 2.5 take a budget in tokens, those after it a level (<https://ai.google.dev/gemini-api/docs/thinking>).
fn thinking(model: &str, effort: ReasoningEffort) -> Value {
    if model.starts_with("gemini-2") {
        let budget = match effort {
            ReasoningEffort::Low => 1024,
            ReasoningEffort::Medium => 8192,
            ReasoningEffort::High => 24_576,
        };
        json!({"thinkingBudget": budget})
    } else {
        json!({"thinkingLevel": effort.as_str()})
    }
}

fn tool(tool: &ToolSpec) -> Value {
    json!({"name": tool.name, "description": tool.description, "parametersJsonSchema": tool.parameters})
}

/// The system's text and the turns, in which user and model alternate.
fn conversation(messages: &[Message]) -> (String, Vec<Value>) {
    let (mut system, mut turns) = (Vec::new(), Vec::new());
    for message in messages {
        match message {
            Message::System { content } => system.push(content.as_str()),
            Message::User { content, evidence } => {
                say(&mut turns, "user", json!({"text": with_evidence(content, evidence)}));
            }
            Message::Tool { name, content, .. } => {
                let answer = json!({"functionResponse": {"name": name, "response": {"result": content}}});
                say(&mut turns, "user", answer);
            }
            Message::Assistant { thoughts: Value::Array(parts), .. } => {
                for part in parts {
                    say(&mut turns, "model", part.clone());
                }
            }
            Message::Assistant { content, tool_calls, .. } => {
                if !content.is_empty() {
                    say(&mut turns, "model", json!({"text": content}));
                }
                for call in tool_calls {
                    say(&mut turns, "model", json!({"functionCall": {"name": call.name, "args": call.arguments}}));
                }
            }
        }
    }
    (system.join("\n\n"), turns)
}

/// Adds a part to the turn that goes on, or begins another.
fn say(turns: &mut Vec<Value>, role: &str, part: Value) {
    match turns.last_mut() {
        Some(turn) if turn["role"] == role => {
            if let Some(parts) = turn["parts"].as_array_mut() {
                parts.push(part);
            }
        }
        _ => turns.push(json!({"role": role, "parts": [part]})),
    }
}

/// The answer of `:generateContent`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Answer {
    #[serde(default)]
    candidates: Vec<Candidate>,
    /// Why there is no candidate.
    prompt_feedback: Option<Feedback>,
    #[serde(default)]
    usage_metadata: AnswerUsage,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Candidate {
    #[serde(default)]
    content: Content,
    finish_reason: Option<String>,
}

#[derive(Default, Deserialize)]
struct Content {
    #[serde(default)]
    parts: Vec<Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Feedback {
    block_reason: Option<String>,
}

/// Tokens.
#[derive(Default, Deserialize)]
#[serde(default)]
struct AnswerUsage {
    #[serde(rename = "promptTokenCount")]
    prompt: u64,
    #[serde(rename = "candidatesTokenCount")]
    said: u64,
    #[serde(rename = "thoughtsTokenCount")]
    thought: u64,
    /// Those of the prompt that were in the cache.
    #[serde(rename = "cachedContentTokenCount")]
    cached: u64,
}

impl Answer {
    /// The first candidate, or why there is none.
    pub fn into_answer(self) -> Result<RawAnswer, String> {
        let Some(Candidate { content, finish_reason }) = self.candidates.into_iter().next() else {
            let reason = self.prompt_feedback.and_then(|feedback| feedback.block_reason);
            return Err(reason.unwrap_or_else(|| "there is no candidate in it".into()));
        };
        let parts = content.parts;
        let said = parts.iter().filter(|part| part["thought"] != true);
        let text = said.clone().filter_map(|part| part["text"].as_str()).collect();
        let calls = said.filter_map(|part| part.get("functionCall")).map(call).collect();
        let signed = parts.iter().any(|part| part.get("thoughtSignature").is_some());
        Ok(RawAnswer {
            text,
            calls,
            thoughts: if signed { parts.into() } else { Value::Null },
            usage: self.usage_metadata.into(),
            finish: if finish_reason.as_deref() == Some("MAX_TOKENS") { Finish::Length } else { Finish::Stop },
        })
    }
}

fn call(call: &Value) -> RawCall {
    RawCall {
        id: call["id"].as_str().map(Into::into),
        name: call["name"].as_str().unwrap_or_default().into(),
        arguments: call.get("args").cloned().unwrap_or_else(|| json!({})),
    }
}

impl From<AnswerUsage> for Usage {
    fn from(usage: AnswerUsage) -> Self {
        Self {
            calls: 1,
            tokens_in: usage.prompt,
            tokens_out: usage.said + usage.thought,
            tokens_cached: usage.cached,
            cost_usd: None,
        }
    }
}

/// The answer of `/models/{model}`.
#[derive(Deserialize)]
pub(super) struct Model {
    /// As `models/{model}`.
    name: String,
}

/// The answer of `/models`.
#[derive(Deserialize)]
pub(super) struct Models {
    models: Vec<Model>,
}

impl Models {
    pub fn into_names(self) -> Vec<String> {
        self.models.into_iter().map(|model| model.name.trim_start_matches("models/").to_owned()).collect()
    }
}
