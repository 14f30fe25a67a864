//! What browsers may do with the API: what its own documentation page does, and what pages of `CORS_ORIGINS` do.

use std::time::Duration;

use axum::{
    extract::Request,
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header},
};
use tower_http::cors::{AllowOrigin, CorsLayer};

use super::{Problem, middleware::REQUEST_ID};
use crate::config::Origins;

/// How long a browser may keep the answer to its question whether it may ask.
const PREFLIGHT_LIFETIME: Duration = Duration::from_hours(1);

/// What every answer says, unless it says something of its own: it is what its type says and nothing else, loads nothing,
/// is shown in no other page, tells nobody where a reader came from, is of no use to other pages, and is kept nowhere.
const PROTECTION: [(HeaderName, HeaderValue); 6] = [
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'")),
    (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
    (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    (HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("same-origin")),
    (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
];

/// Puts the protection into an answer.
pub fn protect(headers: &mut HeaderMap) {
    headers.reserve(PROTECTION.len());
    for (name, value) in PROTECTION {
        headers.entry(name).or_insert(value);
    }
}

/// Lets the pages of these origins ask (the Fetch standard, 3.3). No cookie is ever meant, so none is allowed.
pub fn allow(origins: &Origins) -> CorsLayer {
    let listed = |origins: &[String]| {
        AllowOrigin::list(origins.iter().map(|origin| HeaderValue::try_from(origin).expect("an origin is ASCII")))
    };
    CorsLayer::new()
        .allow_origin(origins.listed().map_or_else(AllowOrigin::any, listed))
        .allow_methods([Method::GET, Method::POST, Method::DELETE])
        .allow_headers([
            header::AUTHORIZATION,
            header::CONTENT_TYPE,
            HeaderName::from_static("idempotency-key"),
            HeaderName::from_static("last-event-id"),
            REQUEST_ID,
        ])
        .expose_headers([
            header::LOCATION,
            header::RETRY_AFTER,
            HeaderName::from_static("idempotent-replayed"),
            REQUEST_ID,
        ])
        .max_age(PREFLIGHT_LIFETIME)
}

/// Refuses what a page of another site asks to change. A browser does not let such a page read the answer, but it may
/// send a simple request without asking first, also to an API that only this host can reach.
pub fn refuse_stranger(request: &Request, allowed: &Origins) -> Option<Problem> {
    let is_refused = !request.method().is_safe() && is_stranger(request.headers(), allowed);
    let detail = "A page of another site asks for this; CORS_ORIGINS names the origins whose pages may";
    is_refused.then(|| Problem::new(StatusCode::FORBIDDEN, detail))
}

/// Whether a request comes from a page of an origin that may not ask. Browsers name the origin whenever something may
/// change; whether it is the API's own they say too, but for old ones, and for pages without TLS.
fn is_stranger(headers: &HeaderMap, allowed: &Origins) -> bool {
    let value = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let Some(origin) = value(header::ORIGIN).filter(|origin| !allowed.contain(origin)) else { return false };
    match value(HeaderName::from_static("sec-fetch-site")) {
        Some(site) => !matches!(site, "same-origin" | "none"),
        None => origin.split_once("://").map(|(_, host)| host) != value(header::HOST),
    }
}
