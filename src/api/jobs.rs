//! The jobs: submit, look at, list, cancel, and read their results.

use aide::transform::{TransformOperation, TransformResponse};
use axum::{
    Json,
    body::Body,
    extract::State,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{
    Api, Problem,
    document::{JOB_ID, as_markdown, example_of, unavailable, unknown_job},
    extract::{JobPath, Query},
    submission::Submission,
};
use crate::{
    domain::{Decision, Ticker, TradeDate},
    jobs::{Cancel, ErrorType, Job, JobId, Listing, Status, StoreError, WorkerId},
    results::{JobResult, Results, ResultsError},
};

/// After how many seconds a client may ask for a job that it has just submitted.
const FIRST_LOOK: HeaderValue = HeaderValue::from_static("5");

/// Jobs in a page, and the most that can be asked for.
const PAGE: (usize, usize) = (20, 100);

/// An accepted job.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Accepted {
    job_id: JobId,
    status: Status,
    created_at: DateTime<Utc>,
    ticker: Ticker,
    date: TradeDate,
}

/// A job as it is now.
#[derive(Debug, Serialize, JsonSchema)]
pub struct JobView {
    job_id: JobId,
    status: Status,
    created_at: DateTime<Utc>,
    /// When the current or last attempt began.
    started_at: Option<DateTime<Utc>>,
    completed_at: Option<DateTime<Utc>>,
    ticker: Ticker,
    date: TradeDate,
    /// What the last attempt failed with; null once completed.
    error: Option<String>,
    error_type: Option<ErrorType>,
    /// Failed attempts that were followed by another.
    retry_count: u32,
    /// Attempts that were begun.
    attempt: u32,
    /// The worker of the current or last attempt.
    worker: Option<WorkerId>,
    /// The outcome, once completed.
    decision: Option<Decision>,
}

/// A part of a listing.
#[derive(Debug, Serialize, JsonSchema)]
pub struct JobPage {
    jobs: Vec<JobView>,
    /// The `cursor` of the next page; null after the last.
    next_cursor: Option<JobId>,
}

/// Which jobs to list.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListQuery {
    /// Only jobs of this status.
    status: Option<Status>,
    /// Only jobs of this instrument.
    ticker: Option<Ticker>,
    /// How many jobs at most; 20 if left out.
    #[schemars(range(min = 1, max = 100))]
    limit: Option<usize>,
    /// `next_cursor` of the page before.
    cursor: Option<JobId>,
}

/// `POST /jobs`
pub async fn submit(State(api): State<Api>, Submission(request): Submission) -> Result<Response, Problem> {
    let job = api.queue.submit(&request).await?;
    let location = HeaderValue::try_from(format!("/jobs/{}", job.id)).expect("a UUID is ASCII");
    let headers = [(header::LOCATION, location), (header::RETRY_AFTER, FIRST_LOOK)];
    Ok((StatusCode::ACCEPTED, headers, Json(Accepted::from(job))).into_response())
}

