//! What models and their servers do wrong, and what becomes of it: incomplete and blocked answers, slips with tools, refused
//! parameters, forms that are ignored, conversations that are too long, and text as it is streamed.

use std::sync::Arc;

use serde_json::json;
use tradingagents::{
    agents::{AgentError, Analysis, Firm, Models, ReadingLimits},
    domain::{Agent, Analyst, DecisionSource, Provider, Rating},
    llm::{self, Backend, ChatModel, ChatRequest, Draft, Finish, LlmError, Message, OutputSchema, ToolSpec},
    market::{Market, Sample},
    memory::DecisionLog,
};

use crate::{
    firm::{Witness, brief},
    support::{
        self,
        llm::{FakeLlm, Trouble},
    },
};

const CALL: &str = r#"{"name": "get_verified_market_snapshot", "arguments": {}}"#;

fn backend(provider: Provider, llm: &FakeLlm) -> Backend {
    let path = if provider == Provider::OpenAiCompatible { "/v1" } else { "" };
    support::llm::backend(provider, &format!("{}{path}", llm.url()))
}

/// A firm whose models a server of this provider serves.
fn firm(backend: &Backend) -> Firm {
    let model = |name| llm::connect(backend, name).unwrap();
    Firm {
        models: Models { deep: model("deep-model"), quick: model("quick-model") },
        market: Market::new(vec![Arc::new(Sample)]),
        analyst_concurrency: 4,
        max_tool_rounds: 3,
        reading: ReadingLimits::default(),
        benchmark: None,
        memory: DecisionLog::new("/nowhere"),
    }
}

fn market_only() -> Analysis {
    let mut brief = brief();
    brief.analysts = vec![Analyst::Market];
    Analysis::new(brief)
}

fn refusal(status: u16, message: &str) -> Trouble {
    Trouble::Status(status, json!({"error": {"message": message}}), "")
}

fn schema() -> OutputSchema {
    let schema = json!({"type": "object", "properties": {"rating": {"enum": ["Buy"]}}, "required": ["rating"]});
    OutputSchema { name: "decision", schema, in_words: false }
}

fn question() -> ChatRequest {
    let messages = vec![Message::user("What is new?")];
    ChatRequest { agent: Agent::NewsAnalyst, messages, tools: Vec::new(), schema: None }
}

#[tokio::test]
async fn a_debater_who_calls_a_tool_instead_of_speaking_is_asked_again() {
    let llm = FakeLlm::start().await;
    // The market analyst calls its tool and reports; then the bull prints a call.
    llm.will([Trouble::Says(CALL), Trouble::Says("A report."), Trouble::Says(CALL)]);
    let analysis =
        firm(&backend(Provider::OpenAiCompatible, &llm)).run(market_only(), &Witness::default()).await.unwrap();
    assert_eq!(analysis.debate.turns[0].1, "Bull Analyst: The evidence is mixed, but the trend holds.");
    assert!(analysis.warnings.is_empty(), "{:?}", analysis.warnings);
    let asked = &llm.requests()[3].body["messages"];
    assert!(asked.to_string().contains("write your answer now, as text"), "{asked}");
    assert!(!asked.to_string().contains("tool_calls"), "a call that nobody answers is not kept");
}

#[tokio::test]
async fn an_answer_that_is_cut_off_twice_stands_with_a_warning_and_an_empty_one_fails_the_job() {
    let llm = FakeLlm::start().await;
    llm.will([Trouble::Says("A report."), Trouble::RunsOut("The bull case beg"), Trouble::RunsOut("The bull case")]);
    let analysis = firm(&backend(Provider::Anthropic, &llm)).run(market_only(), &Witness::default()).await.unwrap();
    assert_eq!(analysis.debate.turns[0].1, "Bull Analyst: The bull case");
    assert!(analysis.warnings[0].contains("Bull Researcher: the model ran out of tokens"), "{:?}", analysis.warnings);

    llm.will([Trouble::Says("A report."), Trouble::Says("<think>Hm"), Trouble::Says("")]);
    let failed = firm(&backend(Provider::Google, &llm)).run(market_only(), &Witness::default()).await;
    let AgentError::Model { agent: Agent::BullResearcher, source } = failed.unwrap_err() else { panic!() };
    assert!(source.is_transient() && source.to_string().contains("with nothing"), "{source}");
}

#[tokio::test]
async fn a_blocked_answer_fails_the_job_with_the_words_of_the_service() {
    let llm = FakeLlm::start().await;
    let blocked = json!({"candidates": [{"finishReason": "SAFETY", "finishMessage": "Not this."}]});
    llm.will([Trouble::Status(200, blocked.clone(), ""), Trouble::Status(200, blocked, "")]);
    let failed = firm(&backend(Provider::Google, &llm)).run(market_only(), &Witness::default()).await.unwrap_err();
    assert_eq!(failed.to_string(), "Market Analyst: Google would not answer: SAFETY: Not this.");
    assert_eq!(llm.requests().len(), 2, "it is asked once more, and no more");
}

