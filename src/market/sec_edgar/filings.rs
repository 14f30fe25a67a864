//! When each filing became public: `submissions`, the SEC's list of a company's filings with the time of acceptance.
//!
//! A filing that was accepted by the close of a trading day counts from that day, a later one from the next trading
//! day. Where the time is not known, a filing counts from the trading day after its filing date.
//!
//! The times end in "Z", but for about a fifth of the filers they are New York time (measured on 64,936 filings:
//! github.com/theOGognf/finagg/issues/64). The convention belongs to the filer, so it is inferred from all its filings
//! ([`Clock`]); where that is undecided, the later reading counts.

use std::collections::BTreeMap;

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, NaiveTime, TimeZone, Utc};
use serde::Deserialize;

use crate::market::calendar::Calendar;

/// The answer for one company: the last thousand filings, and pages with the older ones.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Submissions {
    filings: Lists,
    #[serde(default)]
    former_names: Vec<FormerName>,
}

/// A name that a company had until it took another one.
#[derive(Deserialize)]
struct FormerName {
    name: String,
    /// The day from which it had the next name, as a time.
    #[serde(default)]
    to: Option<String>,
}

#[derive(Deserialize)]
struct Lists {
    recent: Columns,
    #[serde(default)]
    files: Vec<Page>,
}

/// Filings as columns of equal length.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Columns {
    accession_number: Vec<String>,
    filing_date: Vec<NaiveDate>,
    acceptance_date_time: Vec<String>,
    form: Vec<String>,
}

/// A file with older filings.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    name: String,
    filing_from: NaiveDate,
    filing_to: NaiveDate,
}

/// Times of acceptance by accession number; without any, each filing counts from the day after its filing date.
#[derive(Default)]
pub struct Filings {
    accepted: BTreeMap<String, DateTime<Utc>>,
}

/// The clock behind the times of a filer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Clock {
    Utc,
    NewYork,
}

impl Submissions {
    /// The name on a day, if it was another one than today's.
    pub fn name_on(&self, day: NaiveDate) -> Option<&str> {
        let until = |former: &FormerName| former.to.as_deref()?.get(..10)?.parse::<NaiveDate>().ok();
        let later = self.former_names.iter().filter_map(|former| Some((until(former)?, former.name.as_str())));
        later.filter(|(until, _)| day < *until).min().map(|(_, name)| name)
    }

    /// The name of the page that has the filings of that day, if they are not among the recent ones.
    pub fn page_of(&self, filed: NaiveDate) -> Option<&str> {
        let covers = |page: &&Page| page.filing_from <= filed && filed <= page.filing_to;
        self.filings.files.iter().find(covers).map(|page| page.name.as_str())
    }

    /// Whether the filing is among the recent ones.
    pub fn has(&self, accession: &str) -> bool {
        self.filings.recent.accession_number.iter().any(|known| known == accession)
    }

    /// The filings, with those of an older page.
    pub fn with(self, older: Option<Columns>) -> Filings {
        let lists = [Some(self.filings.recent), older];
        let rows: Vec<Row> = lists.iter().flatten().flat_map(Columns::rows).collect();
        // Undecided counts as New York time, which is the later reading.
        let clock = Clock::of(&rows).unwrap_or(Clock::NewYork);
        // Times at which EDGAR accepts nothing are mistakes.
        let plausible = rows.iter().filter(|row| row.fits(clock));
        let accepted = plausible.filter_map(|row| Some((row.accession.to_owned(), clock.instant(row.time)?)));
        Filings { accepted: accepted.collect() }
    }
}

/// A filing as the list has it.
struct Row<'a> {
    accession: &'a str,
    filed: NaiveDate,
    /// As written, by whatever clock.
    time: NaiveDateTime,
    form: &'a str,
}

impl Columns {
    fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        let times = self.acceptance_date_time.iter().map(|text| text.trim_end_matches('Z').parse().ok());
        let columns = self.accession_number.iter().zip(&self.filing_date).zip(times).enumerate();
        columns.filter_map(|(row, ((accession, filed), time))| {
            let form = self.form.get(row).map_or("", String::as_str);
            let time: NaiveDateTime = time?;
            // EDGAR began in 1993. Time zones can't be applied to the ends of chrono's calendar.
            let is_date = (1990..2200).contains(&time.year());
            // Midnight to the second stands for a day without a time.
            (is_date && time.time() != NaiveTime::MIN).then_some(Row { accession, filed: *filed, time, form })
        })
    }
}

impl Clock {
    /// The clock that fits more of the filings that fit only one of them; none if that is a draw.
    fn of(rows: &[Row]) -> Option<Self> {
        let only = |one: Self, other: Self| rows.iter().filter(|row| row.fits(one) && !row.fits(other)).count();
        let (utc, new_york) = (only(Self::Utc, Self::NewYork), only(Self::NewYork, Self::Utc));
        match utc.cmp(&new_york) {
            std::cmp::Ordering::Greater => Some(Self::Utc),
            std::cmp::Ordering::Less => Some(Self::NewYork),
            std::cmp::Ordering::Equal => None,
        }
    }

    fn instant(self, written: NaiveDateTime) -> Option<DateTime<Utc>> {
        match self {
            Self::Utc => Some(written.and_utc()),
            Self::NewYork => {
                let local = Calendar::new_york().zone().from_local_datetime(&written).latest()?;
                Some(local.with_timezone(&Utc))
            }
        }
    }

