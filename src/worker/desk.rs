//! From a job's settings and the service's to the firm that works on it.

use std::sync::Arc;

use super::sources::choice;
use crate::{
    agents::{Brief, Firm, ReadingLimits},
    config::Config,
    domain::{Analyst, AssetType, Vendor},
    jobs::{JobConfig, JobRequest},
    llm::{Gates, ollama},
    market::{self, Keys, Vendors, WebOptions},
    memory::DecisionLog,
};

/// A job asks for something that the service's settings lack or forbid.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidConfig(pub(super) String);

/// Puts firms together.
pub struct Desk {
    pub(super) config: Arc<Config>,
    /// Whether nothing may use the network: then only the rules model works.
    pub(super) offline: bool,
    vendors: Vendors,
    /// Before the model servers, for all jobs.
    pub(super) gates: Gates,
    /// Of Ollama's models, for all jobs.
    pub(super) pulls: Arc<ollama::Pulls>,
}

impl Desk {
    /// A desk that may use all that the settings allow.
    pub fn new(config: Arc<Config>) -> Self {
        let web = WebOptions {
            gateway: config.vendor_gateway.as_ref().map(|url| url.expose().clone()),
            cache: config.cache_dir.clone(),
            ..WebOptions::default()
        };
        let keys = Keys {
            alpha_vantage: config.alpha_vantage_api_key.clone(),
            fred: config.fred_api_key.clone(),
            tiingo: config.tiingo_api_key.clone(),
            contact: config.contact_email.clone(),
        };
        let vendors = Vendors::new(web, keys, config.data_dir.clone());
        let gates = Gates::new(config.llm_concurrency);
        Self { config, offline: false, vendors, gates, pulls: Arc::default() }
    }

    /// A desk that uses no network and no language model: the rules model is its only one.
    pub fn offline(config: Arc<Config>) -> Self {
        Self { offline: true, ..Self::new(config) }
    }

    /// The firm for a job, and what it is asked.
    pub fn open(&self, request: &JobRequest) -> Result<(Firm, Brief), InvalidConfig> {
        let job = &request.config;
        let firm = Firm {
            models: self.models(job)?,
            market: self.vendors.market(&choice(job, &self.config, self.offline)?),
            analyst_concurrency: self.config.analyst_concurrency,
            max_tool_rounds: self.config.max_tool_rounds,
            reading: self.reading(job),
            benchmark: job.benchmark_ticker.clone().or_else(|| self.config.benchmark_ticker.clone()),
            memory: self.memory(),
        };
        Ok((firm, self.brief(request)?))
    }

    /// What was decided before, and where decisions go.
    pub fn memory(&self) -> DecisionLog {
        DecisionLog::new(self.config.memory_folder())
    }

    fn brief(&self, request: &JobRequest) -> Result<Brief, InvalidConfig> {
        let (job, config) = (&request.config, &self.config);
        let asset = job.asset_type.unwrap_or_else(|| market::asset_type(&request.ticker));
        Ok(Brief {
            ticker: request.ticker.clone(),
            date: request.date,
            asset,
            analysts: analysts(job, asset)?,
            max_debate_rounds: job.max_debate_rounds.unwrap_or(config.max_debate_rounds).get(),
            max_risk_rounds: job.max_risk_discuss_rounds.unwrap_or(config.max_risk_discuss_rounds).get(),
            output_language: job.output_language.as_ref().unwrap_or(&config.output_language).as_str().into(),
        })
    }

    /// How much the agents of a job read.
    fn reading(&self, job: &JobConfig) -> ReadingLimits {
        let config = &self.config;
        let count = |count: u32| usize::try_from(count).unwrap_or(usize::MAX);
        let queries = job.global_news_queries.as_ref().or(config.global_news_queries.as_ref());
        ReadingLimits {
            news_articles: count(job.news_article_limit.unwrap_or(config.news_article_limit).get()),
            global_news_articles: count(
                job.global_news_article_limit.unwrap_or(config.global_news_article_limit).get(),
            ),
            news_days: job.news_lookback_days.unwrap_or(config.news_lookback_days).get().into(),
            global_news_days: job.global_news_lookback_days.unwrap_or(config.global_news_lookback_days).get().into(),
            insider_days: config.insider_lookback_days.get().into(),
            macro_days: config.macro_lookback_days.get().into(),
            global_news_queries: queries.map(|queries| queries.as_slice().to_vec()).unwrap_or_default(),
        }
    }

    /// The vendors of a job that chooses none, by kind of data, in a line. It asks nobody.
    pub fn vendors(&self) -> Result<String, InvalidConfig> {
        let choice = choice(&JobConfig::default(), &self.config, self.offline)?;
        let named = |vendors: &[Vendor]| vendors.iter().map(|vendor| vendor.as_str()).collect::<Vec<_>>().join(",");
        let lines = choice.lists().map(|(kind, vendors)| format!("{kind} {}", named(vendors)));
        let (some, none): (Vec<_>, Vec<_>) = lines.iter().partition(|line| !line.ends_with(' '));
        let some = some.into_iter().map(String::as_str).collect::<Vec<_>>().join("; ");
        let none = none.into_iter().map(|line| line.trim_end()).collect::<Vec<_>>().join(", ");
        Ok(if none.is_empty() { some } else { format!("{some}; nobody for {none}") })
    }
}

/// The analysts of a job: those selected, and of a crypto-currency none who reads filings.
fn analysts(job: &JobConfig, asset: AssetType) -> Result<Vec<Analyst>, InvalidConfig> {
    let mut analysts = job.selected_analysts.as_ref().map_or(Analyst::ALL.to_vec(), |a| a.as_slice().to_vec());
    if asset == AssetType::Crypto {
        analysts.retain(|analyst| *analyst != Analyst::Fundamentals);
    }
    if analysts.is_empty() {
        return Err(InvalidConfig(
            "only the fundamentals analyst is selected, and a crypto-currency has no fundamentals; select another one, or \
             set asset_type to stock"
                .into(),
        ));
    }
    Ok(analysts)
}
