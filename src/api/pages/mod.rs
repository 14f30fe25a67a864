//! The dashboard: pages for people, made here and kept up to date by one small script.
//!
//! | page | file |
//! | --- | --- |
//! | `/` in a browser: jobs, the form for new ones, how full the queue is | [`jobs`], [`submit`], [`depth`] |
//! | `/dashboard/jobs/{job_id}`: a job, live | [`job`] |
//! | `/dashboard/batches/{batch_id}` | [`batch`] |
//! | `/dashboard/backtests`, `/dashboard/backtests/{name}` | [`backtests`] |
//! | `/dashboard/workers` | [`workers`] |
//! | where an API with keys asks for one | [`key`] |
//!
//! Each page is whole as it is served. The script listens to events, asks for the same page again when there is one, and
//! puts those of its parts in place that are marked `data-live` and have changed; it submits the form and the buttons by the
//! API that programs use. What is a problem document to programs is a page here too ([`for_people`]). Whatever comes from
//! models, vendors and clients is escaped by maud, and [`POLICY`] lets a browser run and load nothing but the two files of
//! [`assets`].

mod assets;
mod backtests;
mod batch;
mod depth;
mod job;
mod jobs;
mod key;
mod layout;
mod submit;
mod words;
mod workers;

use std::sync::{Arc, LazyLock};

use axum::{
    Router,
    extract::Request,
    http::{HeaderMap, HeaderValue, StatusCode, Uri, header},
    middleware::Next,
    response::{IntoResponse, Redirect, Response},
    routing::get,
};
pub use depth::Depth;
pub use jobs::page as jobs;
pub use key::page as key;
use layout::{Page, Place};
use maud::{Markup, html};

use super::{Api, Problem, problem::unknown_path};
use crate::{jobs::JobId, results::html::STYLE_HASH};

/// What pages may do in a browser: run this program's script, wear its style, ask this API. A form may ask it too. The page
/// that asks for a key may become a report, which brings its own style.
static POLICY: LazyLock<HeaderValue> = LazyLock::new(|| {
    let policy = format!(
        "default-src 'none'; script-src 'self'; style-src 'self' {}; img-src 'self'; connect-src 'self'; form-action \
         'self'; base-uri 'none'; frame-ancestors 'none'",
        *STYLE_HASH
    );
    HeaderValue::try_from(policy).expect("a policy is ASCII")
});

/// The pages that have an address of their own.
pub fn routes() -> Router<Arc<Api>> {
    Router::new()
        .route("/dashboard", get(home))
        .route("/dashboard/", get(home))
        .route("/dashboard/jobs", get(home))
        .route("/dashboard/batches", get(home))
        .route("/dashboard/jobs/{job_id}", get(job::page))
        .route("/dashboard/batches/{batch_id}", get(batch::page))
        .route("/dashboard/backtests", get(backtests::list))
        .route("/dashboard/backtests/{name}", get(backtests::page))
        .route("/dashboard/workers", get(workers::page))
        .route(assets::STYLE, get(assets::style))
        .route(assets::SCRIPT, get(assets::script))
        .route(assets::ICON, get(assets::icon))
}

/// Leads from where one would look for the jobs to where they are.
async fn home(headers: HeaderMap, uri: Uri) -> Response {
    if is_wanted(&headers) {
        Redirect::to(&Page::new(&uri, Place::Jobs, "").to("")).into_response()
    } else {
        unknown_path(uri).await.into_response()
    }
}

/// Shows a person what programs get as a problem document.
pub async fn for_people(request: Request, next: Next) -> Response {
    if !request.method().is_safe() || !is_wanted(request.headers()) {
        return next.run(request).await;
    }
    let uri = request.uri().clone();
    let response = next.run(request).await;
    let Some(problem) = response.extensions().get::<Problem>() else { return response };
    let page = Page::new(&uri, Place::Elsewhere, problem.in_words().1);
    let page = answer(problem.in_words().0, page.around(&notice(&page, problem, job_of(&uri))));
    let (mut parts, _) = response.into_parts();
    parts.headers.remove(header::CONTENT_LENGTH);
    // What headers say of the problem beside that stays, such as when to ask again.
    let (page, body) = page.into_parts();
    parts.headers.extend(page.headers);
    Response::from_parts(parts, body)
}

/// The job whose result or report is asked for.
fn job_of(uri: &Uri) -> Option<JobId> {
    uri.path().strip_prefix("/jobs/")?.split('/').next()?.parse().ok()
}

/// What everybody may ask for: without it, nobody could be asked for a key.
pub fn is_open(path: &str) -> bool {
    [assets::STYLE, assets::SCRIPT, assets::ICON].contains(&path)
}

/// Whether a person asks with a browser: it names HTML. Some programs name HTML too, but JSON before it.
pub fn is_wanted(headers: &HeaderMap) -> bool {
    let accepted = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    accepted.contains("text/html") && !accepted.contains("application/json")
}

/// A page as an answer.
fn answer(status: StatusCode, page: Markup) -> Response {
    let kind = HeaderValue::from_static("text/html; charset=utf-8");
    let headers = [(header::CONTENT_TYPE, kind), (header::CONTENT_SECURITY_POLICY, POLICY.clone())];
    (status, headers, page.into_string()).into_response()
}

/// A problem as a page.
fn trouble(page: &Page<'_>, problem: &Problem) -> Response {
    answer(problem.in_words().0, page.around(&notice(page, problem, None)))
}

/// What went wrong, and where to go from there: to the job, if it is one that there is, and to all jobs.
fn notice(page: &Page<'_>, problem: &Problem, job: Option<JobId>) -> Markup {
    let (status, title, detail) = problem.in_words();
    let job = job.filter(|_| status != StatusCode::NOT_FOUND);
    html! {
        section.panel.notice aria-labelledby="trouble" {
            h1 #trouble { (title) }
            p { (detail) }
            p.ways {
                @if let Some(job) = job { a href=(page.to(&format!("dashboard/jobs/{job}"))) { "To the job" } }
                a href=(page.to("")) { "Back to the jobs" }
            }
        }
    }
}
