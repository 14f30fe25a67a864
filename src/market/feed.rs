//! RSS and Atom, as some vendors give their articles and posts.

use chrono::{DateTime, Utc};

use super::MarketError;

/// An entry that says when it was written.
pub struct Entry {
    pub published: DateTime<Utc>,
    pub title: String,
    /// Who published it, if the feed says so.
    pub source: Option<String>,
    /// Without markup; empty if there is none.
    pub text: String,
    pub link: String,
}

/// The entries of a feed; those without a date are dropped, for nobody can say whether they were known.
pub fn read(body: &[u8], vendor: &'static str) -> Result<Vec<Entry>, MarketError> {
    let feed =
        feed_rs::parser::parse(body).map_err(|error| MarketError::Malformed { vendor, cause: error.to_string() })?;
    let entries = feed.entries.into_iter().filter_map(|entry| {
        let text = entry.summary.map(|summary| summary.content).or_else(|| entry.content?.body);
        Some(Entry {
            published: entry.published.or(entry.updated)?,
            title: plain(&entry.title?.content),
            source: entry.source,
            text: text.map_or_else(String::new, |text| plain(&text)),
            link: entry.links.into_iter().next().map_or_else(String::new, |link| link.href),
        })
    });
    Ok(entries.collect())
}

/// A text without markup, on one line.
fn plain(html: &str) -> String {
    let (mut text, mut inside) = (String::new(), false);
    for c in html.chars() {
        match c {
            '<' => inside = true,
            // A tag parts words.
            '>' if inside => {
                inside = false;
                text.push(' ');
            }
            _ if !inside => text.push(c),
            _ => {}
        }
    }
    let text = [
        ("&nbsp;", " "),
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&#39;", "'"),
        ("&#32;", " "),
        ("&amp;", "&"),
    ]
    .into_iter()
    .fold(text, |text, (entity, character)| text.replace(entity, character));
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
