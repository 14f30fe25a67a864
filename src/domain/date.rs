//! The day that an analysis is made for.

use std::{fmt, str::FromStr};

use chrono::{Days, NaiveDate, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The calendar day at whose close the agents stand; nothing later reaches them. Written `YYYY-MM-DD`.
// Parsing takes real calendar days only. Whether a day lies in the future depends on the clock, so that is asked where a
// request comes in, not of dates that were stored before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(!try_from, !into, example = &"2024-05-10")]
pub struct TradeDate(#[schemars(with = "NaiveDate")] NaiveDate);

/// Why a text is not a [`TradeDate`], or not one that can be analysed yet.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum DateError {
    #[error("{0:?} is not a calendar date; write it as YYYY-MM-DD, for example 2024-05-10")]
    NotADate(String),
    #[error("{0} lies in the future; the latest date is {1}")]
    Future(NaiveDate, NaiveDate),
}

impl TradeDate {
    /// The day as chrono's type, for arithmetic.
    pub fn day(self) -> NaiveDate {
        self.0
    }

    /// Itself, if that day has begun somewhere on Earth (UTC+14, the earliest time zone).
    pub fn not_in_future(self) -> Result<Self, DateError> {
        let latest = (Utc::now() + chrono::Duration::hours(14)).date_naive();
        if self.0 > latest { Err(DateError::Future(self.0, latest)) } else { Ok(self) }
    }

    /// Whether that day still lasts somewhere on Earth (UTC-12, the latest time zone), so that what is true now is true
    /// of it.
    pub fn is_now(self) -> bool {
        (Utc::now() - chrono::Duration::hours(12)).date_naive() <= self.0
    }

    /// Whether it lies at most `days` before today, UTC.
    pub fn is_within_days(self, days: i64) -> bool {
        (Utc::now().date_naive() - self.0).num_days() <= days
    }

    /// The day that lies `days` before.
    pub fn minus_days(self, days: u64) -> NaiveDate {
        self.0.checked_sub_days(Days::new(days)).unwrap_or(NaiveDate::MIN)
    }
}

impl From<NaiveDate> for TradeDate {
    fn from(day: NaiveDate) -> Self {
        Self(day)
    }
}

impl FromStr for TradeDate {
    type Err = DateError;

    fn from_str(text: &str) -> Result<Self, DateError> {
        // chrono also takes "2024-5-1", "+2024-05-01", "-0024-5-1" and blanks; the contract is exactly four, two and two digits.
        let fits =
            |(place, byte): (usize, u8)| if matches!(place, 4 | 7) { byte == b'-' } else { byte.is_ascii_digit() };
        let exact = text.len() == 10 && text.bytes().enumerate().all(fits);
        NaiveDate::parse_from_str(text, "%Y-%m-%d")
            .ok()
            .filter(|_| exact)
            .map(Self)
            .ok_or_else(|| DateError::NotADate(text.chars().take(40).collect()))
    }
}

impl TryFrom<String> for TradeDate {
    type Error = DateError;

    fn try_from(text: String) -> Result<Self, DateError> {
        text.parse()
    }
}

impl From<TradeDate> for String {
    fn from(date: TradeDate) -> Self {
        date.to_string()
    }
}

impl fmt::Display for TradeDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_real_days_written_in_full_are_dates() {
        assert_eq!("2024-02-29".parse::<TradeDate>().unwrap().to_string(), "2024-02-29");
        for text in ["2024-13-45", "2023-02-29", "2024-5-1", "+2024-05-1", "-0202-2-27", "10/05/2024", ""] {
            assert_eq!(text.parse::<TradeDate>(), Err(DateError::NotADate(text.into())));
        }
    }

    #[test]
    fn now_is_today_and_not_some_day_before() {
        let days_ago = |days| TradeDate(Utc::now().date_naive() - Days::new(days));
        assert!(days_ago(0).is_now() && !days_ago(2).is_now());
        assert!(days_ago(7).is_within_days(7) && !days_ago(8).is_within_days(7));
    }

    #[test]
    fn a_day_that_has_not_begun_anywhere_is_refused() {
        assert!("2999-01-01".parse::<TradeDate>().unwrap().not_in_future().is_err());
        assert!(TradeDate(Utc::now().date_naive()).not_in_future().is_ok());
    }
}
