//! What all pages load: a style, a script and an icon, which are part of the program.

use std::sync::LazyLock;

use axum::{
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use ring::digest::{SHA256, digest};

/// The style's path.
pub const STYLE: &str = "/dashboard/style.css";
/// The script's path.
pub const SCRIPT: &str = "/dashboard/script.js";
/// The icon's path.
pub const ICON: &str = "/dashboard/icon.svg";

/// The script, made of its parts in the order in which they build on each other.
const SCRIPT_TEXT: &str = concat!(
    include_str!("assets/script/ask.js"),
    include_str!("assets/script/parts.js"),
    include_str!("assets/script/drafts.js"),
    include_str!("assets/script/events.js"),
    include_str!("assets/script/form.js"),
    include_str!("assets/script/actions.js"),
    include_str!("assets/script/begin.js"),
);

/// A file that is part of the program.
struct Asset {
    kind: &'static str,
    text: &'static str,
    /// Changes with the text (RFC 9110, 8.8.3).
    tag: HeaderValue,
}

impl Asset {
    fn new(kind: &'static str, text: &'static str) -> Self {
        let hash = BASE64_URL_SAFE_NO_PAD.encode(&digest(&SHA256, text.as_bytes()).as_ref()[..12]);
        // Weak: the answer may come compressed or not.
        let tag = HeaderValue::try_from(format!("W/\"{hash}\"")).expect("base64 is ASCII");
        Self { kind, text, tag }
    }

    /// The file, or word that the browser has it already.
    fn answer(&self, headers: &HeaderMap) -> Response {
        let known = headers.get(header::IF_NONE_MATCH).and_then(|tags| tags.to_str().ok()).unwrap_or_default();
        let caching = [(header::ETAG, self.tag.clone()), (header::CACHE_CONTROL, HeaderValue::from_static("no-cache"))];
        if known.split(',').any(|tag| tag.trim().as_bytes() == self.tag.as_bytes()) {
            return (StatusCode::NOT_MODIFIED, caching).into_response();
        }
        (caching, [(header::CONTENT_TYPE, self.kind)], self.text).into_response()
    }
}

/// `GET /dashboard/style.css`
pub async fn style(headers: HeaderMap) -> Response {
    static FILE: LazyLock<Asset> =
        LazyLock::new(|| Asset::new("text/css; charset=utf-8", include_str!("assets/style.css")));
    FILE.answer(&headers)
}

/// `GET /dashboard/script.js`
pub async fn script(headers: HeaderMap) -> Response {
    static FILE: LazyLock<Asset> = LazyLock::new(|| Asset::new("text/javascript; charset=utf-8", SCRIPT_TEXT));
    FILE.answer(&headers)
}

/// `GET /dashboard/icon.svg`
pub async fn icon(headers: HeaderMap) -> Response {
    static FILE: LazyLock<Asset> = LazyLock::new(|| Asset::new("image/svg+xml", include_str!("assets/icon.svg")));
    FILE.answer(&headers)
}
