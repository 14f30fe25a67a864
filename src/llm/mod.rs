//! Chat models behind one trait.
//!
//! An agent builds a [`ChatRequest`] and gets a [`ChatResponse`]; which provider answers is decided by [`connect`].
//! [`ollama`] speaks Ollama's native API, [`anthropic`] Messages, [`gemini`] generateContent, [`openai`] the Chat
//! Completions of all others (those three are much alike: `client`), [`rules`] needs no model at all. Those with a server
//! share what is known of the services (`service`), HTTP and its errors (`http`), the cleaning of answers (`answer`), what
//! a request may do without (`optional`), a gate before each server ([`Gate`]), a short patience with failures (`retry`)
//! and prices ([`Prices`]).
//!
//! The crate genai speaks these protocols too. It is not used: it reads an answer of any length into memory, where a job
//! may name the server, and it brings some fifty crates for the two protocols that are not Chat Completions.

mod answer;
pub mod anthropic;
mod client;
mod gate;
pub mod gemini;
mod http;
mod message;
pub mod ollama;
pub mod openai;
mod optional;
mod price;
mod refusal;
mod retry;
pub mod rules;
mod served;
mod service;

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
pub use gate::{Gate, Gates};
pub use message::{ChatRequest, ChatResponse, Finish, Message, OutputSchema, ToolCall, ToolSpec, Usage};
pub use price::Prices;
use served::Served;
use tokio::sync::mpsc::UnboundedSender;

use crate::{
    domain::{Provider, ReasoningEffort},
    egress::{OutOfReach, Reach},
};

/// A model that answers.
#[async_trait]
pub trait ChatModel: Send + Sync {
    /// Who serves it.
    fn provider(&self) -> Provider;

    /// The model's name at its provider.
    fn model(&self) -> &str;

    /// Whether it can call tools, as models of nearly all servers can. Without, an agent fetches its evidence first and
    /// puts it into the prompt.
    async fn supports_tools(&self) -> Result<bool, LlmError> {
        Ok(true)
    }

    /// Makes the model ready, which may take minutes if its server has to fetch it first; tells how far that has come,
    /// percent.
    async fn prepare(&self, _progress: &UnboundedSender<u8>) -> Result<(), LlmError> {
        Ok(())
    }

    /// One answer. Cancel-safe: a dropped call aborts the request.
    async fn chat(&self, request: &ChatRequest) -> Result<ChatResponse, LlmError>;
}

/// Where models are and how they are asked.
#[derive(Debug, Clone)]
pub struct Backend {
    pub provider: Provider,
    /// The provider's base URL, where it differs from the provider's own.
    pub base_url: Option<url::Url>,
    /// How far the base URL may lead.
    pub reach: Reach,
    pub api_key: Option<secrecy::SecretString>,
    /// The longest time for one answer.
    pub timeout: Duration,
    pub temperature: Option<f64>,
    pub reasoning_effort: Option<ReasoningEffort>,
    pub ollama: ollama::Options,
    /// The version of Azure's API.
    pub azure_api_version: String,
    /// The gate that all its models are behind.
    pub gate: Arc<Gate>,
    pub prices: Prices,
}

/// A model of a backend. It waits out failures that pass within seconds.
pub fn connect(backend: &Backend, model: &str) -> Result<Arc<dyn ChatModel>, LlmError> {
    Ok(match backend.provider {
        Provider::Rules => Arc::new(rules::Rules),
        Provider::Ollama => served(ollama::Ollama::new(backend, model)?, backend),
        Provider::Anthropic => served(anthropic::Anthropic::new(backend, model)?, backend),
        Provider::Google => served(gemini::Gemini::new(backend, model)?, backend),
        _ => served(openai::OpenAi::new(backend, model)?, backend),
    })
}

fn served(model: impl ChatModel + 'static, backend: &Backend) -> Arc<dyn ChatModel> {
    let price = backend.prices.of(backend.provider, model.model());
    Arc::new(Served { model, gate: backend.gate.clone(), price })
}

