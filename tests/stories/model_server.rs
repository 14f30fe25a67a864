//! A real model server: llama.cpp's, with a model of noise (`tests/model_server/make.py`). `MODEL_SERVER` is its base URL;
//! without it these stories are not told, and `tests/run` says so.

use std::env;

use serde_json::{Value, json};
use tradingagents::{
    domain::{Agent, Provider},
    llm::{self, Backend, ChatRequest, Draft, Message, OutputSchema, ToolSpec},
};

use crate::support::{self, program::Sandbox};

fn model_server() -> Option<String> {
    env::var("MODEL_SERVER").ok()
}

fn backend(url: &str) -> Backend {
    Backend { temperature: Some(1.0), ..support::llm::backend(Provider::OpenAiCompatible, url) }
}

fn question() -> ChatRequest {
    ChatRequest {
        agent: Agent::NewsAnalyst,
        messages: vec![Message::user("What is new?")],
        tools: Vec::new(),
        schema: None,
    }
}

#[tokio::test]
async fn a_real_server_keeps_even_noise_to_a_schema_and_counts_its_tokens() {
    let Some(url) = model_server() else { return };
    let schema = json!({
        "type": "object", "required": ["rating"], "additionalProperties": false,
        "properties": {"rating": {"enum": ["Buy", "Sell"]}},
    });
    let model = llm::connect(&backend(&url), "noise").unwrap();
    let request =
        ChatRequest { schema: Some(OutputSchema { name: "decision", schema, in_words: false }), ..question() };
    let answer = model.chat(&request, &Draft::default()).await.unwrap();
    let rating = serde_json::from_str::<Value>(&answer.text).unwrap()["rating"].clone();
    assert!(rating == "Buy" || rating == "Sell", "{rating}");
    assert!(answer.usage.tokens_in > 0 && answer.usage.tokens_out > 0);
}

#[tokio::test]
async fn a_real_server_takes_tools_and_what_they_answered() {
    let Some(url) = model_server() else { return };
    let parameters = json!({"type": "object", "properties": {"days": {"type": "integer"}}});
    let tool = ToolSpec { name: "get_bars", description: "bars", parameters };
    let call = llm::ToolCall { id: "call_1".into(), name: "get_bars".into(), arguments: json!({"days": 3}) };
    let mut request = ChatRequest { tools: vec![tool], ..question() };
    request.messages.extend([
        Message::Assistant { content: String::new(), tool_calls: vec![call], thoughts: Value::Null },
        Message::Tool { id: "call_1".into(), name: "get_bars".into(), content: "2012-09-19,702.1".into() },
    ]);
    let answer = llm::connect(&backend(&url), "noise").unwrap().chat(&request, &Draft::default()).await.unwrap();
    assert!(!answer.text.is_empty() || !answer.tool_calls.is_empty());
}

#[tokio::test]
async fn a_job_on_a_real_server_ends_with_a_decision() {
    let Some(url) = model_server() else { return };
    let sandbox = Sandbox::new()
        .set("LLM_PROVIDER", "openai_compatible")
        .set("LLM_BACKEND_URL", url)
        .set("DEEP_THINK_LLM", "noise")
        .set("QUICK_THINK_LLM", "noise");
    let run = sandbox.run(&["analyze", "AAPL", "--date", "2012-09-19", "--json"]).await;
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let result: Value = serde_json::from_str(run.stdout.lines().last().unwrap()).unwrap();
    assert!(["BUY", "SELL", "HOLD"].contains(&result["decision"].as_str().unwrap()), "{}", result["decision"]);
    assert_eq!(result["steps"].as_array().unwrap().len(), 12);
    assert!(result["usage"]["tokens_in"].as_u64().unwrap() > 10_000);
}
