//! Anthropic's Messages.
//!
//! The context that all agents share is marked for the cache. A model that thinks wants its thoughts back with its tool
//! calls, so they stay in the conversation as they came.

mod wire;

use async_trait::async_trait;
use wire::{Answer, question};

use super::{
    Backend, ChatModel, ChatRequest, ChatResponse, LlmError,
    client::{Client, Model, Models},
    http::Reply,
    service::Service,
};
use crate::domain::Provider;

/// A Claude model.
pub struct Anthropic(Client);

impl Anthropic {
    /// The model at the backend.
    pub fn new(backend: &Backend, model: &str) -> Result<Self, LlmError> {
        let base = Service::of(Provider::Anthropic).base_url(backend)?;
        Ok(Self(Client::new(backend, base, model)?))
    }

    /// Whether the server is there, takes the key and has the model, in one line.
    pub async fn check(&self) -> Result<String, LlmError> {
        let found = self.0.look_up::<Model>().await?;
        found.map(|_| self.0.found()).map_err(|refusal| self.0.refused(refusal))
    }

    /// The names of the models that the server lists.
    pub async fn models(&self) -> Result<Vec<String>, LlmError> {
        let models = self.0.endpoint.look_up::<Models>("models?limit=1000").await?;
        models.map(Models::into_names).map_err(|refusal| self.0.refused(refusal))
    }

    async fn ask(&self, request: &ChatRequest) -> Result<ChatResponse, LlmError> {
        match self.0.ask("messages", || question(&self.0, request)).await? {
            Reply::Answer(body) => {
                let answer: Answer = body.json().await?;
                answer.into_answer().into_response(&self.0.endpoint, request)
            }
            Reply::Refusal(refusal) => Err(self.0.refused(refusal)),
        }
    }
}

#[async_trait]
impl ChatModel for Anthropic {
    fn provider(&self) -> Provider {
        Provider::Anthropic
    }

    fn model(&self) -> &str {
        &self.0.model
    }

    async fn chat(&self, request: &ChatRequest) -> Result<ChatResponse, LlmError> {
        self.0.endpoint.within(self.ask(request)).await
    }
}
