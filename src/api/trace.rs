//! A request as part of a trace: of the client's, if it names one (W3C Trace Context), or of a new one.

use axum::{extract::Request, http::StatusCode};

use crate::telemetry::{Span, SpanKind};

/// Begins the span of a request. Health checks and metrics are asked for every few seconds, and are no part of a trace.
pub fn begin(request: &Request, method: &str, route: &str) -> Span {
    if route.starts_with("/health") || route == "/metrics" {
        return Span::default();
    }
    let parent = request.headers().get("traceparent").and_then(|value| value.to_str().ok()?.parse().ok());
    let span = Span::follow(parent, SpanKind::Server, || format!("{method} {route}"));
    span.set("http.request.method", method.to_owned());
    span.set("http.route", route.to_owned());
    span
}

/// Says what became of it.
pub fn end(span: &Span, status: StatusCode) {
    span.set("http.response.status_code", i64::from(status.as_u16()));
    if status.is_server_error() {
        span.fail("server_error");
    }
}
