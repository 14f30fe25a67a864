//! HTTP to a model server, and its failures in words.
//!
//! An [`Endpoint`] is one server. It replies with a [`Reply`]: a success, whose [`Body`] is read whole, line by line or
//! event by event ([`Events`]), or a [`Refusal`], which its client may understand before [`Endpoint::error`] makes an
//! error of it. A key goes into one header that is marked sensitive, and is cut out of whatever the server says.

mod body;
mod events;

use std::{error::Error, iter, sync::Arc, time::Duration};

pub(super) use body::Body;
pub(super) use events::{Event, Events};

use reqwest::{
    Client, RequestBuilder,
    header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue},
};
use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;
use serde_json::Value;
use url::Url;

use super::{
    Backend, LlmError,
    bedrock::Signer,
    refusal::Refusal,
    service::{KeyHeader, Service},
};
use crate::{egress::OutOfReach, redact::redacted};

/// A server that is there accepts a connection at once, however long its model then thinks.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// The longest time for a question that no model has to think about.
const CHECK_TIMEOUT: Duration = Duration::from_secs(10);
/// A server at its base URL.
pub(super) struct Endpoint {
    pub service: &'static Service,
    /// The base URL as messages show it: no user, no password, no query.
    pub shown: String,
    base: Url,
    key: Option<SecretString>,
    timeout: Duration,
    client: Client,
    signer: Option<Arc<Signer>>,
}

/// What a server replied.
pub(super) enum Reply<'a> {
    Success(Body<'a>),
    Refusal(Refusal),
}

