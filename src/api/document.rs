//! The OpenAPI document, the page that shows it, and what the descriptions of routes share.

use std::sync::{Arc, OnceLock};

use aide::{
    openapi::{Info, License, Operation, Parameter, ParameterSchemaOrContent, ReferenceOr, SecurityRequirement, Tag},
    scalar::Scalar,
    transform::{TransformOpenApi, TransformOperation, TransformResponse},
    util::iter_operations_mut,
};
use axum::{
    body::Bytes,
    extract::State,
    http::{HeaderName, header},
    response::{Html, IntoResponse, Response},
};
use serde_json::{Value, json};

use super::{Api, Problem, auth, openapi, webhooks};
use crate::config::Config;

/// The job of the examples.
pub const JOB_ID: &str = "018f6478-2b20-7c53-9d2a-5f3e8a1b7c44";

/// The page may load nothing from elsewhere: it has to work without the internet, and tells nobody what is read. Nor may
/// another page show it in a frame, where clicks and keys could be caught.
const POLICY: &str = "default-src 'none'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'unsafe-inline'; \
                      img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; base-uri 'none'; \
                      form-action 'none'; frame-ancestors 'none'";

/// Page and document are the same for everybody, and may be kept as long as they are asked after each time.
const CACHED: (HeaderName, &str) = (header::CACHE_CONTROL, "no-cache");

/// The document as it is served, made when it is first asked for.
#[derive(Default)]
pub struct Document(OnceLock<Bytes>);

impl Document {
    fn of(&self, config: &Config) -> Bytes {
        let json = || serde_json::to_vec(&openapi(config)).expect("the document is JSON").into();
        self.0.get_or_init(json).clone()
    }
}

