//! Chat Completions, as OpenAI and many others speak it.
//!
//! Only what all of them understand is sent. Where a server refuses the schema of an answer, it is asked again for any
//! JSON object, then for a text, with the schema in words.

mod wire;

use async_trait::async_trait;
use url::Url;
use wire::{Completion, Form, Models};

use super::{
    Backend, ChatModel, ChatRequest, ChatResponse, LlmError,
    http::{Body, Endpoint, Refusal, Reply, Service},
};
use crate::domain::Provider;

const OPENAI: Service = Service {
    name: "OpenAI",
    unreachable: "check this host's network, or set LLM_BACKEND_URL",
    key: "OPENAI_API_KEY",
    room: "use a model that thinks less",
};

const COMPATIBLE: Service = Service {
    name: "the OpenAI-compatible server",
    unreachable: "start it, or set LLM_BACKEND_URL",
    key: "OPENAI_COMPATIBLE_API_KEY",
    room: "give it a larger context, or use a model that thinks less",
};

/// A model of a server that speaks Chat Completions.
pub struct OpenAi {
    provider: Provider,
    endpoint: Endpoint,
    model: String,
    temperature: Option<f64>,
}

impl OpenAi {
    /// The model at the backend.
    pub fn new(backend: &Backend, model: &str) -> Result<Self, LlmError> {
        let service = if backend.provider == Provider::OpenAi { &OPENAI } else { &COMPATIBLE };
        let base = base_url(backend)?;
        Ok(Self {
            provider: backend.provider,
            endpoint: Endpoint::new(service, base, backend.api_key.clone(), backend.timeout)?,
            model: model.into(),
            temperature: backend.temperature,
        })
    }

    /// Whether the server is there, takes the key and has the model, in one line.
    pub async fn check(&self) -> Result<String, LlmError> {
        let (Endpoint { service, shown, .. }, model) = (&self.endpoint, &self.model);
        match self.endpoint.quickly(self.endpoint.get("models")).await? {
            Reply::Answer(body) => {
                let models: Models = self.endpoint.quickly(self.json(body)).await?;
                if models.have(model) {
                    return Ok(format!("{} at {shown} has {model}", service.name));
                }
                Err(self.unknown_model(models.in_words()))
            }
            // Not every server lists its models.
            Reply::Refusal(refusal) if refusal.status == 404 => Ok(format!(
                "{} at {shown} is there, but lists no models; whether it has {model} is seen with the first job",
                service.name
            )),
            Reply::Refusal(refusal) => Err(self.endpoint.error(refusal)),
        }
    }

    async fn ask(&self, request: &ChatRequest) -> Result<ChatResponse, LlmError> {
        let mut form = Form::first(request);
        loop {
            let body = wire::chat(&self.model, request, self.temperature, form);
            match self.endpoint.post("chat/completions", &body).await? {
                Reply::Answer(body) => return self.read(request, body).await,
                Reply::Refusal(refusal) => match form.next().filter(|_| is_about_form(&refusal)) {
                    Some(next) => form = next,
                    None => return Err(self.refused(refusal)),
                },
            }
        }
    }

    async fn read(&self, request: &ChatRequest, body: Body<'_>) -> Result<ChatResponse, LlmError> {
        let completion: Completion = self.json(body).await?;
        match completion.into_answer() {
            Some(answer) => answer.into_response(&self.endpoint, request),
            None => Err(self.endpoint.unusable("with no choice in it")),
        }
    }

    async fn json<T: serde::de::DeserializeOwned>(&self, body: Body<'_>) -> Result<T, LlmError> {
        serde_json::from_slice(&body.all().await?).map_err(|e| {
            let shown = &self.endpoint.shown;
            self.endpoint.unusable(format!("not as Chat Completions do ({e}); check what listens at {shown}"))
        })
    }

    fn refused(&self, mut refusal: Refusal) -> LlmError {
        if refusal.status == 404 {
            if refusal.code == "model_not_found" || refusal.mentions(&["model"]) {
                return self.unknown_model(refusal.message);
            }
            refusal.message = format!("{}; check the path in LLM_BACKEND_URL", refusal.message);
        }
        self.endpoint.error(refusal)
    }

    fn unknown_model(&self, message: String) -> LlmError {
        LlmError::UnknownModel {
            provider: self.endpoint.service.name,
            model: self.model.clone(),
            message,
            mend: "set DEEP_THINK_LLM and QUICK_THINK_LLM to models that it has".into(),
        }
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

/// The base URL as given; a bare host gets the usual `/v1`.
fn base_url(backend: &Backend) -> Result<Url, LlmError> {
    let not_set = |what: &str| Err(LlmError::NotConfigured(what.into()));
    match &backend.base_url {
        Some(url) => {
            let mut url = url.clone();
            if url.path() == "/" {
                url.set_path("/v1");
            }
            Ok(url)
        }
        None if backend.provider != Provider::OpenAi => not_set(
            "LLM_BACKEND_URL is not set; openai_compatible needs the server's base URL, such as \
             http://127.0.0.1:8080/v1",
        ),
        None if backend.api_key.is_none() => {
            not_set("OPENAI_API_KEY is not set; make a key at https://platform.openai.com/api-keys")
        }
        None => Ok(Url::parse("https://api.openai.com/v1").expect("the address of OpenAI is a URL")),
    }
}

fn is_about_form(refusal: &Refusal) -> bool {
    matches!(refusal.status, 400 | 422)
        && refusal.mentions(&["response_format", "json_schema", "json_object", "schema"])
}
