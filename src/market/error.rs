//! Why there is no data.

use std::time::Duration;

use crate::domain::Ticker;

/// Why a vendor, or all of them, gave no data. Every message says what there is instead, or what to do.
#[derive(Debug, Clone, thiserror::Error)]
pub enum MarketError {
    /// The vendor does not know the symbol.
    #[error("{vendor} has no {ticker}; it has {known}")]
    UnknownSymbol { vendor: &'static str, ticker: Ticker, known: String },
    /// The vendor has nothing of this; `what` names the instrument, the time and what there is instead.
    #[error("{vendor} has no {what}")]
    NoData { vendor: &'static str, what: String },
    /// The vendor knows only the present, and a past date was asked for.
    #[error("{vendor} knows only the present, so it is left out for a past date")]
    LiveOnly { vendor: &'static str },
    /// The vendor wants fewer requests.
    #[error("{vendor} is over its rate limit{}", wait(*.retry_after))]
    RateLimited { vendor: &'static str, retry_after: Option<Duration> },
    /// The vendor needs a setting that is not there, or does not take it.
    #[error("{vendor} needs the setting {setting}")]
    NotConfigured { vendor: &'static str, setting: &'static str },
    #[error("{vendor} gave something unreadable: {cause}")]
    Malformed { vendor: &'static str, cause: String },
    /// The vendor is down, or its files can't be read.
    #[error("{vendor} is unavailable: {cause}")]
    Unavailable { vendor: &'static str, cause: String, transient: bool },
    /// Each vendor had a reason of its own; none, if there was no vendor to ask.
    #[error("no vendor has {what}: {}", told(.reasons))]
    NoVendor { what: &'static str, reasons: Vec<MarketError> },
}

impl MarketError {
    /// Whether the same question may be answered later.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Unavailable { transient, .. } => *transient,
            Self::RateLimited { .. } => true,
            Self::NoVendor { reasons, .. } => reasons.iter().any(Self::is_transient),
            Self::UnknownSymbol { .. }
            | Self::NoData { .. }
            | Self::LiveOnly { .. }
            | Self::Malformed { .. }
            | Self::NotConfigured { .. } => false,
        }
    }

    /// The kind in a word, for metrics.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::UnknownSymbol { .. } => "unknown_symbol",
            Self::NoData { .. } => "no_data",
            Self::LiveOnly { .. } => "live_only",
            Self::RateLimited { .. } => "rate_limited",
            Self::NotConfigured { .. } => "not_configured",
            Self::Malformed { .. } => "malformed",
            Self::Unavailable { .. } => "unavailable",
            Self::NoVendor { .. } => "no_vendor",
        }
    }

    /// The least wait that a vendor asked for.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::RateLimited { retry_after, .. } => *retry_after,
            Self::NoVendor { reasons, .. } => reasons.iter().filter_map(Self::retry_after).min(),
            _ => None,
        }
    }

    /// Whether a vendor answered, and the answer was that there is nothing: no wait and no key would mend that.
    pub fn is_absence(&self) -> bool {
        match self {
            Self::UnknownSymbol { .. } | Self::NoData { .. } | Self::LiveOnly { .. } => true,
            Self::NoVendor { reasons, .. } => reasons.iter().any(Self::is_absence),
            _ => false,
        }
    }

    /// What an agent reads in place of `what` it asked for.
    pub fn for_agents(&self, what: &str) -> String {
        let label = if self.is_absence() { "NO_DATA_AVAILABLE" } else { "DATA_UNAVAILABLE" };
        format!("{label}: {what}: {self}. Say that this is missing; don't fill it in from memory.")
    }
}

fn wait(retry_after: Option<Duration>) -> String {
    retry_after.map_or(String::new(), |wait| format!("; it asks to wait {} s", wait.as_secs()))
}

fn told(reasons: &[MarketError]) -> String {
    if reasons.is_empty() {
        return "none is configured".into();
    }
    reasons.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}
