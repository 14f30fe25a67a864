//! What is made of the answers of vendors of market data, and of a user's CSV files. The first byte picks the vendor, the
//! second the question and whether the answer is packed.

use std::{fs, sync::LazyLock, time::Duration};

use super::{Answer, RUNTIME, Wire};
use tempfile::TempDir;
use tradingagents::{
    domain::{Ticker, TradeDate, Vendor},
    market::{Choice, Frequency, Keys, Market, StatementKind, Vendors, WebOptions, Window, calendar::Calendar},
};

const VENDORS: [Vendor; 10] = [
    Vendor::Csv,
    Vendor::Yahoo,
    Vendor::AlphaVantage,
    Vendor::Tiingo,
    Vendor::SecEdgar,
    Vendor::GoogleNews,
    Vendor::Fred,
    Vendor::Polymarket,
    Vendor::StockTwits,
    Vendor::Reddit,
];

static WIRE: LazyLock<Wire> = LazyLock::new(Wire::start);
static FOLDER: LazyLock<TempDir> = LazyLock::new(|| tempfile::tempdir_in("/dev/shm").expect("there is a folder"));

pub fn run(data: &[u8]) {
    let [vendor, question, body @ ..] = data else { return };
    let vendor = VENDORS[usize::from(*vendor) % VENDORS.len()];
    let status = if question & 0x40 == 0 { 200 } else { 404 };
    let headers = if question & 0x80 == 0 { "" } else { "content-encoding: gzip\r\n" };
    WIRE.answer(Answer { status, headers, body: body.into() });
    if vendor == Vendor::Csv {
        fs::write(FOLDER.path().join("AAPL.csv"), body).expect("there is room");
    }
    let (ticker, market) = ("AAPL".parse().expect("it is a ticker"), market(vendor));
    RUNTIME.block_on(ask(question & 0x0f, &market, &ticker));
}

/// A market that asks only this vendor. It is a new one each time, for a vendor that failed would be left alone for a while.
fn market(vendor: Vendor) -> Market {
    let web = WebOptions { gateway: Some(WIRE.url.clone()), cache: None, beat: Duration::from_millis(5) };
    let key = || Some("a-key-of-a-vendor".to_owned().into());
    let keys = Keys { alpha_vantage: key(), fred: key(), tiingo: key(), contact: Some("someone@example.com".into()) };
    let all = || vec![vendor];
    let choice = Choice {
        prices: all(),
        profile: all(),
        balance_sheet: all(),
        cash_flow: all(),
        income_statement: all(),
        news: all(),
        global_news: all(),
        insiders: all(),
        social: all(),
        macros: all(),
        predictions: all(),
    };
    Vendors::new(web, keys, Some(FOLDER.path().into())).market(&choice)
}

async fn ask(question: u8, market: &Market, ticker: &Ticker) {
    let past: TradeDate = "2024-05-10".parse().expect("it is a date");
    let window = Window::up_to(Calendar::new_york(), past, 7);
    match question {
        0 => drop(market.price_history(ticker, past).await),
        1 => drop(market.news(ticker, window).await),
        2 => drop(market.global_news(window, &[]).await),
        3 => drop(market.insider_trades(ticker, window).await),
        4 => drop(market.posts(ticker, window).await),
        5 => drop(market.series("cpi", window).await),
        6 => drop(market.odds("rates", past).await),
        7 => drop(market.profile(ticker, past).await),
        8 => drop(market.statement(ticker, StatementKind::Income, Frequency::Annual, past).await),
        9 => drop(market.statement(ticker, StatementKind::BalanceSheet, Frequency::Quarterly, past).await),
        10 => drop(market.statement(ticker, StatementKind::CashFlow, Frequency::Quarterly, past).await),
        _ => drop(market.identity(ticker, past).await),
    }
}