/// What the document says of the whole API, to which everybody is let in who shows a key, or everybody if `open`.
pub fn describe(api: TransformOpenApi<'_>, open: bool) -> TransformOpenApi<'_> {
    let tag = |name: &str, description: &str| Tag {
        name: name.into(),
        description: Some(description.into()),
        ..Tag::default()
    };
    let info = Info {
        title: "TradingAgents job service".into(),
        version: env!("CARGO_PKG_VERSION").into(),
        summary: Some("A team of trading agents analyses an instrument and decides: BUY, SELL or HOLD.".into()),
        description: Some(
            "Submit a job, follow its events, read its result. Every error is a problem document (RFC 9457), and a page in \
             a browser. Times are UTC (RFC 3339). What comes out is research, and no investment advice."
                .into(),
        ),
        license: Some(License {
            name: "Apache-2.0".into(),
            identifier: Some("Apache-2.0".into()),
            ..License::default()
        }),
        ..Info::default()
    };
    api.info(info)
        .tag(tag("jobs", "Submit, look at, cancel, and read what came out."))
        .tag(tag("events", "What happens, as it happens."))
        .tag(tag("service", "The service itself."))
        .with(webhooks::describe)
        .with(auth::describe)
        .with(|api| guards(api, open))
}

/// What stands before the routes, described for each.
fn guards(mut api: TransformOpenApi<'_>, open: bool) -> TransformOpenApi<'_> {
    let paths = api.inner_mut().paths.iter_mut().flat_map(|paths| paths.paths.iter_mut());
    for (path, item) in paths {
        let ReferenceOr::Item(item) = item else { continue };
        for (method, operation) in iter_operations_mut(item) {
            if !auth::is_open(path) {
                wants_key(operation);
                if open {
                    // By OpenAPI, an empty requirement makes the others optional.
                    operation.security.push(SecurityRequirement::new());
                }
            }
            if method != "get" {
                changes(operation);
            }
            if method == "post" {
                counts(operation);
            }
            if operation.request_body.is_some() {
                reads_body(operation);
            }
            operation.parameters.iter_mut().for_each(is_never_null);
            let is_in_uri = |parameter: &ReferenceOr<Parameter>| {
                matches!(parameter, ReferenceOr::Item(Parameter::Path { .. } | Parameter::Query { .. }))
            };
            if operation.parameters.iter().any(is_in_uri) {
                reads_uri(operation);
            }
        }
    }
    api
}

/// A parameter is a text that is there or not, whatever the type that it is read into; in JSON it could be null too.
fn is_never_null(parameter: &mut ReferenceOr<Parameter>) {
    let ReferenceOr::Item(Parameter::Query { parameter_data, .. } | Parameter::Header { parameter_data, .. }) =
        parameter
    else {
        return;
    };
    let ParameterSchemaOrContent::Schema(schema) = &mut parameter_data.format else { return };
    let schema = schema.json_schema.ensure_object();
    let null = json!("null");
    if let Some(Value::Array(kinds)) = schema.get("type")
        && let [kind, also] = &kinds[..]
        && *also == null
    {
        let kind = kind.clone();
        schema.insert("type".into(), kind);
    }
    if let Some(Value::Array(ways)) = schema.get("anyOf")
        && let [Value::Object(way), also] = &ways[..]
        && also["type"] == null
    {
        let way = way.clone();
        schema.remove("anyOf");
        schema.extend(way);
    }
}

fn wants_key(operation: &mut Operation) {
    let _ = TransformOperation::new(operation)
        .security_requirement(auth::SCHEME)
        .response_with::<401, Problem, _>(|r| {
            r.description("The service has API_KEYS, and the request shows none of them.")
        })
        .response_with::<429, Problem, _>(|r| {
            r.description("This address showed too many wrong keys; try again after `Retry-After` seconds.")
        });
}

fn changes(operation: &mut Operation) {
    let _ = TransformOperation::new(operation).response_with::<403, Problem, _>(|r| {
        r.description("A page of another site asks, whose origin is not one of CORS_ORIGINS.")
    });
}

fn counts(operation: &mut Operation) {
    let _ = TransformOperation::new(operation).response_with::<429, Problem, _>(|r| {
        r.description(
            "As many jobs are pending as may be (`MAX_PENDING`), or this key or address submits too much or shows wrong keys \
             too often; try again after `Retry-After` seconds.",
        )
    });
}

fn reads_body(operation: &mut Operation) {
    let _ = TransformOperation::new(operation)
        .response_with::<408, Problem, _>(|r| r.description("The body did not come in time (`CLIENT_TIMEOUT`)."))
        .response_with::<413, Problem, _>(|r| r.description("The body is larger than 1 MiB."));
}

fn reads_uri(operation: &mut Operation) {
    let _ = TransformOperation::new(operation)
        .response_with::<414, Problem, _>(|r| r.description("The path and query are longer than 8 KiB."));
}

/// `GET /openapi.json`
pub async fn json(State(api): State<Arc<Api>>) -> Response {
    ([(header::CONTENT_TYPE, "application/json"), CACHED], api.document.of(&api.config)).into_response()
}

pub fn json_docs(docs: TransformOperation<'_>) -> TransformOperation<'_> {
    docs.id("openapi")
        .tag("service")
        .summary("This document")
        .response_with::<200, axum::Json<serde_json::Map<String, Value>>, _>(|r| {
            example_of(r, &json!({"openapi": "3.1.0", "info": {}, "paths": {}}), "OpenAPI 3.1.")
        })
}

/// `GET /docs`
pub async fn page() -> Response {
    let page = Scalar::new("openapi.json").with_title("TradingAgents job service").html();
    // aide has no setting for these: without the first, the page asks another host for its fonts, which the policy refuses.
    let page = page.replacen("theme: 'purple',", "theme: 'default', withDefaultFonts: false, telemetry: false,", 1);
    let page = page.replacen("customCss: `", "customCss: `:root { --scalar-font: system-ui, sans-serif }", 1);
    ([(header::CONTENT_SECURITY_POLICY, POLICY), CACHED], Html(page)).into_response()
}

pub fn page_docs(docs: TransformOperation<'_>) -> TransformOperation<'_> {
    docs.id("docs")
        .tag("service")
        .summary("The documentation for people")
        .description("A page that shows the OpenAPI document and tries its calls. It needs no internet.")
        .response_with::<200, Html<String>, _>(|r| example_of(r, &json!("<!DOCTYPE html>…"), "The page."))
}

/// The answer to an id that no job has.
pub fn unknown_job(docs: TransformOperation<'_>) -> TransformOperation<'_> {
    docs.response_with::<404, Problem, _>(|r| r.description("No job has this id; `error` and `job_id` name it."))
}

/// The answer while the store is away.
pub fn unavailable(docs: TransformOperation<'_>) -> TransformOperation<'_> {
    docs.response_with::<503, Problem, _>(|r| {
        r.description("The job store does not answer, or is full; try again after `Retry-After` seconds.")
    })
}

/// Describes a response, with an example.
pub fn example_of<'a, T>(
    mut docs: TransformResponse<'a, T>,
    example: &Value,
    description: &str,
) -> TransformResponse<'a, T> {
    for media in docs.inner().content.values_mut() {
        media.example = Some(example.clone());
    }
    docs.description(description)
}

/// Says that a text is what it is.
pub fn as_text(docs: TransformResponse<'_, String>) -> TransformResponse<'_, String> {
    of_kind(docs, "text/plain")
}

/// Says that a text is Markdown.
pub fn as_markdown(docs: TransformResponse<'_, String>) -> TransformResponse<'_, String> {
    of_kind(docs, "text/markdown")
}

/// Says that a text is an event stream.
pub fn as_event_stream(docs: TransformResponse<'_, String>) -> TransformResponse<'_, String> {
    of_kind(docs, "text/event-stream")
}

fn of_kind<'a>(mut docs: TransformResponse<'a, String>, kind: &str) -> TransformResponse<'a, String> {
    let content = std::mem::take(&mut docs.inner().content);
    docs.inner().content = content.into_values().map(|media| (kind.to_owned(), media)).collect();
    docs
}
