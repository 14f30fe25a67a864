//! What is taken in of a request, before anything is done with it: a URI of bounded length, and a body of bounded size
//! within a bounded time.

use std::time::Duration;

use axum::{
    body::{Bytes, HttpBody},
    extract::{FromRequest, Request, State},
    http::StatusCode,
    middleware::Next,
    response::{IntoResponse, Response},
};
use tokio::time::timeout;

use super::Problem;

/// The largest request body, bytes.
pub const MAX_BODY: usize = 1 << 20;

/// The longest path and query, bytes. RFC 9110, 4.1 asks for 8000 at least.
const MAX_URI: usize = 8 << 10;

/// Refuses a URI that is too long.
pub async fn short_uri(request: Request, next: Next) -> Response {
    let length = request.uri().path_and_query().map_or(0, |uri| uri.as_str().len());
    if length > MAX_URI {
        let detail = format!("The path and query have {length} bytes, and at most {MAX_URI} are read");
        return Problem::new(StatusCode::URI_TOO_LONG, detail).into_response();
    }
    next.run(request).await
}

/// Reads the whole body, which is not larger than the router's limit, for as long as the client may take.
pub async fn whole_body(State(patience): State<Duration>, request: Request, next: Next) -> Response {
    if request.body().is_end_stream() {
        return next.run(request).await;
    }
    let (parts, body) = request.into_parts();
    if body.size_hint().lower() > MAX_BODY as u64 {
        return too_large().into_response();
    }
    let body = match timeout(patience, Bytes::from_request(Request::from_parts(parts.clone(), body), &())).await {
        Ok(Ok(body)) => body,
        Ok(Err(rejection)) if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE => {
            return too_large().into_response();
        }
        Ok(Err(rejection)) => return Problem::new(rejection.status(), rejection.body_text()).into_response(),
        Err(_) => return too_slow(patience).into_response(),
    };
    next.run(Request::from_parts(parts, body.into())).await
}

fn too_large() -> Problem {
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "The body is larger than 1 MiB, the most that is read")
}

fn too_slow(patience: Duration) -> Problem {
    let detail = format!("The body did not come within {} s (CLIENT_TIMEOUT)", patience.as_secs());
    Problem::new(StatusCode::REQUEST_TIMEOUT, detail)
}
