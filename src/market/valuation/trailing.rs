//! Figures of the last twelve months and of the last balance sheet.

use chrono::{Days, NaiveDate};

use crate::market::Period;

/// Maximum age of a figure in days: a year, the 90 days within which a report is due (sec.gov, Form 10-K), and a month for
/// late filers.
const OLDEST: u64 = 365 + 90 + 30;

/// An amount with its source.
#[derive(Debug, Clone, PartialEq)]
pub struct Amount {
    pub value: f64,
    pub currency: String,
    /// The end of the twelve months, or the day of the balance sheet.
    pub end: NaiveDate,
    /// The period or day, and since when it is known: `12 months to 2024-04-28, known on 2024-05-29`.
    pub basis: String,
}

/// Periods of one kind of statement, newest first.
#[derive(Debug, Clone, Default)]
pub struct Periods {
    pub quarters: Vec<Period>,
    pub years: Vec<Period>,
}

impl Periods {
    /// The sum of the last four quarters, or the last fiscal year if it is as new or if a quarter is missing.
    pub fn trailing(&self, name: &str, date: NaiveDate) -> Option<Amount> {
        let candidates = [self.fiscal_year(name, date), self.four_quarters(name)].into_iter().flatten();
        // Of equally new ones the year counts, which was filed as it is.
        let newest = candidates.reduce(|best, next| if next.end > best.end { next } else { best });
        newest.filter(|amount| is_recent(amount.end, date))
    }

    /// The figure of the last fiscal year.
    pub fn fiscal_year(&self, name: &str, date: NaiveDate) -> Option<Amount> {
        let year = self.years.iter().find(|year| year.figure(name).is_some())?;
        is_recent(year.end, date).then_some(Amount {
            value: year.figure(name)?.value,
            currency: year.currency.clone(),
            end: year.end,
            basis: format!("fiscal year to {}, known on {}", year.end, year.known),
        })
    }

    fn four_quarters(&self, name: &str) -> Option<Amount> {
        let with: Vec<_> = self.quarters.iter().filter(|quarter| quarter.figure(name).is_some()).collect();
        let four = with.get(..4)?;
        let are_in_a_row = four.windows(2).all(|pair| {
            (77..=112).contains(&(pair[0].end - pair[1].end).num_days()) && pair[0].currency == pair[1].currency
        });
        let known = four.iter().map(|quarter| quarter.known).max()?;
        are_in_a_row.then(|| Amount {
            value: four.iter().filter_map(|quarter| Some(quarter.figure(name)?.value)).sum(),
            currency: four[0].currency.clone(),
            end: four[0].end,
            basis: format!("12 months to {}, known on {known}", four[0].end),
        })
    }

    /// The figure of the last balance sheet.
    pub fn latest(&self, name: &str, date: NaiveDate) -> Option<Amount> {
        let balances = self.quarters.iter().chain(&self.years);
        let newest = balances.filter(|period| period.figure(name).is_some()).max_by_key(|period| period.end)?;
        is_recent(newest.end, date).then_some(Amount {
            value: newest.figure(name)?.value,
            currency: newest.currency.clone(),
            end: newest.end,
            basis: format!("{}, known on {}", newest.end, newest.known),
        })
    }
}

fn is_recent(end: NaiveDate, date: NaiveDate) -> bool {
    date.checked_sub_days(Days::new(OLDEST)).is_none_or(|oldest| end >= oldest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::market::Figure;

    fn periods(ends: &[(&str, f64)]) -> Vec<Period> {
        let period = |(end, value): &(&str, f64)| {
            let end: NaiveDate = end.parse().unwrap();
            let figures = vec![Figure::new("Revenue", *value)];
            Period { end, known: end + Days::new(30), currency: "USD".into(), figures }
        };
        ends.iter().map(period).collect()
    }

    fn trailing(quarters: &[(&str, f64)], years: &[(&str, f64)]) -> Option<(f64, String)> {
        let periods = Periods { quarters: periods(quarters), years: periods(years) };
        let date = "2024-06-12".parse().unwrap();
        periods.trailing("Revenue", date).map(|amount| (amount.value, amount.end.to_string()))
    }

    const QUARTERS: [(&str, f64); 4] =
        [("2024-04-28", 4.0), ("2024-01-28", 3.0), ("2023-10-29", 2.0), ("2023-07-30", 1.0)];

    #[test]
    fn four_quarters_in_a_row_make_twelve_months() {
        let year = [("2024-01-28", 7.0)];
        assert_eq!(trailing(&QUARTERS, &year), Some((10.0, "2024-04-28".into())));
        assert_eq!(trailing(&QUARTERS[..3], &year), Some((7.0, "2024-01-28".into())), "one is missing");
        let gap = [QUARTERS[0], QUARTERS[2], QUARTERS[3], ("2023-04-30", 1.0)];
        assert_eq!(trailing(&gap, &year), Some((7.0, "2024-01-28".into())), "one is missing in the middle");
        assert_eq!(trailing(&QUARTERS[1..], &[]), None);
    }

    #[test]
    fn a_company_that_reports_no_more_has_no_figures() {
        assert_eq!(trailing(&[], &[("2023-01-29", 7.0)]), None);
    }
}
