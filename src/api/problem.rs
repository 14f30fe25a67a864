//! What is answered when something is wrong: problem documents (RFC 9457).

use std::time::Duration;

use aide::{
    OperationOutput,
    generate::GenContext,
    openapi::{MediaType, Operation, Response as ResponseDocs, SchemaObject, StatusCode as StatusDocs},
};
use axum::{
    Json,
    http::{HeaderValue, Method, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    jobs::{JobId, Status, StoreError, SubmitError},
    results::ResultsError,
};

/// The least wait before a store that did not answer, or an API without room, is asked again, seconds.
const BUSY_WAIT: u32 = 5;

/// The least wait before a full queue is tried again, seconds. Jobs take minutes.
const QUEUE_WAIT: u32 = 30;

/// A problem document. `type` is always `about:blank`: the status says what kind of problem it is.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Problem {
    #[serde(rename = "type")]
    kind: &'static str,
    /// The status in words.
    title: &'static str,
    status: u16,
    /// What happened, and what to do.
    detail: String,
    /// What is wrong with which field of the request.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(default)]
    errors: Vec<FieldError>,
    /// Of an unknown job: `Job not found: {id}`; of an unknown batch, the same of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    /// Of an unknown job: the id that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    job_id: Option<String>,
    #[serde(skip)]
    retry_after: Option<u32>,
    #[serde(skip)]
    closes: bool,
}

/// What is wrong with a field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct FieldError {
    /// The field's name; those of `config` as `config.max_debate_rounds`. Empty for the request as a whole.
    pub field: String,
    pub message: String,
}

impl Problem {
    /// A problem of this status.
    pub fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self {
            kind: "about:blank",
            title: status.canonical_reason().unwrap_or("Unknown"),
            status: status.as_u16(),
            detail: detail.into(),
            errors: Vec::new(),
            error: None,
            job_id: None,
            retry_after: None,
            closes: false,
        }
    }

    /// The same, after which nothing can follow on the connection: the rest of the body is not read.
    pub fn closing(self) -> Self {
        Self { closes: true, ..self }
    }

    /// The problem for people: its status, that in words, and what happened.
    pub fn in_words(&self) -> (StatusCode, &'static str, &str) {
        (self.status(), self.title, &self.detail)
    }

    fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// Fields that can't be used.
    pub fn bad_fields(errors: Vec<FieldError>) -> Self {
        let told: Vec<_> = errors.iter().map(|FieldError { field, message }| format!("{field}: {message}")).collect();
        Self { errors, ..Self::new(StatusCode::UNPROCESSABLE_ENTITY, told.join("; ")) }
    }

    /// No job has this id.
    pub fn job_not_found(id: &str) -> Self {
        let error = format!("Job not found: {}", id.chars().take(100).collect::<String>());
        let detail = format!("{error}. GET /jobs lists the jobs; ended ones are forgotten after JOB_TTL");
        Self { error: Some(error), job_id: Some(id.into()), ..Self::new(StatusCode::NOT_FOUND, detail) }
    }

    /// No batch has this id.
    pub fn batch_not_found(id: &str) -> Self {
        let error = format!("Batch not found: {}", id.chars().take(100).collect::<String>());
        let detail = format!("{error}. A batch is forgotten with the last of its jobs, after JOB_TTL");
        Self { error: Some(error), ..Self::new(StatusCode::NOT_FOUND, detail) }
    }

    /// The job has no result yet, or never will have one.
    pub fn not_completed(status: Status) -> Self {
        Self::new(StatusCode::BAD_REQUEST, format!("Job is not completed (current status: {status})"))
    }

    /// The job has ended before.
    pub fn already_ended(id: JobId, status: Status) -> Self {
        Self::new(
            StatusCode::CONFLICT,
            format!("Job {id} has already ended (status: {status}), so it can't be cancelled"),
        )
    }

    /// The job has not failed.
    pub fn not_failed(id: JobId, status: Status) -> Self {
        Self::new(
            StatusCode::CONFLICT,
            format!("Job {id} has not failed (status: {status}), so it can't be tried again; submit a new job"),
        )
    }

    /// The job's files are no longer where they were written.
    pub fn result_gone(id: JobId) -> Self {
        let detail = format!(
            "The result of job {id} is not where the API looks for it: it was removed, or API and workers have different \
             places (RESULTS_DIR, RESULTS_URL)"
        );
        Self::new(StatusCode::GONE, detail)
    }

    /// Nobody whom the API knows.
    pub fn unauthorized(detail: &str) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, detail)
    }

    /// A request that took too long.
    pub fn too_slow() -> Self {
        let detail = "The request took too long, and may have done what it asked for; look before you repeat it";
        Self { retry_after: Some(BUSY_WAIT), ..Self::new(StatusCode::SERVICE_UNAVAILABLE, detail) }
    }

    /// More requests than may be, or too soon.
    pub fn too_often(detail: String, wait: Duration) -> Self {
        let seconds = u32::try_from(wait.as_millis().div_ceil(1000)).unwrap_or(u32::MAX).max(1);
        Self { retry_after: Some(seconds), ..Self::new(StatusCode::TOO_MANY_REQUESTS, detail) }
    }

    /// More of these are open than may be.
    pub fn full(what: &str) -> Self {
        let detail = format!("The API has no room for more {what}; others have to end first");
        Self { retry_after: Some(BUSY_WAIT), ..Self::new(StatusCode::SERVICE_UNAVAILABLE, detail) }
    }

    /// The code broke.
    pub fn bug() -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "The API hit a bug; its log has the place, please report it")
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        tracing::warn!(%error, "the job store failed");
        match error {
            StoreError::Corrupt(_) => Self::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()),
            StoreError::Unavailable(_) | StoreError::Full(_) => {
                Self { retry_after: Some(BUSY_WAIT), ..Self::new(StatusCode::SERVICE_UNAVAILABLE, error.to_string()) }
            }
        }
    }
}

