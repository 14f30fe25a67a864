//! Why a call did not succeed, in words that say what to do.

use std::{fmt, time::Duration};

use reqwest::{Response, StatusCode, header};
use serde::Deserialize;
use serde_json::Value;

use crate::cli::{
    exit::Exit,
    output::{one_line, printable},
};

/// Why a call of the API did not succeed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ClientError {
    #[error(
        "can't reach the API at {url}: {cause}; is it running? (`tradingagents serve --offline` starts one; set \
         TRADINGAGENTS_URL if it is elsewhere)"
    )]
    Unreachable { url: String, cause: String },
    #[error(
        "the API at {url} gave no whole answer within {} s; its log may say why, and it may have done what it was asked",
        waited.as_secs()
    )]
    Timeout { url: String, waited: Duration },
    /// The API answered that it won't or can't.
    #[error(transparent)]
    Problem(#[from] Problem),
    #[error("{url} answered, but not as this API does: {cause}; does TRADINGAGENTS_URL lead to a tradingagents API?")]
    Unreadable { url: String, cause: String },
    #[error("TRADINGAGENTS_KEY has characters that no key has: check it for line breaks")]
    BadKey,
    #[error("can't set up an HTTP client: {0}; are the system's CA certificates installed?")]
    NoClient(String),
}

/// An answer that is no success: a problem document (RFC 9457), or what a proxy or another server said instead.
#[derive(Debug, Clone, thiserror::Error)]
pub struct Problem {
    pub status: StatusCode,
    /// What went wrong; one paragraph.
    pub what: String,
    /// What is wrong with which field.
    pub fields: Vec<(String, String)>,
    /// The least wait that the API asks for.
    pub retry_after: Option<Duration>,
}

/// The members of a problem document that say something to a person.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Document {
    title: Option<String>,
    detail: Option<String>,
    errors: Vec<FieldError>,
}

/// A bad field; `pointer` is a JSON pointer into the body, as in RFC 9457's example.
#[derive(Deserialize)]
struct FieldError {
    #[serde(alias = "pointer", alias = "name")]
    field: String,
    #[serde(alias = "message")]
    detail: String,
}

impl ClientError {
    /// The end of a command that can't go on after this.
    pub fn exit(&self) -> Exit {
        match self {
            Self::Problem(problem) if !problem.status.is_server_error() => Exit::Refused,
            Self::BadKey => Exit::Usage,
            _ => Exit::Unreachable,
        }
    }

    /// Whether the same call may succeed a little later.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::Timeout { .. } => true,
            Self::Problem(problem) => {
                problem.status.is_server_error() || problem.status == StatusCode::TOO_MANY_REQUESTS
            }
            Self::Unreadable { .. } | Self::BadKey | Self::NoClient(_) => false,
        }
    }

    /// The least wait before another try, if the API asked for one.
    pub fn retry_after(&self) -> Option<Duration> {
        if let Self::Problem(problem) = self { problem.retry_after } else { None }
    }
}

impl Problem {
    /// Reads an answer that is no success, whatever is in it.
    pub(super) async fn read(answer: Response) -> Self {
        let status = answer.status();
        let seconds = answer.headers().get(header::RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
        let body = answer.bytes().await.unwrap_or_default();
        Self { retry_after: seconds.map(Duration::from_secs), ..Self::new(status, &body) }
    }

    fn new(status: StatusCode, body: &[u8]) -> Self {
        let document: Document = serde_json::from_slice(body).unwrap_or_default();
        let reason = status.canonical_reason().unwrap_or("an unknown status");
        let what = document.detail.or(document.title).or_else(|| unhealthy_parts(body));
        let fields = document.errors.into_iter().map(|error| {
            let name = error.field.trim_start_matches(['#', '/']).replace('/', ".");
            (one_line(&name), one_line(&error.detail))
        });
        Self {
            status,
            what: what.map_or_else(|| reason.to_owned(), |text| printable(&text).trim().to_owned()),
            fields: fields.collect(),
            retry_after: None,
        }
    }

    /// What a person can do about it.
    fn mend(&self) -> Option<String> {
        Some(match self.status.as_u16() {
            400 => "`tradingagents watch` follows a job to its end".into(),
            401 => "set TRADINGAGENTS_KEY to a key that it knows (its API_KEYS)".into(),
            404 => "`tradingagents jobs` lists the jobs that the API knows".into(),
            429 | 503 => match self.retry_after {
                Some(wait) => format!("try again in {} s", wait.as_secs()),
                None => "try again in a moment".into(),
            },
            500..=599 => "the API's log says more".into(),
            _ => return None,
        })
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the API answered {}: {}", self.status.as_u16(), self.what)?;
        for (field, what) in &self.fields {
            write!(f, "\n  {field}: {what}")?;
        }
        match self.mend() {
            Some(mend) => write!(f, "; {mend}"),
            None => Ok(()),
        }
    }
}

/// What a health document says of the parts that are not well.
fn unhealthy_parts(body: &[u8]) -> Option<String> {
    let health: super::Health = serde_json::from_slice(body).ok()?;
    let state = |part: &Value| part.get("status").unwrap_or(part).as_str().map(str::to_owned);
    let bad: Vec<_> = health
        .components
        .iter()
        .filter_map(|(name, part)| Some((name, state(part)?)))
        .filter(|(_, state)| !matches!(state.as_str(), "healthy" | "ok" | "up"))
        .map(|(name, state)| format!("{name} is {state}"))
        .collect();
    Some(format!("{} ({})", health.status, bad.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(status: u16, body: &str) -> String {
        Problem::new(StatusCode::from_u16(status).unwrap(), body.as_bytes()).to_string()
    }

    #[test]
    fn a_bad_body_is_told_field_by_field() {
        let body = r##"{"type":"about:blank","title":"Unprocessable Content","status":422,"detail":"2 fields are wrong",
            "errors":[{"field":"date","message":"lies in the future"},
                      {"pointer":"#/config/max_debate_rounds","detail":"9 is not within 1 to 5"}]}"##;
        assert_eq!(
            problem(422, body),
            "the API answered 422: 2 fields are wrong\n  date: lies in the future\n  config.max_debate_rounds: 9 is not \
             within 1 to 5"
        );
    }

    #[test]
    fn an_answer_of_somebody_else_is_told_by_its_status() {
        assert_eq!(problem(502, "<html>nginx</html>"), "the API answered 502: Bad Gateway; the API's log says more");
    }

    #[test]
    fn a_health_document_names_the_part_that_is_not_well() {
        let body = r#"{"status":"unhealthy","components":{"redis":{"status":"down"},"results":"ok"}}"#;
        assert_eq!(problem(503, body), "the API answered 503: unhealthy (redis is down); try again in a moment");
    }
}