#[tokio::test]
async fn four_analysts_who_are_refused_a_parameter_at_once_all_ask_again_without_it() {
    let llm = FakeLlm::start().await;
    llm.answers_only(0);
    llm.will(std::iter::repeat_n(refusal(400, "Unsupported value: 'temperature' does not support 0.2"), 4));
    let backend = Backend { temperature: Some(0.2), ..backend(Provider::OpenAiCompatible, &llm) };
    let all_ask_before_one_is_refused = async {
        llm.was_asked(4).await;
        llm.answers_all();
    };
    let (firm, witness) = (firm(&backend), Witness::default());
    let (analysis, ()) = tokio::join!(firm.run(Analysis::new(brief()), &witness), all_ask_before_one_is_refused);
    assert_eq!(analysis.unwrap().reports.len(), 4);
    let with = llm.requests().iter().filter(|request| request.body.get("temperature").is_some()).count();
    // The deep model is another one, and has not been asked yet.
    assert!(with <= 6, "{with}");

    // A later job of the process knows it.
    let model = llm::connect(&backend, "quick-model").unwrap();
    model.chat(&question(), &Draft::default()).await.unwrap();
    assert_eq!(llm.requests().pop().unwrap().body.get("temperature"), None);
}

#[tokio::test]
async fn a_server_without_tools_gets_the_evidence_in_the_prompt() {
    let llm = FakeLlm::start().await;
    for message in [
        "\"auto\" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set",
        "No endpoints found that support tool use.",
        "`tools` is not supported with this model",
    ] {
        let asked = llm.requests().len();
        llm.will([refusal(if message.starts_with("No") { 404 } else { 400 }, message)]);
        let backend = backend(Provider::OpenAiCompatible, &llm);
        let analysis = firm(&backend).run(market_only(), &Witness::default()).await.unwrap();
        assert!(analysis.warnings.is_empty(), "{:?}", analysis.warnings);
        let second = &llm.requests()[asked + 1].body;
        assert_eq!(second.get("tools"), None);
        assert!(second["messages"].to_string().contains("2012-09-19,"), "{message}");
        let model = llm::connect(&backend, "quick-model").unwrap();
        assert!(!model.supports_tools().await.unwrap(), "the next job fetches the evidence at once");
    }
}

#[tokio::test]
async fn a_slip_with_a_tool_is_forgiven_once_and_then_the_evidence_is_fetched_for_the_model() {
    let llm = FakeLlm::start().await;
    let slip = || refusal(400, "Tool call validation failed: parameters for tool get_stock_data did not match schema");
    llm.will([slip()]);
    let analysis =
        firm(&backend(Provider::OpenAiCompatible, &llm)).run(market_only(), &Witness::default()).await.unwrap();
    assert_eq!(analysis.steps[0].tools.len(), 1, "it called its tool the second time");
    llm.will([slip(), slip()]);
    let analysis =
        firm(&backend(Provider::OpenAiCompatible, &llm)).run(market_only(), &Witness::default()).await.unwrap();
    assert!(analysis.steps[0].tools.iter().any(|tool| tool.tool == "get_stock_data"));
}

#[tokio::test]
async fn a_conversation_that_is_too_long_loses_its_oldest_evidence_on_every_server() {
    let llm = FakeLlm::start().await;
    let too_long = || refusal(400, "This model's maximum context length is 4000 tokens. Please reduce the length");
    let call = r#"{"name": "get_stock_data", "arguments": {"start_date": "2011-09-01", "end_date": "2012-09-19"}}"#;
    llm.will([Trouble::Says(call), too_long()]);
    let analysis =
        firm(&backend(Provider::OpenAiCompatible, &llm)).run(market_only(), &Witness::default()).await.unwrap();
    assert!(analysis.warnings[0].contains("oldest answers of its tools were left out"), "{:?}", analysis.warnings);

    llm.will([too_long()]);
    let failed = firm(&backend(Provider::OpenAiCompatible, &llm)).run(market_only(), &Witness::default()).await;
    let AgentError::Model { source, .. } = failed.unwrap_err() else { panic!() };
    assert!(matches!(source, LlmError::TooLong { .. }) && !source.is_transient(), "nothing can be left out: {source}");
}

