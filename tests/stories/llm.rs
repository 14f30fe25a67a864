//! Model servers: what they are asked, and what becomes of their failures.

use std::{sync::Arc, time::Duration};

use serde_json::{Value, json};
use tradingagents::{
    domain::{Agent, Provider},
    llm::{self, Backend, ChatModel, ChatRequest, LlmError, Message, OutputSchema, ToolSpec, ollama},
};

use crate::support::llm::{FakeLlm, Trouble};

fn backend(provider: Provider, url: &str) -> Backend {
    Backend {
        provider,
        base_url: Some(url.parse().unwrap()),
        api_key: Some("canary-key".to_owned().into()),
        timeout: Duration::from_secs(30),
        temperature: Some(0.2),
        ollama: ollama::Options { num_ctx: 16_384, keep_alive: "30m".into() },
    }
}

fn ollama(llm: &FakeLlm) -> Arc<dyn ChatModel> {
    llm::connect(&backend(Provider::Ollama, &llm.url()), "qwen3:8b").unwrap()
}

fn openai(llm: &FakeLlm) -> Arc<dyn ChatModel> {
    llm::connect(&backend(Provider::OpenAiCompatible, &format!("{}/v1", llm.url())), "fake").unwrap()
}

fn question() -> ChatRequest {
    ChatRequest {
        agent: Agent::NewsAnalyst,
        messages: vec![Message::User { content: "What is new?".into() }],
        tools: Vec::new(),
        schema: None,
    }
}

fn failure(status: u16, error: &str) -> Trouble {
    Trouble::Status(status, json!({ "error": error }), "")
}

/// A failure as OpenAI tells it.
fn openai_failure(status: u16, code: &str, message: &str) -> Trouble {
    Trouble::Status(status, json!({"error": {"message": message, "code": code, "type": code}}), "")
}

#[tokio::test]
async fn ollama_is_given_the_context_that_was_set_and_told_never_to_cut() {
    let llm = FakeLlm::start().await;
    let answer = ollama(&llm).chat(&question()).await.unwrap();
    assert_eq!((answer.usage.tokens_in, answer.usage.tokens_out), (100, 10));
    let body = &llm.requests()[0].body;
    assert_eq!((&body["model"], &body["options"]["num_ctx"]), (&json!("qwen3:8b"), &json!(16_384)));
    assert_eq!((&body["truncate"], &body["shift"], &body["keep_alive"]), (&json!(false), &json!(false), &json!("30m")));
    assert_eq!(body["options"]["temperature"], json!(0.2));
}

#[tokio::test]
async fn ollamas_address_may_end_as_other_programs_want_it() {
    let llm = FakeLlm::start().await;
    for end in ["", "/", "/v1", "/v1/"] {
        let backend = backend(Provider::Ollama, &format!("{}{end}", llm.url()));
        llm::connect(&backend, "m").unwrap().chat(&question()).await.unwrap();
    }
    assert!(llm.requests().iter().all(|request| request.path == "/api/chat"));
}

#[tokio::test]
async fn an_openai_compatible_server_gets_the_key_and_the_schema() {
    let llm = FakeLlm::start().await;
    llm.rates("Sell");
    let schema = json!({
        "type": "object", "properties": {"rating": {"enum": ["Buy", "Sell"]}}, "required": ["rating"],
        "additionalProperties": false
    });
    let request = ChatRequest { schema: Some(OutputSchema { name: "decision", schema }), ..question() };
    let answer = openai(&llm).chat(&request).await.unwrap();
    assert_eq!(serde_json::from_str::<Value>(&answer.text).unwrap(), json!({"rating": "Sell"}));
    let asked = &llm.requests()[0];
    assert_eq!(asked.authorization.as_deref(), Some("Bearer canary-key"));
    assert_eq!(asked.body["response_format"]["json_schema"]["name"], "decision");
}

#[tokio::test]
async fn tools_are_called_by_both_kinds_of_server() {
    let llm = FakeLlm::start().await;
    let tool = ToolSpec {
        name: "get_verified_market_snapshot",
        description: "figures",
        parameters: json!({"type": "object"}),
    };
    let request = ChatRequest { tools: vec![tool], ..question() };
    for model in [ollama(&llm), openai(&llm)] {
        let answer = model.chat(&request).await.unwrap();
        assert_eq!(answer.tool_calls[0].name, "get_verified_market_snapshot");
        let mut messages = request.messages.clone();
        let id = answer.tool_calls[0].id.clone();
        messages.push(Message::Assistant { content: String::new(), tool_calls: answer.tool_calls });
        messages.push(Message::Tool {
            id,
            name: "get_verified_market_snapshot".into(),
            content: "| rsi | 50 |".into(),
        });
        let after = model.chat(&ChatRequest { messages, ..request.clone() }).await.unwrap();
        assert!(after.tool_calls.is_empty() && !after.text.is_empty());
    }
}

