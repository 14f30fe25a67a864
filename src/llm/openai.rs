//! Chat Completions, as OpenAI and many others speak it.

use async_trait::async_trait;

use super::{Backend, ChatModel, ChatRequest, ChatResponse, LlmError};
use crate::domain::Provider;

/// A model of an provider.
pub struct OpenAi;

impl OpenAi {
    /// The model at the backend.
    pub fn new(_: &Backend, _: &str) -> Result<Self, LlmError> {
        todo!()
    }
}

#[async_trait]
impl ChatModel for OpenAi {
    fn provider(&self) -> Provider {
        Provider::OpenAi
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
