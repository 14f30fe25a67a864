//! SEC EDGAR: what companies in the United States have filed, without a key, but with an address to write to. It says
//! when each figure was filed, so it is the best source for past dates.
//!
//! [`facts`] and [`filings`] are the SEC's formats. [`known`] selects the facts that were public at the close of the
//! analysis date; [`currency`] and [`choice`] decide which of them make up the statements, [`spans`] makes years and
//! quarters of them, [`book`] puts the lines of a statement together, and [`statement`] its columns.

mod book;
mod choice;
mod currency;
mod facts;
mod filings;
mod known;
mod lines;
mod profile;
mod spans;
mod statement;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use async_trait::async_trait;
use chrono::{Days, NaiveDate};
use facts::Company;
use filings::{Columns, Filings, Submissions};
use known::KnownFacts;
use reqwest::header::USER_AGENT;
use serde::{Deserialize, de::DeserializeOwned};

use super::{
    Answer, Frequency, FundamentalSource, Identity, MarketError, Profile, Question, Retrieved, Statement,
    StatementKind, Web,
    source::{Answered, IdentitySource, Source},
    symbol,
};
use crate::{
    domain::{Ticker, TradeDate, Vendor},
    http_client::PROGRAM,
};

const VENDOR: Vendor = Vendor::SecEdgar;
const NAME: &str = "sec_edgar";

/// Companies file once a day at most.
const DAY: Duration = Duration::from_hours(24);

/// No weekend with holidays is longer than that.
const LONGEST_PAUSE: Days = Days::new(10);

/// The filings of the United States.
pub struct SecEdgar {
    web: Arc<Web>,
    /// An e-mail address; the SEC refuses programs without one.
    contact: Option<String>,
}

#[derive(Deserialize)]
struct Listed {
    cik_str: u64,
    ticker: String,
    title: String,
}

/// A company in the SEC's list.
struct Filer {
    cik: u64,
    title: String,
    /// The symbol that was asked for, as the SEC writes it.
    symbol: String,
    /// All its symbols.
    symbols: Vec<String>,
}

/// The facts of a company, and when each filing became public.
struct Filed {
    company: Company,
    filings: Filings,
}

impl SecEdgar {
    pub fn new(web: Arc<Web>, contact: Option<String>) -> Self {
        Self { web, contact }
    }

    fn question(&self, url: &str) -> Result<Question, MarketError> {
        let missing = MarketError::NotConfigured { vendor: NAME, setting: "CONTACT_EMAIL" };
        let contact = self.contact.as_ref().ok_or(missing)?;
        Ok(Question::new(VENDOR, url).header(USER_AGENT, &format!("{PROGRAM} {contact}")))
    }

    async fn filer(&self, ticker: &Ticker) -> Result<Filer, MarketError> {
        let question = self.question("https://www.sec.gov/files/company_tickers.json")?.keep(DAY * 7);
        // The SEC writes a class of shares after a hyphen: BRK-B.
        let symbol = symbol::canonical(ticker).as_str().replace('.', "-");
        let find = |answer: &Answer| {
            let all: BTreeMap<String, Listed> = answer.json(VENDOR)?;
            let found = all.values().find(|listed| listed.ticker == symbol);
            let known = "the companies that file with the SEC of the United States".into();
            let unknown = || MarketError::UnknownSymbol { vendor: NAME, ticker: ticker.clone(), known };
            let Listed { cik_str: cik, title, .. } = found.ok_or_else(unknown)?;
            let symbols = all.values().filter(|listed| listed.cik_str == *cik).map(|listed| listed.ticker.clone());
            Ok(Filer { cik: *cik, title: title.clone(), symbol: symbol.clone(), symbols: symbols.collect() })
        };
        Ok(self.web.ask(&question, find).await?.data)
    }

