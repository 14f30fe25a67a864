//! What holds for every request: an id, a line in the log, who may ask and how often, limits of time and size,
//! compression, and no panic that gets away.

use std::{borrow::Cow, sync::Arc, time::Instant};

use axum::{
    Router,
    extract::{MatchedPath, Request},
    http::{HeaderName, HeaderValue, Method, Uri},
    middleware::{Next, from_fn, from_fn_with_state},
    response::{IntoResponse, Response},
};
use tower_http::{catch_panic::CatchPanicLayer, compression::CompressionLayer};
use tracing::{Instrument, debug, field, info, info_span};
use uuid::Uuid;

use super::{
    Problem, browsers,
    guard::{self, Guard},
    trace,
};
use crate::{config::Config, metrics::METRICS};

/// The longest path in the log, bytes.
const MAX_PATH: usize = 200;

/// Names a request in answers and logs.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Puts everything around the routes; the outermost comes first. In one tuple, for each call of [`Router::layer`] puts what is
/// within on the heap, where it is copied for every layer of every request.
pub fn wrap(routes: Router, config: &Config) -> Router {
    let outer = (from_fn(observe), CatchPanicLayer::custom(|_| Problem::bug().into_response()));
    let inner = (CompressionLayer::new(), from_fn_with_state(Arc::new(Guard::new(config)), guard::admit));
    let origins = &config.cors_origins;
    if origins.is_empty() {
        routes.layer((outer, inner))
    } else {
        // Before the keys: a browser asks whether it may ask without one.
        routes.layer((outer, browsers::allow(origins), inner))
    }
}

/// Names the request, writes a line about it, and protects whoever reads the answer in a browser. Health checks come every
/// few seconds, so theirs are for debugging.
async fn observe(request: Request, next: Next) -> Response {
    let began = Instant::now();
    let id = request_id(&request);
    let (method, path) = (request.method().clone(), path(request.uri()));
    let route: Cow<'static, str> =
        request.extensions().get::<MatchedPath>().map_or("none".into(), |route| route.as_str().to_owned().into());
    let trace = trace::begin(&request, method_label(&method), &route);
    let span = info_span!("request", id = ?id, key = field::Empty, trace_id = trace.trace_id());
    let mut response = trace.around(next.run(request).instrument(span.clone())).await;
    let (status, took) = (response.status().as_u16(), began.elapsed());
    trace::end(&trace, response.status());
    METRICS.http_request(method_label(&method).into(), route, status, took);
    let ms = took.as_secs_f64() * 1000.0;
    span.in_scope(|| {
        if path.starts_with("/health") {
            debug!(%method, path, status, ms, "answered");
        } else {
            info!(%method, path, status, ms, "answered");
        }
    });
    browsers::protect(response.headers_mut());
    response.headers_mut().insert(REQUEST_ID, id);
    response
}

/// The method as a label: a client may invent as many as it likes.
fn method_label(method: &Method) -> &'static str {
    static KNOWN: [Method; 5] = [Method::GET, Method::POST, Method::DELETE, Method::HEAD, Method::OPTIONS];
    KNOWN.iter().find(|known| *known == method).map_or("other", Method::as_str)
}

/// The client's id of the request if it has one that is fit for a log, or else a new one.
fn request_id(request: &Request) -> HeaderValue {
    let fit = |value: &&HeaderValue| {
        let bytes = value.as_bytes();
        (1..=64).contains(&bytes.len())
            && bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(byte))
    };
    let own = || HeaderValue::try_from(Uuid::now_v7().to_string()).expect("a UUID is ASCII");
    request.headers().get(REQUEST_ID).filter(fit).cloned().unwrap_or_else(own)
}

/// The path for the log, without the query, and short.
fn path(uri: &Uri) -> String {
    let path = uri.path();
    path[..path.floor_char_boundary(MAX_PATH)].to_owned()
}
