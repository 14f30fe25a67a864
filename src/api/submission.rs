//! Reading the body of a submission, field by field, so that the answer names all that is wrong at once.

use std::{collections::HashSet, fmt::Display, sync::Arc};

use aide::{OperationInput, generate::GenContext, openapi::Operation};
use axum::{
    Json,
    body::Bytes,
    extract::{FromRequest, Request},
    http::{StatusCode, header},
};
use chrono::{DateTime, TimeDelta, Utc};
use schemars::{JsonSchema, schema_for};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use super::{
    Api,
    problem::{FieldError, Problem},
    rate::Account,
};
use crate::{
    config::Config,
    domain::{Ticker, Tier, TradeDate},
    jobs::{BackendUrl, DataVendors, JobConfig, JobRequest, Priority, ToolVendors, WebhookUrl},
    telemetry,
};

/// The most tickers of a batch: its jobs are stored in one step, and others wait meanwhile.
const MAX_TICKERS: usize = 500;

/// How far ahead a job may be scheduled: until then it is one of the pending ones, whose number is bounded.
const FARTHEST: TimeDelta = TimeDelta::days(30);

/// A valid submission.
pub struct Submission(pub JobRequest);

/// A valid submission of a batch: at least one job.
pub struct BatchSubmission(pub Vec<JobRequest>);

/// The body of a batch.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
#[expect(dead_code, reason = "it only describes the body")]
struct BatchRequest {
    /// One job each; none twice.
    #[schemars(length(min = 1, max = 500), extend("uniqueItems" = true))]
    tickers: Vec<Ticker>,
    date: TradeDate,
    /// What differs from the service's defaults.
    config: Option<JobConfig>,
    /// Whether the jobs go before others, or after them.
    priority: Option<Priority>,
    /// The jobs do not begin before this time (RFC 3339), at most 30 days ahead; at once if absent.
    not_before: Option<DateTime<Utc>>,
    /// Where the end of each job is told: a signed POST by Standard Webhooks (<https://www.standardwebhooks.com>).
    webhook_url: Option<WebhookUrl>,
}

impl FromRequest<Arc<Api>> for Submission {
    type Rejection = Problem;

    async fn from_request(request: Request, api: &Arc<Api>) -> Result<Self, Problem> {
        let body = read_body(request, api).await?;
        let request = read(&body, "ticker", read_job).map_err(Problem::bad_fields)?;
        is_allowed(&request, &api.config).map_err(Problem::bad_fields)?;
        Ok(Self(request))
    }
}

impl OperationInput for Submission {
    fn operation_input(context: &mut GenContext, operation: &mut Operation) {
        Json::<JobRequest>::operation_input(context, operation);
    }
}

impl FromRequest<Arc<Api>> for BatchSubmission {
    type Rejection = Problem;

    async fn from_request(request: Request, api: &Arc<Api>) -> Result<Self, Problem> {
        let account = request.extensions().get::<Account>().cloned();
        let body = read_body(request, api).await?;
        let requests = read(&body, "tickers", read_batch).map_err(Problem::bad_fields)?;
        // They differ in their tickers alone.
        is_allowed(&requests[0], &api.config).map_err(Problem::bad_fields)?;
        let refused = account.and_then(|account| account.refuse_batch(requests.len()));
        refused.map_or(Ok(Self(requests)), Err)
    }
}

impl OperationInput for BatchSubmission {
    fn operation_input(context: &mut GenContext, operation: &mut Operation) {
        Json::<BatchRequest>::operation_input(context, operation);
    }
}

/// Refuses a `webhook_url` where no webhook is sent, models of registries that are not allowed, and URLs of which it is known at once that jobs may not lead there;
/// the worker looks again, at the addresses that it connects to.
fn is_allowed(request: &JobRequest, config: &Config) -> Result<(), Vec<FieldError>> {
    let mut errors = Errors::default();
    if let Some(url) = request.webhook_url.as_ref().map(WebhookUrl::as_url) {
        if config.webhook_secret.is_empty() {
            errors.add("webhook_url", "this service sends no webhooks; an operator can set WEBHOOK_SECRET");
        }
        errors.check("webhook_url", config.reach().check(url));
    }
    if let Some(url) = request.config.backend_url.as_ref().map(BackendUrl::as_url) {
        let provider = config.main_provider(&request.config);
        errors.check("config.backend_url", config.backend_reach(provider, url).check(url));
        errors.check("config.backend_url", config.check_backend_url(&request.config));
    }
    for (tier, field) in [(Tier::Deep, "config.deep_think_llm"), (Tier::Quick, "config.quick_think_llm")] {
        if request.config.model(tier).is_some() {
            errors.check(field, config.check_model(&request.config, tier));
        }
    }
    if errors.0.is_empty() { Ok(()) } else { Err(errors.0) }
}

async fn read_body(request: Request, api: &Api) -> Result<Bytes, Problem> {
    let kind = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let kind = kind.unwrap_or_default().split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if kind != "application/json" && !kind.ends_with("+json") {
        let detail = format!("The body is {kind:?}; send JSON with the header Content-Type: application/json");
        return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, detail));
    }
    let body = Bytes::from_request(request, api).await;
    body.map_err(|rejection| Problem::new(rejection.status(), rejection.body_text()))
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

