//! Reading the parts of a request; what can't be read is answered with a [`Problem`].

use aide::{
    OperationInput,
    generate::GenContext,
    openapi::Operation,
    operation::{ParamLocation, add_parameters, parameters_from_schema},
};
use axum::{
    extract::{FromRequestParts, Path as AxumPath, Query as AxumQuery},
    http::request::Parts,
};
use schemars::JsonSchema;
use serde::{Deserialize, de::DeserializeOwned};

use super::{
    problem::{FieldError, Problem},
    rate::Account,
};
use crate::jobs::{BatchId, EventId, IdempotencyKey, JobId};

/// The job that a path names.
pub struct JobPath(pub JobId);

#[derive(Deserialize, JsonSchema)]
struct JobPathFields {
    /// The job's id, as the submission answered it.
    job_id: String,
}

/// The batch that a path names.
pub struct BatchPath(pub BatchId);

#[derive(Deserialize, JsonSchema)]
struct BatchPathFields {
    /// The batch's id, as the submission answered it.
    batch_id: String,
}

/// What the client calls its submission, from the header `Idempotency-Key`.
pub struct Idempotency(pub Option<IdempotencyKey>);

#[derive(JsonSchema)]
#[expect(dead_code, reason = "it only describes the header")]
struct IdempotencyFields {
    /// A name of the client's for this submission, such as a UUID. Sent again within 24 hours with the same body, it is the
    /// same submission; with another body it is refused.
    #[serde(rename = "Idempotency-Key")]
    #[schemars(length(min = 1, max = 255), regex(pattern = r"^[!-~]+$"))]
    key: Option<String>,
}

/// The query of a request.
pub struct Query<T>(pub T);

/// The event after which a stream goes on, from the header `Last-Event-ID` (HTML Living Standard, section 9.2).
pub struct LastEventId(pub Option<EventId>);

#[derive(JsonSchema)]
#[expect(dead_code, reason = "it only describes the header")]
struct LastEventIdFields {
    /// The `id` of the last event that the client saw; the stream goes on after it.
    #[serde(rename = "Last-Event-ID")]
    #[schemars(regex(pattern = r"^[0-9]{1,19}-[0-9]{1,19}$"))]
    last: Option<String>,
}

impl<S: Send + Sync> FromRequestParts<S> for JobPath {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let path = AxumPath::<JobPathFields>::from_request_parts(parts, state).await;
        let AxumPath(JobPathFields { job_id }) = path.map_err(|_| Problem::job_not_found("not UTF-8"))?;
        // What is no id is the id of no job.
        job_id.parse().map(Self).map_err(|_| Problem::job_not_found(&job_id))
    }
}

impl OperationInput for JobPath {
    fn operation_input(context: &mut GenContext, operation: &mut Operation) {
        AxumPath::<JobPathFields>::operation_input(context, operation);
    }
}

impl<S: Send + Sync> FromRequestParts<S> for BatchPath {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let path = AxumPath::<BatchPathFields>::from_request_parts(parts, state).await;
        let AxumPath(BatchPathFields { batch_id }) = path.map_err(|_| Problem::batch_not_found("not UTF-8"))?;
        batch_id.parse().map(Self).map_err(|_| Problem::batch_not_found(&batch_id))
    }
}

impl OperationInput for BatchPath {
    fn operation_input(context: &mut GenContext, operation: &mut Operation) {
        AxumPath::<BatchPathFields>::operation_input(context, operation);
    }
}

impl<S: Sync> FromRequestParts<S> for Idempotency {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let Some(value) = parts.headers.get("idempotency-key") else { return Ok(Self(None)) };
        let key = value.to_str().unwrap_or_default().trim().parse::<IdempotencyKey>();
        // Clients with keys of their own need not agree on how they call their submissions.
        let scoped = |key: IdempotencyKey| match parts.extensions.get::<Account>().and_then(Account::key) {
            Some(name) => key.of_client(name),
            None => key,
        };
        key.map(|key| Self(Some(scoped(key)))).map_err(|message| {
            Problem::bad_fields(vec![FieldError { field: "Idempotency-Key".into(), message: message.into() }])
        })
    }
}

impl OperationInput for Idempotency {
    fn operation_input(context: &mut GenContext, operation: &mut Operation) {
        describe_headers::<IdempotencyFields>(context, operation);
    }
}

impl<S: Sync, T: DeserializeOwned> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let query = AxumQuery::try_from_uri(&parts.uri);
        query.map(|AxumQuery(query)| Self(query)).map_err(|rejection| {
            let told = rejection.body_text();
            let told = told.strip_prefix("Failed to deserialize query string: ").unwrap_or(&told);
            let (field, message) = told.split_once(": ").unwrap_or(("query", told));
            Problem::bad_fields(vec![FieldError { field: field.into(), message: message.into() }])
        })
    }
}

impl<T: JsonSchema> OperationInput for Query<T> {
    fn operation_input(context: &mut GenContext, operation: &mut Operation) {
        AxumQuery::<T>::operation_input(context, operation);
    }
}

impl<S: Sync> FromRequestParts<S> for LastEventId {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let Some(value) = parts.headers.get("last-event-id") else { return Ok(Self(None)) };
        let id = value.to_str().ok().and_then(|text| text.trim().parse().ok());
        id.map(|id| Self(Some(id))).ok_or_else(|| {
            let message =
                "is no event id; send back the id of the last event, such as 1715299200000-0, or leave it out";
            Problem::bad_fields(vec![FieldError { field: "Last-Event-ID".into(), message: message.into() }])
        })
    }
}

impl OperationInput for LastEventId {
    fn operation_input(context: &mut GenContext, operation: &mut Operation) {
        describe_headers::<LastEventIdFields>(context, operation);
    }
}

/// Adds the fields of a type to the headers that an operation reads.
fn describe_headers<T: JsonSchema>(context: &mut GenContext, operation: &mut Operation) {
    let schema = context.schema.root_schema_for::<T>();
    let headers = parameters_from_schema(context, schema, ParamLocation::Header);
    add_parameters(context, operation, headers);
}
