//! The three statements. Yahoo gives at most some four years or five quarters, and not the day on which they were
//! filed; so a period counts as known when it had to be filed. Figures per share and numbers of shares are restated for
//! all splits up to today, as its prices are.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Datelike, Days, NaiveDate};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{NAME, VENDOR, Yahoo, question, spelled};
use crate::{
    domain::{Ticker, TradeDate},
    market::{
        Answer, Figure, Frequency, MarketError, Period, Statement, StatementKind,
        data::{DILUTED_SHARES, EARNINGS_PER_SHARE},
        filing::due,
        source::Answered,
        web::lifetime,
    },
};

const INCOME: &[(&str, &str)] = &[
    ("Revenue", "TotalRevenue"),
    ("Cost of revenue", "CostOfRevenue"),
    ("Gross profit", "GrossProfit"),
    ("Operating income", "OperatingIncome"),
    ("EBITDA", "EBITDA"),
    ("Net income", "NetIncome"),
    (EARNINGS_PER_SHARE, "DilutedEPS"),
    (DILUTED_SHARES, "DilutedAverageShares"),
];

const BALANCE: &[(&str, &str)] = &[
    ("Total assets", "TotalAssets"),
    ("Current assets", "CurrentAssets"),
    ("Cash and equivalents", "CashAndCashEquivalents"),
    ("Inventory", "Inventory"),
    ("Total liabilities", "TotalLiabilitiesNetMinorityInterest"),
    ("Current liabilities", "CurrentLiabilities"),
    ("Total debt", "TotalDebt"),
    ("Stockholders' equity", "StockholdersEquity"),
];

const CASH: &[(&str, &str)] = &[
    ("Operating cash flow", "OperatingCashFlow"),
    ("Investing cash flow", "InvestingCashFlow"),
    ("Financing cash flow", "FinancingCashFlow"),
    ("Capital expenditure", "CapitalExpenditure"),
    ("Free cash flow", "FreeCashFlow"),
    ("Depreciation and amortization", "DepreciationAndAmortization"),
];

/// The series that shows when fiscal years end.
const YEARS: &str = "annualTotalAssets";

#[derive(Deserialize)]
struct Reply {
    timeseries: Timeseries,
}

#[derive(Deserialize)]
struct Timeseries {
    #[serde(default)]
    result: Vec<Map<String, Value>>,
}

impl Yahoo {
    pub(super) async fn timeseries(
        &self,
        ticker: &Ticker,
        kind: StatementKind,
        frequency: Frequency,
        date: TradeDate,
    ) -> Answered<Statement> {
        let items = match kind {
            StatementKind::Income => INCOME,
            StatementKind::BalanceSheet => BALANCE,
            StatementKind::CashFlow => CASH,
        };
        let prefix = match frequency {
            Frequency::Quarterly => "quarterly",
            Frequency::Annual => "annual",
        };
        let years = items.iter().take(1).map(|(_, key)| format!("annual{key}")).chain([YEARS.into()]);
        let types: BTreeSet<_> = items.iter().map(|(_, key)| format!("{prefix}{key}")).chain(years).collect();
        let types: Vec<_> = types.into_iter().collect();
        let first = NaiveDate::from_ymd_opt(date.day().year() - 6, 1, 1).unwrap_or(NaiveDate::MIN);
        let epoch = |day: NaiveDate| day.and_time(chrono::NaiveTime::MIN).and_utc().timestamp().to_string();
        let end = date.day().checked_add_days(Days::new(1)).unwrap_or(date.day());
        let symbol = spelled(ticker);
        let question = question("https://query2.finance.yahoo.com/ws/fundamentals-timeseries/v1/finance/timeseries")
            .path(&symbol)
            .query([
                ("symbol", symbol.clone()),
                ("type", types.join(",")),
                ("period1", epoch(first)),
                ("period2", epoch(end)),
            ])
            .keep(lifetime(date.day()));
        self.web.ask(&question, |answer| read(answer, ticker, items, prefix, frequency)).await
    }
}

/// A value of a series.
struct Point<'a> {
    end: NaiveDate,
    figure: f64,
    /// ISO 4217; empty if Yahoo does not say.
    currency: &'a str,
    /// `3M`, `12M`; of a balance sheet too.
    length: &'a str,
}

