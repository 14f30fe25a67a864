//! What is around every page: head, navigation, and the place where news is told to those who can't see it.

use axum::http::Uri;
use maud::{DOCTYPE, Markup, html};

use super::assets;

/// The place of a page in the navigation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    Jobs,
    Workers,
    Backtests,
    /// Not in the navigation.
    Elsewhere,
}

/// A page without its content.
pub struct Page<'a> {
    pub title: &'a str,
    pub place: Place,
    /// The way from the page's path up to that of the service: links are relative, so that it can lie below a path of a
    /// reverse proxy.
    up: String,
    /// The event stream that says when the page is out of date, and the last event that it shows.
    events: Option<(String, String)>,
}

impl<'a> Page<'a> {
    /// A page that stays as it is.
    pub fn new(uri: &Uri, place: Place, title: &'a str) -> Self {
        let depth = uri.path().bytes().filter(|byte| *byte == b'/').count().saturating_sub(1);
        let up = if depth == 0 { "./".into() } else { "../".repeat(depth) };
        Self { title, place, up, events: None }
    }

    /// A page that follows the events at `path`, after the one that it shows.
    pub fn following(self, path: &str, shown: String) -> Self {
        Self { events: Some((self.to(path), shown)), ..self }
    }

    /// The relative link to a path of the service that is written without its first slash.
    pub fn to(&self, path: &str) -> String {
        format!("{}{path}", self.up)
    }

    /// The whole page.
    pub fn around(&self, content: &Markup) -> Markup {
        let asset = |path: &str| self.to(path.trim_start_matches('/'));
        let (stream, shown) = self.events.as_ref().map_or((None, None), |(path, id)| (Some(path), Some(id)));
        html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="color-scheme" content="light dark";
                    title { (self.title) " · TradingAgents" }
                    link rel="icon" type="image/svg+xml" href=(asset(assets::ICON));
                    link rel="stylesheet" href=(asset(assets::STYLE));
                    script src=(asset(assets::SCRIPT)) defer {}
                }
                body data-up=(self.up) data-events=[stream] data-shown=[shown] {
                    a.skip href="#content" { "Skip to the content" }
                    (self.header())
                    main #content tabindex="-1" { (content) }
                    (footer())
                    p #news .unseen role="status" {}
                }
            }
        }
    }

    fn header(&self) -> Markup {
        let link = |place: Place, path: &str, text: &str| {
            html! { a href=(self.to(path)) aria-current=[(place == self.place).then_some("page")] { (text) } }
        };
        html! {
            header.top {
                a.brand href=(self.to("")) aria-label="TradingAgents" {
                    svg viewBox="0 0 32 32" width="22" height="22" aria-hidden="true" {
                        rect width="32" height="32" rx="7" fill="#2458d3" {}
                        path d="M6 22l6-7 5 4 9-11" fill="none" stroke="#fff" stroke-width="3"
                            stroke-linecap="round" stroke-linejoin="round" {}
                    }
                    span { "TradingAgents" }
                }
                nav aria-label="Main" {
                    (link(Place::Jobs, "", "Jobs"))
                    (link(Place::Backtests, "dashboard/backtests", "Backtests"))
                    (link(Place::Workers, "dashboard/workers", "Workers"))
                    a href=(self.to("docs")) { "API" }
                }
                @if self.events.is_some() {
                    span #link .link data-state="connecting" { span.dot aria-hidden="true" {} span.words { "connecting" } }
                }
            }
        }
    }
}

fn footer() -> Markup {
    html! {
        footer.bottom {
            p { "Made by software for research. Nothing here is investment advice." }
            p { "TradingAgents " (env!("CARGO_PKG_VERSION")) }
        }
    }
}
