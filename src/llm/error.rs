//! Why a model gave no usable response, in words that say what happened, where, and what to do.

use std::time::Duration;

use super::service::Service;
use crate::{domain::Provider, egress::OutOfReach};

/// Why a model gave no usable response.
#[derive(Debug, Clone, thiserror::Error)]
pub enum LlmError {
    /// No connection, or it broke.
    #[error("can't reach {provider} at {url}: {cause}; {hint}")]
    Unreachable { provider: &'static str, url: String, cause: String, hint: String },
    /// A job's URL leads to an address that the egress policy denies.
    #[error("can't ask {provider} at {url}: {cause}")]
    OutOfReach { provider: &'static str, url: String, cause: OutOfReach },
    #[error("{provider} at {url} gave no answer within {} s; raise LLM_TIMEOUT or use a smaller model", timeout.as_secs())]
    Timeout { provider: &'static str, url: String, timeout: Duration },
    #[error("{provider} at {url} is over its rate limit: {message}")]
    RateLimited { provider: &'static str, url: String, message: String, retry_after: Option<Duration> },
    #[error("{provider} at {url} failed with {status}: {message}")]
    Server { provider: &'static str, url: String, status: u16, message: String },
    #[error("{provider} has no model {model:?}: {message}; {hint}")]
    UnknownModel { provider: &'static str, model: String, message: String, hint: String },
    #[error("{provider} at {url} refused the key: {message}; check {setting}")]
    Unauthorized { provider: &'static str, url: String, message: String, setting: &'static str },
    /// A setting is missing or unusable.
    #[error("{0}")]
    NotConfigured(String),
    /// The circuit breaker of the server is open after consecutive failures.
    #[error("it failed {failures} times in a row and is left alone for {} s; the last time: {cause}", wait.as_secs_f64().ceil())]
    Resting { failures: u32, wait: Duration, cause: Box<LlmError> },
    /// The server or the model can't call tools; the evidence has to go into the prompt.
    #[error("{provider} can't call tools with this model: {message}")]
    NoTools { provider: &'static str, message: String },
    /// The conversation is longer than the model's context, or than a request to the server may be.
    #[error("{provider} at {url} refused a conversation that is too long: {message}; {hint}")]
    TooLong { provider: &'static str, url: String, message: String, hint: String },
    /// The provider refused the request as such, and would refuse it again.
    #[error("{provider} at {url} refused the request with {status}: {message}")]
    Refused { provider: &'static str, url: String, status: u16, message: String },
    /// The model, or a filter before or after it, would not answer, even when asked again.
    #[error("{provider} would not answer: {reason}")]
    Declined { provider: &'static str, reason: String },
    /// The response can't be used: empty, cut off, or not what was asked for.
    #[error("{provider} answered, but {what}")]
    Unusable { provider: &'static str, what: String },
    /// The responses of a job take more room than a job may have.
    #[error("the models of this job wrote more than {} MiB in all; use models that write less, or fewer debate rounds", limit >> 20)]
    TooMuchText { limit: usize },
}

impl LlmError {
    /// A provider's model that can't call tools.
    pub fn no_tools(provider: Provider, message: String) -> Self {
        Self::NoTools { provider: Service::of(provider).name, message }
    }

    /// A provider's response that can't be used; `what` completes "answered, but".
    pub fn unusable(provider: Provider, what: impl Into<String>) -> Self {
        Self::Unusable { provider: Service::of(provider).name, what: what.into() }
    }

    /// A provider's response that the output limit cut off before any text.
    pub fn ran_out(provider: Provider) -> Self {
        let service = Service::of(provider);
        Self::Unusable {
            provider: service.name,
            what: format!(
                "ran out of tokens before it wrote anything (finish reason length or max_tokens); {}",
                service.room
            ),
        }
    }

    /// A provider or its model that would not answer.
    pub fn declined(provider: Provider, reason: String) -> Self {
        Self::Declined { provider: Service::of(provider).name, reason }
    }

    /// Whether the same request may succeed later.
    pub fn is_transient(&self) -> bool {
        matches!(
            self,
            Self::Unreachable { .. }
                | Self::Timeout { .. }
                | Self::RateLimited { .. }
                | Self::Server { .. }
                | Self::Resting { .. }
                | Self::Unusable { .. }
        )
    }

    /// The kind in a word, for metrics.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Unreachable { .. } => "unreachable",
            Self::OutOfReach { .. } => "out_of_reach",
            Self::Timeout { .. } => "timeout",
            Self::RateLimited { .. } => "rate_limited",
            Self::Server { .. } => "server_error",
            Self::UnknownModel { .. } => "unknown_model",
            Self::Unauthorized { .. } => "unauthorized",
            Self::NotConfigured(_) => "not_configured",
            Self::Resting { .. } => "resting",
            Self::NoTools { .. } => "no_tools",
            Self::TooLong { .. } => "too_long",
            Self::Refused { .. } => "refused",
            Self::Declined { .. } => "declined",
            Self::Unusable { .. } => "unusable",
            Self::TooMuchText { .. } => "too_much_text",
        }
    }

    /// The least wait that the provider asked for.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::RateLimited { retry_after, .. } => *retry_after,
            Self::Resting { wait, .. } => Some(*wait),
            _ => None,
        }
    }
}
