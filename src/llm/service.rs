//! Where the service of a backend is.

use url::Url;

use super::{Backend, LlmError};
use crate::domain::Provider;
pub(super) use crate::domain::{KeyHeader, Service};

impl Service {
    /// The service of a provider.
    pub(super) fn of(provider: Provider) -> &'static Self {
        provider.service()
    }

    /// The base URL of a backend: its own as given, where a bare host gets the service's usual path; or that of the
    /// service, which may require a key.
    pub(super) fn base_url(&self, backend: &Backend) -> Result<Url, LlmError> {
        if let Some(url) = &backend.base_url {
            let mut url = url.clone();
            if url.path() == "/" {
                url.set_path(self.path);
            }
            return Ok(url);
        }
        let Some(url) = self.url else { return Err(no_url(backend.provider)) };
        if backend.api_key.is_none() && self.key_required {
            let (key, keys_at) = (self.key, self.keys_at.unwrap_or_default());
            return Err(LlmError::NotConfigured(format!("{key} is not set; make a key at {keys_at}")));
        }
        Ok(Url::parse(url).and_then(|url| url.join(self.path)).expect("the address of a service is a URL"))
    }
}

fn no_url(provider: Provider) -> LlmError {
    LlmError::NotConfigured(match provider {
        Provider::Ollama => "OLLAMA_BASE_URL is not set; it is where Ollama is: http://127.0.0.1:11434".into(),
        Provider::Azure => {
            "AZURE_OPENAI_ENDPOINT is not set; it is where your resource is: https://NAME.openai.azure.com".into()
        }
        _ => format!(
            "LLM_BACKEND_URL is not set; {} needs the server's base URL, such as http://127.0.0.1:8080/v1",
            provider.as_str()
        ),
    })
}
