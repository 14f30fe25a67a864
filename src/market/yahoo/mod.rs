//! Yahoo Finance, without a key and without a promise: bars come readily, company figures behind a cookie and a crumb
//! that it does not give to everybody. So nothing but the bars matters to the end of a job.

mod chart;
mod news;
mod profile;
mod session;
mod statements;

use std::sync::Arc;

use reqwest::header::USER_AGENT;
use session::Session;
use tokio::sync::Mutex;

use super::{Question, Web, source::Source, symbol};
use crate::domain::{Ticker, Vendor};

const VENDOR: Vendor = Vendor::Yahoo;
const NAME: &str = "yahoo";

/// Yahoo answers 429 to programs that name themselves, since 2025.
const BROWSER: &str =
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36";

/// What an error says that it has.
const KNOWN: &str = "the symbols of finance.yahoo.com";

/// Yahoo Finance.
pub struct Yahoo {
    web: Arc<Web>,
    /// The cookie and crumb that were given last.
    session: Mutex<Option<Session>>,
}

impl Yahoo {
    pub fn new(web: Arc<Web>) -> Self {
        Self { web, session: Mutex::default() }
    }
}

impl Source for Yahoo {
    fn name(&self) -> &'static str {
        NAME
    }
}

fn question(url: &str) -> Question {
    Question::new(VENDOR, url).header(USER_AGENT, BROWSER)
}

/// The symbol as Yahoo spells it: the share class of `BRK.B` follows a hyphen, an exchange's suffix a point.
fn spelled(ticker: &Ticker) -> String {
    let symbol = symbol::canonical(ticker);
    match symbol.as_str().rsplit_once('.') {
        Some((company, class @ ("A" | "B"))) => format!("{company}-{class}"),
        _ => symbol.into(),
    }
}
