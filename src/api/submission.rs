//! Reading the body of a submission, field by field, so that the answer names all that is wrong at once.

use std::fmt::Display;

use aide::{OperationInput, generate::GenContext, openapi::Operation};
use axum::{
    Json,
    body::Bytes,
    extract::{FromRequest, Request},
    http::{StatusCode, header},
};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use super::problem::{FieldError, Problem};
use crate::{
    domain::{Ticker, TradeDate},
    jobs::{JobConfig, JobRequest},
};

/// A valid submission.
pub struct Submission(pub JobRequest);

impl<S: Send + Sync> FromRequest<S> for Submission {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let kind = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let kind = kind.unwrap_or_default().split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        if kind != "application/json" && !kind.ends_with("+json") {
            let detail = format!("The body is {kind:?}; send JSON with the header Content-Type: application/json");
            return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, detail));
        }
        let body = Bytes::from_request(request, state).await.map_err(|rejection| match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => {
                Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "The body is larger than 1 MiB, the most that is read")
            }
            status => Problem::new(status, rejection.body_text()),
        })?;
        read(&body).map(Self).map_err(Problem::bad_fields)
    }
}

impl OperationInput for Submission {
    fn operation_input(context: &mut GenContext, operation: &mut Operation) {
        Json::<JobRequest>::operation_input(context, operation);
    }
}

/// What is wrong so far.
#[derive(Default)]
struct Errors(Vec<FieldError>);

impl Errors {
    fn add(&mut self, field: impl Into<String>, message: impl Display) {
        self.0.push(FieldError { field: field.into(), message: message.to_string() });
    }

    fn check<T>(&mut self, field: &str, read: Result<T, impl Display>) -> Option<T> {
        read.map_err(|error| self.add(field, error)).ok()
    }
}

fn read(body: &[u8]) -> Result<JobRequest, Vec<FieldError>> {
    let mut errors = Errors::default();
    let request = read_fields(body, &mut errors);
    request.filter(|_| errors.0.is_empty()).ok_or(errors.0)
}

fn read_fields(body: &[u8], errors: &mut Errors) -> Option<JobRequest> {
    if body.is_empty() {
        errors.add("body", r#"is empty; send {"ticker": "NVDA", "date": "2024-05-10"}"#);
        return None;
    }
    let json = serde_json::from_slice(body).map_err(|error| format!("is no JSON: {error}"));
    let Value::Object(mut fields) = errors.check("body", json)? else {
        errors.add("body", r#"is no object; send {"ticker": "NVDA", "date": "2024-05-10"}"#);
        return None;
    };
    let ticker = required::<Ticker>(&mut fields, "ticker", errors);
    let date = required::<TradeDate>(&mut fields, "date", errors);
    let date = date.and_then(|date| errors.check("date", date.not_in_future()));
    let config = read_config(fields.remove("config"), errors);
    for field in fields.keys() {
        errors.add(field, "is not known; there are ticker, date and config");
    }
    Some(JobRequest { ticker: ticker?, date: date?, config: config? })
}

fn required<T: DeserializeOwned>(fields: &mut Map<String, Value>, name: &str, errors: &mut Errors) -> Option<T> {
    match fields.remove(name) {
        None | Some(Value::Null) => {
            errors.add(name, "is missing");
            None
        }
        Some(value) => errors.check(name, serde_json::from_value(value)),
    }
}

/// The settings; each is read alone first, so that its error names it.
fn read_config(config: Option<Value>, errors: &mut Errors) -> Option<JobConfig> {
    let settings = match config {
        None | Some(Value::Null) => return Some(JobConfig::default()),
        Some(Value::Object(settings)) => settings,
        Some(_) => {
            errors.add("config", "is no object");
            return None;
        }
    };
    for (name, value) in &settings {
        let alone = serde_json::from_value::<JobConfig>(json!({ name: value }));
        errors.check(&format!("config.{name}"), alone.map_err(|error| short(name, &error)));
    }
    serde_json::from_value(Value::Object(settings)).ok()
}

/// serde's words on a setting; those of an unknown field list all that there are, and name it if it lies deeper.
fn short(setting: &str, error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.split_once(", expected one of ") {
        Some((_, known)) if text.starts_with("unknown field") => {
            let unknown = text.split('`').nth(1).filter(|unknown| *unknown != setting);
            let unknown = unknown.map_or(String::new(), |unknown| format!("{unknown} "));
            format!("{unknown}is not known; there are {}", known.replace('`', ""))
        }
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(body: &str) -> Vec<(String, String)> {
        let errors = read(body.as_bytes()).unwrap_err();
        errors.into_iter().map(|FieldError { field, message }| (field, message)).collect()
    }

    #[test]
    fn everything_that_is_wrong_is_named_at_once() {
        let body = r#"{"ticker": "../../etc/passwd", "date": "2024-13-45", "dat": 1,
            "config": {"max_debate_rounds": 9, "llm_provider": "skynet", "deep_thinkllm": "x"}}"#;
        let fields: Vec<_> = wrong(body).into_iter().map(|(field, _)| field).collect();
        assert_eq!(
            fields,
            ["ticker", "date", "config.deep_thinkllm", "config.llm_provider", "config.max_debate_rounds", "dat"]
        );
    }

    #[test]
    fn an_unknown_setting_is_told_which_there_are() {
        let told = wrong(r#"{"ticker": "A", "date": "2024-05-10", "config": {"debate": 1}}"#);
        assert_eq!(told[0].0, "config.debate");
        assert!(told[0].1.starts_with("is not known; there are llm_provider, deep_think_llm"), "{}", told[0].1);
    }

    #[test]
    fn null_means_the_default() {
        let bare = read(br#"{"ticker": "A", "date": "2024-05-10"}"#).unwrap();
        for config in ["null", "{}", r#"{"llm_provider": null, "max_debate_rounds": null}"#] {
            let body = format!(r#"{{"ticker": "A", "date": "2024-05-10", "config": {config}}}"#);
            assert_eq!(read(body.as_bytes()).unwrap(), bare);
        }
    }

    #[test]
    fn what_is_no_json_is_told_by_its_place() {
        assert!(wrong("{\"ticker\": ")[0].1.contains("line 1 column 11"));
        assert_eq!(wrong("")[0].0, "body");
        assert_eq!(wrong("[1]")[0].0, "body");
    }
}
