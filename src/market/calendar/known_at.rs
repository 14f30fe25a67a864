//! When something became public, and whether that was in time for the close.

use chrono::{DateTime, NaiveDate, Utc};

/// The close of the analysis date: what became public later never reaches an agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cutoff {
    /// The analysis date, a calendar day at the exchange.
    pub date: NaiveDate,
    /// When the exchange closes on that day.
    pub close: DateTime<Utc>,
}

/// When something became public, as precisely as its source says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum KnownAt {
    /// At that time: an article, a post, a filing whose acceptance time is known.
    Time(DateTime<Utc>),
    /// Before the close of that day, a calendar day at the exchange. If only the day of a publication is known, which may
    /// have been after the close, this is the trading day after it.
    Close(NaiveDate),
}

impl KnownAt {
    /// Whether it was public at the cutoff.
    pub fn is_by(self, cutoff: Cutoff) -> bool {
        match self {
            Self::Time(time) => time <= cutoff.close,
            Self::Close(day) => day <= cutoff.date,
        }
    }
}

impl From<DateTime<Utc>> for KnownAt {
    fn from(time: DateTime<Utc>) -> Self {
        Self::Time(time)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::market::calendar::Calendar;

    #[test]
    fn what_is_public_at_the_close_is_known_and_what_comes_later_is_not() {
        let date: NaiveDate = "2024-05-31".parse().unwrap();
        let cutoff = Calendar::new_york().cutoff(date);
        let at = |time: &str| KnownAt::Time(time.parse().unwrap());
        assert!(at("2024-05-31T20:00:00Z").is_by(cutoff));
        assert!(!at("2024-05-31T20:02:15Z").is_by(cutoff), "accepted two minutes after the close");
        assert!(KnownAt::Close(date).is_by(cutoff));
        assert!(!KnownAt::Close(Calendar::new_york().next_trading_day(date)).is_by(cutoff));
    }
}
