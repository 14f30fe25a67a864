//! The years of a company, as the statements in a prompt have them.
//!
//! Quarters are not used: of some vendors every fourth is missing, and so are the cash flows of most.

use std::collections::BTreeMap;

use chrono::NaiveDate;

use super::figures::sections;

/// The last report of a company that still reports is no older than so many days: a year, and the 90 days that it may
/// take (sec.gov, Form 10-K), with a month for those who are late.
const OLDEST: i64 = 365 + 90 + 30;

/// The items of the annual statements, by the last day of the year. A balance sheet may have other days beside.
pub struct Years<'a> {
    items: BTreeMap<NaiveDate, BTreeMap<&'a str, f64>>,
    /// The analysis date.
    known_by: NaiveDate,
}

/// One of them.
#[derive(Clone, Copy)]
pub struct Year<'a> {
    end: NaiveDate,
    items: &'a BTreeMap<&'a str, f64>,
}

impl<'a> Years<'a> {
    /// Reads the tables of annual statements: a row of days, then rows of items.
    pub fn read(text: &'a str) -> Self {
        let mut years = Self { items: BTreeMap::new(), known_by: NaiveDate::MIN };
        for (heading, table) in sections(text) {
            let Some((_, known_by)) = heading.split_once(", years known by ") else { continue };
            years.known_by = known_by.split(' ').next().and_then(|day| day.parse().ok()).unwrap_or(years.known_by);
            years.add(table);
        }
        years
    }

    fn add(&mut self, table: &'a str) {
        let mut rows = table.lines().map(|line| line.split(','));
        let Some(ends) = rows.find_map(|mut row| (row.next() == Some("Period end")).then_some(row)) else { return };
        let ends: Vec<NaiveDate> = ends.filter_map(|end| end.parse().ok()).collect();
        for mut row in rows {
            let name = row.next().unwrap_or_default();
            for (end, value) in ends.iter().zip(row) {
                // A mark may follow the number, such as "(derived)".
                let number = value.split(' ').next().unwrap_or_default();
                let number = number.parse().ok().filter(|number: &f64| number.is_finite());
                self.items.entry(*end).or_default().extend(number.map(|number| (name, number)));
            }
        }
    }

    /// The last year that has an income; none if the company reports no more.
    pub fn last(&self) -> Option<Year<'_>> {
        self.incomes().last().filter(|year| (self.known_by - year.end).num_days() <= OLDEST)
    }

    /// The year before; one has 52 or 53 weeks.
    pub fn before(&self, year: Year) -> Option<Year<'_>> {
        self.incomes().find(|before| (350..=380).contains(&(year.end - before.end).num_days()))
    }

    fn incomes(&self) -> impl Iterator<Item = Year<'_>> {
        let years = self.items.iter().map(|(end, items)| Year { end: *end, items });
        years.filter(|year| year.get("Net income").is_some())
    }
}

impl Year<'_> {
    /// An item by its name.
    pub fn get(self, name: &str) -> Option<f64> {
        self.items.get(name).copied()
    }

    /// Not every company states it.
    pub fn gross_profit(self) -> Option<f64> {
        self.get("Gross profit").or_else(|| Some(self.get("Revenue")? - self.get("Cost of revenue")?))
    }
}