impl Endpoint {
    /// The server of a backend at this base URL, which lets in whoever has this key.
    pub fn new(
        service: &'static Service,
        base: Url,
        key: Option<SecretString>,
        backend: &Backend,
    ) -> Result<Self, LlmError> {
        let shown = shown(&base);
        let fixed = service.headers.iter();
        let mut headers: HeaderMap =
            fixed.map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value))).collect();
        if let Some(key) = &key {
            let (name, value) = key_header(key, service)?;
            headers.insert(name, value);
        }
        let builder = backend.reach.client_builder(&base);
        let client = builder
            .map_err(|cause| LlmError::OutOfReach { provider: service.name, url: shown.clone(), cause })?
            .connect_timeout(CONNECT_TIMEOUT)
            .default_headers(headers)
            .build()
            .map_err(|e| LlmError::NotConfigured(no_client(&shown, &e)))?;
        Ok(Self { service, shown, base, key, timeout: backend.timeout, client, signer: None })
    }

    /// The same server, with each request signed. A session token is sent, so it is cut out like a key.
    pub fn signed_by(self, signer: Option<Arc<Signer>>) -> Self {
        let key = signer.as_ref().and_then(|signer| signer.session_token.clone()).or(self.key);
        Self { key, signer, ..self }
    }

    /// The longest time for one response.
    pub fn timeout(&self) -> Duration {
        self.timeout
    }

    /// Runs one call to a model within the time for an answer.
    pub async fn within<T>(&self, call: impl Future<Output = Result<T, LlmError>>) -> Result<T, LlmError> {
        self.limited(self.timeout, call).await
    }

    /// Runs a call that no model has to think about.
    pub async fn quickly<T>(&self, call: impl Future<Output = Result<T, LlmError>>) -> Result<T, LlmError> {
        self.limited(self.timeout.min(CHECK_TIMEOUT), call).await
    }

    async fn limited<T>(
        &self,
        timeout: Duration,
        call: impl Future<Output = Result<T, LlmError>>,
    ) -> Result<T, LlmError> {
        let late = || LlmError::Timeout { provider: self.service.name, url: self.shown.clone(), timeout };
        tokio::time::timeout(timeout, call).await.unwrap_or_else(|_| Err(late()))
    }

    pub async fn get(&self, path: &str) -> Result<Reply<'_>, LlmError> {
        self.send(self.client.get(self.url(path))).await
    }

    /// The whole answer to a question that no model has to think about, as JSON.
    pub async fn look_up<T: DeserializeOwned>(&self, path: &str) -> Result<Result<T, Refusal>, LlmError> {
        let ask = async {
            match self.get(path).await? {
                Reply::Success(body) => body.json().await.map(Ok),
                Reply::Refusal(refusal) => Ok(Err(refusal)),
            }
        };
        self.quickly(ask).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Result<Reply<'_>, LlmError> {
        self.send(self.client.post(self.url(path)).json(body)).await
    }

    async fn send(&self, request: RequestBuilder) -> Result<Reply<'_>, LlmError> {
        let mut request = request.build().map_err(|e| self.not_sent(&e))?;
        if let Some(signer) = &self.signer {
            signer.sign(&mut request).await?;
        }
        let response = self.client.execute(request).await.map_err(|e| self.not_sent(&e))?;
        let (status, headers) = (response.status(), response.headers().clone());
        let body = Body::new(self, response);
        if status.is_success() {
            return Ok(Reply::Success(body));
        }
        // What a refusal says is a courtesy; the status counts.
        let content = body.all().await.unwrap_or_default();
        let mut refusal = Refusal::new(status, &headers, &content);
        refusal.message = self.without_key(&refusal.message);
        Ok(Reply::Refusal(refusal))
    }

    /// The URL of a path below the base, which may have a query of its own.
    fn url(&self, path: &str) -> Url {
        let mut url = self.base.clone();
        let (path, query) = path.split_once('?').map_or((path, None), |(path, query)| (path, Some(query)));
        if query.is_some() {
            url.set_query(query);
        }
        url.set_path(&format!("{}/{path}", self.base.path().trim_end_matches('/')));
        url
    }

    fn without_key(&self, text: &str) -> String {
        self.key.as_ref().map_or(text.into(), |key| redacted(text, key)).into_owned()
    }

    fn not_sent(&self, error: &reqwest::Error) -> LlmError {
        let (provider, url) = (self.service.name, self.shown.clone());
        match OutOfReach::behind(error) {
            Some(cause) => LlmError::OutOfReach { provider, url, cause: cause.clone() },
            None => LlmError::Unreachable { provider, url, cause: cause(error), hint: self.service.unreachable.into() },
        }
    }

    /// The error of an answer that stopped before its end.
    pub fn broken_off(&self, cause: &str) -> LlmError {
        LlmError::Unreachable {
            provider: self.service.name,
            url: self.shown.clone(),
            cause: format!("its answer broke off: {cause}"),
            hint: "look at the server's log".into(),
        }
    }

    /// The error of an answer that is not in the server's own form.
    pub fn not_understood(&self, error: &serde_json::Error) -> LlmError {
        self.unusable(format!("not in the form of its API ({error}); check what listens at {}", self.shown))
    }

    /// The error of an answer that can't be used.
    pub fn unusable(&self, what: impl Into<String>) -> LlmError {
        LlmError::Unusable { provider: self.service.name, what: what.into() }
    }

    /// The error of a model that the server does not have.
    pub fn unknown_model(&self, model: &str, message: String) -> LlmError {
        LlmError::UnknownModel {
            provider: self.service.name,
            model: model.into(),
            message,
            hint: "set DEEP_THINK_LLM and QUICK_THINK_LLM to models that it has".into(),
        }
    }

    /// The error of a refusal, by what it says and by what HTTP means with its status.
    pub fn error(&self, refusal: &Refusal) -> LlmError {
        let (provider, url) = (self.service.name, self.shown.clone());
        let message = self.without_key(&refusal.message);
        let Refusal { status, retry_after, .. } = *refusal;
        if refusal.is_out_of_credit() {
            let message = format!("{message}; the account has no credit left: add some, or use another provider");
            return LlmError::Refused { provider, url, status, message };
        }
        if refusal.is_about_key() {
            return LlmError::Unauthorized { provider, url, message, setting: self.service.key };
        }
        match status {
            429 => LlmError::RateLimited { provider, url, message, retry_after },
            _ if refusal.is_too_long() => LlmError::TooLong { provider, url, message, hint: self.service.room.into() },
            408 | 500.. => LlmError::Server { provider, url, status, message },
            _ => LlmError::Refused { provider, url, status, message },
        }
    }

    /// The error of a server or model that can't call tools.
    pub fn no_tools(&self, message: String) -> LlmError {
        LlmError::NoTools { provider: self.service.name, message }
    }
}

fn key_header(key: &SecretString, service: &Service) -> Result<(HeaderName, HeaderValue), LlmError> {
    let key = key.expose_secret();
    let (name, value) = match service.key_header {
        KeyHeader::Bearer => (AUTHORIZATION, format!("Bearer {key}")),
        KeyHeader::Named(name) => (HeaderName::from_static(name), key.to_owned()),
    };
    let mut value = HeaderValue::from_str(&value).map_err(|_| {
        LlmError::NotConfigured(format!("{} has characters that no key has: check it for line breaks", service.key))
    })?;
    value.set_sensitive(true);
    Ok((name, value))
}

fn shown(base: &Url) -> String {
    let mut url = base.clone();
    // They fail only for URLs without a host, which have neither.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.set_query(None);
    url.as_str().trim_end_matches('/').into()
}

fn no_client(shown: &str, error: &reqwest::Error) -> String {
    format!(
        "can't speak TLS to {shown}: {}; install the host's CA certificates, or name their file by SSL_CERT_FILE",
        cause(error)
    )
}

/// Every cause in words; the outermost says no more than that a request failed, and names the URL.
fn cause(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return format!("no connection within {} s", CONNECT_TIMEOUT.as_secs());
    }
    let mut words: Vec<_> = iter::successors(error.source(), |&e| e.source())
        .map(ToString::to_string)
        .filter(|words| !words.starts_with("client error"))
        .collect();
    words.dedup();
    if words.is_empty() { "the connection failed".into() } else { words.join(": ") }
}
