//! Company profile, statements and insiders. The profile is that of today; statements come without the day on which
//! they were filed, so a period counts as known when it had to be.

use async_trait::async_trait;
use chrono::NaiveDate;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{AlphaVantage, NAME, nothing, number, read, spelled};
use crate::{
    domain::{Ticker, TradeDate},
    market::{
        Frequency, FundamentalSource, InsiderSource, InsiderTrade, MarketError, Period, Profile, StatementKind, Window,
        filing::due, lenient::those_that_fit, source::Answered, web::lifetime,
    },
};

const PROFILE: [(&str, &str); 20] = [
    ("Name", "Name"),
    ("Sector", "Sector"),
    ("Industry", "Industry"),
    ("Market capitalisation", "MarketCapitalization"),
    ("Price to earnings, trailing", "TrailingPE"),
    ("Price to earnings, forward", "ForwardPE"),
    ("PEG ratio", "PEGRatio"),
    ("Price to book", "PriceToBookRatio"),
    ("Earnings per share, diluted", "DilutedEPSTTM"),
    ("Dividend yield", "DividendYield"),
    ("Beta", "Beta"),
    ("52-week high", "52WeekHigh"),
    ("52-week low", "52WeekLow"),
    ("Revenue, trailing", "RevenueTTM"),
    ("Gross profit, trailing", "GrossProfitTTM"),
    ("EBITDA", "EBITDA"),
    ("Profit margin", "ProfitMargin"),
    ("Operating margin", "OperatingMarginTTM"),
    ("Return on equity", "ReturnOnEquityTTM"),
    ("Return on assets", "ReturnOnAssetsTTM"),
];

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
    ("Long-term debt", "longTermDebt"),
    ("Stockholders' equity", "totalShareholderEquity"),
];

const CASH: &[(&str, &str)] = &[
    ("Operating cash flow", "operatingCashflow"),
    ("Investing cash flow", "cashflowFromInvestment"),
    ("Financing cash flow", "cashflowFromFinancing"),
    ("Capital expenditure", "capitalExpenditures"),
];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Reports {
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

#[derive(Deserialize)]
struct Trades {
    #[serde(default, deserialize_with = "those_that_fit")]
    data: Vec<Trade>,
}

#[derive(Deserialize)]
struct Trade {
    transaction_date: NaiveDate,
    #[serde(default)]
    executive: String,
    #[serde(default)]
    executive_title: String,
    /// A for bought, D for sold.
    #[serde(default)]
    acquisition_or_disposal: String,
    #[serde(default)]
    shares: Value,
    #[serde(default)]
    share_price: Value,
}

#[async_trait]
impl FundamentalSource for AlphaVantage {
    async fn profile(&self, ticker: &Ticker, date: TradeDate) -> Answered<Profile> {
        let question = self.question("OVERVIEW")?;
        if !date.is_now() {
            return Err(MarketError::LiveOnly { vendor: NAME });
        }
        let question = question.query([("symbol", spelled(ticker))]).keep(lifetime(date.day()));
        let what = format!("profile of {ticker}");
        let read = |answer: &_| {
            let overview: Map<String, Value> = read(answer, &what)?;
            let find = |key: &str| overview.get(key)?.as_str().filter(|text| !["", "None", "-"].contains(text));
            let figures = PROFILE.iter().filter_map(|(label, key)| Some((*label, find(key)?.to_owned())));
            Ok(Profile { known: date.day(), figures: figures.collect() })
        };
        self.web.ask(&question, read).await
    }

    async fn statement(
        &self,
        ticker: &Ticker,
        kind: StatementKind,
        frequency: Frequency,
        date: TradeDate,
    ) -> Answered<Vec<Period>> {
        let (function, items) = match kind {
            StatementKind::Income => ("INCOME_STATEMENT", INCOME),
            StatementKind::BalanceSheet => ("BALANCE_SHEET", BALANCE),
            StatementKind::CashFlow => ("CASH_FLOW", CASH),
        };
        let question = self.question(function)?.query([("symbol", spelled(ticker))]).keep(lifetime(date.day()));
        let what = format!("statements of {ticker}");
        let read = |answer: &_| {
            let reports: Reports = read(answer, &what)?;
            let chosen = match frequency {
                Frequency::Quarterly => reports.quarterly_reports,
                Frequency::Annual => reports.annual_reports,
            };
            let periods: Vec<_> = chosen.into_iter().map(|report| report.period(items, frequency)).collect();
            if periods.is_empty() { Err(nothing(&what)) } else { Ok(periods) }
        };
        self.web.ask(&question, read).await
    }
}

#[async_trait]
impl InsiderSource for AlphaVantage {
    async fn insider_trades(&self, ticker: &Ticker, window: Window) -> Answered<Vec<InsiderTrade>> {
        let question =
            self.question("INSIDER_TRANSACTIONS")?.query([("symbol", spelled(ticker))]).keep(lifetime(window.last));
        let what = format!("insider transactions of {ticker}");
        let read = |answer: &_| {
            let trades: Trades = read(answer, &what)?;
            let trades: Vec<_> = trades.data.into_iter().map(Trade::plain).collect();
            if trades.is_empty() { Err(nothing(&what)) } else { Ok(trades) }
        };
        self.web.ask(&question, read).await
    }
}

impl Report {
    fn period(self, items: &'static [(&'static str, &'static str)], frequency: Frequency) -> Period {
        let figure = |key: &str| self.items.get(key).and_then(number);
        Period {
            end: self.fiscal_date_ending,
            known: due(self.fiscal_date_ending, frequency),
            items: items.iter().filter_map(|(label, key)| Some((*label, figure(key)?))).collect(),
            currency: self.reported_currency,
        }
    }
}

impl Trade {
    fn plain(self) -> InsiderTrade {
        let shares = number(&self.shares);
        let action = match self.acquisition_or_disposal.as_str() {
            "A" => "acquired",
            "D" => "disposed of",
            _ => "changed",
        };
        InsiderTrade {
            date: self.transaction_date,
            who: self.executive,
            role: self.executive_title,
            action: action.into(),
            value: shares.zip(number(&self.share_price)).map(|(shares, price)| shares * price),
            shares,
        }
    }
}
