//! What the clients of [`anthropic`](super::anthropic), [`gemini`](super::gemini) and [`openai`](super::openai) share: a
//! model at an endpoint, and the options that it is asked with as far as it takes them.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::Value;
use url::Url;

use super::{
    Backend, ChatRequest, LlmError,
    capabilities::{Capabilities, Feature},
    http::{Endpoint, Reply},
    refusal::Refusal,
    response::RawResponse,
    service::Service,
};
use crate::domain::ReasoningEffort;

/// A model at an endpoint.
pub(super) struct Client {
    pub endpoint: Endpoint,
    pub model: String,
    temperature: Option<f64>,
    effort: Option<ReasoningEffort>,
    pub known: Arc<Capabilities>,
}

/// A request in JSON, and the optional features that it uses.
pub(super) type Question = (Value, Vec<Feature>);

impl Client {
    /// The model at a base URL, with the backend's key and options.
    pub fn new(backend: &Backend, base: Url, model: &str) -> Result<Self, LlmError> {
        let service = Service::of(backend.provider);
        Ok(Self {
            endpoint: Endpoint::new(service, base, backend.api_key.clone(), backend)?,
            model: model.into(),
            temperature: backend.temperature,
            effort: backend.reasoning_effort,
            known: backend.gate.capabilities(model),
        })
    }

    /// The temperature, if one is set and the model takes it.
    pub fn temperature(&self) -> Option<f64> {
        self.temperature.filter(|_| self.known.has(Feature::Temperature))
    }

    /// The effort, if one is set and the model takes it.
    pub fn effort(&self) -> Option<ReasoningEffort> {
        self.effort.filter(|_| self.known.has(Feature::Effort))
    }

    /// Asks, and asks again without each optional feature that the model refuses.
    pub async fn ask(&self, path: &str, question: impl Fn() -> Question) -> Result<Reply<'_>, LlmError> {
        loop {
            let (body, sent) = question();
            match self.endpoint.post(path, &body).await? {
                Reply::Refusal(refusal) if self.known.learn(&refusal, &sent, &self.model) => {}
                reply => return Ok(reply),
            }
        }
    }

    /// That the server is there and has the model.
    pub fn found(&self) -> String {
        format!("{} at {} has {}", self.endpoint.service.name, self.endpoint.shown, self.model)
    }

    /// What becomes of a conversation that the server refused; see [`give_up`].
    pub fn give_up(&self, refusal: Refusal, request: &ChatRequest) -> Result<RawResponse, LlmError> {
        give_up(&self.endpoint, &self.known, refusal, request, |refusal| self.refused(refusal))
    }

    /// The error of a refusal.
    pub fn refused(&self, refusal: Refusal) -> LlmError {
        if refusal.lacks_model() {
            return self.endpoint.unknown_model(&self.model, refusal.message);
        }
        self.endpoint.error(&refusal)
    }
}

/// What becomes of a conversation that a server refused: a slip of the model is a response that can't be used, a server
/// without tools is remembered, and anything else is an error.
pub(super) fn give_up(
    endpoint: &Endpoint,
    known: &Capabilities,
    refusal: Refusal,
    request: &ChatRequest,
    error: impl FnOnce(Refusal) -> LlmError,
) -> Result<RawResponse, LlmError> {
    if refusal.is_bad_call() {
        return Ok(RawResponse::bad_call(refusal.message));
    }
    if !request.tools.is_empty() && refusal.status < 500 && refusal.lacks_tools() {
        known.lacks(Feature::Tools);
        return Err(endpoint.no_tools(refusal.message));
    }
    Err(error(refusal))
}

/// A list of models as OpenAI and Anthropic give it.
#[derive(Deserialize)]
pub(super) struct Models {
    #[serde(default)]
    data: Vec<Model>,
}

/// A model as OpenAI and Anthropic give it.
#[derive(Deserialize)]
pub(super) struct Model {
    id: String,
}

impl Models {
    /// The names, as the server orders them.
    pub fn into_names(self) -> Vec<String> {
        self.data.into_iter().map(|model| model.id).collect()
    }

    pub fn have(&self, name: &str) -> bool {
        self.data.iter().any(|model| model.id == name)
    }

    /// The first few.
    pub fn in_words(&self) -> String {
        let names: Vec<_> = self.data.iter().take(10).map(|model| model.id.as_str()).collect();
        match self.data.len() {
            0 => "it has none".into(),
            all if all > names.len() => format!("it has {} and {} more", names.join(", "), all - names.len()),
            _ => format!("it has {}", names.join(", ")),
        }
    }
}
