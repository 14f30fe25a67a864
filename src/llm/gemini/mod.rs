//! Google's Gemini, by generateContent.
//!
//! A model that reasons signs its tool calls and wants the signatures back, so a response that calls tools returns to the
//! server with its parts as they came.

mod stream;
mod wire;

use async_trait::async_trait;
use wire::{Model, Models, question};

use super::{
    Backend, ChatModel, ChatRequest, ChatResponse, Draft, LlmError,
    capabilities::Feature,
    client::Client,
    http::{Events, Reply},
    service::Service,
};
use crate::domain::Provider;

/// A Gemini model.
pub struct Gemini(Client);

impl Gemini {
    /// The model at the backend. Its name may begin with `models/`, as Google lists it.
    pub fn new(backend: &Backend, model: &str) -> Result<Self, LlmError> {
        let base = Service::of(Provider::Google).base_url(backend)?;
        Ok(Self(Client::new(backend, base, model.trim_start_matches("models/"))?))
    }

    /// Whether the server is there, takes the key and has the model, in one line.
    pub async fn check(&self) -> Result<String, LlmError> {
        let found = self.0.endpoint.look_up::<Model>(&format!("models/{}", segment(&self.0.model))).await?;
        found.map(|_| self.0.found()).map_err(|refusal| self.0.refused(refusal))
    }

    /// The names of the models that the server lists.
    pub async fn models(&self) -> Result<Vec<String>, LlmError> {
        let models = self.0.endpoint.look_up::<Models>("models?pageSize=1000").await?;
        models.map(Models::into_names).map_err(|refusal| self.0.refused(refusal))
    }

    async fn ask(&self, request: &ChatRequest, draft: &Draft) -> Result<ChatResponse, LlmError> {
        let path = format!("models/{}:streamGenerateContent?alt=sse", segment(&self.0.model));
        let response = match self.0.ask(&path, || question(&self.0, request)).await? {
            Reply::Success(body) => stream::read(Events::new(body), draft).await?,
            Reply::Refusal(refusal) => Err(refusal),
        };
        let response = response.or_else(|refusal| self.0.give_up(refusal, request))?;
        Ok(response.into_response(request))
    }
}

/// A model's name as one segment of a path, whatever is in it: the key goes with the request.
fn segment(name: &str) -> String {
    url::form_urlencoded::byte_serialize(name.as_bytes()).collect::<String>().replace('+', "%20")
}

#[async_trait]
impl ChatModel for Gemini {
    fn provider(&self) -> Provider {
        Provider::Google
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
