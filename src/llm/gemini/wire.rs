//! The JSON of a request for generateContent: <https://ai.google.dev/api/generate-content>.

use serde::Deserialize;
use serde_json::{Value, json};

use super::super::{
    ChatRequest, Message, ToolSpec,
    capabilities::Feature,
    client::{Client, Question},
    message::with_evidence,
    response::object,
};
use crate::domain::ReasoningEffort;

/// The body of `:streamGenerateContent`.
pub(super) fn question(client: &Client, request: &ChatRequest) -> Question {
    let (system, mut contents) = conversation(&request.messages);
    let (mut body, mut sent) = (json!({"generationConfig": {}}), Vec::new());
    let options = &mut body["generationConfig"];
    if let Some(temperature) = client.temperature() {
        options["temperature"] = temperature.into();
        sent.push(Feature::Temperature);
    }
    if let Some(effort) = client.effort() {
        options["thinkingConfig"] = thinking(&client.model, effort);
        sent.push(Feature::Effort);
    }
    match &request.schema {
        Some(schema) if !schema.in_words && client.known.has(Feature::Schema) => {
            options["responseMimeType"] = "application/json".into();
            options["responseJsonSchema"] = schema.schema.clone();
            sent.push(Feature::Schema);
        }
        Some(schema) => say(&mut contents, "user", json!({"text": schema.words()})),
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
    use ReasoningEffort::{High, Low, Max, Medium, Minimal, None, Xhigh};
    if model.starts_with("gemini-2") {
        let budget = match effort {
            None => 0,
            Minimal => 512,
            Low => 1024,
            Medium => 8192,
            High | Xhigh | Max => 24_576,
        };
        json!({"thinkingBudget": budget})
    } else {
        json!({"thinkingLevel": effort.clamp(Minimal, High).as_str()})
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
                    say(
                        &mut turns,
                        "model",
                        json!({"functionCall": {"name": call.name, "args": object(&call.arguments)}}),
                    );
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
