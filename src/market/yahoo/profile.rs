//! Ratios of today, and insiders. Both need a crumb.
//!
//! Yahoo has two currencies for a company: that of its prices and that of its accounts. Amounts name theirs. A ratio of
//! the two is left out where they differ, for Yahoo does not say at which rate it converted, if it did: pence count as
//! another currency than pounds.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{NAME, VENDOR, Yahoo, question, spelled};
use crate::{
    domain::{Ticker, TradeDate},
    market::{
        Answer, Frequency, FundamentalSource, InsiderSource, InsiderTrade, MarketError, PriceCurrency, Profile,
        Question, Shares, Statement, StatementKind, Window, source::Answered, web::lifetime,
    },
};

/// Kind of a figure, which decides its currency.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    /// A text, or a ratio of two figures of the accounts or of two prices.
    Plain,
    /// A price as the exchange quotes it.
    Price,
    /// The worth of all shares: in the main unit of the currency of prices.
    Worth,
    /// An amount of the accounts.
    Account,
    /// A price over a figure of the accounts, or a figure per share in a currency that Yahoo does not name.
    Mixed,
}

/// The figures shown: name, key in Yahoo's modules, kind.
const FIGURES: [(&str, &str, Kind); 27] = [
    ("Name", "longName", Kind::Plain),
    ("Sector", "sector", Kind::Plain),
    ("Industry", "industry", Kind::Plain),
    ("Market capitalisation", "marketCap", Kind::Worth),
    ("Price to earnings, trailing", "trailingPE", Kind::Mixed),
    ("Price to earnings, forward", "forwardPE", Kind::Mixed),
    ("PEG ratio", "pegRatio", Kind::Mixed),
    ("Price to book", "priceToBook", Kind::Mixed),
    ("Earnings per share, trailing", "trailingEps", Kind::Mixed),
    ("Earnings per share, forward", "forwardEps", Kind::Mixed),
    ("Dividend yield", "dividendYield", Kind::Plain),
    ("Beta", "beta", Kind::Plain),
    ("52-week high", "fiftyTwoWeekHigh", Kind::Price),
    ("52-week low", "fiftyTwoWeekLow", Kind::Price),
    ("50-day average", "fiftyDayAverage", Kind::Price),
    ("200-day average", "twoHundredDayAverage", Kind::Price),
    ("Revenue, trailing", "totalRevenue", Kind::Account),
    ("Gross profit, trailing", "grossProfits", Kind::Account),
    ("EBITDA", "ebitda", Kind::Account),
    ("Net income to common", "netIncomeToCommon", Kind::Account),
    ("Profit margin", "profitMargins", Kind::Plain),
    ("Operating margin", "operatingMargins", Kind::Plain),
    ("Return on equity", "returnOnEquity", Kind::Plain),
    ("Return on assets", "returnOnAssets", Kind::Plain),
    ("Debt to equity", "debtToEquity", Kind::Plain),
    ("Current ratio", "currentRatio", Kind::Plain),
    ("Free cash flow", "freeCashflow", Kind::Account),
];

/// The currencies that Yahoo names; empty where it does not.
struct Currencies {
    price: String,
    account: String,
}

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
        let modules = "financialData,quoteType,defaultKeyStatistics,assetProfile,summaryDetail,price";
        let read = |answer: &Answer| {
            let modules = modules_of(answer, ticker)?;
            let currencies = Currencies::of(&modules);
            let find = |key: &str| modules.values().find_map(|module| shown(&module[key]));
            let figures =
                FIGURES.iter().filter_map(|(label, key, kind)| Some((*label, currencies.named(find(key)?, *kind)?)));
            let figures: Vec<_> = figures.collect();
            let notes = currencies.note().into_iter().collect();
            let profile = Profile { known: date.day(), figures, shares: Shares::Unknown, notes };
            if profile.figures.is_empty() { Err(nothing(ticker)) } else { Ok(profile) }
        };
        self.ask_with_crumb(|| summary(ticker, modules).keep(lifetime(date.day())), read).await
    }

    async fn statement(
        &self,
        ticker: &Ticker,
        kind: StatementKind,
        frequency: Frequency,
        date: TradeDate,
    ) -> Answered<Statement> {
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

impl Currencies {
    fn of(modules: &Map<String, Value>) -> Self {
        let text = |module: &str, key: &str| modules.get(module)?[key].as_str().map(str::to_owned);
        let price = ["summaryDetail", "price"].into_iter().find_map(|module| text(module, "currency"));
        let account = text("financialData", "financialCurrency");
        Self { price: price.unwrap_or_default(), account: account.unwrap_or_default() }
    }

    fn differ(&self) -> bool {
        !self.price.is_empty() && !self.account.is_empty() && self.price != self.account
    }

    /// A figure with its currency; none if its currencies differ.
    fn named(&self, figure: String, kind: Kind) -> Option<String> {
        let currency = match kind {
            Kind::Mixed if self.differ() => return None,
            Kind::Plain | Kind::Mixed => "",
            Kind::Price => &self.price,
            Kind::Worth => &self.worth(),
            Kind::Account => &self.account,
        };
        Some(if currency.is_empty() { figure } else { format!("{figure} {currency}") })
    }

    /// The currency of amounts that are quoted in a minor unit, such as GBP for pence.
    fn worth(&self) -> String {
        PriceCurrency::new(&self.price).map_or_else(String::new, |price| price.main_unit().0.to_owned())
    }

    fn note(&self) -> Option<String> {
        let (price, account) = (&self.price, &self.account);
        self.differ().then(|| {
            format!(
                "Prices are in {price}, the accounts in {account}. Ratios of both and figures per share are left out: \
                 the vendor does not say whether and at which rate it converts them. Don't compare an amount in one \
                 with an amount in the other without a rate."
            )
        })
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

#[cfg(test)]
mod tests {
    use super::*;

    fn named(price: &str, account: &str, kind: Kind) -> Option<String> {
        Currencies { price: price.into(), account: account.into() }.named("5".into(), kind)
    }

    #[test]
    fn amounts_name_their_currency_and_ratios_of_two_are_left_out() {
        assert_eq!(named("USD", "CNY", Kind::Worth).as_deref(), Some("5 USD"));
        assert_eq!(named("USD", "CNY", Kind::Account).as_deref(), Some("5 CNY"));
        assert_eq!(named("USD", "CNY", Kind::Mixed), None);
        assert_eq!(named("GBp", "GBP", Kind::Mixed), None, "pence over pounds");
        assert_eq!(named("GBp", "GBP", Kind::Worth).as_deref(), Some("5 GBP"));
        assert_eq!(named("USD", "USD", Kind::Mixed).as_deref(), Some("5"));
        assert_eq!(named("", "", Kind::Account).as_deref(), Some("5"));
    }
}
