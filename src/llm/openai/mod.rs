//! Chat Completions ([`chat`]), as OpenAI and many others speak it, and OpenAI's newer Responses ([`responses`]).
//!
//! OpenAI and Azure are asked by Responses at their own addresses, all others by Chat Completions; a server that refuses a
//! model in one of them and names the other is asked by the other from then on. Only what all servers understand is sent,
//! and what a service wants otherwise is in its [`Dialect`].

mod chat;
mod dialect;
mod responses;

use async_trait::async_trait;
use chat::Outcome;
use dialect::Dialect;
use url::Url;

use super::{
    Backend, ChatModel, ChatRequest, ChatResponse, Draft, LlmError,
    capabilities::Feature,
    client::{Client, Models},
    http::{Events, Reply},
    refusal::Refusal,
    response::RawResponse,
    service::Service,
};
use crate::domain::Provider;

/// The host at which OpenAI itself is.
const OPENAI_HOST: &str = "api.openai.com";
/// The value of `AZURE_OPENAI_API_VERSION` that means the API without dated versions.
const AZURE_V1: &str = "v1";

/// A model of a server that speaks Chat Completions or Responses.
pub struct OpenAi {
    provider: Provider,
    dialect: Dialect,
    /// The protocol to begin with.
    preferred: Api,
    client: Client,
}

/// A protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Api {
    Chat,
    Responses,
}

impl OpenAi {
    /// The model at the backend. A base URL may end in the path of one of the protocols, which then is asked first.
    pub fn new(backend: &Backend, model: &str) -> Result<Self, LlmError> {
        let provider = backend.provider;
        let base = Service::of(provider).base_url(backend)?;
        let (base, preferred) = address(provider, base, model, &backend.azure_api_version);
        Ok(Self { provider, dialect: Dialect::of(provider), preferred, client: Client::new(backend, base, model)? })
    }

    /// Whether the server is there, takes the key and has the model, in one line.
    pub async fn check(&self) -> Result<String, LlmError> {
        let Client { endpoint, model, .. } = &self.client;
        match endpoint.look_up::<Models>("models").await? {
            Ok(models) if models.have(model) => Ok(self.client.found()),
            // Azure lists its models, but is asked by the names of deployments.
            Ok(models) if self.provider != Provider::Azure => Err(endpoint.unknown_model(model, models.in_words())),
            // Not every server lists its models.
            Err(refusal) if refusal.status != 404 => Err(endpoint.error(&refusal)),
            _ => Ok(format!(
                "{} at {} is there, but does not list what it serves; whether it has {model} is seen with the first job",
                endpoint.service.name, endpoint.shown
            )),
        }
    }

    /// The names of the models that the server lists.
    pub async fn models(&self) -> Result<Vec<String>, LlmError> {
        let models = self.client.endpoint.look_up::<Models>("models").await?;
        models.map(Models::into_names).map_err(|refusal| self.refused(refusal))
    }

    async fn ask(&self, request: &ChatRequest, draft: &Draft) -> Result<ChatResponse, LlmError> {
        loop {
            let api = self.api();
            let response = match api {
                Api::Chat => self.ask_chat(request, draft).await?,
                Api::Responses => self.ask_responses(request, draft).await?,
            };
            match response {
                Ok(response) => return Ok(response.into_response(request)),
                Err(refusal) if self.switches(api, &refusal) => {}
                Err(refusal) => return self.give_up(refusal, request).map(|slip| slip.into_response(request)),
            }
        }
    }

    async fn ask_chat(&self, request: &ChatRequest, draft: &Draft) -> Result<Result<RawResponse, Refusal>, LlmError> {
        let mut without_stream = false;
        loop {
            let question = || {
                let (mut body, sent) = chat::question(&self.client, request, self.dialect);
                if without_stream {
                    body["stream"] = false.into();
                    body.as_object_mut().map(|body| body.remove("stream_options"));
                }
                (body, sent)
            };
            let body = match self.client.ask("chat/completions", question).await? {
                Reply::Success(body) => body,
                Reply::Refusal(refusal) => return Ok(Err(refusal)),
            };
            match chat::read(Events::new(body), draft).await? {
                Outcome::Response(response) => return Ok(Ok(response)),
                Outcome::Refused(refusal) => return Ok(Err(refusal)),
                Outcome::NothingStreamed if without_stream => {
                    return Err(self.client.endpoint.unusable("with no choice in it"));
                }
                Outcome::NothingStreamed => without_stream = true,
            }
        }
    }

    async fn ask_responses(
        &self,
        request: &ChatRequest,
        draft: &Draft,
    ) -> Result<Result<RawResponse, Refusal>, LlmError> {
        match self.client.ask("responses", || responses::question(&self.client, request)).await? {
            Reply::Success(body) => responses::read(Events::new(body), draft).await,
            Reply::Refusal(refusal) => Ok(Err(refusal)),
        }
    }