fn read(
    answer: &Answer,
    ticker: &Ticker,
    items: &'static [(&'static str, &'static str)],
    prefix: &str,
    frequency: Frequency,
) -> Result<Statement, MarketError> {
    let reply: Reply = answer.json(VENDOR)?;
    let series = |key: String| {
        let found = reply.timeseries.result.iter().filter_map(move |series| series.get(&key)?.as_array());
        found.flatten().filter_map(point).collect::<Vec<_>>()
    };
    let lines: Vec<_> = items.iter().map(|(name, key)| (*name, series(format!("{prefix}{key}")))).collect();
    let year_ends: Vec<_> = items.iter().flat_map(|(_, key)| series(format!("annual{key}"))).collect();
    let year_ends: Vec<_> = year_ends.iter().chain(&series(YEARS.into())).map(|point| point.end).collect();

    let currency = currency(lines.iter().flat_map(|(_, points)| points));
    let mut notes = Vec::new();
    let mut periods: BTreeMap<NaiveDate, Period> = BTreeMap::new();
    for (name, points) in &lines {
        for point in points.iter().filter(|point| point.currency == currency) {
            let new = || Period {
                end: point.end,
                known: due(point.end, frequency, &year_ends),
                currency: currency.into(),
                figures: Vec::new(),
            };
            let period = periods.entry(point.end).or_insert_with(new);
            if period.figure(name).is_none() {
                period.figures.push(Figure::new(name, point.figure));
            }
            notes.extend(odd_length(point, frequency));
        }
    }
    notes.sort();
    notes.dedup();
    if periods.is_empty() {
        return Err(MarketError::NoData { vendor: NAME, what: format!("statements of {ticker}") });
    }
    Ok(Statement { periods: periods.into_values().collect(), notes })
}

fn point(value: &Value) -> Option<Point<'_>> {
    Some(Point {
        end: value["asOfDate"].as_str()?.parse().ok()?,
        figure: value["reportedValue"]["raw"].as_f64()?,
        currency: value["currencyCode"].as_str().unwrap_or_default(),
        length: value["periodType"].as_str().unwrap_or_default(),
    })
}

/// The currency of most figures. At a draw US dollars lose, because they may be a convenience translation.
fn currency<'a>(points: impl Iterator<Item = &'a Point<'a>>) -> &'a str {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for point in points {
        *counts.entry(point.currency).or_default() += 1;
    }
    let most = counts.into_iter().max_by_key(|(currency, count)| (*count, *currency != "USD"));
    most.map_or("", |(currency, _)| currency)
}

/// The note on a column that covers another length of time than its table.
fn odd_length(point: &Point, frequency: Frequency) -> Option<String> {
    let (usual, name) = match frequency {
        Frequency::Quarterly => ("3M", "three months"),
        Frequency::Annual => ("12M", "twelve months"),
    };
    let months = point.length.strip_suffix('M').filter(|_| point.length != usual)?;
    Some(format!("The figures of {} cover {months} months instead of {name}.", point.end))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn statement(series: &Value) -> Statement {
        let reply = json!({"timeseries": {"result": [series]}}).to_string();
        read(&Answer::kept(reply.into()), &"X".parse().unwrap(), INCOME, "quarterly", Frequency::Quarterly).unwrap()
    }

    fn point(end: &str, currency: &str, value: f64) -> Value {
        json!({"asOfDate": end, "periodType": "3M", "currencyCode": currency, "reportedValue": {"raw": value}})
    }

    #[test]
    fn a_statement_has_one_currency_and_a_period_no_figure_twice() {
        let all = [point("2023-06-30", "CNY", 7.0), point("2023-09-30", "CNY", 8.0), point("2023-09-30", "USD", 1.0)];
        let statement = statement(&json!({"quarterlyTotalRevenue": all}));
        let told: Vec<_> = statement.periods.iter().map(|p| (p.currency.as_str(), p.figures[0].value)).collect();
        assert_eq!(told, [("CNY", 7.0), ("CNY", 8.0)]);
    }

    #[test]
    fn half_a_year_among_quarters_is_said() {
        let half =
            json!({"asOfDate": "2023-06-30", "periodType": "6M", "currencyCode": "GBP", "reportedValue": {"raw": 1}});
        let notes = statement(&json!({"quarterlyTotalRevenue": [half]})).notes;
        assert_eq!(notes, ["The figures of 2023-06-30 cover 6 months instead of three months."]);
    }
}