#[tokio::test]
async fn a_form_that_the_server_ignores_is_asked_for_in_words_from_then_on() {
    let llm = FakeLlm::start().await;
    let backend = backend(Provider::OpenAiCompatible, &llm);
    llm.will([
        Trouble::Says("A report."),
        Trouble::Says("Bull."),
        Trouble::Says("Bear."),
        Trouble::Says("I recommend to buy."),
    ]);
    let analysis = firm(&backend).run(market_only(), &Witness::default()).await.unwrap();
    let outcome = analysis.outcome.unwrap();
    assert_eq!((outcome.rating, outcome.source), (Rating::Buy, DecisionSource::Structured));
    let forms: Vec<_> = llm.requests().iter().map(|request| request.body.get("response_format").is_some()).collect();
    // The research manager's model ignores the form; the trader's is another one.
    assert_eq!(forms.iter().filter(|form| **form).count(), 2, "{forms:?}");
    assert!(!forms.last().unwrap(), "the portfolio manager is asked in words at once");
}

#[tokio::test]
async fn a_refused_form_is_refused_once() {
    let llm = FakeLlm::start().await;
    let backend = backend(Provider::OpenAiCompatible, &llm);
    let model = llm::connect(&backend, "some-model").unwrap();
    llm.will([refusal(400, "This response_format type is unavailable now")]);
    let request = ChatRequest { schema: Some(schema()), ..question() };
    for _ in 0..2 {
        model.chat(&request, &Draft::default()).await.unwrap();
    }
    let forms: Vec<_> = llm.requests().iter().map(|request| request.body["response_format"]["type"].clone()).collect();
    assert_eq!(forms, [json!("json_schema"), json!("json_object"), json!("json_object")]);
}

#[tokio::test]
async fn a_model_that_only_responses_serves_is_asked_there_with_its_sealed_reasoning() {
    let llm = FakeLlm::start().await;
    let model = llm::connect(&backend(Provider::OpenAiCompatible, &llm), "gpt-5.6").unwrap();
    let name = "get_verified_market_snapshot";
    let tool = ToolSpec { name, description: "figures", parameters: json!({"type": "object"}) };
    let mut request = ChatRequest { tools: vec![tool], ..question() };
    llm.will([refusal(
        400,
        "Function tools with reasoning_effort are not supported. Please use /v1/responses instead.",
    )]);
    let response = model.chat(&request, &Draft::default()).await.unwrap();
    let id = response.tool_calls[0].id.clone();
    let (content, tool_calls, thoughts) = (response.text, response.tool_calls, response.thoughts);
    request.messages.push(Message::Assistant { content, tool_calls, thoughts });
    request.messages.push(Message::Tool { id, name: name.into(), content: "50".into() });
    let response = model.chat(&request, &Draft::default()).await.unwrap();
    assert!(!response.text.is_empty() && response.finish == Finish::Stop);
    let asked = llm.requests();
    assert_eq!(
        asked.iter().map(|it| it.path).collect::<Vec<_>>(),
        ["/v1/chat/completions", "/v1/responses", "/v1/responses"]
    );
    let (body, input) = (&asked[2].body, &asked[2].body["input"]);
    assert_eq!((&body["store"], &input[1]["encrypted_content"]), (&json!(false), &json!("sealed")), "{input}");
    assert_eq!((&input[2]["type"], &input[3]["output"]), (&json!("function_call"), &json!("50")));
}

#[tokio::test]
async fn what_a_model_writes_is_seen_while_it_writes() {
    let llm = FakeLlm::start().await;
    for provider in [Provider::Ollama, Provider::OpenAiCompatible, Provider::Anthropic, Provider::Google] {
        let draft = Draft::default();
        let model = llm::connect(&backend(provider, &llm), "some-model").unwrap();
        let response = model.chat(&question(), &draft).await.unwrap();
        assert_eq!(draft.shown(), (response.text.clone(), response.text.chars().count()));
        llm.will([Trouble::Says("<think>Hm.</think>Buy.")]);
        model.chat(&question(), &draft).await.unwrap();
        assert_eq!(draft.shown(), ("Buy.".into(), 4), "without reasoning, and from the beginning");
    }
}

#[tokio::test]
async fn an_unknown_model_names_its_settings_whatever_the_code() {
    let llm = FakeLlm::start().await;
    for (status, body) in [
        (400, json!({"error": {"message": "Model Not Exist", "code": "invalid_request_error"}})),
        (400, json!({"object": "error", "message": "Invalid model: x", "type": "invalid_model", "code": "1500"})),
        (404, json!({"error": {"code": "DeploymentNotFound", "message": "The API deployment does not exist."}})),
        (404, json!({"type": "error", "error": {"type": "not_found_error", "message": "model: x"}})),
    ] {
        llm.will([Trouble::Status(status, body, "")]);
        let model: Arc<dyn ChatModel> = llm::connect(&backend(Provider::OpenAiCompatible, &llm), "x").unwrap();
        let error = model.chat(&question(), &Draft::default()).await.unwrap_err();
        assert!(error.to_string().contains("DEEP_THINK_LLM") && !error.is_transient(), "{error}");
    }
}
