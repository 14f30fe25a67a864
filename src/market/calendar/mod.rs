//! Exchange calendars: when the trading day of an instrument ends, and on which days there is trading.
//!
//! [`Calendar::of`] finds the exchange of a symbol by its suffix ([`exchange_code`]); time zones come from the tz
//! database, trading weeks, holidays, half days and closing times from `exchanges.txt` ([`exchanges`]), which `make.py`
//! writes and which covers the years 2000 to 2027. Outside of the years that the file has for an exchange, every day of
//! its trading week counts as a trading day with the regular close.
//!
//! Crypto-currencies trade every day until 00:00 UTC, currency pairs on weekdays until 17:00 in New York, futures until
//! the same hour with the holidays of CME. A symbol without a known suffix counts as listed in New York.

mod business_days;
mod exchange_code;
mod exchanges;
mod known_at;

use std::fmt;

pub use business_days::public_after_business_days;
use chrono::{DateTime, NaiveDate, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;
use exchanges::Exchange;
pub use known_at::{Cutoff, KnownAt};

use crate::domain::Ticker;

/// The trading days and closing times of one exchange or market.
#[derive(Clone, Copy)]
pub struct Calendar(&'static Exchange);

/// When the trading day of `ticker` on `date` ends. On a day without trading: when it would have.
pub fn close(ticker: &Ticker, date: NaiveDate) -> DateTime<Utc> {
    Calendar::of(ticker).close(date)
}

/// Whether `ticker` trades on `date`.
pub fn is_trading_day(ticker: &Ticker, date: NaiveDate) -> bool {
    Calendar::of(ticker).is_trading_day(date)
}

/// The first trading day of `ticker` after `date`.
pub fn next_trading_day(ticker: &Ticker, date: NaiveDate) -> NaiveDate {
    Calendar::of(ticker).next_trading_day(date)
}

impl Calendar {
    /// The calendar of the instrument's exchange.
    pub fn of(ticker: &Ticker) -> Self {
        Self::by_code(exchange_code::of(ticker))
    }

    /// The calendar of the New York Stock Exchange, which companies that file with the SEC go by.
    pub fn new_york() -> Self {
        Self::by_code("XNYS")
    }

    fn by_code(code: &str) -> Self {
        Self(exchanges::find(code).expect("each code in the program has a line in exchanges.txt"))
    }

    /// The exchange's time zone.
    pub fn zone(self) -> Tz {
        self.0.zone
    }

    /// When the trading day `date` ends. On a day without trading: when it would have.
    pub fn close(self, date: NaiveDate) -> DateTime<Utc> {
        self.instant(date, self.0.close_minute(date))
    }

    /// The beginning of the calendar day `date` at the exchange.
    pub fn midnight(self, date: NaiveDate) -> DateTime<Utc> {
        self.instant(date, 0)
    }

    /// The calendar day at the exchange at that time.
    pub fn day_of(self, time: DateTime<Utc>) -> NaiveDate {
        time.with_timezone(&self.0.zone).date_naive()
    }

    /// Whether there is trading on `date`.
    pub fn is_trading_day(self, date: NaiveDate) -> bool {
        self.0.is_trading_day(date)
    }

    /// The first trading day after `date`.
    pub fn next_trading_day(self, date: NaiveDate) -> NaiveDate {
        self.trading_days_after(date, 1)
    }

    /// The trading day that is `count` trading days after `date`; `date` itself need not be one.
    pub fn trading_days_after(self, date: NaiveDate, count: usize) -> NaiveDate {
        let later = date.iter_days().skip(1).filter(|day| self.is_trading_day(*day));
        later.take(count).last().unwrap_or(date)
    }

    /// The close of `date` as the moment up to which agents know the world.
    pub fn cutoff(self, date: NaiveDate) -> Cutoff {
        Cutoff { date, close: self.close(date) }
    }

    /// The time at which clocks at the exchange show `minute` minutes after midnight.
    fn instant(self, date: NaiveDate, minute: u16) -> DateTime<Utc> {
        let local = date.and_time(chrono::NaiveTime::MIN) + TimeDelta::minutes(minute.into());
        // A time that clocks skip, as some zones do at midnight, begins an hour later.
        let skipped = || self.0.zone.from_local_datetime(&(local + TimeDelta::hours(1))).earliest();
        let time = self.0.zone.from_local_datetime(&local).earliest().or_else(skipped);
        time.map_or_else(|| local.and_utc(), |time| time.to_utc())
    }
}

impl fmt::Debug for Calendar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Calendar({})", self.0.zone)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn close_of(ticker: &str, date: &str) -> String {
        close(&ticker.parse().unwrap(), day(date)).format("%Y-%m-%dT%H:%M").to_string()
    }

    #[test]
    fn each_exchange_closes_by_its_own_clock() {
        for (ticker, date, expected) in [
            ("NVDA", "2024-05-22", "2024-05-22T20:00"),
            ("NVDA", "2024-01-22", "2024-01-22T21:00"),
            ("BRK.B", "2024-01-22", "2024-01-22T21:00"),
            ("VOD.L", "2024-07-01", "2024-07-01T15:30"),
            ("SAP.DE", "2024-01-15", "2024-01-15T16:30"),
            ("BHP.AX", "2024-01-10", "2024-01-10T05:00"),
            ("7203.T", "2024-05-14", "2024-05-14T06:00"),
            ("7203.T", "2024-11-05", "2024-11-05T06:30"),
            ("M.NS", "2024-05-14", "2024-05-14T10:00"),
            ("^N225", "2024-05-14", "2024-05-14T06:00"),
            ("BTC-USD", "2024-05-11", "2024-05-12T00:00"),
            ("EURUSD=X", "2024-07-08", "2024-07-08T21:00"),
            ("XAUUSD", "2024-01-08", "2024-01-08T22:00"),
            ("GC=F", "2024-07-08", "2024-07-08T21:00"),
        ] {
            assert_eq!(close_of(ticker, date), expected, "{ticker} {date}");
        }
    }

    #[test]
    fn half_days_close_early() {
        assert_eq!(close_of("NVDA", "2024-11-29"), "2024-11-29T18:00");
        assert_eq!(close_of("VOD.L", "2024-12-24"), "2024-12-24T12:30");
        assert_eq!(close_of("0700.HK", "2024-12-24"), "2024-12-24T04:00");
    }

    #[test]
    fn holidays_are_no_trading_days() {
        for (ticker, date, trades) in [
            ("NVDA", "2024-07-04", false),
            ("NVDA", "2025-01-09", false),
            ("VOD.L", "2024-07-04", true),
            ("VOD.L", "2024-08-26", false),
            ("7203.T", "2024-05-06", false),
            ("BTC-USD", "2024-12-25", true),
            ("EURUSD=X", "2024-07-06", false),
            ("2222.SR", "2024-05-12", true),
            ("2222.SR", "2024-05-10", false),
            ("TEVA.TA", "2024-05-10", false),
            ("TEVA.TA", "2024-05-19", true),
            // Before and after the years of the file: the trading week alone.
            ("NVDA", "1999-07-05", true),
            ("NVDA", "2031-07-04", true),
            ("NVDA", "2031-07-05", false),
        ] {
            assert_eq!(is_trading_day(&ticker.parse().unwrap(), day(date)), trades, "{ticker} {date}");
        }
    }

    #[test]
    fn trading_days_skip_holidays_and_weekends() {
        let new_york = Calendar::new_york();
        assert_eq!(new_york.next_trading_day(day("2024-07-03")), day("2024-07-05"));
        assert_eq!(new_york.next_trading_day(day("2024-05-31")), day("2024-06-03"));
        assert_eq!(new_york.trading_days_after(day("2024-12-24"), 2), day("2024-12-27"));
        let tokyo = "7203.T".parse().unwrap();
        assert_eq!(next_trading_day(&tokyo, day("2024-05-02")), day("2024-05-07"));
    }
}
