//! Amazon Bedrock: what it is asked by Converse, how requests are signed, and what becomes of its refusals. Whether a
//! signature is right, and the path as it was signed, is what `tests/bedrock/run` verifies with Amazon's own code.

use std::sync::Arc;

use serde_json::{Value, json};
use tradingagents::{
    domain::{Agent, Provider, ReasoningEffort},
    llm::{
        self, Backend, ChatModel, ChatRequest, Draft, Finish, Message, OutputSchema, ToolCall, ToolSpec,
        bedrock::{AccessKey, Credentials, Options},
    },
};

use crate::support::{
    self,
    llm::{FakeLlm, Trouble},
    program::Sandbox,
};

const CLAUDE: &str = "us.anthropic.claude-opus-4-6-v1";
const TOOL: &str = "get_news";

fn backend(llm: &FakeLlm) -> Backend {
    Backend { temperature: Some(0.2), ..support::llm::backend(Provider::Bedrock, &llm.url()) }
}

fn with_key(llm: &FakeLlm) -> Backend {
    let secret = |text: &str| text.to_owned().into();
    let key = AccessKey {
        id: secret("AKIDEXAMPLE"),
        secret: secret("canary-secret"),
        session_token: Some(secret("canary-session-token")),
        settings: "BEDROCK_ACCESS_KEY_ID",
    };
    Backend { bedrock: Options { region: "eu-west-1".into(), credentials: Credentials::Key(key) }, ..backend(llm) }
}

fn model(llm: &FakeLlm, name: &str) -> Arc<dyn ChatModel> {
    llm::connect(&backend(llm), name).unwrap()
}

fn question() -> ChatRequest {
    ChatRequest {
        agent: Agent::NewsAnalyst,
        messages: vec![Message::System { content: "You read the news.".into() }, Message::user("What is new?")],
        tools: Vec::new(),
        schema: None,
    }
}

fn tool() -> ToolSpec {
    let parameters =
        json!({"$schema": "s", "title": "t", "type": "object", "properties": {"days": {"type": "integer"}}});
    ToolSpec { name: TOOL, description: "Articles.", parameters }
}

fn refusal(status: u16, kind: &str, message: &str) -> Trouble {
    Trouble::Status(status, json!({"__type": format!("com.amazon.coral.service#{kind}"), "message": message}), "")
}

fn sent(llm: &FakeLlm) -> Value {
    llm.requests().pop().unwrap().body
}

#[tokio::test]
async fn converse_gets_the_prompt_the_tools_and_a_cache_point() {
    let llm = FakeLlm::start().await;
    let schema = json!({"type": "object", "properties": {"rating": {"type": "string", "maxLength": 5}}});
    let asked = ChatRequest {
        tools: vec![tool()],
        schema: Some(OutputSchema { name: "decision", schema, in_words: false }),
        ..question()
    };
    let answer = model(&llm, CLAUDE).chat(&asked, &Draft::default()).await.unwrap();
    assert_eq!((answer.usage.tokens_in, answer.usage.tokens_cached, answer.usage.tokens_out), (100, 40, 10));
    let body = sent(&llm);
    assert_eq!(body["system"], json!([{"text": "You read the news."}, {"cachePoint": {"type": "default"}}]));
    assert_eq!(body["messages"], json!([{"role": "user", "content": [{"text": "What is new?"}]}]));
    assert_eq!(body["inferenceConfig"], json!({"temperature": 0.2, "maxTokens": 16_000}));
    let spec = &body["toolConfig"]["tools"][0]["toolSpec"];
    assert_eq!((&spec["name"], &spec["description"]), (&json!(TOOL), &json!("Articles.")));
    let schema = json!({"type": "object", "properties": {"days": {"type": "integer"}}});
    assert_eq!(spec["inputSchema"]["json"], schema, "Nova refuses other keys");
    let form = &body["outputConfig"]["textFormat"]["structure"]["jsonSchema"];
    let schema: Value = serde_json::from_str(form["schema"].as_str().unwrap()).unwrap();
    assert_eq!((&form["name"], &schema["additionalProperties"]), (&json!("decision"), &json!(false)));

    model(&llm, "mistral.mistral-large-3-675b-instruct").chat(&question(), &Draft::default()).await.unwrap();
    let body = sent(&llm);
    assert_eq!(body["system"], json!([{"text": "You read the news."}]), "other models refuse cache points");
    assert_eq!(body["inferenceConfig"], json!({"temperature": 0.2}), "and have limits of their own");
}

