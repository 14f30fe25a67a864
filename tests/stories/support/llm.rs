//! A model server at the wire: it speaks Ollama's native API, OpenAI's Chat Completions, Anthropic's Messages, Google's
//! generateContent and Amazon Bedrock's Converse, and says what a test tells it to. By default it says enough for a whole analysis.

use std::{
    collections::VecDeque,
    convert::Infallible,
    sync::{Arc, Mutex},
};

use axum::{
    Json, Router,
    body::{Body, Bytes},
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use futures_util::{StreamExt, stream};
use serde_json::{Value, json};
use tokio::{sync::watch, time::timeout};
use tradingagents::{
    domain::Provider,
    egress::Reach,
    llm::{
        Backend, Prices, bedrock,
        ollama::{self, PullPolicy},
    },
};

use super::{program::PATIENCE, server::Server};

/// Letters of a line of a streamed answer.
const PART: usize = 64 << 10;

/// A running fake. It ends when dropped.
pub struct FakeLlm {
    server: Server,
    state: Arc<Script>,
}

/// What it says, and what it was asked.
struct Script {
    requests: watch::Sender<Vec<Request>>,
    /// What the next chats get instead of an answer.
    troubles: Mutex<VecDeque<Trouble>>,
    /// How many chats may still be answered; the others wait.
    allowed: watch::Sender<usize>,
    rating: Mutex<String>,
    tools: Mutex<bool>,
    /// Whether its one model is still to be pulled.
    absent: Mutex<bool>,
    /// What the next pulls say instead of how far they are, and how many there were.
    pulls: Mutex<(VecDeque<Vec<Value>>, usize)>,
    /// Whether pulls come to their end.
    pulls_end: watch::Sender<bool>,
    /// Whether responses that pause go on.
    goes_on: watch::Sender<bool>,
    /// How many chats wait for their answer, and the most that ever did.
    at_once: Mutex<(usize, usize)>,
}

/// A chat that it was asked for.
#[derive(Debug, Clone)]
pub struct Request {
    pub path: &'static str,
    /// The headers by name.
    pub headers: HeaderMap,
    pub body: Value,
}

/// Something that goes wrong.
#[derive(Debug, Clone)]
pub enum Trouble {
    /// A status with a body, and a wait in seconds if it is not empty.
    Status(u16, Value, &'static str),
    /// The connection breaks in the middle of the answer.
    Cut,
    /// This text, whatever was asked for.
    Says(&'static str),
    /// This text, and then the model has no tokens left.
    RunsOut(&'static str),
    /// This text, and then nothing more until [`FakeLlm::goes_on`]; in Chat Completions.
    Pauses(&'static str),
}

/// A backend at this URL with the usual options.
pub fn backend(provider: Provider, url: &str) -> Backend {
    Backend {
        provider,
        base_url: Some(url.parse().unwrap()),
        reach: Reach::Anywhere,
        api_key: None,
        timeout: PATIENCE,
        temperature: None,
        reasoning_effort: None,
        azure_api_version: String::new(),
        bedrock: bedrock::Options::default(),
        gate: Arc::default(),
        prices: Prices::default(),
        ollama: ollama::Options {
            num_ctx: 32_768,
            keep_alive: "30m".into(),
            pull: PullPolicy::Auto,
            pulls: Arc::default(),
        },
    }
}

impl FakeLlm {
    pub async fn start() -> Self {
        let state = Arc::new(Script {
            requests: watch::Sender::default(),
            troubles: Mutex::default(),
            allowed: watch::Sender::new(usize::MAX),
            rating: Mutex::new("Buy".into()),
            tools: Mutex::new(true),
            absent: Mutex::default(),
            pulls: Mutex::default(),
            pulls_end: watch::Sender::new(true),
            goes_on: watch::Sender::new(false),
            at_once: Mutex::default(),
        });
        let routes = Router::new()
            .route("/api/version", get(async || Json(json!({"version": "0.12.0"}))))
            .route("/api/show", post(show))
            .route("/api/tags", get(tags))
            .route("/api/pull", post(pull))
            .route("/api/chat", post(ollama))
            .route("/v1/messages", post(anthropic))
            .route("/v1beta/models/{*call}", post(gemini))
            .route("/v1beta/models", get(async || Json(json!({"models": [{"name": "models/gemini-2.5-pro"}]}))))
            .route("/model/{id}/converse", post(converse))
            .route("/inference-profiles/{id}", get(async || Json(json!({"status": "ACTIVE"}))))
            .route("/api/v1/chat/completions", post(openai))
            .route("/openai/deployments/{name}/chat/completions", post(openai))
            .route("/v1/models", get(async || Json(json!({"data": [{"id": "fake"}]}))))
            .route("/v1/chat/completions", post(openai))
            .route("/v1/responses", post(responses))
            .with_state(state.clone());
        Self { server: Server::start(routes).await, state }
    }

    pub fn url(&self) -> String {
        self.server.url()
    }

    /// What the managers rate from now on.
    pub fn rates(&self, rating: &str) {
        *self.state.rating.lock().unwrap() = rating.into();
    }

    /// From now on its models can't call tools.
    pub fn knows_no_tools(&self) {
        *self.state.tools.lock().unwrap() = false;
    }

    /// It has no model until one is pulled; the first pulls say these lines, and bring it only if the last tells of
    /// success.
    pub fn lacks_models(&self, pulls: impl IntoIterator<Item = Vec<Value>>) {
        *self.state.absent.lock().unwrap() = true;
        self.state.pulls.lock().unwrap().0.extend(pulls);
    }

    /// From now on no pull comes to its end.
    pub fn pulls_for_ever(&self) {
        self.state.pulls_end.send_replace(false);
    }

    /// Responses that paused go on, and come to their end.
    pub fn goes_on(&self) {
        self.state.goes_on.send_replace(true);
    }

    /// How often a model was pulled.
    pub fn pulls(&self) -> usize {
        self.state.pulls.lock().unwrap().1
    }

    /// What happens to the next chats, one after another, before they are answered again.
    pub fn will(&self, troubles: impl IntoIterator<Item = Trouble>) {
        self.state.troubles.lock().unwrap().extend(troubles);
    }

    /// Answers so many chats in all, and lets the others wait.
    pub fn answers_only(&self, count: usize) {
        self.state.allowed.send_replace(count);
    }

    /// Answers all chats, also those that wait.
    pub fn answers_all(&self) {
        self.answers_only(usize::MAX);
    }

    /// Waits until so many chats have been asked for in all.
    pub async fn was_asked(&self, count: usize) {
        let mut requests = self.state.requests.subscribe();
        let asked = timeout(PATIENCE, requests.wait_for(|requests| requests.len() >= count)).await;
        asked.unwrap_or_else(|_| panic!("only {} chats, not {count}", self.requests().len())).unwrap();
    }

    /// The most chats that it ever had to answer at the same time.
    pub fn most_at_once(&self) -> usize {
        self.state.at_once.lock().unwrap().1
    }

    /// The chats that it was asked for.
    pub fn requests(&self) -> Vec<Request> {
        self.state.requests.borrow().clone()
    }
}

async fn tags(State(script): State<Arc<Script>>) -> Json<Value> {
    let names: &[&str] = if *script.absent.lock().unwrap() { &[] } else { &["qwen3:8b"] };
    Json(json!({"models": names.iter().map(|name| json!({"name": name})).collect::<Vec<_>>()}))
}

/// Two layers, each of which comes in halves.
async fn pull(State(script): State<Arc<Script>>) -> Response {
    let part = |digest, completed| json!({"status": "pulling", "digest": digest, "total": 100, "completed": completed});
    let says = {
        let (says, count) = &mut *script.pulls.lock().unwrap();
        *count += 1;
        says.pop_front()
    };
    let mut lines = says.unwrap_or_else(|| {
        let begun = [json!({"status": "pulling manifest"}), part("a", 0), part("b", 0)];
        let parts = [part("a", 50), part("a", 100), part("b", 50), part("b", 100)];
        begun.into_iter().chain(parts).chain([json!({"status": "success"})]).collect()
    });
    let last = lines.pop().unwrap();
    let beginning = ndjson(lines);
    let end = async move {
        script.pulls_end.subscribe().wait_for(|end| *end).await.unwrap();
        if last["status"] == "success" {
            *script.absent.lock().unwrap() = false;
        }
        Ok::<_, Infallible>(ndjson([last]))
    };
    Body::from_stream(stream::iter([Ok(beginning)]).chain(stream::once(end))).into_response()
}

async fn show(State(script): State<Arc<Script>>, Json(asked): Json<Value>) -> Response {
    if *script.absent.lock().unwrap() {
        let error = json!({"error": format!("model '{}' not found", asked["model"].as_str().unwrap())});
        return (StatusCode::NOT_FOUND, Json(error)).into_response();
    }
    let tools = *script.tools.lock().unwrap();
    let capabilities = if tools { json!(["completion", "tools"]) } else { json!(["completion"]) };
    Json(json!({
        "capabilities": capabilities,
        "model_info": {"general.architecture": "fake", "fake.context_length": 40960},
    }))
    .into_response()
}

async fn ollama(State(script): State<Arc<Script>>, headers: HeaderMap, Json(body): Json<Value>) -> Response {
    let schema = body.get("format").cloned();
    match script.turn("/api/chat", &headers, &body, schema.as_ref()).await {
        Turn::Trouble(Trouble::Cut) => cut(r#"{"message": {"role": "assistant", "content": "So f"#),
        Turn::Trouble(trouble) => trouble.into_response(),
        Turn::Call(name) => streamed([json!({"tool_calls": [{"function": {"name": name, "arguments": {}}}]})], true),
        Turn::Text { text, whole } => {
            let letters: Vec<_> = text.chars().collect();
            streamed(letters.chunks(PART).map(|part| json!({"content": String::from_iter(part)})), whole)
        }
    }
}

/// A message in parts, and then why it ends.
fn streamed(parts: impl IntoIterator<Item = Value>, whole: bool) -> Response {
    let last = json!({
        "message": {"role": "assistant", "content": ""}, "done": true,
        "done_reason": if whole { "stop" } else { "length" }, "prompt_eval_count": 100, "eval_count": 10
    });
    let parts = parts.into_iter().map(|message| json!({"message": message, "done": false}));
    ndjson(parts.chain([last])).into_response()
}

fn ndjson(values: impl IntoIterator<Item = Value>) -> String {
    values.into_iter().fold(String::new(), |lines, value| lines + &value.to_string() + "\n")
}

/// Server-sent events, whose names don't matter.
fn events(values: impl IntoIterator<Item = Value>) -> Response {
    let text = values.into_iter().fold(String::new(), |text, value| text + &format!("data: {value}\n\n"));
    ([("content-type", "text/event-stream")], text).into_response()
}

/// The parts in which a text is streamed.
fn parts(text: &str) -> Vec<String> {
    let letters: Vec<_> = text.chars().collect();
    letters.chunks(PART).map(|part| part.iter().collect()).collect()
}

async fn openai(State(script): State<Arc<Script>>, headers: HeaderMap, Json(body): Json<Value>) -> Response {
    let schema = body.pointer("/response_format/json_schema/schema").cloned();
    let turn = script.turn("/v1/chat/completions", &headers, &body, schema.as_ref()).await;
    let finish_reason = if turn.is_whole() { "stop" } else { "length" };
    let deltas = match turn {
        Turn::Trouble(Trouble::Cut) => return cut(r#"data: {"choices": [{"del"#),
        Turn::Trouble(Trouble::Pauses(text)) => return paused(script, text),
        Turn::Trouble(trouble) => return trouble.into_response(),
        Turn::Call(name) => vec![json!({
            "role": "assistant", "content": null,
            "tool_calls": [{"index": 0, "id": "call_1", "type": "function", "function": {"name": name, "arguments": "{}"}}]
        })],
        Turn::Text { text, .. } => parts(&text).iter().map(|part| json!({"content": part})).collect(),
    };
    let usage = json!({
        "prompt_tokens": 100, "completion_tokens": 10, "prompt_tokens_details": {"cached_tokens": 40}
    });
    let end =
        [json!({"choices": [{"delta": {}, "finish_reason": finish_reason}]}), json!({"choices": [], "usage": usage})];
    events(deltas.into_iter().map(|delta| json!({"choices": [{"delta": delta}]})).chain(end))
}

/// A response of Chat Completions that pauses after its text.
fn paused(script: Arc<Script>, text: &str) -> Response {
    let event = |choice: Value| format!("data: {}\n\n", json!({"choices": [choice]}));
    let beginning = event(json!({"delta": {"content": text}}));
    let last = event(json!({"delta": {"content": " That is all."}, "finish_reason": "stop"}));
    let end = async move {
        script.goes_on.subscribe().wait_for(|goes_on| *goes_on).await.unwrap();
        Ok::<_, Infallible>(last)
    };
    let body = Body::from_stream(stream::iter([Ok(beginning)]).chain(stream::once(end)));
    ([("content-type", "text/event-stream")], body).into_response()
}

async fn responses(State(script): State<Arc<Script>>, headers: HeaderMap, Json(body): Json<Value>) -> Response {
    let schema = body.pointer("/text/format/schema").cloned();
    let turn = script.turn("/v1/responses", &headers, &body, schema.as_ref()).await;
    let details = if turn.is_whole() { Value::Null } else { json!({"reason": "max_output_tokens"}) };
    let (output, deltas) = match turn {
        Turn::Trouble(Trouble::Cut) => return cut(r#"data: {"type": "response.cre"#),
        Turn::Trouble(trouble) => return trouble.into_response(),
        Turn::Call(name) => {
            let reasoning = json!({"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "sealed"});
            let call = json!({"type": "function_call", "call_id": "call_1", "name": name, "arguments": "{}"});
            (json!([reasoning, call]), Vec::new())
        }
        Turn::Text { text, .. } => {
            let content = json!([{"type": "output_text", "text": text}]);
            (json!([{"type": "message", "role": "assistant", "content": content}]), parts(&text))
        }
    };
    let usage = json!({"input_tokens": 100, "output_tokens": 10, "input_tokens_details": {"cached_tokens": 40}});
    let response = json!({"status": "completed", "incomplete_details": details, "output": output, "usage": usage});
    let deltas = deltas.into_iter().map(|part| json!({"type": "response.output_text.delta", "delta": part}));
    events(deltas.chain([json!({"type": "response.completed", "response": response})]))
}

async fn anthropic(State(script): State<Arc<Script>>, headers: HeaderMap, Json(body): Json<Value>) -> Response {
    let schema = body.pointer("/output_config/format/schema").cloned();
    let turn = script.turn("/v1/messages", &headers, &body, schema.as_ref()).await;
    let stop_reason = if turn.is_whole() { "end_turn" } else { "max_tokens" };
    let block = |block: Value, delta: Value| {
        let delta = json!({"type": "content_block_delta", "delta": delta});
        [json!({"type": "content_block_start", "content_block": block}), delta, json!({"type": "content_block_stop"})]
    };
    let content = match turn {
        Turn::Trouble(Trouble::Cut) => return cut(r#"data: {"type": "message_st"#),
        Turn::Trouble(trouble) => return trouble.into_response(),
        Turn::Call(name) => {
            let thinking = json!({"type": "thinking", "thinking": "The figures first.", "signature": ""});
            let call = json!({"type": "tool_use", "id": "toolu_1", "name": name, "input": {}});
            let signature = json!({"type": "signature_delta", "signature": "signed"});
            [block(thinking, signature), block(call, json!({"type": "input_json_delta", "partial_json": "{}"}))]
                .concat()
        }
        Turn::Text { text, .. } => {
            let delta = |part| json!({"type": "content_block_delta", "delta": {"type": "text_delta", "text": part}});
            let begin = json!({"type": "content_block_start", "content_block": {"type": "text", "text": ""}});
            [vec![begin], parts(&text).into_iter().map(delta).collect()].concat()
        }
    };
    let usage = json!({"input_tokens": 50, "cache_creation_input_tokens": 10, "cache_read_input_tokens": 40});
    let begin = json!({"type": "message_start", "message": {"usage": usage}});
    let end = [
        json!({"type": "message_delta", "delta": {"stop_reason": stop_reason}, "usage": {"output_tokens": 10}}),
        json!({"type": "message_stop"}),
    ];
    events([begin].into_iter().chain(content).chain(end))
}

async fn gemini(State(script): State<Arc<Script>>, headers: HeaderMap, Json(body): Json<Value>) -> Response {
    let schema = body.pointer("/generationConfig/responseJsonSchema").cloned();
    let turn = script.turn("/v1beta/models", &headers, &body, schema.as_ref()).await;
    let finish_reason = if turn.is_whole() { "STOP" } else { "MAX_TOKENS" };
    let parts = match turn {
        Turn::Trouble(Trouble::Cut) => return cut(r#"data: {"candidates": [{"cont"#),
        Turn::Trouble(trouble) => return trouble.into_response(),
        Turn::Call(name) => {
            vec![json!({"functionCall": {"name": name, "args": {}}, "thoughtSignature": "signed"})]
        }
        Turn::Text { text, .. } => parts(&text).into_iter().map(|part| json!({"text": part})).collect(),
    };
    let usage = json!({
        "promptTokenCount": 100, "candidatesTokenCount": 7, "thoughtsTokenCount": 3, "cachedContentTokenCount": 40
    });
    let content = |part| json!({"candidates": [{"content": {"role": "model", "parts": [part]}}]});
    let end = json!({"candidates": [{"finishReason": finish_reason}], "usageMetadata": usage});
    events(parts.into_iter().map(content).chain([end]))
}

async fn converse(State(script): State<Arc<Script>>, headers: HeaderMap, Json(body): Json<Value>) -> Response {
    let schema = body.pointer("/outputConfig/textFormat/structure/jsonSchema/schema").and_then(Value::as_str);
    let schema: Option<Value> = schema.map(|text| serde_json::from_str(text).unwrap());
    let turn = script.turn("/model/{id}/converse", &headers, &body, schema.as_ref()).await;
    let stop_reason = if turn.is_whole() { "end_turn" } else { "max_tokens" };
    let content = match turn {
        Turn::Trouble(Trouble::Cut) => return cut(r#"{"output": {"mess"#),
        Turn::Trouble(trouble) => return trouble.into_response(),
        Turn::Call(name) => json!([
            {"reasoningContent": {"reasoningText": {"text": "The figures first.", "signature": "signed"}}},
            {"toolUse": {"toolUseId": "tooluse_1", "name": name, "input": {}}}
        ]),
        Turn::Text { text, .. } => json!([{"text": text}]),
    };
    let usage = json!({
        "inputTokens": 50, "cacheWriteInputTokens": 10, "cacheReadInputTokens": 40, "outputTokens": 10, "totalTokens": 110
    });
    let message = json!({"role": "assistant", "content": content});
    Json(json!({"output": {"message": message}, "stopReason": stop_reason, "usage": usage})).into_response()
}

enum Turn {
    Trouble(Trouble),
    /// A wish to call this tool.
    Call(String),
    Text {
        text: String,
        /// Whether the model came to its end before it ran out of tokens.
        whole: bool,
    },
}

impl Turn {
    fn whole(text: impl Into<String>) -> Self {
        Self::Text { text: text.into(), whole: true }
    }

    fn is_whole(&self) -> bool {
        !matches!(self, Self::Text { whole: false, .. })
    }
}

impl Script {
    async fn turn(&self, path: &'static str, headers: &HeaderMap, body: &Value, schema: Option<&Value>) -> Turn {
        let request = Request { path, headers: headers.clone(), body: body.clone() };
        let mut place = 0;
        self.requests.send_modify(|requests| {
            requests.push(request);
            place = requests.len();
        });
        {
            let (now, most) = &mut *self.at_once.lock().unwrap();
            *now += 1;
            *most = (*most).max(*now);
        }
        self.allowed.subscribe().wait_for(|allowed| place <= *allowed).await.unwrap();
        self.at_once.lock().unwrap().0 -= 1;
        let trouble = self.troubles.lock().unwrap().pop_front();
        match trouble {
            Some(Trouble::Says(text)) => Turn::whole(text),
            Some(Trouble::RunsOut(text)) => Turn::Text { text: text.into(), whole: false },
            Some(trouble) => Turn::Trouble(trouble),
            None => self.answer(body, schema.cloned().or_else(|| schema_in_words(body)).as_ref()),
        }
    }

    fn answer(&self, body: &Value, schema: Option<&Value>) -> Turn {
        let conversation = format!("{}{}{}", body["messages"], body["contents"], body["input"]);
        let used_tools =
            ["\"role\":\"tool\"", "\"tool_result\"", "\"functionResponse\"", "function_call_output", "\"toolResult\""]
                .iter()
                .any(|tool| conversation.contains(tool));
        let snapshot = "get_verified_market_snapshot";
        let offers = format!("{}{}", body["tools"], body["toolConfig"]).contains(snapshot);
        match schema {
            Some(schema) => Turn::whole(filled(schema, &self.rating.lock().unwrap()).to_string()),
            None if offers && !used_tools => Turn::Call(snapshot.into()),
            None => Turn::whole("The evidence is mixed, but the trend holds."),
        }
    }
}

/// The schema that a conversation asks for in words.
fn schema_in_words(value: &Value) -> Option<Value> {
    match value {
        Value::String(text) => {
            let (_, schema) = text.split_once("keeps to this JSON schema, and with nothing else:\n")?;
            serde_json::from_str(schema).ok()
        }
        Value::Array(list) => list.iter().rev().find_map(schema_in_words),
        Value::Object(fields) => fields.values().find_map(schema_in_words),
        _ => None,
    }
}

/// A value that keeps to a schema.
fn filled(schema: &Value, rating: &str) -> Value {
    if let Some(options) = schema["enum"].as_array() {
        return if options.contains(&json!(rating)) { json!(rating) } else { options[0].clone() };
    }
    if let Some(properties) = schema["properties"].as_object() {
        return properties.iter().map(|(name, schema)| (name.clone(), filled(schema, rating))).collect();
    }
    let kind = match &schema["type"] {
        Value::Array(kinds) => kinds[0].clone(),
        kind => kind.clone(),
    };
    match kind.as_str() {
        Some("number" | "integer") => json!(5),
        Some("string") => json!("The evidence says so."),
        _ => Value::Null,
    }
}

/// The beginning of an answer, then a broken connection.
fn cut(beginning: &'static str) -> Response {
    let chunks = [Ok(Bytes::from_static(beginning.as_bytes())), Err(std::io::Error::other("cut"))];
    Body::from_stream(stream::iter(chunks)).into_response()
}

impl IntoResponse for Trouble {
    fn into_response(self) -> Response {
        let Self::Status(status, body, wait) = self else { unreachable!("handled before") };
        let status = StatusCode::from_u16(status).unwrap();
        if wait.is_empty() {
            (status, Json(body)).into_response()
        } else {
            (status, [("retry-after", wait)], Json(body)).into_response()
        }
    }
}
