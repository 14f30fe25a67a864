//! Where an API that has keys asks for one.
//!
//! A link can't carry a key, and a cookie would go wherever a browser thinks fit. So whoever asks for a page without a key
//! gets this one, which holds no data: its script asks for the same page again and shows a key, the one that was entered
//! here and that the tab keeps (`sessionStorage`) until it is closed.

use axum::{
    http::{HeaderValue, StatusCode, Uri, header},
    response::Response,
};
use maud::html;

use super::{
    answer,
    layout::{Page, Place},
};

/// The page that asks for a key, in place of the one at `uri`.
pub fn page(uri: &Uri) -> Response {
    let page = Page::new(uri, Place::Elsewhere, "API key required");
    let content = html! {
        section.panel.notice aria-labelledby="key-title" {
            h1 #key-title { "API key required" }
            p { "This service answers those who have one of its keys (" code { "API_KEYS" } "). Yours stays in this tab, until you close it." }
            form #key method="post" {
                // Password managers want a name beside the key.
                input type="hidden" name="username" autocomplete="username" value="TradingAgents";
                label for="key-value" { "Key" }
                input #key-value name="key" type="password" required minlength="16" autocomplete="current-password"
                    aria-describedby="key-wrong";
                p #key-wrong .wrong role="alert" {}
                button.main type="submit" { "Open" }
            }
            noscript { p { "The page needs its script for this. Programs send the header " code { "Authorization: Bearer KEY" } "." } }
        }
    };
    let mut response = answer(StatusCode::UNAUTHORIZED, page.around(&content));
    response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    response
}
