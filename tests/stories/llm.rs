//! Model servers: what they are asked, and what becomes of their failures.

use std::{sync::Arc, time::Duration};

use futures_util::future::join_all;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tradingagents::{
    domain::{Agent, Provider, ReasoningEffort},
    llm::{
        self, Backend, ChatModel, ChatRequest, ChatResponse, Draft, Finish, Gate, LlmError, Message, OutputSchema,
        Prices, ToolSpec,
        ollama::{self, PullPolicy},
    },
};

use crate::support::{
    self,
    llm::{FakeLlm, Trouble},
};

fn backend(provider: Provider, url: &str) -> Backend {
    let usual = support::llm::backend(provider, url);
    Backend {
        api_key: Some("canary-key".to_owned().into()),
        timeout: Duration::from_secs(30),
        temperature: Some(0.2),
        azure_api_version: "2024-10-21".into(),
        ollama: ollama::Options { num_ctx: 16_384, ..usual.ollama },
        ..usual
    }
}

fn ollama(llm: &FakeLlm) -> Arc<dyn ChatModel> {
    llm::connect(&backend(Provider::Ollama, &llm.url()), "qwen3:8b").unwrap()
}

fn openai(llm: &FakeLlm) -> Arc<dyn ChatModel> {
    llm::connect(&backend(Provider::OpenAiCompatible, &format!("{}/v1", llm.url())), "fake").unwrap()
}

fn anthropic(llm: &FakeLlm) -> Arc<dyn ChatModel> {
    llm::connect(&backend(Provider::Anthropic, &llm.url()), "claude-opus-4-6").unwrap()
}

fn gemini(llm: &FakeLlm) -> Arc<dyn ChatModel> {
    llm::connect(&backend(Provider::Google, &llm.url()), "gemini-2.5-pro").unwrap()
}

fn bedrock(llm: &FakeLlm) -> Arc<dyn ChatModel> {
    llm::connect(&backend(Provider::Bedrock, &llm.url()), "us.anthropic.claude-opus-4-6-v1").unwrap()
}

/// A model by each protocol.
fn all(llm: &FakeLlm) -> [Arc<dyn ChatModel>; 5] {
    [ollama(llm), openai(llm), anthropic(llm), gemini(llm), bedrock(llm)]
}