#[tokio::test]
async fn an_answer_with_reasoning_goes_back_as_it_came() {
    let llm = FakeLlm::start().await;
    let claude = model(&llm, CLAUDE);
    let came = json!([
        {"text": "Let me look."},
        {"reasoningContent": {"reasoningText": {"text": "The news first.", "signature": "signed"}}},
        {"toolUse": {"toolUseId": "tooluse_1", "name": TOOL, "input": {"days": 3}}},
        {"toolUse": {"toolUseId": "tooluse_2", "name": TOOL, "input": "not an object"}},
        {"toolUse": {"toolUseId": "tooluse_3", "name": TOOL, "input": {"days": 9}}},
    ]);
    let reply = json!({"output": {"message": {"role": "assistant", "content": came}}, "stopReason": "tool_use"});
    llm.will([Trouble::Status(200, reply, "")]);
    let mut asked = ChatRequest { tools: vec![tool()], ..question() };
    let answer = claude.chat(&asked, &Draft::default()).await.unwrap();
    assert_eq!(answer.text, "Let me look.");
    // The third call was one too many and has no result.
    let tool_calls = answer.tool_calls[..2].to_vec();
    asked.messages.push(Message::Assistant { content: answer.text, tool_calls, thoughts: answer.thoughts });
    for id in ["tooluse_1", "tooluse_2"] {
        asked.messages.push(Message::Tool { id: id.into(), name: TOOL.into(), content: String::new() });
    }
    asked.tools.clear();
    claude.chat(&asked, &Draft::default()).await.unwrap();
    let body = sent(&llm);
    let turn = &body["messages"][1]["content"];
    assert_eq!((&turn[0], &turn[1], &turn[2]), (&came[0], &came[1], &came[2]));
    assert_eq!(turn[3], json!({"toolUse": {"toolUseId": "tooluse_2", "name": TOOL, "input": {}}}));
    assert_eq!(turn.as_array().unwrap().len(), 4);
    let result = json!({"toolResult": {"toolUseId": "tooluse_1", "content": [{"text": "(nothing)"}]}});
    assert_eq!(body["messages"][2]["content"][0], result, "Converse refuses blank texts");
    assert_eq!(body["toolConfig"]["tools"][0]["toolSpec"]["name"], TOOL, "and calls of tools that are not named");
}

#[tokio::test]
async fn what_a_model_refuses_is_left_out_from_then_on() {
    let llm = FakeLlm::start().await;
    let claude = model(&llm, CLAUDE);
    let call = ToolCall { id: "tooluse_1".into(), name: TOOL.into(), arguments: json!({}) };
    let reasoning = json!([{"reasoningContent": {"reasoningText": {"text": "Hm."}}}]);
    let mut asked = question();
    asked.messages.push(Message::Assistant { content: String::new(), tool_calls: vec![call], thoughts: reasoning });
    asked.messages.push(Message::Tool { id: "tooluse_1".into(), name: TOOL.into(), content: "None.".into() });
    llm.will([
        refusal(
            403,
            "AccessDeniedException",
            "You invoked an unsupported model or your request did not allow prompt caching.",
        ),
        refusal(400, "ValidationException", "The maximum tokens you requested exceeds the model limit of 8192."),
        refusal(400, "ValidationException", "This model doesn't support the temperature field."),
        refusal(400, "ValidationException", "User messages can't contain reasoningContent."),
    ]);
    claude.chat(&asked, &Draft::default()).await.unwrap();
    assert_eq!(llm.requests().len(), 5);
    claude.chat(&asked, &Draft::default()).await.unwrap();
    let body = sent(&llm).to_string();
    for part in ["cachePoint", "maxTokens", "temperature", "reasoningContent"] {
        assert!(llm.requests()[0].body.to_string().contains(part), "{part}");
        assert!(!body.contains(part), "{part}: {body}");
    }
}

