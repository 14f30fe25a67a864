//! When a period's statements are known, where the vendor does not say.

use chrono::{Days, NaiveDate};

use super::Frequency;

/// The last day on which the smallest companies have to file (sec.gov, Forms 10-Q and 10-K: 45 and 90 days after the
/// period). Most file earlier, so some days of knowledge are lost, and none is borrowed from the future.
pub fn due(end: NaiveDate, frequency: Frequency) -> NaiveDate {
    let days = match frequency {
        Frequency::Quarterly => 45,
        Frequency::Annual => 90,
    };
    end.checked_add_days(Days::new(days)).unwrap_or(NaiveDate::MAX)
}
