//! The rules model: no language model, but published technical rules.

use async_trait::async_trait;

use super::{ChatModel, ChatRequest, ChatResponse, LlmError};
use crate::domain::Provider;

/// Plays every agent by rules.
pub struct Rules;

#[async_trait]
impl ChatModel for Rules {
    fn provider(&self) -> Provider {
        Provider::Rules
    }

    fn model(&self) -> &str {
        "rules"
    }

    async fn supports_tools(&self) -> Result<bool, LlmError> {
        Ok(true)
    }

    async fn chat(&self, _: &ChatRequest) -> Result<ChatResponse, LlmError> {
        todo!()
    }
}