/// The fields of a body that are not read yet.
type Fields = Map<String, Value>;

/// Reads a body whose first field is `subject`; fields that `read_fields` leaves over are not known.
fn read<T>(
    body: &[u8],
    subject: &str,
    read_fields: fn(&mut Fields, &mut Errors) -> Option<T>,
) -> Result<T, Vec<FieldError>> {
    let mut errors = Errors::default();
    let read = read_object(body, subject, &mut errors).and_then(|mut fields| {
        let read = read_fields(&mut fields, &mut errors);
        for field in fields.keys() {
            errors.add(
                field,
                format!("is not known; there are {subject}, date, config, priority, not_before and webhook_url"),
            );
        }
        read
    });
    read.filter(|_| errors.0.is_empty()).ok_or(errors.0)
}

fn read_object(body: &[u8], subject: &str, errors: &mut Errors) -> Option<Fields> {
    let example = if subject == "ticker" { r#""NVDA""# } else { r#"["NVDA", "AMD"]"# };
    let mend = format!(r#"send {{"{subject}": {example}, "date": "2024-05-10"}}"#);
    if body.is_empty() {
        errors.add("body", format!("is empty; {mend}"));
        return None;
    }
    let json = serde_json::from_slice(body).map_err(|error| format!("is no JSON: {error}"));
    let Value::Object(fields) = errors.check("body", json)? else {
        errors.add("body", format!("is no object; {mend}"));
        return None;
    };
    Some(fields)
}

fn read_job(fields: &mut Fields, errors: &mut Errors) -> Option<JobRequest> {
    let ticker = required::<Ticker>(fields, "ticker", errors);
    read_terms(fields, errors).zip(ticker).map(|(terms, ticker)| terms(ticker))
}

fn read_batch(fields: &mut Fields, errors: &mut Errors) -> Option<Vec<JobRequest>> {
    let tickers = read_tickers(fields, errors);
    read_terms(fields, errors).zip(tickers).map(|(terms, tickers)| tickers.into_iter().map(terms).collect())
}

fn read_tickers(fields: &mut Fields, errors: &mut Errors) -> Option<Vec<Ticker>> {
    let named = required::<Vec<Value>>(fields, "tickers", errors)?;
    if !(1..=MAX_TICKERS).contains(&named.len()) {
        errors.add("tickers", format!("are {}; send 1 to {MAX_TICKERS}", named.len()));
        return None;
    }
    let mut tickers = Vec::with_capacity(named.len());
    let mut seen = HashSet::new();
    for (place, ticker) in named.into_iter().enumerate() {
        let field = format!("tickers[{place}]");
        let ticker = errors.check(&field, serde_json::from_value::<Ticker>(ticker))?;
        if !seen.insert(ticker.clone()) {
            errors.add(field, format!("{ticker} is there twice"));
        }
        tickers.push(ticker);
    }
    Some(tickers)
}

/// What is said of a job beside its ticker; gives the request for one.
fn read_terms(fields: &mut Fields, errors: &mut Errors) -> Option<impl Fn(Ticker) -> JobRequest + use<>> {
    let date = required::<TradeDate>(fields, "date", errors);
    let date = date.and_then(|date| errors.check("date", date.not_in_future()));
    let config = read_config(fields.remove("config"), errors);
    let priority = optional::<Priority>(fields, "priority", errors);
    let not_before = optional::<DateTime<Utc>>(fields, "not_before", errors);
    let not_before = not_before.and_then(|time| errors.check("not_before", time.map(within_reach).transpose()));
    let webhook_url = optional::<WebhookUrl>(fields, "webhook_url", errors);
    let (date, config, priority) = (date?, config?, priority?.unwrap_or_default());
    let (not_before, webhook_url) = (not_before?, webhook_url?);
    Some(move |ticker| {
        let (config, webhook_url) = (config.clone(), webhook_url.clone());
        let trace = telemetry::current();
        JobRequest { ticker, date, config, priority, not_before, webhook_url, trace, unreadable: None }
    })
}

fn required<T: DeserializeOwned>(fields: &mut Fields, name: &str, errors: &mut Errors) -> Option<T> {
    let found = optional(fields, name, errors)?;
    if found.is_none() {
        errors.add(name, "is missing");
    }
    found
}

/// A field that may be absent or null; none if it can't be read.
#[expect(clippy::option_option, reason = "absent and wrong are different things")]
fn optional<T: DeserializeOwned>(fields: &mut Fields, name: &str, errors: &mut Errors) -> Option<Option<T>> {
    match fields.remove(name) {
        None | Some(Value::Null) => Some(None),
        Some(value) => errors.check(name, serde_json::from_value(value)).map(Some),
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
        let field = format!("config.{name}");
        let alone = serde_json::from_value::<JobConfig>(json!({ name: value }));
        errors.check(&field, alone);
        errors.check(&field, is_known::<JobConfig>(name).map_err(|there_are| format!("is not known; {there_are}")));
        for inner in value.as_object().into_iter().flat_map(Map::keys) {
            let known = match name.as_str() {
                "data_vendors" => is_known::<DataVendors>(inner),
                "tool_vendors" => is_known::<ToolVendors>(inner),
                _ => continue,
            };
            errors.check(&field, known.map_err(|there_are| format!("{inner} is not known; {there_are}")));
        }
    }
    serde_json::from_value(Value::Object(settings)).ok()
}

/// Whether an object has such a field by its schema; else which it has. serde passes over those that it does not know, as
/// is right for what a later version stored.
fn is_known<T: JsonSchema>(field: &str) -> Result<(), String> {
    let schema = schema_for!(T);
    let known = schema.get("properties").and_then(Value::as_object).expect("it is an object");
    if known.contains_key(field) {
        return Ok(());
    }
    let names: Vec<_> = known.keys().map(String::as_str).collect();
    Err(format!("there are {}", names.join(", ")))
}

/// Refuses a time that is too far ahead.
fn within_reach(time: DateTime<Utc>) -> Result<DateTime<Utc>, String> {
    if time - Utc::now() > FARTHEST {
        return Err(format!("is more than {} days ahead", FARTHEST.num_days()));
    }
    Ok(time)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(body: &str) -> Vec<(String, String)> {
        let errors = read(body.as_bytes(), "ticker", read_job).unwrap_err();
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
        assert!(told[0].1.starts_with("is not known; there are asset_type, backend_url"), "{}", told[0].1);
    }

    #[test]
    fn null_means_the_default() {
        let read = |body: &str| read(body.as_bytes(), "ticker", read_job).unwrap();
        let bare = read(r#"{"ticker": "A", "date": "2024-05-10"}"#);
        for config in ["null", "{}", r#"{"llm_provider": null, "max_debate_rounds": null}"#] {
            let body = format!(r#"{{"ticker": "A", "date": "2024-05-10", "config": {config}}}"#);
            assert_eq!(read(&body), bare);
        }
        assert_eq!(read(r#"{"ticker": "A", "date": "2024-05-10", "priority": null, "not_before": null}"#), bare);
    }

    #[test]
    fn a_whole_number_may_have_a_point_and_vendors_are_an_object() {
        let config = |config: &str| {
            format!(r#"{{"ticker": "A", "date": "2024-05-10", "config": {{"max_debate_rounds": {config}}}}}"#)
        };
        let read = |body: &str| read(body.as_bytes(), "ticker", read_job);
        assert_eq!(read(&config("3.0")).unwrap(), read(&config("3")).unwrap());
        for (set, field) in [
            ("2.5", "config.max_debate_rounds"),
            (r#"1, "data_vendors": ["csv"]"#, "config.data_vendors"),
            (r#"1, "tool_vendors": []"#, "config.tool_vendors"),
        ] {
            assert_eq!(wrong(&config(set))[0].0, field);
        }
    }

    #[test]
    fn a_batch_is_a_job_for_each_ticker() {
        let body = r#"{"tickers": ["nvda", "BRK.B"], "date": "2024-05-10", "priority": "low",
            "not_before": "2024-05-11T09:30:00+02:00", "config": {"max_debate_rounds": 2}}"#;
        let requests = read(body.as_bytes(), "tickers", read_batch).unwrap();
        let tickers: Vec<_> = requests.iter().map(|request| request.ticker.as_str()).collect();
        assert_eq!(tickers, ["NVDA", "BRK.B"]);
        assert!(
            requests.iter().all(|request| request.priority == Priority::Low && request.config != JobConfig::default())
        );
        assert_eq!(requests[0].not_before.unwrap().to_rfc3339(), "2024-05-11T07:30:00+00:00");
    }

    #[test]
    fn tickers_that_can_not_be_used_are_named_by_their_places() {
        let many = format!(r#"{{"tickers": [{}], "date": "2024-05-10"}}"#, vec![r#""A""#; 501].join(","));
        for (body, field) in [
            (r#"{"tickers": ["A", "b", "A"], "date": "2024-05-10"}"#, "tickers[2]"),
            (r#"{"tickers": ["A", 7], "date": "2024-05-10"}"#, "tickers[1]"),
            (r#"{"tickers": [], "date": "2024-05-10"}"#, "tickers"),
            (r#"{"tickers": "A", "date": "2024-05-10"}"#, "tickers"),
            (r#"{"date": "2024-05-10"}"#, "tickers"),
            (&many, "tickers"),
        ] {
            let errors = read(body.as_bytes(), "tickers", read_batch).unwrap_err();
            assert_eq!(errors.iter().map(|error| &error.field).collect::<Vec<_>>(), [field], "{body}");
        }
    }

    #[test]
    fn what_is_no_json_is_told_by_its_place() {
        assert!(wrong("{\"ticker\": ")[0].1.contains("line 1 column 11"));
        assert_eq!(wrong("")[0].0, "body");
        assert_eq!(wrong("[1]")[0].0, "body");
    }
}