pub fn submit_docs(docs: TransformOperation<'_>) -> TransformOperation<'_> {
    let example = json!({
        "job_id": JOB_ID, "status": "pending", "created_at": "2024-05-10T20:15:00Z", "ticker": "NVDA", "date": "2024-05-10"
    });
    docs.id("submitJob")
        .tag("jobs")
        .summary("Submit a job")
        .description(
            "Asks for an analysis. Once this is answered the job is stored, and it ends in a final status whatever \
             happens to the service. Follow it at `/jobs/{job_id}/events`, or ask for its status.",
        )
        .response_with::<202, Json<Accepted>, _>(|r| {
            example_of(r, &example, "Accepted; `Location` has the job's path.")
        })
        .response_with::<413, Problem, _>(|r| r.description("The body is larger than 1 MiB."))
        .response_with::<415, Problem, _>(|r| r.description("The body is not sent as JSON."))
        .response_with::<422, Problem, _>(|r| r.description("The body can't be used; `errors` names each bad field."))
        .with(unavailable)
}

/// `GET /jobs/{job_id}`
pub async fn status(State(api): State<Api>, JobPath(id): JobPath) -> Result<Json<JobView>, Problem> {
    Ok(Json(find(&api, id).await?.into()))
}

pub fn status_docs(docs: TransformOperation<'_>) -> TransformOperation<'_> {
    docs.id("getJob")
        .tag("jobs")
        .summary("Look at a job")
        .response_with::<200, Json<JobView>, _>(|r| example_of(r, &job_example(), "The job as it is now."))
        .with(unknown_job)
        .with(unavailable)
}

/// `GET /jobs`
pub async fn list(State(api): State<Api>, Query(query): Query<ListQuery>) -> Result<Json<JobPage>, Problem> {
    let (usual, most) = PAGE;
    let limit = query.limit.unwrap_or(usual);
    if !(1..=most).contains(&limit) {
        let message = format!("{limit} is not within 1 to {most}");
        return Err(Problem::bad_fields(vec![super::FieldError { field: "limit".into(), message }]));
    }
    let ListQuery { status, ticker, cursor, .. } = query;
    let page = api.queue.list(&Listing { status, ticker, cursor, limit }).await?;
    Ok(Json(JobPage { jobs: page.jobs.into_iter().map(JobView::from).collect(), next_cursor: page.next }))
}

pub fn list_docs(docs: TransformOperation<'_>) -> TransformOperation<'_> {
    let example = json!({"jobs": [job_example()], "next_cursor": null});
    docs.id("listJobs")
        .tag("jobs")
        .summary("List jobs")
        .description(
            "Newest first. Jobs that ended are forgotten after a time (`JOB_TTL`); their results stay on disk.",
        )
        .response_with::<200, Json<JobPage>, _>(|r| example_of(r, &example, "A page of jobs."))
        .response_with::<422, Problem, _>(|r| r.description("The query can't be used; `errors` says why."))
        .with(unavailable)
}

/// `DELETE /jobs/{job_id}`
pub async fn cancel(State(api): State<Api>, JobPath(id): JobPath) -> Result<Response, Problem> {
    match api.queue.cancel(id).await? {
        Cancel::Cancelled(job) => Ok((StatusCode::ACCEPTED, Json(JobView::from(job))).into_response()),
        Cancel::AlreadyEnded(job) => Err(Problem::already_ended(id, job.status)),
        Cancel::Unknown => Err(Problem::job_not_found(&id.to_string())),
    }
}

pub fn cancel_docs(docs: TransformOperation<'_>) -> TransformOperation<'_> {
    let mut example = job_example();
    example["status"] = json!("cancelled");
    example["decision"] = json!(null);
    docs.id("cancelJob")
        .tag("jobs")
        .summary("Cancel a job")
        .description("Ends a pending or running job. Its worker stops at once.")
        .response_with::<202, Json<JobView>, _>(|r| example_of(r, &example, "It is cancelled."))
        .with(unknown_job)
        .response_with::<409, Problem, _>(|r| r.description("The job had already ended."))
        .with(unavailable)
}

/// `GET /jobs/{job_id}/result`
pub async fn result(State(api): State<Api>, JobPath(id): JobPath) -> Result<Response, Problem> {
    read_file(&api, id, "application/json", Results::read).await
}

pub fn result_docs(docs: TransformOperation<'_>) -> TransformOperation<'_> {
    docs.id("getResult")
        .tag("jobs")
        .summary("Read a job's result")
        .description("The decision, every agent's report, and everything that the agents saw, said, called and cost.")
        .response_with::<200, Json<JobResult>, _>(|r| {
            example_of(r, &result_example(), "The result; here without most texts.")
        })
        .response_with::<400, Problem, _>(not_completed)
        .with(unknown_job)
        .response_with::<410, Problem, _>(|r| r.description("The result's files were removed."))
        .with(unavailable)
}

/// `GET /jobs/{job_id}/report`
pub async fn report(State(api): State<Api>, JobPath(id): JobPath) -> Result<Response, Problem> {
    read_file(&api, id, "text/markdown; charset=utf-8", Results::read_report).await
}

pub fn report_docs(docs: TransformOperation<'_>) -> TransformOperation<'_> {
    docs.id("getReport")
        .tag("jobs")
        .summary("Read a job's report")
        .description("The report for people, as Markdown.")
        .response_with::<200, String, _>(|r| example_of(as_markdown(r), &json!(REPORT_EXAMPLE), "The report."))
        .response_with::<400, Problem, _>(not_completed)
        .with(unknown_job)
        .response_with::<410, Problem, _>(|r| r.description("The result's files were removed."))
        .with(unavailable)
}

/// The job of an id.
pub async fn find(api: &Api, id: JobId) -> Result<Job, Problem> {
    api.queue.get(id).await?.ok_or_else(|| Problem::job_not_found(&id.to_string()))
}

/// A file of a completed job.
async fn read_file(
    api: &Api,
    id: JobId,
    kind: &'static str,
    read: fn(&Results, &Job) -> Result<Option<String>, ResultsError>,
) -> Result<Response, Problem> {
    let job = find(api, id).await?;
    if job.status != Status::Completed {
        return Err(Problem::not_completed(job.status));
    }
    let results = api.results.clone();
    let text = tokio::task::spawn_blocking(move || read(&results, &job)).await;
    let text = text.map_err(|panic| StoreError::Corrupt(panic.to_string()))??;
    let text = text.ok_or_else(|| Problem::result_gone(id))?;
    Ok(([(header::CONTENT_TYPE, kind)], Body::from(text)).into_response())
}

fn not_completed(docs: TransformResponse<'_, Problem>) -> TransformResponse<'_, Problem> {
    docs.description("The job is not completed; `detail` has its status.")
}

/// How a report begins.
const REPORT_EXAMPLE: &str = "# Trading Analysis Report: NVDA\n\n**Decision:** BUY (rating: Overweight)";

/// A result without the agents' texts.
fn result_example() -> serde_json::Value {
    let text = "…";
    json!({
        "job_id": JOB_ID,
        "ticker": "NVDA",
        "date": "2024-05-10",
        "decision": "BUY",
        "rating": "Overweight",
        "decision_source": "structured",
        "warnings": [],
        "final_state": {"company_of_interest": "NVDA", "trade_date": "2024-05-10", "final_trade_decision": text},
        "reports": {"market": text, "sentiment": text, "news": text, "fundamentals": text, "portfolio_manager": text},
        "usage": {"calls": 15, "tokens_in": 96_210, "tokens_out": 15_480, "tokens_cached": 40_960, "cost_usd": 0.229},
        "steps": [],
    })
}

fn job_example() -> serde_json::Value {
    json!({
        "job_id": JOB_ID,
        "status": "completed",
        "created_at": "2024-05-10T20:15:00Z",
        "started_at": "2024-05-10T20:15:00Z",
        "completed_at": "2024-05-10T20:19:42Z",
        "ticker": "NVDA",
        "date": "2024-05-10",
        "error": null,
        "error_type": null,
        "retry_count": 0,
        "attempt": 1,
        "worker": "gpu-1-7",
        "decision": "BUY",
    })
}

impl From<Job> for Accepted {
    fn from(job: Job) -> Self {
        let Job { id, status, created_at, request, .. } = job;
        Self { job_id: id, status, created_at, ticker: request.ticker, date: request.date }
    }
}

impl From<Job> for JobView {
    fn from(job: Job) -> Self {
        Self {
            job_id: job.id,
            status: job.status,
            created_at: job.created_at,
            started_at: job.started_at,
            completed_at: job.completed_at,
            ticker: job.request.ticker,
            date: job.request.date,
            error: job.error,
            error_type: job.error_type,
            retry_count: job.retry_count,
            attempt: job.attempt,
            worker: job.worker,
            decision: job.decision,
        }
    }
}
