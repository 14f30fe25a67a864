//! Anthropic's Messages.
//!
//! The context that all agents share is marked for the cache. A model that thinks wants its thoughts back with its tool
//! calls, so they stay in the conversation as they came.

mod wire;

use async_trait::async_trait;
use wire::{Answer, Model, Models, Question};

use super::{
    Backend, ChatModel, ChatRequest, ChatResponse, LlmError,
    http::{Endpoint, Reply},
    optional::{Accepted, Part},
    refusal::Refusal,
    service::Service,
};
use crate::domain::{Provider, ReasoningEffort};

/// A Claude model.
pub struct Anthropic {
    endpoint: Endpoint,
    model: String,
    temperature: Option<f64>,
    effort: Option<ReasoningEffort>,
    accepted: Accepted,
}

impl Anthropic {
    /// The model at the backend.
    pub fn new(backend: &Backend, model: &str) -> Result<Self, LlmError> {
        let service = Service::of(Provider::Anthropic);
        let base = service.base_url(backend)?;
        Ok(Self {
            endpoint: Endpoint::new(service, base, backend.api_key.clone(), backend.timeout)?,
            model: model.into(),
            temperature: backend.temperature,
            effort: backend.reasoning_effort,
            accepted: Accepted::default(),
        })
    }

    /// Whether the server is there, takes the key and has the model, in one line.
    pub async fn check(&self) -> Result<String, LlmError> {
        let found = self.endpoint.look_up::<Model>(&format!("models/{}", self.model)).await?;
        found.map_err(|refusal| self.refused(refusal))?;
        Ok(format!("Anthropic at {} has {}", self.endpoint.shown, self.model))
    }

    /// The names of the models that the server lists.
    pub async fn models(&self) -> Result<Vec<String>, LlmError> {
        let models = self.endpoint.look_up::<Models>("models?limit=1000").await?;
        models.map(Models::into_names).map_err(|refusal| self.endpoint.error(refusal))
    }

    async fn ask(&self, request: &ChatRequest) -> Result<ChatResponse, LlmError> {
        loop {
            let (body, sent) = self.question(request).into_body();
            match self.endpoint.post("messages", &body).await? {
                Reply::Answer(body) => {
                    let answer: Answer = body.json().await?;
                    return answer.into_answer().into_response(&self.endpoint, request);
                }
                Reply::Refusal(refusal) if self.accepted.learn(&refusal, &sent, &self.model) => {}
                Reply::Refusal(refusal) => return Err(self.refused(refusal)),
            }
        }
    }

    fn question<'a>(&'a self, request: &'a ChatRequest) -> Question<'a> {
        Question {
            model: &self.model,
            request,
            temperature: self.temperature.filter(|_| self.accepted.takes(Part::Temperature)),
            effort: self.effort.filter(|_| self.accepted.takes(Part::Effort)),
            own_schema: self.accepted.takes(Part::Schema),
        }
    }

    fn refused(&self, refusal: Refusal) -> LlmError {
        if refusal.status == 404 && refusal.mentions(&["model"]) {
            return self.endpoint.unknown_model(&self.model, refusal.message);
        }
        self.endpoint.error(refusal)
    }
}

#[async_trait]
impl ChatModel for Anthropic {
    fn provider(&self) -> Provider {
        Provider::Anthropic
    }

    fn model(&self) -> &str {
        &self.model
    }

    /// All of them do.
    async fn supports_tools(&self) -> Result<bool, LlmError> {
        Ok(true)
    }

    async fn chat(&self, request: &ChatRequest) -> Result<ChatResponse, LlmError> {
        self.endpoint.within(self.ask(request)).await
    }
}
