//! What the settings say of each provider of models, and of the URLs that jobs name.

use secrecy::SecretString;
use url::Url;

use super::Config;
use crate::{domain::Provider, egress::Reach};

impl Config {
    /// The key of a provider; none if it needs none, or it is not set.
    pub fn api_key(&self, provider: Provider) -> Option<&SecretString> {
        self.provider_keys.get(provider)
    }

    /// The base URL of a provider, where it differs from the provider's own. `LLM_BACKEND_URL` is that of `LLM_PROVIDER`
    /// alone.
    pub fn base_url(&self, provider: Provider) -> Option<Url> {
        let set = self.llm_backend_url.as_ref().filter(|_| provider == self.llm_provider);
        set.map(|url| url.as_url().clone()).or_else(|| match provider {
            Provider::Ollama => Some(self.ollama_base_url.expose().clone()),
            Provider::Azure => self.azure_openai_endpoint.clone(),
            _ => None,
        })
    }

    /// How far a URL that a job names may lead.
    pub fn reach(&self) -> Reach {
        if self.allow_private_urls { Reach::Anywhere } else { Reach::Public }
    }

    /// How far a base URL that a job names may lead. One that is the operator's too may be anywhere.
    pub fn backend_reach(&self, provider: Provider, url: &Url) -> Reach {
        if self.base_url(provider).as_ref() == Some(url) { Reach::Anywhere } else { self.reach() }
    }
}