#[tokio::test]
async fn the_effort_goes_where_each_family_has_it() {
    let llm = FakeLlm::start().await;
    for (name, place, value) in [
        (CLAUDE, "/outputConfig/effort", json!("high")),
        (
            "us.amazon.nova-2-lite-v1:0",
            "/additionalModelRequestFields/reasoningConfig/maxReasoningEffort",
            json!("high"),
        ),
        ("openai.gpt-oss-120b-1:0", "/additionalModelRequestFields/reasoning_effort", json!("high")),
        ("us.meta.llama4-maverick-17b-instruct-v1:0", "/additionalModelRequestFields", Value::Null),
    ] {
        let backend = Backend { reasoning_effort: Some(ReasoningEffort::High), ..backend(&llm) };
        llm::connect(&backend, name).unwrap().chat(&question(), &Draft::default()).await.unwrap();
        let body = sent(&llm);
        assert_eq!(body.pointer(place).cloned().unwrap_or_default(), value, "{name}: {body}");
    }
}

#[tokio::test]
async fn a_request_without_an_api_key_is_signed() {
    let llm = FakeLlm::start().await;
    let claude = llm::connect(&with_key(&llm), "arn:aws:bedrock:eu-west-1:123456789012:inference-profile/x").unwrap();
    claude.chat(&question(), &Draft::default()).await.unwrap();
    let asked = llm.requests().pop().unwrap();
    let authorization = asked.headers["authorization"].to_str().unwrap();
    assert!(authorization.starts_with("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/"), "{authorization}");
    assert!(authorization.contains("/eu-west-1/bedrock/aws4_request, SignedHeaders=content-type;host;x-amz-"));
    assert_eq!(asked.headers["x-amz-security-token"], "canary-session-token");

    llm.will([refusal(403, "ExpiredTokenException", "expired: canary-session-token")]);
    let error = claude.chat(&question(), &Draft::default()).await.unwrap_err().to_string();
    assert!(error.contains("check BEDROCK_ACCESS_KEY_ID") && !error.contains("canary"), "{error}");
}

#[tokio::test]
async fn a_key_that_no_header_can_hold_is_refused_at_once() {
    let llm = FakeLlm::start().await;
    let mut backend = with_key(&llm);
    let Credentials::Key(key) = &mut backend.bedrock.credentials else { unreachable!() };
    key.session_token = Some("two\nlines".to_owned().into());
    let error = llm::connect(&backend, CLAUDE).err().unwrap();
    assert!(error.to_string().contains("BEDROCK_ACCESS_KEY_ID have characters that no key has"), "{error}");
}

#[tokio::test]
async fn a_region_that_is_none_names_its_setting() {
    let llm = FakeLlm::start().await;
    let mut backend = Backend { base_url: None, ..with_key(&llm) };
    backend.bedrock.region = "evil.example/".into();
    let error = llm::connect(&backend, CLAUDE).err().unwrap();
    assert!(error.to_string().contains("BEDROCK_REGION"), "{error}");
}

#[tokio::test]
async fn each_refusal_says_what_to_change() {
    let llm = FakeLlm::start().await;
    let claude = llm::connect(&with_key(&llm), CLAUDE).unwrap();
    for (status, kind, message, kind_of_error, says) in [
        (400, "ValidationException", "The provided model identifier is invalid.", "unknown_model", "DEEP_THINK_LLM"),
        (
            400,
            "ValidationException",
            "Invocation of model ID m with on-demand throughput isn't supported. Retry your request with the ID or ARN of \
             an inference profile that contains this model.",
            "unknown_model",
            "inference profile",
        ),
        (
            404,
            "ResourceNotFoundException",
            "Could not resolve the foundation model.",
            "unknown_model",
            "BEDROCK_REGION",
        ),
        (
            403,
            "AccessDeniedException",
            "You don't have access to the model with the specified model ID.",
            "unknown_model",
            "that the account may use",
        ),
        (
            403,
            "AccessDeniedException",
            "User: arn:aws:iam::1:user/u is not authorized to perform: bedrock:InvokeModel",
            "refused",
            "add a policy",
        ),
        (
            403,
            "UnrecognizedClientException",
            "The security token included in the request is invalid.",
            "unauthorized",
            "check BEDROCK_ACCESS_KEY_ID",
        ),
        (
            403,
            "InvalidSignatureException",
            "Signature expired: 20261129T000000Z is now earlier than 20261129T010000Z",
            "refused",
            "set the clock",
        ),
        (400, "ValidationException", "Input is too long for requested model.", "too_long", "Input is too long"),
    ] {
        llm.will([refusal(status, kind, message)]);
        let error = claude.chat(&question(), &Draft::default()).await.unwrap_err();
        assert!(error.kind() == kind_of_error && error.to_string().contains(says), "{error}");
        assert!(error.to_string().contains(message) && !error.is_transient(), "{error}");
    }
}

