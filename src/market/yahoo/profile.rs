//! Ratios of today, and insiders. Both want a crumb.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{NAME, VENDOR, Yahoo, question, spelled};
use crate::{
    domain::{Ticker, TradeDate},
    market::{
        Answer, Frequency, FundamentalSource, InsiderSource, InsiderTrade, MarketError, Period, Profile, Question,
        StatementKind, Window, source::Answered, web::lifetime,
    },
};

/// What is shown of the modules, by Yahoo's names for it.
const FIGURES: [(&str, &str); 27] = [
    ("Name", "longName"),
    ("Sector", "sector"),
    ("Industry", "industry"),
    ("Market capitalisation", "marketCap"),
    ("Price to earnings, trailing", "trailingPE"),
    ("Price to earnings, forward", "forwardPE"),
    ("PEG ratio", "pegRatio"),
    ("Price to book", "priceToBook"),
    ("Earnings per share, trailing", "trailingEps"),
    ("Earnings per share, forward", "forwardEps"),
    ("Dividend yield", "dividendYield"),
    ("Beta", "beta"),
    ("52-week high", "fiftyTwoWeekHigh"),
    ("52-week low", "fiftyTwoWeekLow"),
    ("50-day average", "fiftyDayAverage"),
    ("200-day average", "twoHundredDayAverage"),
    ("Revenue, trailing", "totalRevenue"),
    ("Gross profit, trailing", "grossProfits"),
    ("EBITDA", "ebitda"),
    ("Net income to common", "netIncomeToCommon"),
    ("Profit margin", "profitMargins"),
    ("Operating margin", "operatingMargins"),
    ("Return on equity", "returnOnEquity"),
    ("Return on assets", "returnOnAssets"),
    ("Debt to equity", "debtToEquity"),
    ("Current ratio", "currentRatio"),
    ("Free cash flow", "freeCashflow"),
];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Reply {
    quote_summary: Summary,
}

#[derive(Deserialize)]
struct Summary {
    result: Option<Vec<Map<String, Value>>>,
}

#[async_trait]
impl FundamentalSource for Yahoo {
    /// The ratios are those of today, so there are none of a past date.
    async fn profile(&self, ticker: &Ticker, date: TradeDate) -> Answered<Profile> {
        if !date.is_now() {
            return Err(MarketError::LiveOnly { vendor: NAME });
        }
        let modules = "financialData,quoteType,defaultKeyStatistics,assetProfile,summaryDetail";
        let read = |answer: &Answer| {
            let modules = modules_of(answer, ticker)?;
            let find = |key: &str| modules.values().find_map(|module| shown(&module[key]));
            let figures: Vec<_> = FIGURES.iter().filter_map(|(label, key)| Some((*label, find(key)?))).collect();
            if figures.is_empty() { Err(nothing(ticker)) } else { Ok(Profile { known: date.day(), figures }) }
        };
        self.ask_with_crumb(|| summary(ticker, modules).keep(lifetime(date.day())), read).await
    }

    async fn statement(
        &self,
        ticker: &Ticker,
        kind: StatementKind,
        frequency: Frequency,
        date: TradeDate,
    ) -> Answered<Vec<Period>> {
        self.timeseries(ticker, kind, frequency, date).await
    }
}

#[async_trait]
impl InsiderSource for Yahoo {
    async fn insider_trades(&self, ticker: &Ticker, window: Window) -> Answered<Vec<InsiderTrade>> {
        let read = |answer: &Answer| {
            let modules = modules_of(answer, ticker)?;
            let rows = modules.get("insiderTransactions").and_then(|module| module["transactions"].as_array());
            let trades: Vec<_> = rows.into_iter().flatten().filter_map(trade).collect();
            if trades.is_empty() { Err(nothing(ticker)) } else { Ok(trades) }
        };
        self.ask_with_crumb(|| summary(ticker, "insiderTransactions").keep(lifetime(window.last)), read).await
    }
}

fn summary(ticker: &Ticker, modules: &str) -> Question {
    question("https://query2.finance.yahoo.com/v10/finance/quoteSummary").path(&spelled(ticker)).query([
        ("modules", modules.into()),
        ("formatted", "false".into()),
        ("corsDomain", "finance.yahoo.com".into()),
    ])
}

fn modules_of(answer: &Answer, ticker: &Ticker) -> Result<Map<String, Value>, MarketError> {
    let reply: Reply = answer.json(VENDOR)?;
    reply.quote_summary.result.unwrap_or_default().into_iter().next().ok_or_else(|| nothing(ticker))
}

fn nothing(ticker: &Ticker) -> MarketError {
    MarketError::NoData { vendor: NAME, what: format!("such figures of {ticker}") }
}

/// A value as it is shown; Yahoo wraps some as `{"raw": 1, "fmt": "1"}`.
fn shown(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Object(wrapped) => shown(wrapped.get("raw")?),
        _ => None,
    }
}

fn number(value: &Value) -> Option<f64> {
    value.as_f64().or_else(|| value["raw"].as_f64())
}

fn trade(row: &Value) -> Option<InsiderTrade> {
    #[expect(clippy::cast_possible_truncation, reason = "seconds since 1970")]
    let at = number(&row["startDate"])? as i64;
    let text = |key: &str| row[key].as_str().unwrap_or_default().to_owned();
    Some(InsiderTrade {
        date: DateTime::<Utc>::from_timestamp(at, 0)?.date_naive(),
        who: text("filerName"),
        role: text("filerRelation"),
        action: text("transactionText"),
        shares: number(&row["shares"]),
        value: number(&row["value"]),
    })
}
