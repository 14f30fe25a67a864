//! A model of a server, as agents have it: behind the server's gate, asked again after failures that pass, and its answers
//! with their cost.

use std::{sync::Arc, time::Instant};

use async_trait::async_trait;
use tokio::sync::mpsc::UnboundedSender;

use super::{ChatModel, ChatRequest, ChatResponse, Gate, LlmError, price::Price, retry::patiently};
use crate::{domain::Provider, metrics::METRICS};

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
        let answer = self.model.chat(request).await;
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