fn question() -> ChatRequest {
    ChatRequest {
        agent: Agent::NewsAnalyst,
        messages: vec![Message::user("What is new?")],
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
    let answer = ollama(&llm).chat(&question(), &Draft::default()).await.unwrap();
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
        llm::connect(&backend, "m").unwrap().chat(&question(), &Draft::default()).await.unwrap();
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
    let request =
        ChatRequest { schema: Some(OutputSchema { name: "decision", schema, in_words: false }), ..question() };
    let answer = openai(&llm).chat(&request, &Draft::default()).await.unwrap();
    assert_eq!(serde_json::from_str::<Value>(&answer.text).unwrap(), json!({"rating": "Sell"}));
    let asked = &llm.requests()[0];
    assert_eq!(asked.headers["authorization"], "Bearer canary-key");
    assert_eq!(asked.body["response_format"]["json_schema"]["name"], "decision");
}

#[tokio::test]
async fn tools_are_called_by_every_protocol_and_their_answers_are_read() {
    let llm = FakeLlm::start().await;
    let name = "get_verified_market_snapshot";
    let tool = ToolSpec { name, description: "figures", parameters: json!({"type": "object"}) };
    let request = ChatRequest { tools: vec![tool], ..question() };
    for model in all(&llm) {
        let answer = model.chat(&request, &Draft::default()).await.unwrap();
        assert_eq!((answer.usage.tokens_in, answer.usage.tokens_out), (100, 10));
        assert_eq!(answer.tool_calls[0].name, name);
        let id = answer.tool_calls[0].id.clone();
        let mut messages = request.messages.clone();
        messages.push(Message::Assistant {
            content: answer.text,
            tool_calls: answer.tool_calls,
            thoughts: answer.thoughts,
        });
        messages.push(Message::Tool { id, name: name.into(), content: "| rsi | 50 |".into() });
        // In the last round no tools are on offer.
        let last = ChatRequest { messages, ..question() };
        let after = model.chat(&last, &Draft::default()).await.unwrap();
        assert!(after.tool_calls.is_empty() && !after.text.is_empty());
        assert!(llm.requests().pop().unwrap().body.to_string().contains("| rsi | 50 |"));
    }
}

#[tokio::test]
async fn every_protocol_tells_an_answer_that_was_cut_off() {
    let llm = FakeLlm::start().await;
    for model in all(&llm) {
        llm.will([Trouble::RunsOut("To be contin")]);
        let answers = [
            model.chat(&question(), &Draft::default()).await.unwrap(),
            model.chat(&question(), &Draft::default()).await.unwrap(),
        ];
        assert_eq!(answers.map(|answer| answer.finish), [Finish::Length, Finish::Stop]);
    }
}

#[tokio::test]
async fn a_model_that_thinks_gets_its_thoughts_back_with_its_calls() {
    let llm = FakeLlm::start().await;
    let name = "get_verified_market_snapshot";
    let tool = ToolSpec { name, description: "figures", parameters: json!({"type": "object"}) };
    for (model, place) in
        [(anthropic(&llm), "/messages/1/content/0/signature"), (gemini(&llm), "/contents/1/parts/0/thoughtSignature")]
    {
        let mut request = ChatRequest { tools: vec![tool.clone()], ..question() };
        let ChatResponse { text, tool_calls, thoughts, .. } = model.chat(&request, &Draft::default()).await.unwrap();
        let id = tool_calls[0].id.clone();
        request.messages.push(Message::Assistant { content: text, tool_calls, thoughts });
        request.messages.push(Message::Tool { id, name: name.into(), content: "50".into() });
        model.chat(&request, &Draft::default()).await.unwrap();
        let body = llm.requests().pop().unwrap().body;
        assert_eq!(body.pointer(place), Some(&json!("signed")), "{body}");
    }
}

#[tokio::test]
async fn a_schema_is_kept_to_by_every_protocol() {
    let llm = FakeLlm::start().await;
    llm.rates("Sell");
    let schema = json!({
        "type": "object", "required": ["rating", "score"],
        "properties": {"rating": {"enum": ["Buy", "Sell"]}, "score": {"type": "number", "maximum": 10}},
    });
    let request =
        ChatRequest { schema: Some(OutputSchema { name: "decision", schema, in_words: false }), ..question() };
    for model in all(&llm) {
        let answer = model.chat(&request, &Draft::default()).await.unwrap();
        assert_eq!(serde_json::from_str::<Value>(&answer.text).unwrap(), json!({"rating": "Sell", "score": 5}));
    }
    let asked = llm.requests().into_iter().find(|request| request.path == "/v1/messages").unwrap();
    let sent = &asked.body["output_config"]["format"]["schema"];
    assert_eq!(sent["additionalProperties"], false, "Anthropic takes closed objects alone");
    assert_eq!(sent["properties"]["score"], json!({"type": "number"}), "and no limits");
}

#[tokio::test]
async fn a_schema_that_is_refused_is_put_into_words() {
    let llm = FakeLlm::start().await;
    let schema = json!({"type": "object", "properties": {"rating": {"type": "string"}}});
    let request =
        ChatRequest { schema: Some(OutputSchema { name: "decision", schema, in_words: false }), ..question() };
    for model in [anthropic(&llm), gemini(&llm), bedrock(&llm)] {
        llm.will([openai_failure(400, "invalid", "this model does not support output_config.format or a schema")]);
        model.chat(&request, &Draft::default()).await.unwrap();
        assert!(llm.requests().pop().unwrap().body.to_string().contains("keeps to this JSON schema"));
    }
}

#[tokio::test]
async fn each_service_is_shown_its_key_its_own_way() {
    let llm = FakeLlm::start().await;
    for (provider, header, shown) in [
        (Provider::Anthropic, "x-api-key", "canary-key"),
        (Provider::Google, "x-goog-api-key", "canary-key"),
        (Provider::Azure, "api-key", "canary-key"),
        (Provider::Xai, "authorization", "Bearer canary-key"),
        (Provider::Bedrock, "authorization", "Bearer canary-key"),
    ] {
        llm::connect(&backend(provider, &llm.url()), "m").unwrap().chat(&question(), &Draft::default()).await.unwrap();
        let asked = llm.requests().pop().unwrap();
        assert_eq!(asked.headers[header], shown);
        let shown_in = asked.headers.values().filter(|value| value.to_str().unwrap().contains("canary")).count();
        assert_eq!((shown_in, asked.body.to_string().contains("canary")), (1, false));
    }
}

#[tokio::test]
async fn a_service_without_its_key_says_where_keys_are_made() {
    for name in Provider::NAMES {
        let provider: Provider = serde_json::from_value(name.into()).unwrap();
        let without = Backend { base_url: None, api_key: None, ..backend(provider, "http://unused") };
        match (provider, llm::connect(&without, "m").err().map(|error| error.to_string())) {
            (Provider::Rules, None) => {}
            (Provider::Ollama, Some(told)) => assert!(told.contains("OLLAMA_BASE_URL"), "{told}"),
            (Provider::OpenAiCompatible, Some(told)) => assert!(told.contains("LLM_BACKEND_URL"), "{told}"),
            (Provider::Azure, Some(told)) => assert!(told.contains("AZURE_OPENAI_ENDPOINT"), "{told}"),
            (Provider::Bedrock, Some(told)) => assert!(told.contains("AWS_BEARER_TOKEN_BEDROCK is not set"), "{told}"),
            (_, told) => {
                let (told, key) = (told.unwrap(), provider.service().key);
                assert!(told.contains(&format!("{key} is not set")) && told.contains("https://"), "{told}");
            }
        }
    }
}

#[tokio::test]
async fn every_protocol_tells_its_failures_apart() {
    let llm = FakeLlm::start().await;
    for model in all(&llm) {
        let asked = llm.requests().len();
        llm.will([openai_failure(429, "rate_limit_error", "slow down"), Trouble::Cut]);
        model.chat(&question(), &Draft::default()).await.unwrap();
        assert_eq!(llm.requests().len(), asked + 3, "a limit and a cut are waited out");

        llm.will([Trouble::Status(429, json!({"error": {"message": "slow down"}}), "120")]);
        assert_eq!(
            model.chat(&question(), &Draft::default()).await.unwrap_err().retry_after(),
            Some(Duration::from_mins(2))
        );

        llm.will([openai_failure(401, "authentication_error", "wrong key: canary-key")]);
        let error = model.chat(&question(), &Draft::default()).await.unwrap_err();
        assert!(matches!(error, LlmError::Unauthorized { .. }) && !error.is_transient(), "{error}");
        assert!(!error.to_string().contains("canary-key") || model.provider() == Provider::Ollama, "{error}");

        llm.will([Trouble::Status(200, json!({"content": "of another API", "message": 5, "candidates": 5}), "")]);
        let error = model.chat(&question(), &Draft::default()).await.unwrap_err();
        assert!(matches!(error, LlmError::Unusable { .. }), "{error}");

        llm.will([openai_failure(404, "not_found_error", "model: m does not exist")]);
        let error = model.chat(&question(), &Draft::default()).await.unwrap_err();
        assert!(matches!(error, LlmError::UnknownModel { .. }) && !error.is_transient(), "{error}");
    }
}

#[tokio::test]
async fn what_google_tells_in_the_body_is_heard() {
    let llm = FakeLlm::start().await;
    let details = json!([{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "34.5s"}]);
    llm.will([Trouble::Status(429, json!({"error": {"code": 429, "message": "quota", "details": details}}), "")]);
    assert_eq!(
        gemini(&llm).chat(&question(), &Draft::default()).await.unwrap_err().retry_after(),
        Some(Duration::from_millis(34_500))
    );

    llm.will([Trouble::Status(400, json!({"error": {"code": 400, "message": "API key not valid."}}), "")]);
    let error = gemini(&llm).chat(&question(), &Draft::default()).await.unwrap_err();
    assert!(error.to_string().contains("check GOOGLE_API_KEY"), "{error}");

    llm.will([Trouble::Status(200, json!({"promptFeedback": {"blockReason": "SAFETY"}}), "")]);
    let blocked = gemini(&llm).chat(&question(), &Draft::default()).await.unwrap();
    assert_eq!(blocked.finish, Finish::Blocked("SAFETY".into()));
}

#[tokio::test]
async fn an_error_with_the_status_of_a_success_is_an_error() {
    let llm = FakeLlm::start().await;
    let moderated = json!({"error": {"code": 403, "message": "flagged"}});
    llm.will([Trouble::Status(200, moderated, "")]);
    let error = openai(&llm).chat(&question(), &Draft::default()).await.unwrap_err();
    assert!(error.to_string().contains("flagged"), "{error}");
}

#[tokio::test]
async fn effort_goes_to_each_provider_in_its_own_words_and_is_left_out_where_there_is_none() {
    let llm = FakeLlm::start().await;
    for (provider, model, place, word) in [
        (Provider::Ollama, "qwen3:8b", "/think", json!(true)),
        (Provider::Ollama, "gpt-oss:20b", "/think", json!("high")),
        (Provider::OpenAi, "gpt-5.5", "/reasoning_effort", json!("high")),
        (Provider::OpenRouter, "any/model", "/reasoning/effort", json!("high")),
        (Provider::Anthropic, "claude-opus-4-6", "/output_config/effort", json!("high")),
        (Provider::Google, "gemini-2.5-pro", "/generationConfig/thinkingConfig/thinkingBudget", json!(24_576)),
        (Provider::Google, "gemini-3-pro", "/generationConfig/thinkingConfig/thinkingLevel", json!("high")),
    ] {
        let backend = Backend { reasoning_effort: Some(ReasoningEffort::High), ..backend(provider, &llm.url()) };
        llm::connect(&backend, model).unwrap().chat(&question(), &Draft::default()).await.unwrap();
        let body = llm.requests().pop().unwrap().body;
        assert_eq!(body.pointer(place), Some(&word), "{body}");
    }
    let backend = Backend { reasoning_effort: Some(ReasoningEffort::High), ..backend(Provider::Mistral, &llm.url()) };
    llm::connect(&backend, "mistral-large-latest").unwrap().chat(&question(), &Draft::default()).await.unwrap();
    assert!(!llm.requests().pop().unwrap().body.to_string().contains("high"));
}

#[tokio::test]
async fn what_a_model_refuses_is_left_out_from_then_on() {
    let llm = FakeLlm::start().await;
    for provider in [Provider::OpenAi, Provider::Anthropic, Provider::Google] {
        let backend = Backend { reasoning_effort: Some(ReasoningEffort::Low), ..backend(provider, &llm.url()) };
        let model = llm::connect(&backend, "m").unwrap();
        let before = llm.requests().len();
        llm.will([
            openai_failure(400, "unsupported_value", "'temperature' does not support 0.2 with this model"),
            openai_failure(400, "invalid", "reasoning effort and thinking are not supported by this model"),
        ]);
        model.chat(&question(), &Draft::default()).await.unwrap();
        model.chat(&question(), &Draft::default()).await.unwrap();
        let bodies: Vec<_> = llm.requests()[before..].iter().map(|request| request.body.to_string()).collect();
        let has = |word: &str| bodies.iter().map(|body| body.contains(word)).collect::<Vec<_>>();
        assert_eq!(has("temperature"), [true, false, false, false]);
        let effort = if provider == Provider::Google { "thinking" } else { "effort" };
        assert_eq!(has(effort), [true, true, false, false]);
    }
}

#[tokio::test]
async fn thoughts_and_fences_do_not_reach_the_report() {
    let llm = FakeLlm::start().await;
    llm.will([Trouble::Says("<think>Hm, hm.</think>\n\nAll is well.")]);
    assert_eq!(ollama(&llm).chat(&question(), &Draft::default()).await.unwrap().text, "All is well.");
}

#[tokio::test]
async fn a_model_that_does_not_know_the_switch_for_thinking_is_asked_without_it() {
    let llm = FakeLlm::start().await;
    llm.will([failure(400, "\"qwen3:8b\" does not support thinking")]);
    let model = ollama(&llm);
    model.chat(&question(), &Draft::default()).await.unwrap();
    model.chat(&question(), &Draft::default()).await.unwrap();
    let switches: Vec<_> = llm.requests().iter().map(|request| request.body.get("think").is_some()).collect();
    assert_eq!(switches, [true, false, false]);
}

#[tokio::test]
async fn what_passes_is_waited_out_and_what_does_not_is_told_at_once() {
    let llm = FakeLlm::start().await;
    for passing in [failure(503, "server busy"), Trouble::Cut, Trouble::Status(429, json!({"error": "slow down"}), "0")]
    {
        llm.will([passing]);
        ollama(&llm).chat(&question(), &Draft::default()).await.unwrap();
    }
    let asked = llm.requests().len();
    llm.will([failure(404, "model \"qwen3:8b\" not found, try pulling it first")]);
    let error = ollama(&llm).chat(&question(), &Draft::default()).await.unwrap_err();
    assert!(matches!(error, LlmError::UnknownModel { .. }) && !error.is_transient());
    assert!(error.to_string().contains("ollama pull qwen3:8b"), "{error}");

    llm.will([failure(400, "input length exceeds the context length")]);
    let error = ollama(&llm).chat(&question(), &Draft::default()).await.unwrap_err();
    assert!(!error.is_transient() && error.to_string().contains("OLLAMA_NUM_CTX"), "{error}");

    llm.will([openai_failure(401, "invalid_api_key", "Incorrect API key provided: canary-key")]);
    let error = openai(&llm).chat(&question(), &Draft::default()).await.unwrap_err();
    assert!(!error.is_transient() && error.to_string().contains("OPENAI_COMPATIBLE_API_KEY"), "{error}");
    assert!(!error.to_string().contains("canary"), "{error}");

    llm.will([openai_failure(429, "insufficient_quota", "You exceeded your current quota")]);
    let error = openai(&llm).chat(&question(), &Draft::default()).await.unwrap_err();
    assert!(!error.is_transient(), "a used-up quota does not pass: {error}");
    assert_eq!(llm.requests().len(), asked + 4, "none of them is asked twice");
}

#[tokio::test]
async fn a_long_wait_that_a_server_asks_for_is_left_to_the_jobs_retry() {
    let llm = FakeLlm::start().await;
    llm.will([Trouble::Status(429, json!({"error": "slow down"}), "120")]);
    let error = ollama(&llm).chat(&question(), &Draft::default()).await.unwrap_err();
    assert_eq!(error.retry_after(), Some(Duration::from_mins(2)));
    assert!(error.is_transient());
    assert_eq!(llm.requests().len(), 1);
}

#[tokio::test]
async fn a_server_that_fails_again_and_again_is_left_alone() {
    let llm = FakeLlm::start().await;
    llm.will(std::iter::repeat_n(failure(503, "out of memory"), 5));
    let backend = backend(Provider::Ollama, &llm.url());
    let [one, other] = ["one", "other"].map(|name| llm::connect(&backend, name).unwrap());
    one.chat(&question(), &Draft::default()).await.unwrap_err();
    let error = other.chat(&question(), &Draft::default()).await.unwrap_err();
    assert!(matches!(error, LlmError::Resting { failures: 5, .. }) && error.is_transient(), "{error}");
    assert!(error.to_string().contains("out of memory") && error.retry_after().is_some(), "{error}");
    one.chat(&question(), &Draft::default()).await.unwrap_err();
    assert_eq!(llm.requests().len(), 5, "all models of the server share its gate");
}

#[tokio::test]
async fn a_server_gets_no_more_calls_at_once_than_it_is_allowed() {
    let llm = FakeLlm::start().await;
    llm.answers_only(0);
    let backend = Backend { gate: Gate::new(Some(2)).into(), ..backend(Provider::Ollama, &llm.url()) };
    let models: Vec<_> = (0..6).map(|_| llm::connect(&backend, "m").unwrap()).collect();
    let question = question();
    let draft = Draft::default();
    let calls = join_all(models.iter().map(|model| model.chat(&question, &draft)));
    let answer = async {
        llm.was_asked(2).await;
        llm.answers_all();
    };
    let (answers, ()) = tokio::join!(calls, answer);
    assert!(answers.iter().all(Result::is_ok));
    assert_eq!((llm.requests().len(), llm.most_at_once()), (6, 2));
}

#[tokio::test]
async fn who_waits_for_his_turn_at_the_gate_does_not_run_out_of_time() {
    let llm = FakeLlm::start().await;
    llm.answers_only(0);
    let timeout = Duration::from_secs(2);
    let backend = Backend { gate: Gate::new(Some(1)).into(), timeout, ..backend(Provider::Ollama, &llm.url()) };
    let [first, second] = ["first", "second"].map(|name| llm::connect(&backend, name).unwrap());
    let question = question();
    let draft = Draft::default();
    let the_second_asks_when_the_first_has_run_out_of_time = async {
        llm.was_asked(2).await;
        llm.answers_all();
    };
    let (first, second, ()) = tokio::join!(
        first.chat(&question, &draft),
        second.chat(&question, &draft),
        the_second_asks_when_the_first_has_run_out_of_time
    );
    assert!(matches!(first, Err(LlmError::Timeout { .. })), "{first:?}");
    second.unwrap();
}

#[tokio::test]
async fn an_answer_tells_its_cost_where_the_price_is_known() {
    let llm = FakeLlm::start().await;
    let prices: Prices = "openai/gpt-5.5=1:10:0.5".parse().unwrap();
    let backend = Backend { prices, ..backend(Provider::OpenAi, &llm.url()) };
    let usage = llm::connect(&backend, "gpt-5.5").unwrap().chat(&question(), &Draft::default()).await.unwrap().usage;
    assert_eq!((usage.tokens_in, usage.tokens_cached, usage.tokens_out), (100, 40, 10));
    let cost = usage.cost_usd.unwrap();
    assert!((cost - 180e-6).abs() < 1e-12, "60 new tokens, 40 cached ones and 10 out: {cost}");
    let usage = llm::connect(&backend, "other").unwrap().chat(&question(), &Draft::default()).await.unwrap().usage;
    assert_eq!(usage.cost_usd, None);
}

#[tokio::test]
async fn a_server_that_is_not_there_is_named_with_the_mend() {
    let model = llm::connect(&backend(Provider::Ollama, "http://127.0.0.1:9/"), "m").unwrap();
    let error = model.chat(&question(), &Draft::default()).await.unwrap_err();
    assert!(error.is_transient());
    let told = error.to_string();
    assert!(told.contains("http://127.0.0.1:9") && told.contains("OLLAMA_BASE_URL"), "{told}");
}

/// Makes a model ready, and what was told meanwhile.
async fn prepared(model: &dyn ChatModel) -> (Result<(), LlmError>, Vec<u8>) {
    let (progress, mut told) = mpsc::unbounded_channel();
    let prepared = model.prepare(&progress).await;
    drop(progress);
    let mut percents = Vec::new();
    while let Some(percent) = told.recv().await {
        percents.push(percent);
    }
    (prepared, percents)
}

#[tokio::test]
async fn a_model_that_ollama_lacks_is_pulled_once_for_all_who_wait_for_it() {
    let llm = FakeLlm::start().await;
    llm.lacks_models([]);
    let backend = backend(Provider::Ollama, &llm.url());
    let jobs: Vec<_> = (0..4).map(|_| llm::connect(&backend, "qwen3:8b").unwrap()).collect();
    let ready = join_all(jobs.iter().map(|model| prepared(&**model))).await;
    assert!(ready.iter().all(|(ready, _)| ready.is_ok()));
    assert!(ready.iter().any(|(_, told)| *told == [0, 25, 50, 75, 99, 100]), "{ready:?}");
    assert_eq!(llm.pulls(), 1);
    let (ready, told) = prepared(&*jobs[0]).await;
    assert!(ready.is_ok() && told.is_empty(), "what is there is not told of");
}

#[tokio::test]
async fn a_pull_that_breaks_off_is_begun_again() {
    let llm = FakeLlm::start().await;
    llm.lacks_models([vec![json!({"status": "pulling manifest"})], vec![json!({"error": "dial tcp: i/o timeout"})]]);
    prepared(&*ollama(&llm)).await.0.unwrap();
    assert_eq!(llm.pulls(), 3);
}

#[tokio::test]
async fn a_pull_may_tell_of_its_progress_for_as_long_as_it_takes() {
    let llm = FakeLlm::start().await;
    let line = json!({"status": "pulling", "note": "x".repeat(4096)});
    let ten_mebibytes = std::iter::repeat_n(line, 2560).chain([json!({"status": "success"})]);
    llm.lacks_models([ten_mebibytes.collect()]);
    prepared(&*ollama(&llm)).await.0.unwrap();
    assert_eq!(llm.pulls(), 1);
}

#[tokio::test]
async fn a_pull_that_reports_layers_without_end_or_too_fast_is_not_followed() {
    let llm = FakeLlm::start().await;
    let layer = |digest: usize| json!({"status": "pulling", "digest": digest.to_string(), "total": 1, "completed": 1});
    llm.lacks_models([(0..1001).map(layer).chain([json!({"status": "success"})]).collect()]);
    let error = prepared(&*ollama(&llm)).await.0.unwrap_err();
    assert!(error.to_string().contains("more layers than a model has"), "{error}");

    let llm = FakeLlm::start().await;
    llm.lacks_models([std::iter::repeat_n(json!({"status": "pulling"}), 60_000).collect()]);
    prepared(&*ollama(&llm)).await.0.unwrap();
    assert_eq!(llm.pulls(), 2, "the first is broken off, and begun again");
}

#[tokio::test]
async fn an_answer_that_never_ends_is_not_kept() {
    let llm = FakeLlm::start().await;
    for model in [ollama(&llm), openai(&llm), anthropic(&llm), gemini(&llm)] {
        llm.will([Trouble::Says("on and on ".repeat(1 << 20).leak())]);
        let answer = model.chat(&question(), &Draft::default()).await.unwrap();
        assert!(answer.text.len() <= 256 << 10 && matches!(answer.finish, Finish::Interrupted(_)));
    }
    // Converse is not streamed, so nothing of it is read before its end.
    llm.will([Trouble::Says("on and on ".repeat(1 << 20).leak())]);
    let error = bedrock(&llm).chat(&question(), &Draft::default()).await.unwrap_err();
    assert!(error.to_string().contains("more than 8 MiB"), "{error}");
}

#[tokio::test]
async fn a_model_that_nobody_has_is_not_pulled_again_and_again() {
    let llm = FakeLlm::start().await;
    llm.lacks_models([vec![json!({"error": "pull model manifest: file does not exist"})]]);
    let error = prepared(&*ollama(&llm)).await.0.unwrap_err();
    assert!(!error.is_transient() && error.to_string().contains("ollama.com/library"), "{error}");
    assert_eq!(llm.pulls(), 1);
}

#[tokio::test]
async fn a_model_that_must_not_be_pulled_is_said_to_be_missing() {
    let llm = FakeLlm::start().await;
    llm.lacks_models([]);
    let mut backend = backend(Provider::Ollama, &llm.url());
    backend.ollama.pull = PullPolicy::Never;
    let error = prepared(&*llm::connect(&backend, "qwen3:8b").unwrap()).await.0.unwrap_err();
    assert!(error.to_string().contains("ollama pull qwen3:8b"), "{error}");
    assert_eq!(llm.pulls(), 0);
}

#[tokio::test]
async fn a_prompt_that_outgrows_the_context_loses_its_oldest_evidence() {
    let llm = FakeLlm::start().await;
    let mut backend = backend(Provider::Ollama, &llm.url());
    backend.ollama.num_ctx = 4096;
    let tool =
        |name: &str| Message::Tool { id: name.into(), name: name.into(), content: format!("{name}-").repeat(800) };
    let messages = ["old", "new", "last"].map(tool).to_vec();
    let model = llm::connect(&backend, "qwen3:8b").unwrap();
    let seen = || {
        let body = llm.requests().pop().unwrap().body["messages"].to_string();
        ["old-", "new-", "last-"].map(|evidence| body.contains(evidence))
    };
    let answer =
        model.chat(&ChatRequest { messages: messages.clone(), ..question() }, &Draft::default()).await.unwrap();
    assert_eq!((answer.left_out, seen()), (1, [false, true, true]));

    llm.will([failure(400, "the input length exceeds the context length")]);
    let answer = model.chat(&ChatRequest { messages, ..question() }, &Draft::default()).await.unwrap();
    assert_eq!(
        (answer.left_out, seen()),
        (2, [false, false, true]),
        "the server counts more tokens than were estimated"
    );
}

#[tokio::test]
async fn every_provider_lists_its_models() {
    let llm = FakeLlm::start().await;
    for (provider, name) in [
        (Provider::Ollama, "qwen3:8b"),
        (Provider::OpenAi, "fake"),
        (Provider::Anthropic, "fake"),
        (Provider::Google, "gemini-2.5-pro"),
    ] {
        assert_eq!(llm::models(&backend(provider, &llm.url())).await.unwrap(), [name]);
    }
}

#[tokio::test]
async fn a_check_costs_no_tokens_and_says_what_the_model_can_do() {
    let llm = FakeLlm::start().await;
    let told = llm::check(&backend(Provider::Ollama, &llm.url()), "qwen3:8b").await.unwrap();
    assert!(told.contains("qwen3:8b") && told.contains("calls tools") && told.contains("16384 tokens"), "{told}");
    llm.lacks_models([]);
    let told = llm::check(&backend(Provider::Ollama, &llm.url()), "qwen3:8b").await.unwrap();
    assert!(told.contains("lacks qwen3:8b") && told.contains("pulled"), "{told}");
    prepared(&*ollama(&llm)).await.0.unwrap();
    llm.knows_no_tools();
    let told = llm::check(&backend(Provider::Ollama, &llm.url()), "qwen3:8b").await.unwrap();
    assert!(told.contains("can't call tools"), "{told}");
    assert!(llm.requests().is_empty());
}
