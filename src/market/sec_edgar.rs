//! SEC EDGAR: what companies in the United States have filed, without a key, but with an address to write to. It says
//! when each figure was filed, so it is the best source for past dates.
//!
//! The same figure is filed many times: in the report of its period, a year later for comparison, and anew if it was
//! wrong. Of those filed by the analysis date the latest counts.

use std::{collections::BTreeMap, collections::HashMap, sync::Arc, time::Duration};

use async_trait::async_trait;
use chrono::NaiveDate;
use reqwest::header::USER_AGENT;
use serde::Deserialize;

use super::{
    Answer, Frequency, FundamentalSource, Identity, MarketError, Period, Profile, Question, Retrieved, StatementKind,
    Web,
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

/// A line of a statement: its name, and the tags that companies file it under, the best first. They are never summed.
type Line = (&'static str, &'static [&'static str]);

const INCOME: &[Line] = &[
    ("Revenue", &["RevenueFromContractWithCustomerExcludingAssessedTax", "Revenues", "SalesRevenueNet", "Revenue"]),
    ("Cost of revenue", &["CostOfRevenue", "CostOfGoodsAndServicesSold", "CostOfSales"]),
    ("Gross profit", &["GrossProfit"]),
    ("Operating income", &["OperatingIncomeLoss"]),
    ("Net income", &["NetIncomeLoss", "ProfitLoss"]),
    ("Diluted earnings per share", &["EarningsPerShareDiluted", "DilutedEarningsLossPerShare"]),
];

const BALANCE: &[Line] = &[
    ("Total assets", &["Assets"]),
    ("Current assets", &["AssetsCurrent", "CurrentAssets"]),
    ("Cash and equivalents", &["CashAndCashEquivalentsAtCarryingValue", "CashAndCashEquivalents"]),
    ("Total liabilities", &["Liabilities"]),
    ("Current liabilities", &["LiabilitiesCurrent", "CurrentLiabilities"]),
    ("Stockholders' equity", &["StockholdersEquity", "Equity"]),
];

const CASH: &[Line] = &[
    ("Operating cash flow", &["NetCashProvidedByUsedInOperatingActivities"]),
    ("Investing cash flow", &["NetCashProvidedByUsedInInvestingActivities"]),
    ("Financing cash flow", &["NetCashProvidedByUsedInFinancingActivities"]),
    ("Capital expenditure", &["PaymentsToAcquirePropertyPlantAndEquipment"]),
];

/// Names of the whole world's rules and of those of the United States; a company uses one of them.
const TAXONOMIES: [&str; 2] = ["us-gaap", "ifrs-full"];

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

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Company {
    #[serde(default)]
    entity_name: String,
    /// By taxonomy and tag.
    facts: HashMap<String, HashMap<String, Fact>>,
}

#[derive(Deserialize)]
struct Fact {
    /// By unit.
    units: HashMap<String, Vec<Value>>,
}

#[derive(Deserialize)]
struct Value {
    /// None for what is true of a moment.
    start: Option<NaiveDate>,
    end: NaiveDate,
    val: f64,
    filed: NaiveDate,
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

    async fn listed(&self, ticker: &Ticker) -> Result<Listed, MarketError> {
        let question = self.question("https://www.sec.gov/files/company_tickers.json")?.keep(DAY * 7);
        let symbol = symbol::canonical(ticker).as_str().replace('.', "-");
        let find = |answer: &Answer| {
            let all: HashMap<String, Listed> = answer.json(VENDOR)?;
            let found = all.into_values().find(|listed| listed.ticker == symbol);
            let known = "the companies that file with the SEC of the United States".into();
            found.ok_or_else(|| MarketError::UnknownSymbol { vendor: NAME, ticker: ticker.clone(), known })
        };
        Ok(self.web.ask(&question, find).await?.data)
    }

    async fn company(&self, ticker: &Ticker) -> Answered<Company> {
        let cik = self.listed(ticker).await?.cik_str;
        let file = format!("https://data.sec.gov/api/xbrl/companyfacts/CIK{cik:010}.json");
        let question = self.question(&file)?.keep(DAY);
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
        let listed = self.listed(ticker).await?;
        Ok(Retrieved::now(Identity { name: listed.title, ..Identity::default() }))
    }
}

#[async_trait]
impl FundamentalSource for SecEdgar {
    /// The name and what the cover pages say; ratios follow from the statements.
    async fn profile(&self, ticker: &Ticker, date: TradeDate) -> Answered<Profile> {
        let company = self.company(ticker).await?;
        let Company { entity_name, facts } = company.data;
        let cover = |tag: &str, unit: &str| facts.get("dei")?.get(tag)?.units.get(unit).map(Vec::as_slice);
        let newest = |values: &[Value]| {
            let known = values.iter().filter(|value| value.filed <= date.day());
            known.max_by_key(|value| (value.end, value.filed)).map(|v| format!("{:.0} on {}", v.val, v.end))
        };
        let mut figures = vec![("Name", entity_name)];
        for (label, tag, unit) in [
            ("Shares outstanding", "EntityCommonStockSharesOutstanding", "shares"),
            ("Value of shares that are not insiders'", "EntityPublicFloat", "USD"),
        ] {
            figures.extend(cover(tag, unit).and_then(newest).map(|value| (label, value)));
        }
        Ok(Retrieved { data: Profile { known: date.day(), figures }, at: company.at })
    }

    async fn statement(
        &self,
        ticker: &Ticker,
        kind: StatementKind,
        frequency: Frequency,
        date: TradeDate,
    ) -> Answered<Vec<Period>> {
        let lines = match kind {
            StatementKind::Income => INCOME,
            StatementKind::BalanceSheet => BALANCE,
            StatementKind::CashFlow => CASH,
        };
        let company = self.company(ticker).await?;
        let periods = company.data.periods(lines, frequency, date.day());
        if periods.is_empty() {
            let what = format!("such statements of {ticker} filed by {date}");
            return Err(MarketError::NoData { vendor: NAME, what });
        }
        Ok(Retrieved { data: periods, at: company.at })
    }
}

impl Company {
    /// The periods of a statement, as the filings up to `date` have them.
    fn periods(&self, lines: &'static [Line], frequency: Frequency, date: NaiveDate) -> Vec<Period> {
        let mut periods: BTreeMap<NaiveDate, Period> = BTreeMap::new();
        for (label, tags) in lines {
            // A company may change its tag over the years, so each period takes the best that it has.
            for (currency, value) in tags.iter().flat_map(|tag| self.latest(tag, frequency, date)) {
                let new =
                    || Period { end: value.end, known: value.filed, currency: currency.into(), items: Vec::new() };
                let period = periods.entry(value.end).or_insert_with(new);
                if period.items.iter().all(|(known, _)| known != label) {
                    period.items.push((label, value.val));
                    period.known = period.known.max(value.filed);
                }
            }
        }
        periods.into_values().collect()
    }

    /// For each period the value that was filed last by `date`, with its currency.
    fn latest(&self, tag: &str, frequency: Frequency, date: NaiveDate) -> Vec<(&str, &Value)> {
        let Some(fact) = TAXONOMIES.iter().find_map(|taxonomy| self.facts.get(*taxonomy)?.get(tag)) else {
            return Vec::new();
        };
        let mut latest: BTreeMap<NaiveDate, (&str, &Value)> = BTreeMap::new();
        for (unit, values) in &fact.units {
            let currency = unit.split('/').next().unwrap_or(unit);
            for value in values.iter().filter(|value| value.filed <= date && value.is_of(frequency)) {
                let place = latest.entry(value.end).or_insert((currency, value));
                if value.filed > place.1.filed {
                    *place = (currency, value);
                }
            }
        }
        latest.into_values().collect()
    }
}

impl Value {
    /// Whether it is of such a period. Quarterly reports repeat the year so far under the same end. What is true of a
    /// moment is of both.
    fn is_of(&self, frequency: Frequency) -> bool {
        let Some(start) = self.start else { return true };
        let days = (self.end - start).num_days();
        match frequency {
            Frequency::Quarterly => (60..=115).contains(&days),
            Frequency::Annual => (300..=400).contains(&days),
        }
    }
}