    /// The time at New York.
    fn local(self, written: NaiveDateTime) -> Option<NaiveDateTime> {
        Some(self.instant(written)?.with_timezone(&Calendar::new_york().zone()).naive_local())
    }
}

impl Row<'_> {
    /// Whether the time is possible by that clock.
    fn fits(&self, clock: Clock) -> bool {
        clock.local(self.time).is_some_and(|local| self.could_be_accepted_at(local))
    }

    /// EDGAR accepts filings from 6:00 to 22:00 in New York. Those up to 17:30 are filed on that day, later ones on the
    /// next business day (17 CFR 232.13), but for reports of insiders, which have until 22:00.
    fn could_be_accepted_at(&self, local: NaiveDateTime) -> bool {
        let clock = |hour, minute| NaiveTime::from_hms_opt(hour, minute, 0).unwrap_or_default();
        let time = local.time();
        let is_open = (clock(6, 0)..=clock(22, 0)).contains(&time);
        let is_of_insiders = ["3", "4", "5", "144"].iter().any(|form| self.form.trim_end_matches("/A") == *form);
        let is_same_day = self.filed == local.date();
        is_open && (is_of_insiders || is_same_day == (time <= clock(17, 30)))
    }
}

impl Filings {
    /// The time at which a filing was accepted, if it is known.
    pub fn accepted(&self, accession: &str) -> Option<DateTime<Utc>> {
        self.accepted.get(accession).copied()
    }

    /// The first trading day at whose close the filing was public.
    pub fn known(&self, accession: &str, filed: NaiveDate) -> NaiveDate {
        match self.accepted(accession) {
            Some(time) => trading_day_of(time).max(filed),
            None => Calendar::new_york().next_trading_day(filed),
        }
    }
}

/// The trading day whose close is the first after that time.
fn trading_day_of(time: DateTime<Utc>) -> NaiveDate {
    let calendar = Calendar::new_york();
    let day = calendar.day_of(time);
    if calendar.is_trading_day(day) && time <= calendar.close(day) { day } else { calendar.next_trading_day(day) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn filings(rows: &[(&str, &str, &str)]) -> Filings {
        let column = |of: fn(&(&str, &str, &str)) -> String| rows.iter().map(of).collect::<Vec<_>>();
        let list = json!({"filings": {"recent": {
            "accessionNumber": column(|row| row.0.into()), "filingDate": column(|row| row.1.into()),
            "acceptanceDateTime": column(|row| row.2.into()), "form": rows.iter().map(|_| "10-Q").collect::<Vec<_>>()
        }}});
        serde_json::from_value::<Submissions>(list).unwrap().with(None)
    }

    #[test]
    fn a_company_has_the_name_of_the_day() {
        let names = json!([
            {"name": "Facebook Inc", "from": "2005-05-10T00:00:00.000Z", "to": "2021-10-27T00:00:00.000Z"},
            {"name": "TheFacebook, Inc.", "from": "2004-01-01T00:00:00.000Z", "to": "2005-05-10T00:00:00.000Z"},
            {"name": "Undated"},
        ]);
        let list = json!({"filings": {"recent": {}}, "formerNames": names});
        let submissions: Submissions = serde_json::from_value(list).unwrap();
        let name = |text| submissions.name_on(day(text));
        assert_eq!(name("2021-10-26"), Some("Facebook Inc"));
        assert_eq!((name("2021-10-27"), name("2005-01-03")), (None, Some("TheFacebook, Inc.")));
    }

    #[test]
    fn a_filing_counts_from_the_first_close_after_its_acceptance() {
        let filings = filings(&[
            ("after-close", "2024-05-31", "2024-05-31T20:02:15.000Z"),
            ("at-noon", "2024-05-31", "2024-05-31T16:00:00.000Z"),
            ("half-day", "2024-11-29", "2024-11-29T18:30:00.000Z"),
        ]);
        assert_eq!(filings.known("after-close", day("2024-05-31")), day("2024-06-03"));
        assert_eq!(filings.known("at-noon", day("2024-05-31")), day("2024-05-31"));
        assert_eq!(filings.known("half-day", day("2024-11-29")), day("2024-12-02"), "closed at 13:00");
        assert_eq!(filings.known("not-listed", day("2024-05-31")), day("2024-06-03"));
        assert_eq!(filings.known("not-listed", day("2024-07-03")), day("2024-07-05"), "no trading on the 4th");
    }

    #[test]
    fn times_of_some_filers_are_those_of_new_york() {
        // 07:30 UTC is 03:30 in New York, when EDGAR is closed.
        let new_york = filings(&[
            ("early", "2025-04-30", "2025-04-30T07:30:32.000Z"),
            ("late", "2025-05-01", "2025-05-01T16:21:59.000Z"),
        ]);
        assert_eq!(new_york.known("late", day("2025-05-01")), day("2025-05-02"));
        let utc = filings(&[
            ("early", "2025-04-30", "2025-04-30T21:01:00.000Z"),
            ("late", "2025-05-01", "2025-05-01T16:21:59.000Z"),
        ]);
        assert_eq!(utc.known("late", day("2025-05-01")), day("2025-05-01"));
        let undecided = filings(&[("late", "2025-05-01", "2025-05-01T16:21:59.000Z")]);
        assert_eq!(undecided.known("late", day("2025-05-01")), day("2025-05-02"), "the later reading");
        let midnight = filings(&[("no-time", "2025-05-01", "2025-05-01T00:00:00.000Z")]);
        assert_eq!(midnight.known("no-time", day("2025-05-01")), day("2025-05-02"), "a day without a time");
    }
}
