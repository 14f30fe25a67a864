//! The rules model: no language model, but published rules ([`rule`]) on prices ([`technical`]), filings ([`fundamental`])
//! and news ([`tone`]), scored on the same evidence that a language model would read ([`figures`]), and put into each
//! agent's words ([`voice`]).
//!
//! It serves `--offline`, tests, and as a baseline, and says in every report what it is. It is never chosen silently.

mod assessment;
mod figures;
mod fundamental;
mod lexicon;
pub mod limits;
mod rule;
mod statements;
mod technical;
mod tone;
mod voice;

use assessment::Assessment;
use async_trait::async_trait;
use figures::Figures;
use rule::Subject;
pub use rule::reference;

use super::{ChatModel, ChatRequest, ChatResponse, Draft, Finish, LlmError, Usage};
use crate::domain::Provider;

/// Plays every agent by rules.
pub struct Rules;

#[async_trait]
impl ChatModel for Rules {
    fn provider(&self) -> Provider {
        Provider::Rules
    }

    fn model(&self) -> &'static str {
        "published-rules"
    }

    /// It reads what is in the prompt.
    async fn supports_tools(&self) -> Result<bool, LlmError> {
        Ok(false)
    }

    async fn chat(&self, request: &ChatRequest, _draft: &Draft) -> Result<ChatResponse, LlmError> {
        let assessment = Assessment::of(Figures::read(&request.messages), Subject::of(request.agent));
        let text = match &request.schema {
            Some(schema) => voice::form(schema.name, &assessment).to_string(),
            None => voice::text(request.agent, &assessment),
        };
        let usage = Usage { calls: 1, ..Usage::default() };
        Ok(ChatResponse {
            text,
            tool_calls: Vec::new(),
            thoughts: serde_json::Value::Null,
            usage,
            finish: Finish::Stop,
            left_out: 0,
        })
    }
}
