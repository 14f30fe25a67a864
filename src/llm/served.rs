//! A model of a server, as agents have it: behind the server's gate, asked again after failures that pass, and its answers
//! with their cost.

use std::{sync::Arc, time::Instant};

use async_trait::async_trait;
use tokio::sync::mpsc::UnboundedSender;

use super::{ChatModel, ChatRequest, ChatResponse, Finish, Gate, LlmError, price::Price, retry::patiently};
use crate::{
    domain::Provider,
    metrics::METRICS,
    telemetry::{Span, SpanKind},
};

/// A model that a server serves.
pub(super) struct Served<M> {
    pub model: M,
    pub gate: Arc<Gate>,
    pub price: Option<Price>,
}

impl<M: ChatModel> Served<M> {
    /// One try, which is counted.
    async fn ask(&self, request: &ChatRequest) -> Result<ChatResponse, LlmError> {
        let (provider, began) = (self.provider().as_str(), Instant::now());
        let span = span(self.provider(), self.model());
        let answer = span.around(self.model.chat(request)).await;
        tell(&span, &answer);
        METRICS.llm_call(provider, answer.as_ref().err().map_or("ok", LlmError::kind), began.elapsed());
        if let Ok(ChatResponse { usage, .. }) = &answer {
            METRICS.llm_tokens(provider, "in", usage.tokens_in);
            METRICS.llm_tokens(provider, "cached", usage.tokens_cached);
            METRICS.llm_tokens(provider, "out", usage.tokens_out);
        }
        answer
    }
}

#[async_trait]
impl<M: ChatModel> ChatModel for Served<M> {
    fn provider(&self) -> Provider {
        self.model.provider()
    }

    fn model(&self) -> &str {
        self.model.model()
    }

    async fn supports_tools(&self) -> Result<bool, LlmError> {
        // Mostly known without asking, so it says nothing of the server, and its gate is passed by.
        patiently(|| self.model.supports_tools()).await
    }

    async fn prepare(&self, progress: &UnboundedSender<u8>) -> Result<(), LlmError> {
        patiently(|| self.model.prepare(progress)).await
    }

    async fn chat(&self, request: &ChatRequest) -> Result<ChatResponse, LlmError> {
        // Each try passes the gate anew, so that nobody holds a slot while he waits for the next.
        let mut answer = patiently(|| self.gate.pass(self.ask(request))).await?;
        answer.usage.cost_usd = self.price.map(|price| price.cost(&answer.usage));
        Ok(answer)
    }
}

/// A call as part of a trace.
fn span(provider: Provider, model: &str) -> Span {
    let span = Span::begin(SpanKind::Client, || format!("chat {model}"));
    span.set("gen_ai.operation.name", "chat");
    span.set("gen_ai.provider.name", convention(provider));
    span.set("gen_ai.request.model", model.to_owned());
    span
}

/// Says what came of a call.
fn tell(span: &Span, answer: &Result<ChatResponse, LlmError>) {
    let count = |tokens: u64| i64::try_from(tokens).unwrap_or(i64::MAX);
    match answer {
        Ok(ChatResponse { usage, finish, .. }) => {
            span.set("gen_ai.usage.input_tokens", count(usage.tokens_in));
            span.set("gen_ai.usage.output_tokens", count(usage.tokens_out));
            span.set("gen_ai.usage.cache_read.input_tokens", count(usage.tokens_cached));
            let finish = if *finish == Finish::Length { "length" } else { "stop" };
            span.set("gen_ai.response.finish_reasons", finish);
        }
        Err(error) => span.fail(error.kind()),
    }
}

/// What OpenTelemetry calls a provider; those that it does not know have their own names.
fn convention(provider: Provider) -> &'static str {
    match provider {
        Provider::Google => "gcp.gemini",
        Provider::Azure => "azure.ai.openai",
        Provider::Xai => "x_ai",
        Provider::Mistral => "mistral_ai",
        _ => provider.as_str(),
    }
}
