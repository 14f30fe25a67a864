//! The three statements. Yahoo gives at most some four years or five quarters, and not the day on which they were
//! filed; so a period counts as known when it had to be filed.

use std::collections::BTreeMap;

use chrono::{Datelike, Days, NaiveDate};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{NAME, VENDOR, Yahoo, question, spelled};
use crate::{
    domain::{Ticker, TradeDate},
    market::{Answer, Frequency, MarketError, Period, StatementKind, filing::due, source::Answered, web::lifetime},
};

const INCOME: &[(&str, &str)] = &[
    ("Revenue", "TotalRevenue"),
    ("Cost of revenue", "CostOfRevenue"),
    ("Gross profit", "GrossProfit"),
    ("Operating income", "OperatingIncome"),
    ("EBITDA", "EBITDA"),
    ("Net income", "NetIncome"),
    ("Diluted earnings per share", "DilutedEPS"),
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
];

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
    ) -> Answered<Vec<Period>> {
        let items = match kind {
            StatementKind::Income => INCOME,
            StatementKind::BalanceSheet => BALANCE,
            StatementKind::CashFlow => CASH,
        };
        let prefix = match frequency {
            Frequency::Quarterly => "quarterly",
            Frequency::Annual => "annual",
        };
        let types: Vec<_> = items.iter().map(|(_, key)| format!("{prefix}{key}")).collect();
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

fn read(
    answer: &Answer,
    ticker: &Ticker,
    items: &'static [(&'static str, &'static str)],
    prefix: &str,
    frequency: Frequency,
) -> Result<Vec<Period>, MarketError> {
    let reply: Reply = answer.json(VENDOR)?;
    let mut periods: BTreeMap<NaiveDate, Period> = BTreeMap::new();
    for (label, key) in items {
        let key = format!("{prefix}{key}");
        let values = reply.timeseries.result.iter().filter_map(|series| series.get(&key)?.as_array()).flatten();
        for value in values {
            let end = value["asOfDate"].as_str().and_then(|text| text.parse().ok());
            let (Some(end), Some(figure)) = (end, value["reportedValue"]["raw"].as_f64()) else { continue };
            let currency = value["currencyCode"].as_str().unwrap_or_default();
            let new = || Period { end, known: due(end, frequency), currency: currency.into(), items: Vec::new() };
            periods.entry(end).or_insert_with(new).items.push((label, figure));
        }
    }
    if periods.is_empty() {
        return Err(MarketError::NoData { vendor: NAME, what: format!("statements of {ticker}") });
    }
    Ok(periods.into_values().collect())
}
