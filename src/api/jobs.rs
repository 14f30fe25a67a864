//! The jobs: submit, look at, list, cancel, try again, and read their results.

use std::sync::Arc;

use aide::{
    openapi::MediaType,
    transform::{TransformOperation, TransformResponse},
};
use axum::{
    Json,
    body::Body,
    extract::State,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{
    Api, Problem,
    document::{JOB_ID, as_markdown, example_of, unavailable, unknown_job},
    extract::{Idempotency, JobPath, Query},
    submission::Submission,
    view::{Accepted, JobView, job_example},
};
use crate::{
    domain::Ticker,
    jobs::{Applied, Cancel, Job, JobId, Listing, Status, StoreError},
    results::{JobResult, html},
};

/// After how many seconds a client may ask for a job that it has just submitted.
const FIRST_LOOK: HeaderValue = HeaderValue::from_static("5");

/// Says that the answer is about an earlier request with the same `Idempotency-Key`.
const REPEATED: HeaderName = HeaderName::from_static("idempotent-replayed");

/// Jobs in a page, and the most that can be asked for.
const PAGE: (usize, usize) = (20, 100);

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
pub async fn submit(
    State(api): State<Arc<Api>>,
    Idempotency(key): Idempotency,
    Submission(request): Submission,
) -> Result<Response, Problem> {
    let receipt = api.queue.submit(request, key).await?;
    let repeated = receipt.repeated;
    let job = receipt.into_job();
    Ok(accepted(&format!("/jobs/{}", job.id), repeated, Accepted::from(job)))
}

/// The answer to a submission.
pub fn accepted(location: &str, repeated: bool, body: impl Serialize) -> Response {
    let location = HeaderValue::try_from(location).expect("a path with a UUID is ASCII");
    let headers = [(header::LOCATION, location), (header::RETRY_AFTER, FIRST_LOOK)];
    let mut response = (StatusCode::ACCEPTED, headers, Json(body)).into_response();
    if repeated {
        response.headers_mut().insert(REPEATED, HeaderValue::from_static("true"));
    }
    response
}

/// What a submission may be answered with beside its acceptance.
pub fn not_accepted(docs: TransformOperation<'_>) -> TransformOperation<'_> {
    docs.response_with::<409, Problem, _>(|r| r.description("The `Idempotency-Key` was used for another request."))
        .response_with::<415, Problem, _>(|r| r.description("The body is not sent as JSON."))
        .response_with::<422, Problem, _>(|r| {
            r.description("The request can't be used; `errors` names each bad field.")
        })
        .with(unavailable)
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
             happens to the service. Follow it at `/jobs/{job_id}/events`, or ask for its status. Sent again with the \
             same `Idempotency-Key`, it is the same job, and the header `Idempotent-Replayed` says so.",
        )
        .response_with::<202, Json<Accepted>, _>(|r| {
            example_of(r, &example, "Accepted; `Location` has the job's path.")
        })
        .with(not_accepted)
}

/// `GET /jobs/{job_id}`
pub async fn status(State(api): State<Arc<Api>>, JobPath(id): JobPath) -> Result<Json<JobView>, Problem> {
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
pub async fn list(State(api): State<Arc<Api>>, Query(query): Query<ListQuery>) -> Result<Json<JobPage>, Problem> {
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
            "Newest first. `status=failed` shows what failed for good: why (`error`, `error_type`), after how many \
             attempts (`attempt`), and `POST /jobs/{job_id}/retry` tries it again. Jobs that ended are forgotten after a \
             time (`JOB_TTL`); their results stay on disk.",
        )
        .response_with::<200, Json<JobPage>, _>(|r| example_of(r, &example, "A page of jobs."))
        .response_with::<422, Problem, _>(|r| r.description("The query can't be used; `errors` says why."))
        .with(unavailable)
}

/// `DELETE /jobs/{job_id}`
pub async fn cancel(State(api): State<Arc<Api>>, JobPath(id): JobPath) -> Result<Response, Problem> {
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

/// `POST /jobs/{job_id}/retry`
pub async fn retry(State(api): State<Arc<Api>>, JobPath(id): JobPath) -> Result<Response, Problem> {
    match api.queue.retry(id).await? {
        Applied::Done(job) => Ok((StatusCode::ACCEPTED, Json(JobView::from(job))).into_response()),
        Applied::Refused(job) => Err(Problem::not_failed(id, job.status)),
        Applied::Unknown => Err(Problem::job_not_found(&id.to_string())),
    }
}

pub fn retry_docs(docs: TransformOperation<'_>) -> TransformOperation<'_> {
    let mut example = job_example();
    example["status"] = json!("pending");
    example["decision"] = json!(null);
    example["completed_at"] = json!(null);
    example["error"] = json!("ollama at http://ollama:11434/ can't be reached: connection refused");
    example["error_type"] = json!("llm_error");
    docs.id("retryJob")
        .tag("jobs")
        .summary("Try a failed job again")
        .description("From its beginning, with all its retries. It keeps its id, and the error until it is completed.")
        .response_with::<202, Json<JobView>, _>(|r| example_of(r, &example, "It is pending again."))
        .with(unknown_job)
        .response_with::<409, Problem, _>(|r| r.description("The job has not failed."))
        .with(unavailable)
}

/// `GET /jobs/{job_id}/result`
pub async fn result(State(api): State<Arc<Api>>, JobPath(id): JobPath) -> Result<Response, Problem> {
    let job = completed(&api, id).await?;
    let text = api.results.read(&job).await?.ok_or_else(|| Problem::result_gone(id))?;
    Ok(document("application/json", text))
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
pub async fn report(
    State(api): State<Arc<Api>>,
    JobPath(id): JobPath,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let accepted = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let takes = |kind: &str| accepted.contains(kind);
    let mut response = match (takes("text/html"), takes("application/json")) {
        (true, false) => html_report(&api, id).await?,
        (false, true) => result(State(api), JobPath(id)).await?,
        // Markdown, too, for those who would take both: programs that name whatever there is.
        _ => markdown_report(&api, id).await?,
    };
    response.headers_mut().insert(header::VARY, HeaderValue::from_static("accept"));
    Ok(response)
}

async fn markdown_report(api: &Api, id: JobId) -> Result<Response, Problem> {
    let job = completed(api, id).await?;
    let text = api.results.read_report(&job).await?.ok_or_else(|| Problem::result_gone(id))?;
    Ok(document("text/markdown; charset=utf-8", text))
}

/// The report as one HTML file. It wears the style that it brings, and can do nothing else.
async fn html_report(api: &Api, id: JobId) -> Result<Response, Problem> {
    let result = read_result(api, &completed(api, id).await?).await?.ok_or_else(|| Problem::result_gone(id))?;
    let policy = format!(
        "default-src 'none'; style-src {}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        *html::STYLE_HASH
    );
    let headers =
        [(header::CONTENT_TYPE, "text/html; charset=utf-8".to_owned()), (header::CONTENT_SECURITY_POLICY, policy)];
    Ok((headers, html::report(&result)).into_response())
}

pub fn report_docs(docs: TransformOperation<'_>) -> TransformOperation<'_> {
    docs.id("getReport")
        .tag("jobs")
        .summary("Read a job's report")
        .description(
            "The report for people. As Markdown, unless `Accept` names `text/html` and not JSON, for one HTML file with \
             charts, evidence and costs, which can be printed; or `application/json` and not HTML, for the result.",
        )
        .response_with::<200, String, _>(|r| {
            let mut r = as_markdown(r);
            let example = |example| MediaType { example: Some(example), ..MediaType::default() };
            r.inner().content.insert("text/html".into(), example(json!("<!DOCTYPE html>…")));
            r.inner().content.insert("application/json".into(), example(result_example()));
            r.inner().content.get_mut("text/markdown").expect("it is Markdown").example = Some(json!(REPORT_EXAMPLE));
            r.description("The report.")
        })
        .response_with::<400, Problem, _>(not_completed)
        .with(unknown_job)
        .response_with::<410, Problem, _>(|r| r.description("The result's files were removed."))
        .with(unavailable)
}

/// The job of an id.
pub async fn find(api: &Api, id: JobId) -> Result<Job, Problem> {
    api.queue.get(id).await?.ok_or_else(|| Problem::job_not_found(&id.to_string()))
}

/// The job of an id, whose result is asked for.
async fn completed(api: &Api, id: JobId) -> Result<Job, Problem> {
    let job = find(api, id).await?;
    if job.status == Status::Completed { Ok(job) } else { Err(Problem::not_completed(job.status)) }
}

/// A file of a result.
fn document(kind: &'static str, text: String) -> Response {
    ([(header::CONTENT_TYPE, kind)], Body::from(text)).into_response()
}

/// The result of a completed job; none if its files are gone.
pub async fn read_result(api: &Api, job: &Job) -> Result<Option<JobResult>, Problem> {
    let result = api.results.read(job).await?.map(|text| serde_json::from_str(&text)).transpose();
    Ok(result.map_err(|error| StoreError::Corrupt(format!("the result: {error}")))?)
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
        "attempt": 1,
        "ticker": "NVDA",
        "date": "2024-05-10",
        "decision": "BUY",
        "rating": "Overweight",
        "decision_source": "structured",
        "warnings": [],
        "final_state": {"company_of_interest": "NVDA", "trade_date": "2024-05-10", "final_trade_decision": text},
        "reports": {"market": text, "sentiment": text, "news": text, "fundamentals": text, "portfolio_manager": text},
        "usage": {"calls": 15, "tokens_in": 96_210, "tokens_out": 15_480, "tokens_cached": 40_960, "cost_usd": 0.229},
        "bars": "date,open,high,low,close,volume\n2024-05-10,90.1,91.4,89.6,89.9,334000000\n",
        "steps": [],
    })
}