/// Whether the backend is there and has the model, in one line for the operator. It costs no tokens.
pub async fn check(backend: &Backend, model: &str) -> Result<String, LlmError> {
    match backend.provider {
        Provider::Rules => Ok("the rules need no model".into()),
        Provider::Ollama => ollama::Ollama::new(backend, model)?.check().await,
        Provider::Anthropic => anthropic::Anthropic::new(backend, model)?.check().await,
        Provider::Google => gemini::Gemini::new(backend, model)?.check().await,
        _ => openai::OpenAi::new(backend, model)?.check().await,
    }
}

/// The names of the models that the backend lists.
pub async fn models(backend: &Backend) -> Result<Vec<String>, LlmError> {
    match backend.provider {
        Provider::Rules => Ok(vec![rules::Rules.model().into()]),
        Provider::Ollama => ollama::Ollama::new(backend, "")?.models().await,
        Provider::Anthropic => anthropic::Anthropic::new(backend, "")?.models().await,
        Provider::Google => gemini::Gemini::new(backend, "")?.models().await,
        _ => openai::OpenAi::new(backend, "")?.models().await,
    }
}

/// Why a model gave no answer. Every message says what happened, where, and what to do.
#[derive(Debug, Clone, thiserror::Error)]
pub enum LlmError {
    /// No connection, or it broke.
    #[error("can't reach {provider} at {url}: {cause}; {mend}")]
    Unreachable { provider: &'static str, url: String, cause: String, mend: String },
    /// A job's URL leads where it may not.
    #[error("can't ask {provider} at {url}: {cause}")]
    OutOfReach { provider: &'static str, url: String, cause: OutOfReach },
    #[error("{provider} at {url} gave no answer within {} s; raise LLM_TIMEOUT or use a smaller model", timeout.as_secs())]
    Timeout { provider: &'static str, url: String, timeout: Duration },
    #[error("{provider} at {url} is over its rate limit: {message}")]
    RateLimited { provider: &'static str, url: String, message: String, retry_after: Option<Duration> },
    #[error("{provider} at {url} failed with {status}: {message}")]
    Server { provider: &'static str, url: String, status: u16, message: String },
    #[error("{provider} has no model {model:?}: {message}; {mend}")]
    UnknownModel { provider: &'static str, model: String, message: String, mend: String },
    #[error("{provider} at {url} refused the key: {message}; check {setting}")]
    Unauthorized { provider: &'static str, url: String, message: String, setting: &'static str },
    /// A setting is missing or unusable.
    #[error("{0}")]
    NotConfigured(String),
    /// The gate is shut after failures in a row.
    #[error("it failed {failures} times in a row and is left alone for {} s; the last time: {cause}", wait.as_secs_f64().ceil())]
    Resting { failures: u32, wait: Duration, cause: Box<LlmError> },
    /// The provider refused the request as such, for example because the prompt is longer than the context.
    #[error("{provider} at {url} refused the request with {status}: {message}")]
    Refused { provider: &'static str, url: String, status: u16, message: String },
    /// The answer can't be used: empty, cut off, or not what was asked for.
    #[error("{provider} answered, but {what}")]
    Unusable { provider: &'static str, what: String },
}

impl LlmError {
    /// Whether the same request may succeed later.
    pub fn is_transient(&self) -> bool {
        matches!(
            self,
            Self::Unreachable { .. }
                | Self::Timeout { .. }
                | Self::RateLimited { .. }
                | Self::Server { .. }
                | Self::Resting { .. }
                | Self::Unusable { .. }
        )
    }

    /// The kind in a word, for metrics.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Unreachable { .. } => "unreachable",
            Self::OutOfReach { .. } => "out_of_reach",
            Self::Timeout { .. } => "timeout",
            Self::RateLimited { .. } => "rate_limited",
            Self::Server { .. } => "server_error",
            Self::UnknownModel { .. } => "unknown_model",
            Self::Unauthorized { .. } => "unauthorized",
            Self::NotConfigured(_) => "not_configured",
            Self::Resting { .. } => "resting",
            Self::Refused { .. } => "refused",
            Self::Unusable { .. } => "unusable",
        }
    }

    /// The least wait that the provider asked for.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::RateLimited { retry_after, .. } => *retry_after,
            Self::Resting { wait, .. } => Some(*wait),
            _ => None,
        }
    }
}
