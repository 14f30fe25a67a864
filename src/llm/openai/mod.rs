//! Chat Completions, as OpenAI and many others speak it.
//!
//! Only what all of them understand is sent, and what a service wants otherwise is in its [`Dialect`]. Where a server
//! refuses the schema of an answer, it is asked again for any JSON object, then for a text, with the schema in words.

mod completion;
mod dialect;
mod question;

use async_trait::async_trait;
use completion::Completion;
use dialect::Dialect;
use question::{Form, question};
use url::Url;

use super::{
    Backend, ChatModel, ChatRequest, ChatResponse, LlmError,
    client::{Client, Models},
    http::{Body, Reply},
    refusal::Refusal,
    service::Service,
};
use crate::domain::Provider;

/// A model of a server that speaks Chat Completions.
pub struct OpenAi {
    provider: Provider,
    dialect: Dialect,
    client: Client,
}

impl OpenAi {
    /// The model at the backend.
    pub fn new(backend: &Backend, model: &str) -> Result<Self, LlmError> {
        let provider = backend.provider;
        let mut base = Service::of(provider).base_url(backend)?;
        if provider == Provider::Azure {
            base = deployment(base, model, &backend.azure_api_version);
        }
        Ok(Self { provider, dialect: Dialect::of(provider), client: Client::new(backend, base, model)? })
    }

    /// Whether the server is there, takes the key and has the model, in one line.
    pub async fn check(&self) -> Result<String, LlmError> {
        let Client { endpoint, model, .. } = &self.client;
        match endpoint.look_up::<Models>("models").await? {
            Ok(models) if models.have(model) => Ok(self.client.found()),
            Ok(models) => Err(endpoint.unknown_model(model, models.in_words())),
            // Not every server lists its models.
            Err(refusal) if refusal.status == 404 => Ok(format!(
                "{} at {} is there, but lists no models; whether it has {model} is seen with the first job",
                endpoint.service.name, endpoint.shown
            )),
            Err(refusal) => Err(endpoint.error(refusal)),
        }
    }

    /// The names of the models that the server lists.
    pub async fn models(&self) -> Result<Vec<String>, LlmError> {
        let models = self.client.endpoint.look_up::<Models>("models").await?;
        models.map(Models::into_names).map_err(|refusal| self.refused(refusal))
    }

    async fn ask(&self, request: &ChatRequest) -> Result<ChatResponse, LlmError> {
        let mut form = Form::first(request);
        loop {
            let question = || question(&self.client, request, self.dialect, form);
            match self.client.ask("chat/completions", question).await? {
                Reply::Answer(body) => return self.read(request, body).await,
                Reply::Refusal(refusal) => match form.next().filter(|_| is_about_form(&refusal)) {
                    Some(next) => form = next,
                    None => return Err(self.refused(refusal)),
                },
            }
        }
    }

    async fn read(&self, request: &ChatRequest, body: Body<'_>) -> Result<ChatResponse, LlmError> {
        let completion: Completion = body.json().await?;
        match completion.into_answer() {
            Ok(mut answer) => {
                if !self.dialect.wants_thoughts {
                    answer.thoughts = serde_json::Value::Null;
                }
                answer.into_response(&self.client.endpoint, request)
            }
            Err(Some(error)) => Err(self.refused(Refusal::disguised(&error))),
            Err(None) => Err(self.client.endpoint.unusable("with no choice in it")),
        }
    }

    fn refused(&self, mut refusal: Refusal) -> LlmError {
        if refusal.status == 404 && !refusal.lacks_model() {
            refusal.message = format!("{}; check the path in LLM_BACKEND_URL", refusal.message);
        }
        self.client.refused(refusal)
    }
}

#[async_trait]
impl ChatModel for OpenAi {
    fn provider(&self) -> Provider {
        self.provider
    }

    fn model(&self) -> &str {
        &self.client.model
    }

    async fn chat(&self, request: &ChatRequest) -> Result<ChatResponse, LlmError> {
        self.client.endpoint.within(self.ask(request)).await
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
