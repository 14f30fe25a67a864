//! Amazon Bedrock, by the Converse API, which is the same for the models of all makers.
//!
//! Requests carry a Bedrock API key (`Authorization: Bearer`), or a signature by the key of an IAM user or role
//! ([`sign`]). Converse takes a base of parameters for all models; what families of models take beyond it is in
//! [`family`], and what single models turn out to refuse is learned (`capabilities`). Responses come whole: `ConverseStream`
//! has a binary framing that nothing else here needs. Models run at
//! `bedrock-runtime.{region}.amazonaws.com`; `bedrock.{region}.amazonaws.com` lists them.

mod family;
mod fault;
mod reply;
mod request;
mod sign;

use std::sync::Arc;

use async_trait::async_trait;
use family::Family;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reply::{Converse, Models, Profiles};
use request::request;
use serde::de::IgnoredAny;
pub(super) use sign::Signer;
pub use sign::{AccessKey, Credentials, Options};
use url::Url;

use super::{
    Backend, ChatModel, ChatRequest, ChatResponse, Draft, LlmError,
    capabilities::Feature,
    client::{Client, give_up},
    http::{Endpoint, Reply},
    refusal::Refusal,
    service::Service,
};
use crate::domain::Provider;

/// All characters of a path segment but the unreserved ones (RFC 3986, 2.3), as Amazon's own clients encode them.
const SEGMENT: AsciiSet = NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A model on Bedrock, named by its id, an inference profile, or the ARN of either.
pub struct Bedrock {
    client: Client,
    family: Family,
    signer: Option<Arc<Signer>>,
    /// The server that lists models.
    catalogue: Endpoint,
}

impl Bedrock {
    /// The model at the backend.
    pub fn new(backend: &Backend, model: &str) -> Result<Self, LlmError> {
        let base = base_url(backend)?;
        // A Bedrock API key goes before a signature.
        let signer =
            if backend.api_key.is_some() { None } else { Signer::new(&credentials_for(&base, &backend.bedrock))? };
        let signer = signer.map(Arc::new);
        let catalogue =
            Endpoint::new(Service::of(Provider::Bedrock), catalogue(&base), backend.api_key.clone(), backend)?;
        let mut client = Client::new(backend, base, model)?;
        client.endpoint = client.endpoint.signed_by(signer.clone());
        let catalogue = catalogue.signed_by(signer.clone());
        Ok(Self { client, family: Family::of(model), signer, catalogue })
    }

    /// Whether the server is there, takes the key and has the model, in one line.
    pub async fn check(&self) -> Result<String, LlmError> {
        let model = encoded(&self.client.model);
        let mut refusal = None;
        for kind in ["inference-profiles", "foundation-models"] {
            match self.catalogue.look_up::<IgnoredAny>(&format!("{kind}/{model}")).await? {
                Ok(_) => return Ok(self.client.found()),
                Err(refused) if is_unlisted(&refused) => refusal = Some(refused),
                Err(refused) => return self.unchecked(refused),
            }
        }
        let refusal = refusal.expect("each of the two was refused");
        self.unchecked(refusal)
    }

    /// The result of a check whose look-up was refused. Many keys may only call models, and many gateways don't list any;
    /// neither is a fault.
    fn unchecked(&self, refusal: Refusal) -> Result<String, LlmError> {
        let reason = if refusal.mentions(&["not authorized to perform"]) {
            "the key may not look it up (bedrock:GetInferenceProfile, bedrock:GetFoundationModel)"
        } else if refusal.code == "unknownoperationexception"
            || refusal.code.is_empty() && matches!(refusal.status, 404 | 405 | 501)
        {
            "the server lists no models"
        } else {
            return Err(self.refused(refusal));
        };
        let Endpoint { service, shown, .. } = &self.client.endpoint;
        Ok(format!("{} at {shown} answers; whether it has {} is not known: {reason}", service.name, self.client.model))
    }

    /// The ids of the models and inference profiles that the server lists.
    pub async fn models(&self) -> Result<Vec<String>, LlmError> {
        let profiles = self.catalogue.look_up::<Profiles>("inference-profiles?maxResults=1000").await?;
        let models = self.catalogue.look_up::<Models>("foundation-models?byOutputModality=TEXT").await?;
        let mut ids = profiles.map_err(|refusal| self.refused(refusal))?.into_ids();
        ids.extend(models.map_err(|refusal| self.refused(refusal))?.into_ids());
        Ok(ids)
    }

