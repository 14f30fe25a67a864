//! Ollama by its native API.
//!
//! Not by its OpenAI-compatible one, which has no `num_ctx`: it would cut each prompt to the server's default context
//! without a word. Here the oldest evidence is left out of a prompt that is too long ([`trim`]), and the answer says so;
//! one that is too long without any is an error. The answer is streamed, so that a server that hangs is told from one
//! that is slow. A model that the server lacks is pulled ([`pull`]).

mod pull;
mod trim;
mod wire;

use std::sync::Arc;

use async_trait::async_trait;
pub use pull::{PullPolicy, Pulls};
use tokio::sync::{OnceCell, mpsc::UnboundedSender};
use url::Url;
use wire::{Chunk, Details, Tags, Version};

use super::{
    Backend, ChatModel, ChatRequest, ChatResponse, LlmError,
    answer::RawAnswer,
    http::{Body, Endpoint, Reply},
    optional::{Accepted, Part},
    refusal::Refusal,
    service::Service,
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
    accepted: Accepted,
}

impl Ollama {
    /// The model at the backend. The base URL may end in `/v1`, as other programs want it.
    pub fn new(backend: &Backend, model: &str) -> Result<Self, LlmError> {
        let service = Service::of(Provider::Ollama);
        let base = service.base_url(backend)?;
        Ok(Self {
            endpoint: Endpoint::new(service, without_v1(base), None, backend)?,
            model: model.into(),
            temperature: backend.temperature,
            effort: backend.reasoning_effort,
            options: backend.ollama.clone(),
            details: OnceCell::new(),
            accepted: Accepted::default(),
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
            Reply::Answer(body) => body.json().await,
            Reply::Refusal(refusal) => Err(self.refused(refusal)),
        }
    }

    async fn ask(&self, request: &ChatRequest) -> Result<ChatResponse, LlmError> {
        let mut room = trim::room(self.context());
        loop {
            let fitted = trim::fit(request, room);
            let think = wire::think(&self.model, self.effort).filter(|_| self.accepted.takes(Part::Effort));
            let body = wire::chat(&self.model, &fitted.request, self.temperature, &self.options, think);
            let answered = match self.endpoint.post("api/chat", &body).await? {
                Reply::Answer(body) => self.read(request, body).await?,
                Reply::Refusal(refusal) => Err(refusal),
            };
            match answered {
                Ok(answer) => return Ok(ChatResponse { left_out: fitted.left_out, ..answer }),
                Err(refusal) if self.accepted.learn(&refusal, &[Part::Effort], &self.model) => {}
                // The estimate was too low.
                Err(refusal) if is_too_long(&refusal) && fitted.evidence > 0 => room = fitted.size * 3 / 4,
                Err(refusal) => return Err(self.refused(refusal)),
            }
        }
    }

    /// The context that the model gets, tokens.
    fn context(&self) -> usize {
        let longest = self.details.get().and_then(Details::longest_context).unwrap_or(u64::MAX);
        usize::try_from(longest.min(self.options.num_ctx.into())).unwrap_or(usize::MAX)
    }

    async fn read(&self, request: &ChatRequest, mut body: Body<'_>) -> Result<Result<ChatResponse, Refusal>, LlmError> {
        let mut answer = RawAnswer::default();
        while let Some(line) = body.line().await? {
            let chunk: Chunk = serde_json::from_slice(&line).map_err(|e| self.endpoint.not_understood(&e))?;
            if let Some(error) = chunk.error {
                return Ok(Err(Refusal::late(chunk.status.unwrap_or(500), error)));
            }
            if chunk.add_to(&mut answer) {
                self.warn_if_full(&answer);
                return answer.into_response(&self.endpoint, request).map(Ok);
            }
        }
        Err(self.endpoint.broken_off("the connection was closed"))
    }

    /// Servers before 0.12 don't know `truncate` and cut a long prompt silently; then the context is full.
    fn warn_if_full(&self, answer: &RawAnswer) {
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
            mend: format!("pull it with `ollama pull {}`", self.model),
        }
    }

    fn refused(&self, mut refusal: Refusal) -> LlmError {
        if refusal.lacks_model() {
            return self.unknown_model(refusal.message);
        }
        if is_too_long(&refusal) {
            let num_ctx = self.options.num_ctx;
            refusal.status = 400;
            refusal.message = format!("{}; raise OLLAMA_NUM_CTX, which is {num_ctx} tokens", refusal.message);
        }
        self.endpoint.error(refusal)
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
        Ok(self.details().await?.has_tools())
    }

    async fn prepare(&self, progress: &UnboundedSender<u8>) -> Result<(), LlmError> {
        match self.details().await {
            Err(LlmError::UnknownModel { .. }) if self.options.pull == PullPolicy::Auto => self.fetch(progress).await,
            known => known.map(drop),
        }
    }

    async fn chat(&self, request: &ChatRequest) -> Result<ChatResponse, LlmError> {
        self.endpoint.within(self.ask(request)).await
    }
}

/// Whether the prompt did not fit, in the words of the native runner or of llama.cpp.
fn is_too_long(refusal: &Refusal) -> bool {
    refusal.mentions(&["context length", "context size"])
}

fn without_v1(mut url: Url) -> Url {
    let path = url.path().trim_end_matches('/');
    let path = path.strip_suffix("/v1").unwrap_or(path).to_owned();
    url.set_path(&path);
    url
}
