//! Limits on the length of vendors' texts: a long title must not fill an agent's context.

use super::{Article, InsiderTrade, Odds, Post, Series};

/// The longest name, of a publisher, a person or a unit, characters.
const NAME: usize = 120;
/// The longest title or question, characters.
const TITLE: usize = 300;
/// The longest text, characters.
const TEXT: usize = 2000;

/// Something whose texts can be cut.
pub trait Bounded {
    /// The same, with texts of limited length.
    fn bounded(self) -> Self;
}

/// The text cut to `limit` characters; an ellipsis stands for the rest.
fn cut(mut text: String, limit: usize) -> String {
    if let Some((end, _)) = text.char_indices().nth(limit) {
        text.truncate(end);
        text.push('…');
    }
    text
}

impl Bounded for Article {
    fn bounded(self) -> Self {
        Self {
            title: cut(self.title, TITLE),
            publisher: cut(self.publisher, NAME),
            summary: cut(self.summary, TEXT),
            link: cut(self.link, TEXT),
            tone: self.tone.map(|tone| cut(tone, NAME)),
            ..self
        }
    }
}

impl Bounded for Post {
    fn bounded(self) -> Self {
        Self { text: cut(self.text, TITLE), ..self }
    }
}

impl Bounded for InsiderTrade {
    fn bounded(self) -> Self {
        Self {
            who: cut(self.who, NAME),
            role: cut(self.role, NAME),
            action: cut(self.action, TITLE),
            shares: self.shares.filter(|shares| shares.is_finite()),
            value: self.value.filter(|value| value.is_finite()),
            ..self
        }
    }
}

impl Bounded for Odds {
    fn bounded(self) -> Self {
        Self {
            question: cut(self.question, TITLE),
            outcome: cut(self.outcome, NAME),
            week_change: self.week_change.filter(|change| change.is_finite()),
            ..self
        }
    }
}

impl Bounded for Series {
    fn bounded(self) -> Self {
        let [title, units, frequency] = [self.title, self.units, self.frequency].map(|text| cut(text, TITLE));
        Self { title, units, frequency, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_are_cut_between_characters() {
        assert_eq!(cut("Größe".into(), 5), "Größe");
        assert_eq!(cut("Größe".into(), 3), "Grö…");
        let article = Article {
            published: chrono::DateTime::UNIX_EPOCH,
            title: "ß".repeat(1_000_000),
            publisher: "x".repeat(1000),
            summary: "y".repeat(1_000_000),
            link: String::new(),
            tone: None,
        };
        let bounded = article.bounded();
        assert_eq!(bounded.title.chars().count(), TITLE + 1);
        assert_eq!(bounded.publisher.chars().count(), NAME + 1);
        assert_eq!(bounded.summary.chars().count(), TEXT + 1);
    }
}
