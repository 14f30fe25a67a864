//! A model of a server, as agents have it: behind the server's gate, asked again after transient failures, with a
//! conversation that is trimmed to its context, and with the cost of each response.

use std::{sync::Arc, time::Instant};

use async_trait::async_trait;
use tokio::sync::mpsc::UnboundedSender;

use super::{
    ChatModel, ChatRequest, ChatResponse, Draft, Finish, Gate, LlmError, price::Price, retry::patiently, trim,
};
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
    /// One attempt, which is counted.
    async fn ask(&self, request: &ChatRequest, draft: &Draft) -> Result<ChatResponse, LlmError> {
        let (provider, began) = (self.provider().as_str(), Instant::now());
        let span = span(self.provider(), self.model());
        draft.restart();
        let answer = span.around(self.model.chat(request, draft)).await;
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

    fn prefer_schema_in_words(&self) {
        self.model.prefer_schema_in_words();
    }

    async fn chat(&self, request: &ChatRequest, draft: &Draft) -> Result<ChatResponse, LlmError> {
        let mut room = self.model.room();
        loop {
            let fitted = trim::fit(request, room.unwrap_or(usize::MAX));
            // Each attempt passes the gate anew, so that none holds a slot while it waits for the next.
            match patiently(|| self.gate.pass(self.ask(&fitted.request, draft))).await {
                // The estimate was too low.
                Err(LlmError::TooLong { .. }) if fitted.evidence > 0 => room = Some(fitted.size * 3 / 4),
                Err(error) => return Err(error),
                Ok(mut response) => {
                    response.usage.cost_usd = self.price.map(|price| price.cost(&response.usage));
                    return Ok(ChatResponse { left_out: fitted.left_out, ..response });
                }
            }
        }
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
            let finish = match finish {
                Finish::Stop => "stop",
                Finish::Length => "length",
                Finish::Blocked(_) => "content_filter",
                Finish::Interrupted(_) | Finish::BadCall(_) => "error",
            };
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
        Provider::Bedrock => "aws.bedrock",
        Provider::Xai => "x_ai",
        Provider::Mistral => "mistral_ai",
        _ => provider.as_str(),
    }
}
