//! Google's Gemini, by generateContent.
//!
//! A model that thinks signs its tool calls and wants the signatures back, so such an answer stays in the conversation
//! as it came.

mod wire;

use async_trait::async_trait;
use wire::{Answer, Model, Models, Question};

use super::{
    Backend, ChatModel, ChatRequest, ChatResponse, LlmError,
    http::{Body, Endpoint, Reply},
    optional::{Accepted, Part},
    refusal::Refusal,
    service::Service,
};
use crate::domain::{Provider, ReasoningEffort};

/// A Gemini model.
pub struct Gemini {
    endpoint: Endpoint,
    model: String,
    temperature: Option<f64>,
    effort: Option<ReasoningEffort>,
    accepted: Accepted,
}

impl Gemini {
    /// The model at the backend. Its name may begin with `models/`, as Google lists it.
    pub fn new(backend: &Backend, model: &str) -> Result<Self, LlmError> {
        let service = Service::of(Provider::Google);
        let base = service.base_url(backend)?;
        Ok(Self {
            endpoint: Endpoint::new(service, base, backend.api_key.clone(), backend.timeout)?,
            model: model.trim_start_matches("models/").into(),
            temperature: backend.temperature,
            effort: backend.reasoning_effort,
            accepted: Accepted::default(),
        })
    }

    /// Whether the server is there, takes the key and has the model, in one line.
    pub async fn check(&self) -> Result<String, LlmError> {
        let found = self.endpoint.look_up::<Model>(&format!("models/{}", self.model)).await?;
        found.map_err(|refusal| self.refused(refusal))?;
        Ok(format!("Google at {} has {}", self.endpoint.shown, self.model))
    }

    /// The names of the models that the server lists.
    pub async fn models(&self) -> Result<Vec<String>, LlmError> {
        let models = self.endpoint.look_up::<Models>("models?pageSize=1000").await?;
        models.map(Models::into_names).map_err(|refusal| self.refused(refusal))
    }

    async fn ask(&self, request: &ChatRequest) -> Result<ChatResponse, LlmError> {
        loop {
            let (body, sent) = self.question(request).into_body();
            match self.endpoint.post(&format!("models/{}:generateContent", self.model), &body).await? {
                Reply::Answer(body) => return self.read(request, body).await,
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

    async fn read(&self, request: &ChatRequest, body: Body<'_>) -> Result<ChatResponse, LlmError> {
        let answer: Answer = body.json().await?;
        match answer.into_answer() {
            Ok(answer) => answer.into_response(&self.endpoint, request),
            Err(reason) => Err(self.endpoint.unusable(format!("would not say anything: {reason}"))),
        }
    }

    fn refused(&self, mut refusal: Refusal) -> LlmError {
        if refusal.status == 404 && refusal.mentions(&["model"]) {
            return self.endpoint.unknown_model(&self.model, refusal.message);
        }
        // A wrong key has the status of a wrong request.
        if refusal.status == 400 && refusal.mentions(&["api key"]) {
            refusal.status = 401;
        }
        self.endpoint.error(refusal)
    }
}

#[async_trait]
impl ChatModel for Gemini {
    fn provider(&self) -> Provider {
        Provider::Google
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
