//! What another version of the program may have stored.
//!
//! After a step back to an earlier version, the store holds settings and words that this one does not know. A setting
//! without meaning here is passed over. A request that can't be read for another cause is no reason to lose sight of its
//! job: it is listed, and ends as failed once it is claimed. A record that can't be read at all is in no list, and a store ends
//! its job, or leaves it aside.

use std::fmt::Display;

use serde::{Deserialize, Deserializer, de::Error as _};
use serde_json::{Map, Value, from_str, from_value};
use tracing::warn;

use super::{JobConfig, JobRequest, StoreError};

/// Reads a request; if this version can't, as much of it as it can, and why in
/// [`unreadable`](JobRequest::unreadable).
pub fn request<'de, D: Deserializer<'de>>(deserializer: D) -> Result<JobRequest, D::Error> {
    let fields = Map::deserialize(deserializer)?;
    JobRequest::deserialize(&fields).or_else(|error| outline(&fields, &error)).map_err(D::Error::custom)
}

/// As [`request`], from its text, without a table between where this version can read it.
pub fn request_of(text: &str) -> serde_json::Result<JobRequest> {
    from_str(text).or_else(|_| request(&mut serde_json::Deserializer::from_str(text)))
}

/// What a job can be listed, found and ended by.
fn outline(fields: &Map<String, Value>, cause: &serde_json::Error) -> serde_json::Result<JobRequest> {
    let field = |name| fields.get(name).cloned().unwrap_or_default();
    let bare = JobRequest::new(from_value(field("ticker"))?, from_value(field("date"))?, JobConfig::default());
    Ok(JobRequest {
        priority: from_value(field("priority")).unwrap_or_default(),
        not_before: from_value(field("not_before")).unwrap_or_default(),
        webhook_url: from_value(field("webhook_url")).unwrap_or_default(),
        trace: from_value(field("trace")).unwrap_or_default(),
        unreadable: Some(cause.to_string()),
        ..bare
    })
}

/// What was read of a record; none if it can't be, which is no reason to keep back the others.
pub fn readable<T>(record: impl Display, read: Result<T, StoreError>) -> Option<T> {
    read.inspect_err(|error| warn!(%record, %error, "a record can't be read; another version may have stored it")).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(config: &Value) -> JobRequest {
        let stored = json!({"ticker": "NVDA", "date": "2024-05-10", "config": config, "priority": "high", "later": 1});
        let read = request_of(&stored.to_string()).unwrap();
        assert_eq!(read, request(stored).unwrap());
        read
    }

    #[test]
    fn a_setting_of_a_later_version_is_passed_over() {
        let read = read(&json!({"max_debate_rounds": 2, "later": true, "data_vendors": {"later": "csv"}}));
        assert_eq!((read.unreadable, read.config.max_debate_rounds.unwrap().get()), (None, 2));
    }

    #[test]
    fn a_request_for_what_is_unknown_here_is_an_outline_that_says_so() {
        let read = read(&json!({"llm_provider": "skynet"}));
        assert_eq!((read.ticker.as_str(), read.priority.as_str()), ("NVDA", "high"));
        assert!(read.unreadable.unwrap().contains("skynet"));
    }
}
