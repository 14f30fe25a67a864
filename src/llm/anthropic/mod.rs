//! Anthropic's Messages.
//!
//! The context that all agents share is marked for the cache. A response that calls tools returns to the server with its
//! blocks as they came and in their order, because reasoning is signed.

mod stream;
mod wire;

use async_trait::async_trait;
use wire::question;

use super::{
    Backend, ChatModel, ChatRequest, ChatResponse, Draft, LlmError,
    capabilities::Feature,
    client::{Client, Model, Models},
    http::{Events, Reply},
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
        let found = self.0.endpoint.look_up::<Model>(&format!("models/{}", self.0.model)).await?;
        found.map(|_| self.0.found()).map_err(|refusal| self.0.refused(refusal))
    }

    /// The names of the models that the server lists.
    pub async fn models(&self) -> Result<Vec<String>, LlmError> {
        let models = self.0.endpoint.look_up::<Models>("models?limit=1000").await?;
        models.map(Models::into_names).map_err(|refusal| self.0.refused(refusal))
    }

    async fn ask(&self, request: &ChatRequest, draft: &Draft) -> Result<ChatResponse, LlmError> {
        let response = match self.0.ask("messages", || question(&self.0, request)).await? {
            Reply::Success(body) => stream::read(Events::new(body), draft).await?,
            Reply::Refusal(refusal) => Err(refusal),
        };
        let response = response.or_else(|refusal| self.0.give_up(refusal, request))?;
        Ok(response.into_response(request))
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

    async fn supports_tools(&self) -> Result<bool, LlmError> {
        Ok(self.0.known.has(Feature::Tools))
    }

    fn prefer_schema_in_words(&self) {
        self.0.known.lacks(Feature::Schema);
    }

    async fn chat(&self, request: &ChatRequest, draft: &Draft) -> Result<ChatResponse, LlmError> {
        self.0.endpoint.within(self.ask(request, draft)).await
    }
}
