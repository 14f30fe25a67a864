//! Ollama by its native API.

use async_trait::async_trait;

use super::{Backend, ChatModel, ChatRequest, ChatResponse, LlmError};
use crate::domain::Provider;

/// Settings of an Ollama server.
#[derive(Debug, Clone)]
pub struct Options {
    /// The context window, tokens.
    pub num_ctx: u32,
    /// How long the server keeps the model in memory after a request, as Ollama writes it: `30m`, `-1`.
    pub keep_alive: String,
}

/// A model of an Ollama server.
pub struct Ollama;

impl Ollama {
    /// The model at the backend.
    pub fn new(_: &Backend, _: &str) -> Result<Self, LlmError> {
        todo!()
    }
}

#[async_trait]
impl ChatModel for Ollama {
    fn provider(&self) -> Provider {
        Provider::Ollama
    }

    fn model(&self) -> &str {
        todo!()
    }

    async fn supports_tools(&self) -> Result<bool, LlmError> {
        todo!()
    }

    async fn chat(&self, _: &ChatRequest) -> Result<ChatResponse, LlmError> {
        todo!()
    }
}