#[tokio::test]
async fn thoughts_and_fences_do_not_reach_the_report() {
    let llm = FakeLlm::start().await;
    llm.will([Trouble::Says("<think>Hm, hm.</think>\n\nAll is well.")]);
    assert_eq!(ollama(&llm).chat(&question()).await.unwrap().text, "All is well.");
}

#[tokio::test]
async fn a_model_that_does_not_know_the_switch_for_thinking_is_asked_without_it() {
    let llm = FakeLlm::start().await;
    llm.will([failure(400, "\"qwen3:8b\" does not support thinking")]);
    let model = ollama(&llm);
    model.chat(&question()).await.unwrap();
    model.chat(&question()).await.unwrap();
    let switches: Vec<_> = llm.requests().iter().map(|request| request.body.get("think").is_some()).collect();
    assert_eq!(switches, [true, false, false]);
}

#[tokio::test]
async fn what_passes_is_waited_out_and_what_does_not_is_told_at_once() {
    let llm = FakeLlm::start().await;
    for passing in [failure(503, "server busy"), Trouble::Cut, Trouble::Status(429, json!({"error": "slow down"}), "0")]
    {
        llm.will([passing]);
        ollama(&llm).chat(&question()).await.unwrap();
    }
    let asked = llm.requests().len();
    llm.will([failure(404, "model \"qwen3:8b\" not found, try pulling it first")]);
    let error = ollama(&llm).chat(&question()).await.unwrap_err();
    assert!(matches!(error, LlmError::UnknownModel { .. }) && !error.is_transient());
    assert!(error.to_string().contains("ollama pull qwen3:8b"), "{error}");

    llm.will([failure(400, "input length exceeds the context length")]);
    let error = ollama(&llm).chat(&question()).await.unwrap_err();
    assert!(!error.is_transient() && error.to_string().contains("OLLAMA_NUM_CTX"), "{error}");

    llm.will([openai_failure(401, "invalid_api_key", "Incorrect API key provided: canary-key")]);
    let error = openai(&llm).chat(&question()).await.unwrap_err();
    assert!(!error.is_transient() && error.to_string().contains("OPENAI_COMPATIBLE_API_KEY"), "{error}");
    assert!(!error.to_string().contains("canary"), "{error}");

    llm.will([openai_failure(429, "insufficient_quota", "You exceeded your current quota")]);
    let error = openai(&llm).chat(&question()).await.unwrap_err();
    assert!(!error.is_transient(), "a used-up quota does not pass: {error}");
    assert_eq!(llm.requests().len(), asked + 4, "none of them is asked twice");
}

#[tokio::test]
async fn a_long_wait_that_a_server_asks_for_is_left_to_the_jobs_retry() {
    let llm = FakeLlm::start().await;
    llm.will([Trouble::Status(429, json!({"error": "slow down"}), "120")]);
    let error = ollama(&llm).chat(&question()).await.unwrap_err();
    assert_eq!(error.retry_after(), Some(Duration::from_mins(2)));
    assert!(error.is_transient());
    assert_eq!(llm.requests().len(), 1);
}

#[tokio::test]
async fn a_server_that_is_not_there_is_named_with_the_mend() {
    let model = llm::connect(&backend(Provider::Ollama, "http://127.0.0.1:9/"), "m").unwrap();
    let error = model.chat(&question()).await.unwrap_err();
    assert!(error.is_transient());
    let told = error.to_string();
    assert!(told.contains("http://127.0.0.1:9") && told.contains("OLLAMA_BASE_URL"), "{told}");
}

#[tokio::test]
async fn an_empty_answer_is_none() {
    let llm = FakeLlm::start().await;
    llm.will([Trouble::Says("<think>I wonder"), Trouble::Says("")]);
    for _ in 0..2 {
        assert!(matches!(ollama(&llm).chat(&question()).await, Err(LlmError::Unusable { .. })));
    }
}

#[tokio::test]
async fn a_check_costs_no_tokens_and_says_what_the_model_can_do() {
    let llm = FakeLlm::start().await;
    let told = llm::check(&backend(Provider::Ollama, &llm.url()), "qwen3:8b").await.unwrap();
    assert!(told.contains("qwen3:8b") && told.contains("calls tools") && told.contains("16384 tokens"), "{told}");
    llm.knows_no_tools();
    let told = llm::check(&backend(Provider::Ollama, &llm.url()), "qwen3:8b").await.unwrap();
    assert!(told.contains("can't call tools"), "{told}");
    assert!(llm.requests().is_empty());
}
