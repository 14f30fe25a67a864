//! Replies that are no success: what each service says in its own way, in one form.

use std::time::{Duration, SystemTime};

use reqwest::{
    StatusCode,
    header::{HeaderMap, LOCATION, RETRY_AFTER},
};
use serde_json::Value;

/// The longest wait that a server may ask for; more is as good as "never".
const MAX_RETRY_AFTER: Duration = Duration::from_hours(1);
/// How much of a server's own words goes into an error, characters.
const MAX_MESSAGE: usize = 500;

/// A reply that is no success.
pub(super) struct Refusal {
    pub status: u16,
    pub message: String,
    /// The provider's code for programs, such as `insufficient_quota`; empty if it gave none.
    pub code: String,
    pub retry_after: Option<Duration>,
}

impl Refusal {
    /// A refusal in the middle of an answer, where only the body has room for it.
    pub fn late(status: u16, message: String) -> Self {
        Self { status, message, code: String::new(), retry_after: None }
    }

    pub fn new(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Self {
        let json: Value = serde_json::from_slice(body).unwrap_or_default();
        let error = &json["error"];
        // Ollama, OpenAI, vLLM and FastAPI in this order.
        let said = [error, &error["message"], &json["message"], &json["detail"]].into_iter().find_map(Value::as_str);
        let mut message = squeeze(said.unwrap_or(&String::from_utf8_lossy(body)));
        if let Some(to) = headers.get(LOCATION).and_then(|to| to.to_str().ok()).filter(|_| status.is_redirection()) {
            message = format!("it redirects to {}; give that address", squeeze(to));
        }
        if message.is_empty() {
            message = status.canonical_reason().unwrap_or("it gave no reason").into();
        }
        let code = [&error["code"], &error["type"]].into_iter().find_map(Value::as_str).unwrap_or_default();
        let retry_after = retry_after(headers).or_else(|| retry_delay(error));
        Self { status: status.as_u16(), message, code: code.into(), retry_after }
    }

    /// A refusal that came with the status of a success.
    pub fn disguised(error: &Value) -> Self {
        let status = error["code"].as_u64().and_then(|code| u16::try_from(code).ok()).unwrap_or(502);
        Self::late(status, squeeze(error["message"].as_str().unwrap_or(&error.to_string())))
    }

    /// Whether it says that there is no such model.
    pub fn lacks_model(&self) -> bool {
        self.status == 404 && (self.code == "model_not_found" || self.mentions(&["model"]))
    }

    /// Whether its words, in any case, contain one of these.
    pub fn mentions(&self, words: &[&str]) -> bool {
        let message = self.message.to_lowercase();
        words.iter().any(|word| message.contains(word))
    }
}

/// `Retry-After` in both its forms, seconds and a date (RFC 9110, 10.2.3).
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let wait = match value.parse() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => httpdate::parse_http_date(value).ok()?.duration_since(SystemTime::now()).ok()?,
    };
    Some(wait.min(MAX_RETRY_AFTER))
}

/// Google tells the wait in the body: `{"details": [{"retryDelay": "34s"}]}`.
fn retry_delay(error: &Value) -> Option<Duration> {
    let details = error["details"].as_array()?;
    let told = details.iter().find_map(|detail| detail["retryDelay"].as_str())?;
    let seconds = told.strip_suffix('s')?.parse().ok()?;
    Duration::try_from_secs_f64(seconds).ok().map(|wait| wait.min(MAX_RETRY_AFTER))
}

/// A server's words on one line of bearable length.
fn squeeze(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(MAX_MESSAGE) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}
