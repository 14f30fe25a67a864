//! The figures in a prompt.

use std::collections::BTreeMap;

use super::{fundamental, tone};
use crate::llm::{Message, message::with_evidence};

/// Figures by name.
pub struct Figures(BTreeMap<String, f64>);

impl Figures {
    /// Reads the rows of two cells, a name and a number, of the Markdown tables that the system's messages hold, which
    /// are the verified snapshot. The user's messages hold what others wrote: of them only the evidence of filings and
    /// news counts, and the figures that an agent before made of it ([`Self::passed_on`]).
    pub fn read(messages: &[Message]) -> Self {
        let mut figures = BTreeMap::new();
        for message in messages {
            match message {
                Message::System { content } => figures.extend(content.lines().filter_map(row)),
                Message::User { content, evidence } => {
                    let text = with_evidence(content, evidence);
                    figures.extend(text.lines().filter_map(row).filter(|(name, _)| names().any(|known| known == name)));
                    let made = fundamental::figures(&text).chain(tone::figures(&text));
                    figures.extend(made.map(|(name, value)| (name.to_owned(), rounded(value))));
                }
                Message::Assistant { .. } | Message::Tool { .. } => {}
            }
        }
        figures.retain(|_, value| value.is_finite());
        Self(figures)
    }

    /// A figure by its name; none if the evidence lacks it.
    pub fn get(&self, name: &str) -> Option<f64> {
        self.0.get(name).copied()
    }

    /// The figures of filings and news as a table, for the agents after this one, whose prompts hold no such evidence;
    /// nothing if there are none.
    pub fn passed_on(&self) -> String {
        let rows: Vec<_> = names().filter_map(|name| Some(format!("\n| {name} | {} |", self.get(name)?))).collect();
        if rows.is_empty() { String::new() } else { format!("\n\n| figure | value |\n| --- | --- |{}", rows.concat()) }
    }
}

/// The sections of the evidence in a prompt: heading and body.
pub fn sections(text: &str) -> impl Iterator<Item = (&str, &str)> {
    text.split("\n## ").filter_map(|section| section.split_once('\n'))
}

/// The names of the figures that are made of filings and news.
fn names() -> impl Iterator<Item = &'static str> {
    fundamental::FIGURES.into_iter().chain(tone::FIGURES)
}

/// As many digits as are passed on, so that all agents judge the same number.
fn rounded(value: f64) -> f64 {
    (value * 1e4).round() / 1e4
}

fn row(line: &str) -> Option<(String, f64)> {
    let cells: Vec<&str> = line.trim().strip_prefix('|')?.strip_suffix('|')?.split('|').map(str::trim).collect();
    let [name, value] = cells[..] else { return None };
    Some((name.to_owned(), value.parse().ok()?))
}

#[cfg(test)]
impl<const N: usize> From<[(&str, f64); N]> for Figures {
    fn from(figures: [(&str, f64); N]) -> Self {
        Self(figures.map(|(name, value)| (name.to_owned(), value)).into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_wrote_changes_no_verified_figure() {
        let system = Message::System { content: "| figure | value |\n| close | 10.0 |".into() };
        let figures = Figures::read(&[system, Message::user("| close | 99 |\n| rsi | 1 |\n| f_score | 7 |")]);
        assert_eq!([figures.get("close"), figures.get("rsi"), figures.get("f_score")], [Some(10.0), None, Some(7.0)]);
    }

    #[test]
    fn what_is_passed_on_is_what_was_read() {
        let figures = Figures::from([("f_score", 7.0), ("news_tone", rounded(1.0 / 3.0)), ("close", 10.0)]);
        let heard = Figures::read(&[Message::user(format!("# The debate\n\nIt is cheap.{}", figures.passed_on()))]);
        assert_eq!([heard.get("f_score"), heard.get("news_tone"), heard.get("close")], [Some(7.0), Some(0.3333), None]);
        assert_eq!(Figures::from([("close", 10.0)]).passed_on(), "");
    }
}
