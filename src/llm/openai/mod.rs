//! Chat Completions, as OpenAI and many others speak it.
//!
//! Only what all of them understand is sent, and what a service wants otherwise is in its [`Dialect`]. Where a server
//! refuses the schema of an answer, it is asked again for any JSON object, then for a text, with the schema in words.

mod completion;
mod dialect;
mod question;

use async_trait::async_trait;
use completion::{Completion, Models};
use dialect::Dialect;
use question::{Form, Question};
use url::Url;

use super::{
    Backend, ChatModel, ChatRequest, ChatResponse, LlmError,
    http::{Body, Endpoint, Reply},
    optional::{Accepted, Part},
    refusal::Refusal,
    service::Service,
};
use crate::domain::{Provider, ReasoningEffort};

/// A model of a server that speaks Chat Completions.
pub struct OpenAi {
    provider: Provider,
    endpoint: Endpoint,
    model: String,
    dialect: Dialect,
    temperature: Option<f64>,
    effort: Option<ReasoningEffort>,
    accepted: Accepted,
}

impl OpenAi {
    /// The model at the backend.
    pub fn new(backend: &Backend, model: &str) -> Result<Self, LlmError> {
        let service = Service::of(backend.provider);
        let mut base = service.base_url(backend)?;
        if backend.provider == Provider::Azure {
            base = deployment(base, model, &backend.azure_api_version);
        }
        Ok(Self {
            provider: backend.provider,
            endpoint: Endpoint::new(service, base, backend.api_key.clone(), backend.timeout)?,
            model: model.into(),
            dialect: Dialect::of(backend.provider),
            temperature: backend.temperature,
            effort: backend.reasoning_effort,
            accepted: Accepted::default(),
        })
    }

    /// Whether the server is there, takes the key and has the model, in one line.
    pub async fn check(&self) -> Result<String, LlmError> {
        let (Endpoint { service, shown, .. }, model) = (&self.endpoint, &self.model);
        match self.endpoint.look_up::<Models>("models").await? {
            Ok(models) if models.have(model) => Ok(format!("{} at {shown} has {model}", service.name)),
            Ok(models) => Err(self.endpoint.unknown_model(model, models.in_words())),
            // Not every server lists its models.
            Err(refusal) if refusal.status == 404 => Ok(format!(
                "{} at {shown} is there, but lists no models; whether it has {model} is seen with the first job",
                service.name
            )),
            Err(refusal) => Err(self.endpoint.error(refusal)),
        }
    }

    /// The names of the models that the server lists.
    pub async fn models(&self) -> Result<Vec<String>, LlmError> {
        let models = self.endpoint.look_up::<Models>("models").await?;
        models.map(Models::into_names).map_err(|refusal| self.endpoint.error(refusal))
    }

    async fn ask(&self, request: &ChatRequest) -> Result<ChatResponse, LlmError> {
        let mut form = Form::first(request);
        loop {
            let (body, sent) = self.question(request, form).into_body();
            match self.endpoint.post("chat/completions", &body).await? {
                Reply::Answer(body) => return self.read(request, body).await,
                Reply::Refusal(refusal) if self.accepted.learn(&refusal, &sent, &self.model) => {}
                Reply::Refusal(refusal) => match form.next().filter(|_| is_about_form(&refusal)) {
                    Some(next) => form = next,
                    None => return Err(self.refused(refusal)),
                },
            }
        }
    }

    fn question<'a>(&'a self, request: &'a ChatRequest, form: Form) -> Question<'a> {
        Question {
            model: &self.model,
            request,
            dialect: self.dialect,
            form,
            temperature: self.temperature.filter(|_| self.accepted.takes(Part::Temperature)),
            effort: self.effort.filter(|_| self.accepted.takes(Part::Effort)),
        }
    }

    async fn read(&self, request: &ChatRequest, body: Body<'_>) -> Result<ChatResponse, LlmError> {
        let completion: Completion = body.json().await?;
        match completion.into_answer() {
            Ok(mut answer) => {
                if !self.dialect.wants_thoughts {
                    answer.thoughts = serde_json::Value::Null;
                }
                answer.into_response(&self.endpoint, request)
            }
            Err(Some(error)) => Err(self.refused(Refusal::disguised(&error))),
            Err(None) => Err(self.endpoint.unusable("with no choice in it")),
        }
    }

    fn refused(&self, mut refusal: Refusal) -> LlmError {
        if refusal.status == 404 {
            if refusal.code == "model_not_found" || refusal.mentions(&["model"]) {
                return self.endpoint.unknown_model(&self.model, refusal.message);
            }
            refusal.message = format!("{}; check the path in LLM_BACKEND_URL", refusal.message);
        }
        self.endpoint.error(refusal)
    }
}

#[async_trait]
impl ChatModel for OpenAi {
    fn provider(&self) -> Provider {
        self.provider
    }

    fn model(&self) -> &str {
        &self.model
    }

    /// Chat Completions can't be asked; servers that speak it have tools.
    async fn supports_tools(&self) -> Result<bool, LlmError> {
        Ok(true)
    }

    async fn chat(&self, request: &ChatRequest) -> Result<ChatResponse, LlmError> {
        self.endpoint.within(self.ask(request)).await
    }
}

/// Where a deployment of an Azure resource is. A URL with a path of its own is taken as it is.
fn deployment(mut base: Url, name: &str, api_version: &str) -> Url {
    if base.path() == "/" {
        base.set_path(&format!("/openai/deployments/{name}"));
        base.set_query(Some(&format!("api-version={api_version}")));
    }
    base
}

fn is_about_form(refusal: &Refusal) -> bool {
    matches!(refusal.status, 400 | 422)
        && refusal.mentions(&["response_format", "json_schema", "json_object", "schema"])
}
