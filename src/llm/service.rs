//! The services that serve models: where each is, and what lets a program in.

use url::Url;

use super::{Backend, LlmError};
use crate::domain::Provider;

/// A kind of server, as requests reach it and error messages speak of it.
pub(super) struct Service {
    pub name: &'static str,
    /// Its base URL, if it has one for all.
    pub url: Option<&'static str>,
    /// The path of its base URL where only a host is given.
    pub path: &'static str,
    /// The setting that it is let in by.
    pub key: &'static str,
    /// Where keys are made; none if it may be used without.
    pub keys_at: Option<&'static str>,
    /// The header that the key goes into.
    pub key_header: KeyHeader,
    /// Headers that every request has.
    pub headers: &'static [(&'static str, &'static str)],
    /// What to do if it can't be reached.
    pub unreachable: &'static str,
    /// What to do if an answer has no room.
    pub room: &'static str,
}

/// How a key is shown.
#[derive(Clone, Copy)]
pub(super) enum KeyHeader {
    /// `Authorization: Bearer KEY`.
    Bearer,
    /// The key alone, in a header of this name.
    Named(&'static str),
}

const OLLAMA: Service = Service {
    name: "Ollama",
    url: None,
    path: "/",
    key: "the user and password in OLLAMA_BASE_URL",
    keys_at: None,
    key_header: KeyHeader::Bearer,
    headers: &[],
    unreachable: "start it with `ollama serve` or set OLLAMA_BASE_URL",
    room: "raise OLLAMA_NUM_CTX, or use a model that thinks less",
};

const COMPATIBLE: Service = Service {
    name: "the OpenAI-compatible server",
    url: None,
    path: "/v1",
    key: "OPENAI_COMPATIBLE_API_KEY",
    keys_at: None,
    key_header: KeyHeader::Bearer,
    headers: &[],
    unreachable: "start it, or set LLM_BACKEND_URL",
    room: "give it a larger context, or use a model that thinks less",
};

const OPENAI: Service =
    hosted("OpenAI", "https://api.openai.com", "/v1", "OPENAI_API_KEY", "https://platform.openai.com/api-keys");
const ANTHROPIC: Service = Service {
    key_header: KeyHeader::Named("x-api-key"),
    // The only version of the API so far; without it no request is answered.
    headers: &[("anthropic-version", "2023-06-01")],
    ..hosted(
        "Anthropic",
        "https://api.anthropic.com",
        "/v1",
        "ANTHROPIC_API_KEY",
        "https://console.anthropic.com/settings/keys",
    )
};
const GOOGLE: Service = Service {
    key_header: KeyHeader::Named("x-goog-api-key"),
    ..hosted(
        "Google",
        "https://generativelanguage.googleapis.com",
        "/v1beta",
        "GOOGLE_API_KEY",
        "https://aistudio.google.com/apikey",
    )
};
const XAI: Service = hosted("xAI", "https://api.x.ai", "/v1", "XAI_API_KEY", "https://console.x.ai");
const OPENROUTER: Service =
    hosted("OpenRouter", "https://openrouter.ai", "/api/v1", "OPENROUTER_API_KEY", "https://openrouter.ai/keys");
const DEEPSEEK: Service =
    hosted("DeepSeek", "https://api.deepseek.com", "/v1", "DEEPSEEK_API_KEY", "https://platform.deepseek.com/api_keys");
const GROQ: Service =
    hosted("Groq", "https://api.groq.com", "/openai/v1", "GROQ_API_KEY", "https://console.groq.com/keys");
const MISTRAL: Service =
    hosted("Mistral", "https://api.mistral.ai", "/v1", "MISTRAL_API_KEY", "https://console.mistral.ai/api-keys");
const QWEN: Service = hosted(
    "DashScope",
    "https://dashscope-intl.aliyuncs.com",
    "/compatible-mode/v1",
    "DASHSCOPE_API_KEY",
    "https://modelstudio.console.alibabacloud.com",
);
const GLM: Service =
    hosted("Z.ai", "https://api.z.ai", "/api/paas/v4", "ZHIPU_API_KEY", "https://z.ai/manage-apikey/apikey-list");
const AZURE: Service = Service {
    url: None,
    key_header: KeyHeader::Named("api-key"),
    unreachable: "check this host's network and AZURE_OPENAI_ENDPOINT",
    ..hosted("Azure OpenAI", "", "/", "AZURE_OPENAI_API_KEY", "https://portal.azure.com, at the resource's keys")
};

/// A service on the internet, which nobody uses without a key.
const fn hosted(
    name: &'static str,
    url: &'static str,
    path: &'static str,
    key: &'static str,
    keys_at: &'static str,
) -> Service {
    Service {
        name,
        url: Some(url),
        path,
        key,
        keys_at: Some(keys_at),
        key_header: KeyHeader::Bearer,
        headers: &[],
        unreachable: "check this host's network, or set LLM_BACKEND_URL",
        room: "use a model that thinks less",
    }
}

impl Service {
    /// The service of a provider.
    pub fn of(provider: Provider) -> &'static Self {
        match provider {
            Provider::Ollama => &OLLAMA,
            Provider::OpenAi => &OPENAI,
            Provider::Anthropic => &ANTHROPIC,
            Provider::Google => &GOOGLE,
            Provider::Xai => &XAI,
            Provider::OpenRouter => &OPENROUTER,
            Provider::DeepSeek => &DEEPSEEK,
            Provider::Groq => &GROQ,
            Provider::Mistral => &MISTRAL,
            Provider::Qwen => &QWEN,
            Provider::Glm => &GLM,
            Provider::Azure => &AZURE,
            // The rules ask nobody.
            Provider::OpenAiCompatible | Provider::Rules => &COMPATIBLE,
        }
    }

    /// The base URL of a backend: its own as given, where a bare host gets the service's usual path; or the
    /// service's, which wants a key.
    pub fn base_url(&self, backend: &Backend) -> Result<Url, LlmError> {
        if let Some(url) = &backend.base_url {
            let mut url = url.clone();
            if url.path() == "/" {
                url.set_path(self.path);
            }
            return Ok(url);
        }
        let Some(url) = self.url else { return Err(no_url(backend.provider)) };
        if let (None, Some(keys_at)) = (&backend.api_key, self.keys_at) {
            let key = self.key;
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
