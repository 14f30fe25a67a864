//! Reading a rating from words.

use crate::domain::Rating;

/// Words after which a rating stands: `Rating: **Buy**`, `FINAL TRANSACTION PROPOSAL: **SELL**`.
const LABELS: [&str; 4] = ["rating", "recommendation", "decision", "proposal"];

/// A tier by its word, in any case.
pub fn tier(word: &str) -> Option<Rating> {
    Rating::TIERS.into_iter().find(|tier| tier.as_str().eq_ignore_ascii_case(word.trim()))
}

/// The rating that a text gives: the last one that follows a label, or else the only tier that it names at all. A text
/// that names several without a label has none: guessing would be a silent decision.
pub fn in_text(text: &str) -> Option<Rating> {
    let words: Vec<&str> = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let labelled = words.windows(2).rev().find_map(|pair| {
        let is_label = LABELS.iter().any(|label| pair[0].eq_ignore_ascii_case(label));
        if is_label { tier(pair[1]) } else { None }
    });
    labelled.or_else(|| {
        let mut named: Vec<_> = words.iter().filter_map(|word| tier(word)).collect();
        named.dedup();
        if let [only] = named[..] { Some(only) } else { None }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_labelled_rating_is_read_however_it_is_written() {
        for text in [
            "Rating: **Buy**",
            "## RATING\n\nbuy",
            "I could sell or hold. My recommendation: Buy.",
            "FINAL TRANSACTION PROPOSAL: **BUY**",
        ] {
            assert_eq!(in_text(text), Some(Rating::Buy), "{text}");
        }
        assert_eq!(in_text(r#"{"rating": "Underweight", "executive_summary": "cut o"#), Some(Rating::Underweight));
    }

    #[test]
    fn the_only_tier_that_is_named_is_the_rating() {
        assert_eq!(in_text("We stay Overweight. Overweight it is."), Some(Rating::Overweight));
    }

    #[test]
    fn a_text_that_does_not_commit_has_none() {
        for text in ["Buy or Sell, who knows", "A buyer's market", ""] {
            assert_eq!(in_text(text), None, "{text}");
        }
    }
}