    async fn filed(&self, cik: u64, date: NaiveDate) -> Answered<Filed> {
        let company: Retrieved<Company> = self.get(&format!("api/xbrl/companyfacts/CIK{cik:010}.json")).await?;
        let filings = self.filings(cik, &company.data, date).await.unwrap_or_else(|error| {
            // Without times each filing counts from the next trading day, and the agents read so.
            tracing::warn!(vendor = NAME, %error, "times of acceptance are not known");
            Filings::default()
        });
        Ok(company.map(|company| Filed { company, filings }))
    }

    /// The times of acceptance, with those of older filings if one of them may be of the last hours before the close.
    async fn filings(&self, cik: u64, company: &Company, date: NaiveDate) -> Result<Filings, MarketError> {
        let submissions: Submissions = self.get(&format!("submissions/CIK{cik:010}.json")).await?.data;
        let since = date.checked_sub_days(LONGEST_PAUSE).unwrap_or(NaiveDate::MIN);
        let missing = company.filings_between(since, date).find(|(accession, _)| !submissions.has(accession));
        let page = missing.and_then(|(_, filed)| submissions.page_of(filed));
        let older: Option<Columns> = match page {
            Some(page) => Some(self.get(&format!("submissions/{page}")).await?.data),
            None => None,
        };
        Ok(submissions.with(older))
    }

    async fn get<T: DeserializeOwned>(&self, path: &str) -> Answered<T> {
        let question = self.question(&format!("https://data.sec.gov/{path}"))?.keep(DAY);
        self.web.ask(&question, |answer| answer.json(VENDOR)).await
    }
}

impl Source for SecEdgar {
    fn name(&self) -> &'static str {
        NAME
    }
}

#[async_trait]
impl IdentitySource for SecEdgar {
    async fn identity(&self, ticker: &Ticker) -> Answered<Identity> {
        let filer = self.filer(ticker).await?;
        Ok(Retrieved::now(Identity { name: filer.title, ..Identity::default() }))
    }

    async fn former_name(&self, ticker: &Ticker, day: NaiveDate) -> Option<String> {
        let cik = self.filer(ticker).await.ok()?.cik;
        let submissions: Submissions = self.get(&format!("submissions/CIK{cik:010}.json")).await.ok()?.data;
        submissions.name_on(day).map(Into::into)
    }
}

#[async_trait]
impl FundamentalSource for SecEdgar {
    async fn profile(&self, ticker: &Ticker, date: TradeDate) -> Answered<Profile> {
        let filer = self.filer(ticker).await?;
        let filed = self.filed(filer.cik, date.day()).await?;
        Ok(filed.map(|Filed { company, filings }| {
            let known = KnownFacts::new(&company, &filings, date.day());
            profile::profile(&company, &known, &filer.symbol, &filer.symbols, date.day())
        }))
    }

    async fn statement(
        &self,
        ticker: &Ticker,
        kind: StatementKind,
        frequency: Frequency,
        date: TradeDate,
    ) -> Answered<Statement> {
        let filer = self.filer(ticker).await?;
        let filed = self.filed(filer.cik, date.day()).await?;
        let Retrieved { data: Filed { company, filings }, at } = filed;
        let known = KnownFacts::new(&company, &filings, date.day());
        let mut statement = statement::statement(&known, kind, frequency);
        let pending = statement::pending(&known, &filings, kind);
        if statement.periods.is_empty() {
            let what = nothing(&known, ticker, kind, frequency, date);
            return Err(MarketError::NoData { vendor: NAME, what: [vec![what], pending].concat().join(". ") });
        }
        statement.notes.extend(pending);
        Ok(Retrieved { data: statement, at })
    }
}

/// Names the missing statement, and the one that is there instead.
fn nothing(known: &KnownFacts, ticker: &Ticker, kind: StatementKind, frequency: Frequency, date: TradeDate) -> String {
    let (length, other, its_name) = match frequency {
        Frequency::Quarterly => ("quarterly", Frequency::Annual, "annual"),
        Frequency::Annual => ("annual", Frequency::Quarterly, "quarterly"),
    };
    let what = format!("such {length} statements of {ticker} filed by {date}");
    let has_other = !statement::statement(known, kind, other).periods.is_empty();
    if has_other { format!("{what}, only {its_name} ones") } else { what }
}
