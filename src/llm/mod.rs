//! Chat models behind one trait.
//!
//! An agent builds a [`ChatRequest`] and gets a [`ChatResponse`]; [`connect`] decides which provider answers. [`ollama`]
//! speaks Ollama's native API, [`anthropic`] Messages, [`gemini`] generateContent, [`bedrock`] Converse, [`openai`] Chat
//! Completions and Responses for all others; [`rules`] needs no model at all.
//!
//! Clients share the table of services (`service`), HTTP and its failures (`http`, `refusal`), what a server and model are
//! known to accept (`capabilities`), and the cleaning of what models write (`response`). Around each client, `served` adds
//! what holds for all: the gate before a server ([`Gate`]), retries (`retry`), trimming to the context (`trim`) and prices
//! ([`Prices`]). The [`catalog`] has the facts on known models.
//!
//! The crate genai speaks these protocols too. It is not used: it reads a response of any length into memory, where a job
//! may name the server, and it brings some fifty crates.

pub mod anthropic;
pub mod bedrock;
mod capabilities;
pub mod catalog;
mod client;
mod draft;
mod error;
mod gate;
pub mod gemini;
mod http;
mod message;
pub mod ollama;
pub mod openai;
mod price;
mod refusal;
mod response;
mod retry;
pub mod rules;
mod schema;
mod served;
mod service;
mod trim;

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
pub use draft::Draft;
pub use error::LlmError;
pub use gate::{Gate, Gates};
pub use message::{ChatRequest, ChatResponse, Finish, Message, OutputSchema, ToolCall, ToolSpec, Usage};
pub use price::{Prices, price_source};
use served::Served;
use tokio::sync::mpsc::UnboundedSender;

use crate::{
    domain::{Provider, ReasoningEffort},
    egress::Reach,
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

    /// Makes the model ready, which may take minutes if its server has to fetch it first; reports the progress in
    /// percent.
    async fn prepare(&self, _progress: &UnboundedSender<u8>) -> Result<(), LlmError> {
        Ok(())
    }

    /// How many bytes of conversation its context holds; none if that is not known before it refuses one.
    fn room(&self) -> Option<usize> {
        None
    }

    /// The model ignored a schema and answered as asked once it was told in words: it gets schemas in words from now on.
    fn prefer_schema_in_words(&self) {}

    /// One response, written to `draft` as it comes. Cancel-safe: a dropped call aborts the request.
    async fn chat(&self, request: &ChatRequest, draft: &Draft) -> Result<ChatResponse, LlmError>;
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
    pub bedrock: bedrock::Options,
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
        Provider::Bedrock => served(bedrock::Bedrock::new(backend, model)?, backend),
        _ => served(openai::OpenAi::new(backend, model)?, backend),
    })
}

fn served(model: impl ChatModel + 'static, backend: &Backend) -> Arc<dyn ChatModel> {
    let price = price::known(&backend.prices, backend.provider, model.model()).map(|(price, _)| price);
    Arc::new(Served { model, gate: backend.gate.clone(), price })
}

/// Whether the backend is there and has the model, in one line for the operator. It costs no tokens.
pub async fn check(backend: &Backend, model: &str) -> Result<String, LlmError> {
    match backend.provider {
        Provider::Rules => Ok("the rules need no model".into()),
        Provider::Ollama => ollama::Ollama::new(backend, model)?.check().await,
        Provider::Anthropic => anthropic::Anthropic::new(backend, model)?.check().await,
        Provider::Google => gemini::Gemini::new(backend, model)?.check().await,
        Provider::Bedrock => bedrock::Bedrock::new(backend, model)?.check().await,
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
        Provider::Bedrock => bedrock::Bedrock::new(backend, "")?.models().await,
        _ => openai::OpenAi::new(backend, "")?.models().await,
    }
}
