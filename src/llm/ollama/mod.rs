//! Ollama by its native API.
//!
//! Not by its OpenAI-compatible one, which has no `num_ctx`: it would cut each prompt to the server's default context
//! without a word. Here the server is told to refuse a prompt that is too long, and the oldest evidence is left out of it
//! ([`trim`]). A model that the server lacks is pulled ([`pull`]).

mod pull;
mod wire;

use std::sync::Arc;

use async_trait::async_trait;
pub use pull::{PullPolicy, Pulls};
use tokio::sync::{OnceCell, mpsc::UnboundedSender};
use url::Url;
use wire::{Chunk, Details, Tags, Version};

use super::{
    Backend, ChatModel, ChatRequest, ChatResponse, Draft, Finish, LlmError, OutputSchema,
    capabilities::{Capabilities, Feature},
    client::give_up,
    http::{Body, Endpoint, Reply},
    refusal::Refusal,
    response::{MAX_TEXT, RawResponse, lenient, too_long},
    service::Service,
    trim,
};
use crate::domain::{Provider, ReasoningEffort};

/// Settings of an Ollama server.
#[derive(Debug, Clone)]
pub struct Options {
    /// The context window, tokens. One value for all requests: another makes the server load the model again.
    pub num_ctx: u32,
    /// How long the server keeps the model in memory after a request, as Ollama writes it: `30m`, `-1`.
    pub keep_alive: String,
    pub pull: PullPolicy,
    /// Shared by all jobs, so that none pulls what another does.
    pub pulls: Arc<Pulls>,
}

/// A model of an Ollama server.
pub struct Ollama {
    endpoint: Endpoint,
    model: String,
    temperature: Option<f64>,
    effort: Option<ReasoningEffort>,
    options: Options,
    /// What the server knows of the model, once asked.
    details: OnceCell<Details>,
    known: Arc<Capabilities>,
}

impl Ollama {
    /// The model at the backend. The base URL may end in `/v1`, as other programs want it.
    pub fn new(backend: &Backend, model: &str) -> Result<Self, LlmError> {
        let service = Service::of(Provider::Ollama);
        let base = service.base_url(backend)?;
        Ok(Self {
            endpoint: Endpoint::new(service, without_v1(base), backend.api_key.clone(), backend)?,
            model: model.into(),
            temperature: backend.temperature,
            effort: backend.reasoning_effort,
            options: backend.ollama.clone(),
            details: OnceCell::new(),
            known: backend.gate.capabilities(model),
        })
    }

    /// Whether the server is there, has the model, and what the model can do, in one line.
    pub async fn check(&self) -> Result<String, LlmError> {
        let version: Version = self.endpoint.look_up("api/version").await?.map_err(|refusal| self.refused(refusal))?;
        let details = match self.details().await {
            Err(LlmError::UnknownModel { .. }) if self.options.pull == PullPolicy::Auto => {
                let (version, shown, model) = (version.version, &self.endpoint.shown, &self.model);
                return Ok(format!("Ollama {version} at {shown} lacks {model}; the first job has it pulled"));
            }
            details => details?,
        };
        let tools = if details.has_tools() {
            "it calls tools"
        } else {
            "it can't call tools, so the analysts get their evidence in the prompt"
        };
        Ok(format!(
            "Ollama {} at {} has {}; {tools}; {}",
            version.version,
            self.endpoint.shown,
            self.model,
            details.context(self.options.num_ctx)
        ))
    }

    /// The names of the models that the server has.
    pub async fn models(&self) -> Result<Vec<String>, LlmError> {
        let tags = self.endpoint.look_up::<Tags>("api/tags").await?;
        tags.map(Tags::into_names).map_err(|refusal| self.refused(refusal))
    }

    async fn details(&self) -> Result<&Details, LlmError> {
        self.details.get_or_try_init(|| self.endpoint.quickly(self.show())).await
    }

    async fn show(&self) -> Result<Details, LlmError> {
        match self.endpoint.post("api/show", &wire::show(&self.model)).await? {
            Reply::Success(body) => body.json().await,
            Reply::Refusal(refusal) => Err(self.refused(refusal)),
        }
    }

