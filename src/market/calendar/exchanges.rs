//! The exchanges of `exchanges.txt`, read when the first is asked for.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::LazyLock,
};

use chrono::{Datelike, NaiveDate, Weekday};
use chrono_tz::Tz;

static FILE: &str = include_str!("exchanges.txt");

static EXCHANGES: LazyLock<HashMap<&str, Exchange>> =
    LazyLock::new(|| read(FILE).expect("the tests read the whole of exchanges.txt"));

/// Minutes after midnight by the exchange's clock, 1440 for the end of the day.
type Minute = u16;

/// An exchange, or a market without one.
#[derive(Debug)]
pub struct Exchange {
    pub zone: Tz,
    week: Vec<Weekday>,
    /// The regular close, from each of these days on.
    closes: BTreeMap<NaiveDate, Minute>,
    /// Days of the trading week without a session.
    holidays: BTreeSet<NaiveDate>,
    /// Sessions outside the trading week.
    extra: BTreeSet<NaiveDate>,
    /// Days with another close than the regular one.
    irregular: BTreeMap<NaiveDate, Minute>,
}

/// The exchange with this market identifier code (ISO 10383), or one of the file's own `FX` and `CRYPTO`.
pub fn find(code: &str) -> Option<&'static Exchange> {
    EXCHANGES.get(code)
}

impl Exchange {
    pub fn is_trading_day(&self, date: NaiveDate) -> bool {
        let expected = self.week.contains(&date.weekday()) && !self.holidays.contains(&date);
        expected || self.extra.contains(&date)
    }

    pub fn close_minute(&self, date: NaiveDate) -> Minute {
        let regular = self.closes.range(..=date).next_back().map_or(0, |(_, minute)| *minute);
        self.irregular.get(&date).copied().unwrap_or(regular)
    }

    /// `America/New_York Mon-Fri 16:00 2024-11-05=15:30`.
    fn parse(words: &[&str]) -> Option<Self> {
        let [zone, week, close, later @ ..] = words else { return None };
        let mut closes = BTreeMap::from([(NaiveDate::MIN, minute(close)?)]);
        for rule in later {
            let (from, close) = rule.split_once('=')?;
            closes.insert(from.parse().ok()?, minute(close)?);
        }
        let (holidays, extra, irregular) = Default::default();
        Some(Self { zone: zone.parse().ok()?, week: days(week)?, closes, holidays, extra, irregular })
    }

    /// One of `0704`, `0703@1300`, `+0128` and `+0128@1540`.
    fn mark(&mut self, year: i32, mark: &str) -> Option<()> {
        let (day, close) = mark.split_once('@').map_or((mark, None), |(day, close)| (day, Some(close)));
        let is_extra = day.starts_with('+');
        let (month, day) = day.trim_start_matches('+').split_at_checked(2)?;
        let date = NaiveDate::from_ymd_opt(year, month.parse().ok()?, day.parse().ok()?)?;
        match close {
            Some(close) => drop(self.irregular.insert(date, minute(close)?)),
            None if !is_extra => drop(self.holidays.insert(date)),
            None => {}
        }
        if is_extra {
            self.extra.insert(date);
        }
        Some(())
    }
}

/// The exchanges by their codes; the error is the line that can't be read.
fn read(file: &'static str) -> Result<HashMap<&'static str, Exchange>, &'static str> {
    let mut exchanges: HashMap<&str, Exchange> = HashMap::new();
    for line in file.lines().filter(|line| !line.starts_with('#')) {
        let words: Vec<_> = line.split_whitespace().collect();
        let [code, second, rest @ ..] = words.as_slice() else { return Err(line) };
        match second.parse::<i32>() {
            Ok(year) => {
                let exchange = exchanges.get_mut(code).ok_or(line)?;
                rest.iter().try_for_each(|mark| exchange.mark(year, mark)).ok_or(line)?;
            }
            Err(_) => drop(exchanges.insert(code, Exchange::parse(&words[1..]).ok_or(line)?)),
        }
    }
    Ok(exchanges)
}

/// `16:00` or `1600`, in minutes after midnight.
fn minute(text: &str) -> Option<Minute> {
    let digits = text.replace(':', "");
    let (hours, minutes) = digits.split_at_checked(2)?;
    let (hours, minutes): (Minute, Minute) = (hours.parse().ok()?, minutes.parse().ok()?);
    (hours <= 24 && minutes < 60).then_some(hours * 60 + minutes)
}

/// `Sun-Thu`, all days from the first to the last.
fn days(span: &str) -> Option<Vec<Weekday>> {
    let (first, last) = span.split_once('-')?;
    let (first, last): (Weekday, Weekday) = (first.parse().ok()?, last.parse().ok()?);
    let mut days = vec![first];
    while *days.last()? != last {
        days.push(days.last()?.succ());
    }
    Some(days)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_whole_file_is_read() {
        let exchanges = read(FILE).unwrap();
        assert!(exchanges.len() > 50, "{}", exchanges.len());
        assert_eq!(exchanges["XSAU"].week, [Weekday::Sun, Weekday::Mon, Weekday::Tue, Weekday::Wed, Weekday::Thu]);
    }

    #[test]
    fn a_line_that_cannot_be_read_is_named() {
        for line in ["XNYS", "XNYS 2024 0101", "XNYS Mars/Olympus Mon-Fri 16:00", "XNYS UTC Mon-Fri 25:00"] {
            assert_eq!(read(line).unwrap_err(), line);
        }
    }
}