    /// The protocol that the model is asked by.
    fn api(&self) -> Api {
        let has = |feature| self.client.known.has(feature);
        match self.preferred {
            Api::Responses if has(Feature::Responses) => Api::Responses,
            Api::Chat if !has(Feature::ChatCompletions) && has(Feature::Responses) => Api::Responses,
            _ => Api::Chat,
        }
    }

    /// Whether the refusal of one protocol leads to the other, which is remembered.
    fn switches(&self, api: Api, refusal: &Refusal) -> bool {
        let known = &self.client.known;
        match api {
            Api::Chat if refusal.names_other_api() && known.has(Feature::Responses) => {
                known.lacks(Feature::ChatCompletions);
                // Where the server has no Responses, tools are taken without an effort.
                known.lacks(Feature::EffortWithTools);
                true
            }
            // No such path: a gateway, or a model that the service behind it serves by Chat Completions alone.
            Api::Responses if matches!(refusal.status, 404 | 405 | 501) && !refusal.lacks_model() => {
                known.lacks(Feature::Responses);
                true
            }
            _ => false,
        }
    }

    fn give_up(&self, refusal: Refusal, request: &ChatRequest) -> Result<RawResponse, LlmError> {
        self.client.give_up(with_path(refusal), request)
    }

    fn refused(&self, refusal: Refusal) -> LlmError {
        self.client.refused(with_path(refusal))
    }
}

/// The refusal of a path that the server does not have says which setting holds it.
fn with_path(mut refusal: Refusal) -> Refusal {
    let of_path =
        refusal.status == 404 && !refusal.lacks_model() && !refusal.lacks_tools() && !refusal.names_other_api();
    if of_path {
        refusal.message = format!("{}; check the path in LLM_BACKEND_URL", refusal.message);
    }
    refusal
}

#[async_trait]
impl ChatModel for OpenAi {
    fn provider(&self) -> Provider {
        self.provider
    }

    fn model(&self) -> &str {
        &self.client.model
    }

    async fn supports_tools(&self) -> Result<bool, LlmError> {
        Ok(self.client.known.has(Feature::Tools))
    }

    fn prefer_schema_in_words(&self) {
        self.client.known.lacks(Feature::Schema);
        self.client.known.lacks(Feature::JsonObject);
    }

    async fn chat(&self, request: &ChatRequest, draft: &Draft) -> Result<ChatResponse, LlmError> {
        self.client.endpoint.within(self.ask(request, draft)).await
    }
}

/// The base URL without the path of a protocol, and the protocol to begin with.
fn address(provider: Provider, mut base: Url, model: &str, azure_api_version: &str) -> (Url, Api) {
    for (ending, api) in [("/responses", Api::Responses), ("/chat/completions", Api::Chat)] {
        if let Some(path) = base.path().trim_end_matches('/').strip_suffix(ending).map(ToOwned::to_owned) {
            base.set_path(&path);
            return (base, api);
        }
    }
    let own_resource = provider == Provider::Azure && base.path() == "/";
    if own_resource && azure_api_version == AZURE_V1 {
        base.set_path("/openai/v1");
        return (base, Api::Responses);
    }
    if own_resource {
        if let Ok(mut segments) = base.path_segments_mut() {
            segments.pop_if_empty().extend(["openai", "deployments", model]);
        }
        base.set_query(Some(&format!("api-version={azure_api_version}")));
    }
    let api = if base.host_str() == Some(OPENAI_HOST) { Api::Responses } else { Api::Chat };
    (base, api)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(provider: Provider, url: &str, version: &str) -> (String, Api) {
        let (base, api) = address(provider, Url::parse(url).unwrap(), "a/../b?c", version);
        (base.into(), api)
    }

    #[test]
    fn openai_and_azure_are_asked_by_responses_at_their_own_addresses() {
        let openai = |url| at(Provider::OpenAi, url, AZURE_V1).1;
        assert_eq!(openai("https://api.openai.com/v1"), Api::Responses);
        assert_eq!(openai("http://127.0.0.1:9/v1"), Api::Chat);
        let azure = |url, version| at(Provider::Azure, url, version);
        assert_eq!(
            azure("https://x.openai.azure.com", "v1"),
            ("https://x.openai.azure.com/openai/v1".into(), Api::Responses)
        );
        assert_eq!(azure("https://x/openai/v1", "v1"), ("https://x/openai/v1".into(), Api::Chat));
    }

    #[test]
    fn a_url_may_name_its_protocol() {
        let compatible = |url| at(Provider::OpenAiCompatible, url, AZURE_V1);
        assert_eq!(compatible("http://x/v1/responses"), ("http://x/v1".into(), Api::Responses));
        assert_eq!(compatible("http://x/v1/chat/completions/"), ("http://x/v1".into(), Api::Chat));
    }

    #[test]
    fn the_name_of_a_deployment_is_one_segment_of_its_path() {
        let (url, api) = at(Provider::Azure, "https://x.openai.azure.com", "2024-10-21");
        let right = "https://x.openai.azure.com/openai/deployments/a%2F..%2Fb%3Fc?api-version=2024-10-21";
        assert_eq!((url.as_str(), api), (right, Api::Chat));
    }
}
