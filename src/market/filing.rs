//! When a period's statements are known, where the vendor does not say.

use chrono::{Datelike, Days, NaiveDate};

use super::Frequency;

/// Fiscal years of 52 or 53 weeks end some days before or after the end of a month.
const DRIFT: i64 = 10;

/// The last day on which the smallest companies have to file (sec.gov, Forms 10-Q and 10-K: 45 and 90 days after the
/// period). A fourth quarter has no report; its figures come with those of the year. Most file earlier, so some
/// days of knowledge are lost, and none is borrowed from the future.
///
/// `year_ends` are the ends of fiscal years that the vendor has; without any, they count as those of calendar years.
pub fn due(end: NaiveDate, frequency: Frequency, year_ends: &[NaiveDate]) -> NaiveDate {
    let days = match frequency {
        Frequency::Quarterly if !is_year_end(end, year_ends) => 45,
        Frequency::Quarterly | Frequency::Annual => 90,
    };
    end.checked_add_days(Days::new(days)).unwrap_or(NaiveDate::MAX)
}

/// Whether a fiscal year ends with this quarter, by the ends of other years if need be: the one before may be the last
/// that the vendor has.
fn is_year_end(end: NaiveDate, year_ends: &[NaiveDate]) -> bool {
    let december = [NaiveDate::from_ymd_opt(end.year(), 12, 31).unwrap_or(end)];
    let known = if year_ends.is_empty() { &december[..] } else { year_ends };
    known.iter().any(|year_end| {
        let apart = (end - *year_end).num_days().rem_euclid(365);
        // 365 days make a year, and a leap day in four of them is within the drift.
        apart.min(365 - apart) <= DRIFT
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn due_after(end: &str, frequency: Frequency, year_ends: &[&str]) -> i64 {
        let day = |text: &str| -> NaiveDate { text.parse().unwrap() };
        let year_ends: Vec<_> = year_ends.iter().map(|end| day(end)).collect();
        (due(day(end), frequency, &year_ends) - day(end)).num_days()
    }

    #[test]
    fn a_fourth_quarter_comes_with_the_year() {
        let of_quarter = |end, year_ends: &[&str]| due_after(end, Frequency::Quarterly, year_ends);
        assert_eq!(of_quarter("2023-09-30", &["2022-12-31"]), 45);
        assert_eq!(of_quarter("2023-12-31", &["2022-12-31"]), 90, "the year itself need not be there yet");
        assert_eq!(of_quarter("2024-09-28", &["2023-09-30", "2022-09-24"]), 90);
        assert_eq!(of_quarter("2023-12-30", &["2023-09-30", "2022-09-24"]), 45);
        assert_eq!(of_quarter("2024-01-01", &["2022-12-31"]), 90, "a few days into the next year");
        assert_eq!(
            [of_quarter("2023-12-31", &[]), of_quarter("2024-03-31", &[])],
            [90, 45],
            "calendar years if unknown"
        );
        assert_eq!(due_after("2023-06-30", Frequency::Annual, &[]), 90);
    }
}