    async fn ask(&self, asked: &ChatRequest, draft: &Draft) -> Result<ChatResponse, LlmError> {
        let path = format!("model/{}/converse", encoded(&self.client.model));
        let response = match self.client.ask(&path, || request(&self.client, self.family, asked)).await? {
            Reply::Success(body) => body.json::<Converse>().await?.into_response(draft),
            Reply::Refusal(refusal) => {
                give_up(&self.client.endpoint, &self.client.known, refusal, asked, |refusal| self.refused(refusal))?
            }
        };
        Ok(response.into_response(asked))
    }

    fn refused(&self, refusal: Refusal) -> LlmError {
        let settings = self.signer.as_ref().map_or(self.client.endpoint.service.key, |signer| signer.settings);
        fault::error(&self.client, settings, refusal)
    }
}

#[async_trait]
impl ChatModel for Bedrock {
    fn provider(&self) -> Provider {
        Provider::Bedrock
    }

    fn model(&self) -> &str {
        &self.client.model
    }

    async fn supports_tools(&self) -> Result<bool, LlmError> {
        Ok(self.client.known.has(Feature::Tools))
    }

    fn prefer_schema_in_words(&self) {
        self.client.known.lacks(Feature::Schema);
    }

    async fn chat(&self, request: &ChatRequest, draft: &Draft) -> Result<ChatResponse, LlmError> {
        self.client.endpoint.within(self.ask(request, draft)).await
    }
}

/// The base URL: the backend's, or that of the region.
fn base_url(backend: &Backend) -> Result<Url, LlmError> {
    let service = Service::of(Provider::Bedrock);
    if backend.base_url.is_some() {
        return service.base_url(backend);
    }
    if let (None, Credentials::None, Some(keys_at)) = (&backend.api_key, &backend.bedrock.credentials, service.keys_at)
    {
        return Err(LlmError::NotConfigured(format!("{} is not set; make a key at {keys_at}", service.key)));
    }
    let region = &backend.bedrock.region;
    let is_name = !region.is_empty() && region.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    let domain = match region {
        region if region.starts_with("cn-") => "amazonaws.com.cn",
        region if region.starts_with("eusc-") => "amazonaws.eu",
        _ => "amazonaws.com",
    };
    let url = Url::parse(&format!("https://bedrock-runtime.{region}.{domain}")).ok().filter(|_| is_name);
    url.ok_or_else(|| {
        LlmError::NotConfigured(format!("BEDROCK_REGION is {region:?}, which is not a region's name; us-east-1 is one"))
    })
}

/// The server that lists the models which the server at `base` runs. Gateways have both at one address.
fn catalogue(base: &Url) -> Url {
    let mut url = base.clone();
    let host = base.host_str().unwrap_or_default();
    if let Some(rest) = host.strip_prefix("bedrock-runtime") {
        let host = format!("bedrock{rest}");
        // It can't fail: the new host is a name as the old one was.
        let _ = url.set_host(Some(&host));
    }
    url
}

/// The options for a server. The role of an EC2 instance signs for Amazon's own hosts only, so that a gateway without a
/// key is asked without one.
fn credentials_for(base: &Url, options: &Options) -> Options {
    let host = base.host_str().unwrap_or_default();
    let is_amazon =
        [".amazonaws.com", ".amazonaws.com.cn", ".amazonaws.eu", ".api.aws"].iter().any(|end| host.ends_with(end));
    match options.credentials {
        Credentials::Role if !is_amazon => Options { credentials: Credentials::None, ..options.clone() },
        _ => options.clone(),
    }
}

fn encoded(model: &str) -> String {
    utf8_percent_encode(model, &SEGMENT).to_string()
}

/// Whether the catalogue does not list a model under this kind. An id of the other kind is not even well-formed.
fn is_unlisted(refusal: &Refusal) -> bool {
    refusal.status == 404 || refusal.code == "validationexception"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arn_is_one_segment_of_the_path() {
        let arn = "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.anthropic.claude-sonnet-4-6-v1:0";
        assert_eq!(
            encoded(arn),
            "arn%3Aaws%3Abedrock%3Aus-east-1%3A123456789012%3Ainference-profile%2Fus.anthropic.claude-sonnet-4-6-v1%3A0"
        );
    }

    #[test]
    fn models_are_listed_beside_the_server_that_runs_them() {
        for (runtime, lists) in [
            ("https://bedrock-runtime.us-east-1.amazonaws.com/", "https://bedrock.us-east-1.amazonaws.com/"),
            ("https://bedrock-runtime-fips.us-east-1.amazonaws.com/", "https://bedrock-fips.us-east-1.amazonaws.com/"),
            ("http://gateway.example:8080/aws", "http://gateway.example:8080/aws"),
        ] {
            assert_eq!(catalogue(&runtime.parse().unwrap()).as_str(), lists);
        }
    }
}
