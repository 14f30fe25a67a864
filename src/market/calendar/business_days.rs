//! The business days of the Securities and Exchange Commission, by which its filers' deadlines are counted.

use chrono::{Datelike, NaiveDate, Weekday};

use super::Calendar;

/// The trading day in New York from which on something counts as public that has to be filed within `days` business days
/// after `date`: EDGAR takes filings until 22:00, so a filing of the last day may come after its close.
pub fn public_after_business_days(date: NaiveDate, days: usize) -> NaiveDate {
    let business_days = date.iter_days().skip(1).filter(|day| is_business_day(*day));
    let due = business_days.take(days).last().unwrap_or(date);
    Calendar::new_york().next_trading_day(due)
}

/// A trading day in New York on which no federal holiday closes the commission (17 CFR 240.0-2). It is open on Good
/// Friday, when the exchange is not; counting that day as a holiday errs towards later.
fn is_business_day(day: NaiveDate) -> bool {
    let is_columbus_day = day.month() == 10 && day.weekday() == Weekday::Mon && (8..=14).contains(&day.day());
    Calendar::new_york().is_trading_day(day) && !is_columbus_day && !is_veterans_day(day)
}

/// 11 November, or the Friday before or the Monday after if that is a Saturday or a Sunday (5 U.S.C. 6103).
fn is_veterans_day(day: NaiveDate) -> bool {
    let observed_on = match day.weekday() {
        Weekday::Mon => 11..=12,
        Weekday::Fri => 10..=11,
        _ => 11..=11,
    };
    day.month() == 11 && observed_on.contains(&day.day())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trade_is_public_on_the_trading_day_after_it_had_to_be_filed() {
        for (trade, public) in [
            ("2024-05-06", "2024-05-09"),
            ("2024-05-09", "2024-05-14"),
            // Independence Day on a Thursday.
            ("2024-07-02", "2024-07-08"),
            // Christmas and the day of mourning for Jimmy Carter.
            ("2024-12-23", "2024-12-27"),
            ("2025-01-07", "2025-01-13"),
            // Columbus Day and Veterans Day, on which the exchange is open and the commission is not.
            ("2024-10-11", "2024-10-17"),
            ("2024-11-08", "2024-11-14"),
            // Veterans Day 2023 fell on a Saturday.
            ("2023-11-08", "2023-11-14"),
        ] {
            let day = |text: &str| text.parse::<NaiveDate>().unwrap();
            assert_eq!(public_after_business_days(day(trade), 2), day(public), "{trade}");
        }
    }
}