impl From<SubmitError> for Problem {
    fn from(error: SubmitError) -> Self {
        match error {
            SubmitError::KeyReused(_) => Self::new(StatusCode::CONFLICT, error.to_string()),
            SubmitError::QueueFull { .. } => {
                Self { retry_after: Some(QUEUE_WAIT), ..Self::new(StatusCode::TOO_MANY_REQUESTS, error.to_string()) }
            }
            SubmitError::Store(error) => error.into(),
        }
    }
}

impl From<ResultsError> for Problem {
    fn from(error: ResultsError) -> Self {
        tracing::warn!(%error, "the results can't be read");
        match error {
            ResultsError::Unreachable { .. } => {
                Self { retry_after: Some(BUSY_WAIT), ..Self::new(StatusCode::SERVICE_UNAVAILABLE, error.to_string()) }
            }
            _ => Self::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()),
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = self.status();
        let (wait, closes) = (self.retry_after, self.closes);
        let mut response = (status, Json(&self)).into_response();
        // For those who show it otherwise.
        response.extensions_mut().insert(self);
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if closes {
            headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if let Some(seconds) = wait {
            headers.insert(header::RETRY_AFTER, seconds.into());
        }
        response
    }
}

impl OperationOutput for Problem {
    type Inner = Self;

    fn operation_response(context: &mut GenContext, _: &mut Operation) -> Option<ResponseDocs> {
        let json_schema = context.schema.subschema_for::<Self>();
        let schema = Some(SchemaObject { json_schema, external_docs: None, example: None });
        let media = MediaType { schema, ..MediaType::default() };
        let content = [("application/problem+json".to_owned(), media)].into_iter().collect();
        Some(ResponseDocs { content, ..ResponseDocs::default() })
    }

    fn inferred_responses(_: &mut GenContext, _: &mut Operation) -> Vec<(Option<StatusDocs>, ResponseDocs)> {
        Vec::new()
    }
}

/// Answers what no route does.
pub async fn unknown_path(uri: Uri) -> Problem {
    Problem::new(StatusCode::NOT_FOUND, format!("There is nothing at {}; GET / lists what there is", uri.path()))
}

/// Answers a method that a path does not know.
pub async fn wrong_method(method: Method, uri: Uri) -> Problem {
    let detail = format!("{} can't be asked with {method}; the header Allow says with what", uri.path());
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, detail)
}
