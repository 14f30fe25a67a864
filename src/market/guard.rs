//! The look-ahead guard: the one place that drops what was not known at the analysis date, whatever a vendor gave.

use chrono::{Days, NaiveDate};

use super::{Article, InsiderTrade, Observation, Period, Post, Profile, Window};

/// Something that was not always known.
pub trait Known {
    /// The day from which on it was known, UTC.
    fn known_on(&self) -> NaiveDate;
}

/// What was known on the day.
pub fn known_by<T: Known>(items: Vec<T>, day: NaiveDate) -> Vec<T> {
    items.into_iter().filter(|item| item.known_on() <= day).collect()
}

/// What came to be known within the window.
pub fn known_within<T: Known>(items: Vec<T>, window: Window) -> Vec<T> {
    items.into_iter().filter(|item| window.contains(item.known_on())).collect()
}

impl Known for Article {
    fn known_on(&self) -> NaiveDate {
        self.published.date_naive()
    }
}

impl Known for Post {
    fn known_on(&self) -> NaiveDate {
        self.written.date_naive()
    }
}

impl Known for InsiderTrade {
    /// It is filed within two business days (Securities Exchange Act, section 16), which are four days over a weekend.
    fn known_on(&self) -> NaiveDate {
        self.date.checked_add_days(Days::new(4)).unwrap_or(self.date)
    }
}

impl Known for Period {
    fn known_on(&self) -> NaiveDate {
        self.known
    }
}

impl Known for Profile {
    fn known_on(&self) -> NaiveDate {
        self.known
    }
}

impl Known for Observation {
    fn known_on(&self) -> NaiveDate {
        self.date
    }
}
