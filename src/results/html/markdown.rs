//! Markdown of models as HTML that can do nothing.
//!
//! It is safe by construction, not cleaned afterwards: the HTML that a model writes is shown as the text that it is, of
//! links only those to http and https stay links, pictures become their words, and nothing carries a style, a class or an
//! id of the model's. So no page of these can run a script or load anything, whatever news an agent has read.

use maud::{Markup, PreEscaped, html};
use pulldown_cmark::{CowStr, Event, HeadingLevel, Options, Parser, Tag, TagEnd, html::push_html};
use url::Url;

use super::tables::Tables;

/// The text as HTML. Its headings come below a heading of `level`.
pub fn markdown(text: &str, level: u8) -> Markup {
    // The sources' links are all that is open at a time; a link within a link is no Markdown.
    let mut open = false;
    let events = Parser::new_ext(text, Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH);
    let mut tables = Tables::default();
    let harmless = events.filter_map(|event| harmless(event, level, &mut open)).flat_map(|event| tables.write(event));
    let mut html = String::new();
    push_html(&mut html, harmless);
    PreEscaped(html)
}

fn harmless<'a>(event: Event<'a>, level: u8, open: &mut bool) -> Option<Event<'a>> {
    Some(match event {
        Event::Html(text) | Event::InlineHtml(text) => Event::Text(text),
        Event::Start(Tag::HtmlBlock) => Event::Start(Tag::Paragraph),
        Event::End(TagEnd::HtmlBlock) => Event::End(TagEnd::Paragraph),
        Event::Start(Tag::Image { .. }) | Event::End(TagEnd::Image) => return None,
        Event::Start(Tag::CodeBlock(_)) => own("<pre tabindex=\"0\" role=\"group\" aria-label=\"Code\"><code>"),
        Event::End(TagEnd::CodeBlock) => own("</code></pre>\n"),
        Event::Start(Tag::Link { dest_url, .. }) => {
            let link = link(&dest_url);
            *open = link.is_some();
            return link;
        }
        Event::End(TagEnd::Link) => {
            if !std::mem::take(open) {
                return None;
            }
            own("</a>")
        }
        Event::Start(Tag::Heading { level: of_text, .. }) => Event::Start(Tag::Heading {
            level: below(of_text, level),
            id: None,
            classes: Vec::new(),
            attrs: Vec::new(),
        }),
        Event::End(TagEnd::Heading(of_text)) => Event::End(TagEnd::Heading(below(of_text, level))),
        event => event,
    })
}

/// The beginning of a link to elsewhere, which is told nothing of where the reader was.
fn link<'a>(to: &str) -> Option<Event<'a>> {
    let url = Url::parse(to).ok().filter(|url| matches!(url.scheme(), "http" | "https"))?;
    let whole = html! { a href=(url) rel="noopener nofollow noreferrer" {} }.into_string();
    Some(Event::InlineHtml(CowStr::from(whole.trim_end_matches("</a>").to_owned())))
}

/// HTML of this program.
pub(super) fn own(html: &'static str) -> Event<'static> {
    Event::InlineHtml(CowStr::Borrowed(html))
}

/// A heading's level below that of the page around it.
fn below(heading: HeadingLevel, level: u8) -> HeadingLevel {
    let sum = usize::from(level) + heading as usize;
    HeadingLevel::try_from(sum.min(6)).unwrap_or(HeadingLevel::H6)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn headings_tables_and_emphasis_are_kept() {
        let html = markdown("# A\n\n| x |\n| - |\n| **1** |", 2).into_string();
        assert!(html.contains("<h3>A</h3>") && html.contains("<td><strong>1</strong></td>"), "{html}");
    }

    #[test]
    fn columns_are_aligned_by_classes_and_wide_tables_have_a_name() {
        let table = "| a | b | c | d |\n|:--|--:|:-:|---|\n| 1 | 2 | 3 | 4 |\n| 5 | 6 | 7 | 8 |";
        let html = markdown(table, 2).into_string();
        assert!(!html.contains("style"), "{html}");
        assert!(html.contains("role=\"group\" aria-label=\"Table\""), "{html}");
        for cells in [
            "<tr><th>a</th><th class=\"right\">b</th><th>c</th><th>d</th></tr>",
            "<tr><td>1</td><td class=\"right\">2</td><td>3</td><td>4</td></tr>",
            "<tr><td>5</td><td class=\"right\">6</td><td>7</td><td>8</td></tr>",
        ] {
            assert!(html.replace('\n', "").contains(cells), "{cells} in {html}");
        }
    }

    #[test]
    fn what_could_do_something_is_shown_as_a_text() {
        for (text, shown) in [
            ("<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"),
            ("a <img src=x onerror=alert(1)> b", "&lt;img src=x onerror=alert(1)&gt;"),
            ("[here](javascript:alert(1))", "<p>here</p>"),
            ("[here](JaVaScRiPt&colon;alert(1))", "<p>here</p>"),
            ("[here](data:text/html,x)", "<p>here</p>"),
            ("<javascript:alert(1)>", "<p>javascript:alert(1)</p>"),
            ("![words](https://tracker.example/x.png)", "<p>words</p>"),
            ("[here](https://a.example/?q=\"><script>)", "href=\"https://a.example/?q=%22%3E%3Cscript%3E\""),
            ("```\"><script>\nx\n```", "<code>x\n</code>"),
        ] {
            let html = markdown(text, 2).into_string();
            assert!(html.contains(shown), "{text}: {html}");
            assert!(!html.contains("<script") && !html.contains("<img"), "{text}: {html}");
        }
    }

    /// What Markdown is made of.
    const PROSE: [&str; 27] = [
        "div",
        "p",
        "a",
        "h3",
        "h4",
        "h5",
        "h6",
        "ul",
        "ol",
        "li",
        "table",
        "thead",
        "tbody",
        "tr",
        "th",
        "td",
        "code",
        "pre",
        "em",
        "strong",
        "del",
        "hr",
        "br",
        "blockquote",
        "sup",
        "dl",
        "dt",
    ];

    proptest! {
        #[test]
        fn no_text_makes_other_elements_than_those_of_prose(text in r#"([<>\[\]()!`*_|"'&:/=\\ #\n-]|script|img|svg|on|a|href|javascript:|https://x|style){0,60}"#) {
            let html = markdown(&text, 2).into_string();
            for tag in html.split('<').skip(1) {
                let tag = tag.split('>').next().unwrap_or_default();
                let mut words = tag.trim_start_matches('/').split_whitespace();
                let name = words.next().unwrap_or_default().trim_end_matches('/');
                prop_assert!(PROSE.contains(&name), "{name} in {html}");
                for word in words {
                    let (attribute, _) = word.split_once('=').unwrap_or((word, ""));
                    prop_assert!(["href", "rel", "class", "nofollow", "noreferrer\"", "start", "tabindex", "role", "aria-label", "/"].contains(&attribute), "{attribute} in {html}");
                }
            }
        }
    }
}
