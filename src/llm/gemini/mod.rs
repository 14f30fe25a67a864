//! Google's Gemini, by generateContent.
//!
//! A model that thinks signs its tool calls and wants the signatures back, so such an answer stays in the conversation
//! as it came.

mod wire;

use async_trait::async_trait;
use wire::{Answer, Model, Models, question};

use super::{
    Backend, ChatModel, ChatRequest, ChatResponse, LlmError,
    client::Client,
    http::{Body, Reply},
    refusal::Refusal,
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
        let found = self.0.look_up::<Model>().await?;
        found.map(|_| self.0.found()).map_err(|refusal| self.refused(refusal))
    }

    /// The names of the models that the server lists.
    pub async fn models(&self) -> Result<Vec<String>, LlmError> {
        let models = self.0.endpoint.look_up::<Models>("models?pageSize=1000").await?;
        models.map(Models::into_names).map_err(|refusal| self.refused(refusal))
    }

    async fn ask(&self, request: &ChatRequest) -> Result<ChatResponse, LlmError> {
        let path = format!("models/{}:generateContent", self.0.model);
        match self.0.ask(&path, || question(&self.0, request)).await? {
            Reply::Answer(body) => self.read(request, body).await,
            Reply::Refusal(refusal) => Err(self.refused(refusal)),
        }
    }

    async fn read(&self, request: &ChatRequest, body: Body<'_>) -> Result<ChatResponse, LlmError> {
        let answer: Answer = body.json().await?;
        match answer.into_answer() {
            Ok(answer) => answer.into_response(&self.0.endpoint, request),
            Err(reason) => Err(self.0.endpoint.unusable(format!("would not say anything: {reason}"))),
        }
    }

    fn refused(&self, mut refusal: Refusal) -> LlmError {
        // A wrong key has the status of a wrong request.
        if refusal.status == 400 && refusal.mentions(&["api key"]) {
            refusal.status = 401;
        }
        self.0.refused(refusal)
    }
}

#[async_trait]
impl ChatModel for Gemini {
    fn provider(&self) -> Provider {
        Provider::Google
    }

    fn model(&self) -> &str {
        &self.0.model
    }

    async fn chat(&self, request: &ChatRequest) -> Result<ChatResponse, LlmError> {
        self.0.endpoint.within(self.ask(request)).await
    }
}
