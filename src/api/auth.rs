//! Who may ask: those who show one of `API_KEYS`, if there are any.

use std::sync::Arc;

use aide::transform::TransformOpenApi;
use axum::{
    extract::Request,
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
};
use serde_json::json;

use super::{Problem, pages};
use crate::config::ApiKeys;

/// What everybody may ask: health checks have no key, and the documentation says how to show one; so do the files that the
/// pages load. All else, what is not there included, is for those who have a key.
const OPEN: [&str; 5] = ["/health", "/health/live", "/health/ready", "/docs", "/openapi.json"];

/// The name of the scheme in the OpenAPI document.
pub const SCHEME: &str = "bearer";

/// The name of the key that a request shows, none where nobody has to show one; or what whoever may not ask is told.
pub fn check(request: &Request, keys: &ApiKeys) -> Result<Option<Arc<str>>, Box<Response>> {
    if keys.is_empty() || is_open(request.uri().path()) {
        return Ok(None);
    }
    let asks_as_person = request.method().is_safe() && pages::is_wanted(request.headers());
    let refusal = match token(request.headers()).map(|token| keys.name_of(token)) {
        Some(Some(name)) => return Ok(Some(name.into())),
        Some(None) => Problem::unauthorized("This key is not one of the API's (its API_KEYS)").into_response(),
        None if asks_as_person => pages::key(request.uri()),
        None => Problem::unauthorized("The API wants a key; send it as Authorization: Bearer KEY").into_response(),
    };
    Err(Box::new(refusal))
}

/// Whether a path is for everybody.
pub fn is_open(path: &str) -> bool {
    OPEN.contains(&path) || pages::is_open(path)
}

/// The token of `Authorization: Bearer TOKEN` (RFC 6750, 2.1); the scheme's case does not matter (RFC 9110, 11.1).
fn token(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// The scheme for the OpenAPI document.
pub fn describe(api: TransformOpenApi<'_>) -> TransformOpenApi<'_> {
    let description = "One of the service's API_KEYS. A service that has none lets everybody in.";
    let scheme = json!({"type": "http", "scheme": "bearer", "description": description});
    api.security_scheme(SCHEME, serde_json::from_value(scheme).expect("it is a scheme of OpenAPI"))
}
