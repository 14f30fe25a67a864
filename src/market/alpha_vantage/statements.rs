//! Statements, which come without the day on which they were filed, so a period counts as known when it had to be.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::number;
use crate::market::{Figure, Frequency, Period, Statement, StatementKind, filing::due, lenient::those_that_fit};

const INCOME: &[(&str, &str)] = &[
    ("Revenue", "totalRevenue"),
    ("Cost of revenue", "costOfRevenue"),
    ("Gross profit", "grossProfit"),
    ("Operating income", "operatingIncome"),
    ("EBITDA", "ebitda"),
    ("Net income", "netIncome"),
];

const BALANCE: &[(&str, &str)] = &[
    ("Total assets", "totalAssets"),
    ("Current assets", "totalCurrentAssets"),
    ("Cash and equivalents", "cashAndCashEquivalentsAtCarryingValue"),
    ("Inventory", "inventory"),
    ("Total liabilities", "totalLiabilities"),
    ("Current liabilities", "totalCurrentLiabilities"),
    ("Total debt", "shortLongTermDebtTotal"),
    ("Long-term debt", "longTermDebt"),
    ("Stockholders' equity", "totalShareholderEquity"),
];

const CASH: &[(&str, &str)] = &[
    ("Operating cash flow", "operatingCashflow"),
    ("Investing cash flow", "cashflowFromInvestment"),
    ("Financing cash flow", "cashflowFromFinancing"),
    ("Capital expenditure", "capitalExpenditures"),
    ("Depreciation and amortization", "depreciationDepletionAndAmortization"),
];

/// The answer to one of the three functions.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Reports {
    #[serde(default, deserialize_with = "those_that_fit")]
    annual_reports: Vec<Report>,
    #[serde(default, deserialize_with = "those_that_fit")]
    quarterly_reports: Vec<Report>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Report {
    fiscal_date_ending: NaiveDate,
    #[serde(default)]
    reported_currency: String,
    #[serde(flatten)]
    items: Map<String, Value>,
}

impl Reports {
    /// The periods of a statement, in the one currency that most of them have.
    pub fn statement(self, kind: StatementKind, frequency: Frequency) -> Statement {
        let items = match kind {
            StatementKind::Income => INCOME,
            StatementKind::BalanceSheet => BALANCE,
            StatementKind::CashFlow => CASH,
        };
        let year_ends: Vec<_> = self.annual_reports.iter().map(|report| report.fiscal_date_ending).collect();
        let reports = match frequency {
            Frequency::Quarterly => self.quarterly_reports,
            Frequency::Annual => self.annual_reports,
        };
        let currency = currency(&reports);
        let chosen = reports.into_iter().filter(|report| report.reported_currency == currency);
        let periods: BTreeMap<_, _> =
            chosen.map(|report| (report.fiscal_date_ending, report.period(items, frequency, &year_ends))).collect();
        Statement { periods: periods.into_values().collect(), notes: Vec::new() }
    }
}

impl Report {
    fn period(self, items: &[(&'static str, &str)], frequency: Frequency, year_ends: &[NaiveDate]) -> Period {
        let figure = |key: &str| self.items.get(key).and_then(number);
        Period {
            end: self.fiscal_date_ending,
            known: due(self.fiscal_date_ending, frequency, year_ends),
            figures: items.iter().filter_map(|(name, key)| Some(Figure::new(name, figure(key)?))).collect(),
            currency: self.reported_currency,
        }
    }
}

/// The currency of most reports. At a draw US dollars lose, because they may be a convenience translation.
fn currency(reports: &[Report]) -> String {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for report in reports {
        *counts.entry(report.reported_currency.as_str()).or_default() += 1;
    }
    let most = counts.into_iter().max_by_key(|(currency, count)| (*count, *currency != "USD"));
    most.map_or_else(String::new, |(currency, _)| currency.to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_fourth_quarter_is_known_with_the_year_and_one_currency_counts() {
        let report = |end: &str, currency: &str| json!({"fiscalDateEnding": end, "reportedCurrency": currency, "totalRevenue": "5", "ebitda": "NaN"});
        let quarters = [report("2023-06-30", "CNY"), report("2023-09-30", "CNY"), report("2022-12-31", "USD")];
        let reports = json!({"annualReports": [report("2022-06-30", "CNY")], "quarterlyReports": quarters});
        let reports: Reports = serde_json::from_value(reports).unwrap();
        let statement = reports.statement(StatementKind::Income, Frequency::Quarterly);
        let known: Vec<_> = statement.periods.iter().map(|period| period.known.to_string()).collect();
        assert_eq!(known, ["2023-09-28", "2023-11-14"], "the year ends in June");
        assert_eq!(statement.periods[0].figures.len(), 1, "NaN is no figure");
    }
}
