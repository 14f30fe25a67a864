//! What is made of the answers of model servers, in each protocol. The first byte picks the protocol, whether tools are
//! offered, whether a form is asked for, and whether the server refuses.

use std::{
    sync::{Arc, LazyLock},
    time::Duration,
};

use super::{Answer, RUNTIME, Wire};
use serde_json::json;
use tradingagents::{
    domain::{Agent, Provider},
    egress::Reach,
    llm::{self, Backend, ChatModel, ChatRequest, Draft, Message, OutputSchema, ToolSpec, ollama},
};

const PROVIDERS: [Provider; 4] = [Provider::OpenAiCompatible, Provider::Anthropic, Provider::Google, Provider::Ollama];

static WIRE: LazyLock<Wire> = LazyLock::new(Wire::start);

pub fn run(data: &[u8]) {
    let Some((question, body)) = data.split_first() else { return };
    let status = if question & 0x80 == 0 { 200 } else { 400 };
    WIRE.answer(Answer { status, headers: "content-type: application/json\r\n", body: body.into() });
    let tool = ToolSpec { name: "get_news", description: "News.", parameters: json!({"type": "object"}) };
    let form = OutputSchema { name: "report", schema: json!({"type": "object"}), in_words: false };
    let request = ChatRequest {
        agent: Agent::ALL[0],
        messages: vec![Message::System { content: "You read the news.".into() }, Message::user("What is new?")],
        tools: if question & 0x40 == 0 { Vec::new() } else { vec![tool] },
        schema: (question & 0x20 != 0).then_some(form),
    };
    let model = model(PROVIDERS[usize::from(question & 3)]);
    RUNTIME.block_on(async {
        if let Ok(answer) = model.chat(&request, &Draft::default()).await {
            // It is stored, and read again.
            let stored = serde_json::to_vec(&answer).expect("an answer can be written");
            assert_eq!(serde_json::from_slice::<llm::ChatResponse>(&stored).expect("and read again"), answer);
        }
    });
}

/// A new one each time, for one that failed often is left alone for a while.
fn model(provider: Provider) -> Arc<dyn ChatModel> {
    let backend = Backend {
        provider,
        base_url: Some(WIRE.url.clone()),
        reach: Reach::Anywhere,
        api_key: Some("a-key-of-a-provider".to_owned().into()),
        timeout: Duration::from_secs(5),
        temperature: None,
        reasoning_effort: None,
        ollama: ollama::Options {
            num_ctx: 16_384,
            keep_alive: "5m".into(),
            pull: ollama::PullPolicy::Never,
            pulls: Arc::default(),
        },
        azure_api_version: String::new(),
        bedrock: llm::bedrock::Options::default(),
        gate: Arc::default(),
        prices: llm::Prices::default(),
    };
    llm::connect(&backend, "a-model").expect("nothing is missing")
}
