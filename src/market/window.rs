//! The span of time that data is asked for. It ends at the close of the analysis date at the latest.

use std::fmt;

use chrono::{DateTime, NaiveDate, Utc};

use super::calendar::{Calendar, Cutoff, KnownAt};
use crate::domain::TradeDate;

/// Calendar days at the instrument's exchange from the first to the last, both included; of the analysis date only what
/// lies before its close.
#[derive(Debug, Clone, Copy)]
pub struct Window {
    pub first: NaiveDate,
    pub last: NaiveDate,
    calendar: Calendar,
    cutoff: Cutoff,
}

impl Window {
    /// The days up to the analysis date, and `days` before it.
    pub fn up_to(calendar: Calendar, date: TradeDate, days: u64) -> Self {
        Self::between(calendar, date.minus_days(days), date.day(), date)
    }

    /// The days from `first` to `last`, as far as they lie before the close of the analysis date.
    pub fn between(calendar: Calendar, first: NaiveDate, last: NaiveDate, date: TradeDate) -> Self {
        Self { first, last: last.min(date.day()), calendar, cutoff: calendar.cutoff(date.day()) }
    }

    /// When it begins.
    pub fn begin(&self) -> DateTime<Utc> {
        self.calendar.midnight(self.first)
    }

    /// When it ends: at the close of the analysis date, or with an earlier last day.
    pub fn end(&self) -> DateTime<Utc> {
        let midnight = self.last.succ_opt().map_or(DateTime::<Utc>::MAX_UTC, |after| self.calendar.midnight(after));
        midnight.min(self.cutoff.close)
    }

    /// The close of the analysis date.
    pub fn cutoff(&self) -> Cutoff {
        self.cutoff
    }

    /// Whether something became known within it, and by the close of the analysis date.
    pub fn contains(&self, known: KnownAt) -> bool {
        let is_within = match known {
            KnownAt::Time(time) => (self.begin()..=self.end()).contains(&time),
            KnownAt::Close(day) => (self.first..=self.last).contains(&day),
        };
        is_within && known.is_by(self.cutoff)
    }
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} to {}", self.first, self.last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(ticker: &str, first: &str, last: &str, date: &str) -> Window {
        let calendar = Calendar::of(&ticker.parse().unwrap());
        Window::between(calendar, first.parse().unwrap(), last.parse().unwrap(), date.parse().unwrap())
    }

    fn contains(window: Window, time: &str) -> bool {
        window.contains(KnownAt::Time(time.parse().unwrap()))
    }

    #[test]
    fn it_ends_at_the_close_of_the_analysis_date() {
        let tokyo = window("6758.T", "2024-05-07", "2024-05-14", "2024-05-14");
        assert!(contains(tokyo, "2024-05-14T06:00:00Z") && !contains(tokyo, "2024-05-14T07:10:00Z"));
        assert!(contains(tokyo, "2024-05-06T15:00:00Z"), "midnight in Tokyo");
        assert!(!contains(tokyo, "2024-05-06T14:59:00Z"));
        let half_day = window("NVDA", "2024-11-22", "2024-11-29", "2024-11-29");
        assert!(!contains(half_day, "2024-11-29T18:01:00Z"));
    }

    #[test]
    fn an_earlier_last_day_is_whole_and_a_later_one_is_cut() {
        let earlier = window("NVDA", "2024-05-01", "2024-05-20", "2024-05-22");
        assert!(contains(earlier, "2024-05-21T03:59:00Z") && !contains(earlier, "2024-05-21T04:01:00Z"));
        let later = window("NVDA", "2024-05-01", "2024-06-30", "2024-05-22");
        assert_eq!(later.last.to_string(), "2024-05-22");
        assert!(!contains(later, "2024-05-22T20:01:00Z"));
    }
}