    async fn ask(&self, request: &ChatRequest, draft: &Draft) -> Result<ChatResponse, LlmError> {
        let words = |schema: &OutputSchema| OutputSchema { in_words: true, ..schema.clone() };
        let schema = request.schema.as_ref();
        let schema = if self.known.has(Feature::Schema) { schema.cloned() } else { schema.map(words) };
        let fitting = ChatRequest { schema, ..request.clone() };
        loop {
            let think = wire::think(&self.model, self.effort).filter(|_| self.known.has(Feature::ThinkingSwitch));
            let body = wire::chat(&self.model, &fitting, self.temperature, &self.options, think);
            let response = match self.endpoint.post("api/chat", &body).await? {
                Reply::Success(body) => self.read(body, draft).await?,
                Reply::Refusal(refusal) => Err(refusal),
            };
            match response {
                Ok(response) => return Ok(response.into_response(request)),
                Err(refusal) if self.known.learn(&refusal, &[Feature::ThinkingSwitch], &self.model) => {}
                Err(refusal) => {
                    let slip = give_up(&self.endpoint, &self.known, refusal, request, |refusal| self.refused(refusal))?;
                    return Ok(slip.into_response(request));
                }
            }
        }
    }

    /// The context that the model gets, tokens.
    fn context(&self) -> usize {
        let longest = self.details.get().and_then(Details::longest_context).unwrap_or(u64::MAX);
        usize::try_from(longest.min(self.options.num_ctx.into())).unwrap_or(usize::MAX)
    }

    async fn read(&self, mut body: Body<'_>, draft: &Draft) -> Result<Result<RawResponse, Refusal>, LlmError> {
        let mut response = RawResponse::default();
        while let Some(line) = body.line().await? {
            if line.trim_ascii().is_empty() {
                continue;
            }
            let chunk = Chunk(lenient(&line).map_err(|e| self.endpoint.not_understood(&e))?);
            if let Some(error) = chunk.error() {
                return Ok(Err(Refusal::disguised(error)));
            }
            if !chunk.is_one() {
                return Err(self
                    .endpoint
                    .unusable(format!("not in the form of its API; check what listens at {}", self.endpoint.shown)));
            }
            body.begin();
            if chunk.add_to(&mut response, draft) {
                self.warn_if_full(&response);
                return Ok(Ok(response));
            }
            if response.text.len() > MAX_TEXT {
                response.finish = Finish::Interrupted(too_long());
                return Ok(Ok(response));
            }
        }
        Err(self.endpoint.broken_off("the connection was closed"))
    }

    /// Servers before 0.12 don't know `truncate` and cut a long prompt silently; then the context is full.
    fn warn_if_full(&self, answer: &RawResponse) {
        let (tokens, num_ctx) = (answer.usage.tokens_in + answer.usage.tokens_out, self.options.num_ctx);
        if tokens >= num_ctx.into() {
            tracing::warn!(model = self.model, tokens, num_ctx, "the context is full; raise OLLAMA_NUM_CTX");
        }
    }

    fn unknown_model(&self, message: String) -> LlmError {
        LlmError::UnknownModel {
            provider: self.endpoint.service.name,
            model: self.model.clone(),
            message,
            hint: format!("pull it with `ollama pull {}`", self.model),
        }
    }

    fn refused(&self, mut refusal: Refusal) -> LlmError {
        if refusal.lacks_model() {
            return self.unknown_model(refusal.message);
        }
        if refusal.is_too_long() {
            // Of some versions it has the status of a failure.
            refusal.status = 400;
        }
        if refusal.status == 412 || refusal.mentions(&["newer version of ollama"]) {
            refusal.message = format!("{}; update Ollama, in the compose stack by OLLAMA_IMAGE", refusal.message);
        }
        self.endpoint.error(&refusal)
    }
}

#[async_trait]
impl ChatModel for Ollama {
    fn provider(&self) -> Provider {
        Provider::Ollama
    }

    fn model(&self) -> &str {
        &self.model
    }

    async fn supports_tools(&self) -> Result<bool, LlmError> {
        Ok(self.known.has(Feature::Tools) && self.details().await?.has_tools())
    }

    fn room(&self) -> Option<usize> {
        Some(trim::room(self.context()))
    }

    fn prefer_schema_in_words(&self) {
        self.known.lacks(Feature::Schema);
    }

    async fn prepare(&self, progress: &UnboundedSender<u8>) -> Result<(), LlmError> {
        match self.details().await {
            Err(LlmError::UnknownModel { .. }) if self.options.pull == PullPolicy::Auto => self.fetch(progress).await,
            known => known.map(drop),
        }
    }

    async fn chat(&self, request: &ChatRequest, draft: &Draft) -> Result<ChatResponse, LlmError> {
        self.endpoint.within(self.ask(request, draft)).await
    }
}

fn without_v1(mut url: Url) -> Url {
    let path = url.path().trim_end_matches('/');
    let path = path.strip_suffix("/v1").unwrap_or(path).to_owned();
    url.set_path(&path);
    url
}
