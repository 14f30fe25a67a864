//! The records of the log.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use crate::{
    domain::{Rating, Ticker, TradeDate},
    jobs::JobId,
};

/// Characters of a decision's text that are kept at most. The portfolio manager's rating and summary come first.
const SUMMARY: usize = 1000;

/// What a job decided.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Decision {
    pub job_id: JobId,
    pub ticker: Ticker,
    /// The analysis date.
    pub date: TradeDate,
    pub rating: Rating,
    /// The beginning of the portfolio manager's text.
    pub summary: String,
    pub made_at: DateTime<Utc>,
}

/// What came of a decision.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Settlement {
    /// The job that decided.
    pub job_id: JobId,
    /// The last day of the holding window; known from its close on.
    pub settled_on: NaiveDate,
    /// What the instrument returned over the window, percent, dividends included.
    pub return_percent: f64,
    /// That less the return of the benchmark, percentage points.
    pub alpha_percent: f64,
    pub benchmark: Ticker,
    /// The lesson, in a few sentences; none where nobody drew one.
    pub reflection: Option<String>,
}

/// A line of the log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "record", rename_all = "snake_case")]
pub(super) enum Record {
    Decision(Decision),
    Settlement(Settlement),
}

/// A decision, with what came of it once that is known.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    #[serde(flatten)]
    pub decision: Decision,
    /// None while it is pending.
    pub settlement: Option<Settlement>,
}

impl Decision {
    /// A decision that was made just now. Of `text` only the beginning is kept.
    pub fn new(job_id: JobId, ticker: Ticker, date: TradeDate, rating: Rating, text: &str) -> Self {
        Self { job_id, ticker, date, rating, summary: beginning(text), made_at: Utc::now() }
    }
}

/// The beginning of a text: whole paragraphs, or whole words if the first is too long.
fn beginning(text: &str) -> String {
    let text = text.trim();
    let Some((end, _)) = text.char_indices().nth(SUMMARY) else { return text.to_owned() };
    let kept = &text[..end];
    let end = kept.rfind("\n\n").or_else(|| kept.rfind(char::is_whitespace)).unwrap_or(end);
    format!("{} …", kept[..end].trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_is_cut_after_a_paragraph_or_a_word() {
        assert_eq!(beginning(" **Rating**: Buy\n"), "**Rating**: Buy");
        let cut = beginning(&"größer ".repeat(400));
        assert!(cut.ends_with("größer …") && cut.chars().count() <= SUMMARY + 2, "{cut}");
        let table = "| Rule | Vote |\n".repeat(100);
        assert_eq!(
            beginning(&format!("**Rating**: Buy\n\nThe trend is up.\n\n{table}")),
            "**Rating**: Buy\n\nThe trend is up. …"
        );
    }
}