#[tokio::test]
async fn what_passes_is_waited_out() {
    let llm = FakeLlm::start().await;
    let claude = model(&llm, CLAUDE);
    for (status, kind) in [
        (429, "ThrottlingException"),
        (429, "ModelNotReadyException"),
        (408, "ModelTimeoutException"),
        (424, "ModelErrorException"),
        (503, "ServiceUnavailableException"),
        (500, "InternalServerException"),
    ] {
        llm.will([refusal(status, kind, "Try again.")]);
        claude.chat(&question(), &Draft::default()).await.unwrap();
    }
}

#[tokio::test]
async fn an_answer_that_was_blocked_or_malformed_is_not_complete() {
    let llm = FakeLlm::start().await;
    let content = json!([{"text": "Sorry, I can't say."}]);
    for (stop_reason, finish) in [
        ("guardrail_intervened", Finish::Blocked("guardrail_intervened".into())),
        ("content_filtered", Finish::Blocked("content_filtered".into())),
        ("malformed_tool_use", Finish::BadCall("malformed_tool_use".into())),
        ("malformed_model_output", Finish::Interrupted("malformed_model_output".into())),
        ("model_context_window_exceeded", Finish::Length),
        ("stop_sequence", Finish::Stop),
    ] {
        let reply =
            json!({"output": {"message": {"role": "assistant", "content": content}}, "stopReason": stop_reason});
        llm.will([Trouble::Status(200, reply, "")]);
        let answer = model(&llm, CLAUDE).chat(&question(), &Draft::default()).await.unwrap();
        assert_eq!(answer.finish, finish);
    }
}

#[tokio::test]
async fn a_model_without_tools_is_known_by_its_refusal() {
    let llm = FakeLlm::start().await;
    let model = model(&llm, "deepseek.r1-v1:0");
    llm.will([refusal(400, "ValidationException", "This model doesn't support tool use.")]);
    let asked = ChatRequest { tools: vec![tool()], ..question() };
    let error = model.chat(&asked, &Draft::default()).await.unwrap_err();
    assert_eq!(error.kind(), "no_tools");
    assert!(!model.supports_tools().await.unwrap());
}

#[tokio::test]
async fn a_check_asks_the_catalogue() {
    let llm = FakeLlm::start().await;
    let told = llm::check(&with_key(&llm), CLAUDE).await.unwrap();
    assert!(told.starts_with("Amazon Bedrock at http://127.0.0.1") && told.ends_with(CLAUDE), "{told}");
}

#[tokio::test]
async fn a_whole_analysis_runs_on_bedrock() {
    let llm = FakeLlm::start().await;
    let sandbox = Sandbox::new()
        .set("LLM_PROVIDER", "bedrock")
        .set("LLM_BACKEND_URL", llm.url())
        .set("AWS_BEARER_TOKEN_BEDROCK", "canary-bedrock-key")
        .set("PRICE_VENDORS", "sample");
    let run = sandbox.run(&["analyze", "AAPL", "--date", "2012-09-19", "--analysts", "market"]).await;
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let requests = llm.requests();
    assert!(requests.iter().all(|asked| asked.headers["authorization"] == "Bearer canary-bedrock-key"));
    assert!(requests.iter().any(|asked| asked.body.to_string().contains("toolResult")));
}
