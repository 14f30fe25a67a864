//! Company data: profile and statements, and what insiders did.

use async_trait::async_trait;
use chrono::NaiveDate;
use serde::Deserialize;
use serde_json::Value;

use super::{AlphaVantage, NAME, nothing, number, overview, read, spelled, statements::Reports};
use crate::{
    domain::{Ticker, TradeDate},
    market::{
        Frequency, FundamentalSource, InsiderSource, InsiderTrade, MarketError, Profile, Statement, StatementKind,
        Window, lenient::those_that_fit, source::Answered, web::lifetime,
    },
};

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
    /// The profile of today.
    async fn profile(&self, ticker: &Ticker, date: TradeDate) -> Answered<Profile> {
        let question = self.question("OVERVIEW")?;
        if !date.is_now() {
            return Err(MarketError::LiveOnly { vendor: NAME });
        }
        let question = question.query([("symbol", spelled(ticker))]).keep(lifetime(date.day()));
        let what = format!("profile of {ticker}");
        let found = self.web.ask(&question, |answer: &_| read(answer, &what)).await?;
        let account = if overview::is_of_the_united_states(&found.data) {
            Some("USD".into())
        } else {
            // The overview does not say in what currency the company reports; its statements do.
            let income = self.statement(ticker, StatementKind::Income, Frequency::Annual, date).await;
            income.ok().and_then(|income| Some(income.data.periods.first()?.currency.clone()))
        };
        Ok(found.map(|overview| overview::profile(&overview, account.as_deref(), date.day())))
    }

    async fn statement(
        &self,
        ticker: &Ticker,
        kind: StatementKind,
        frequency: Frequency,
        date: TradeDate,
    ) -> Answered<Statement> {
        let function = match kind {
            StatementKind::Income => "INCOME_STATEMENT",
            StatementKind::BalanceSheet => "BALANCE_SHEET",
            StatementKind::CashFlow => "CASH_FLOW",
        };
        let question = self.question(function)?.query([("symbol", spelled(ticker))]).keep(lifetime(date.day()));
        let what = format!("statements of {ticker}");
        let read = |answer: &_| {
            let reports: Reports = read(answer, &what)?;
            let statement = reports.statement(kind, frequency);
            if statement.periods.is_empty() { Err(nothing(&what)) } else { Ok(statement) }
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
