//! What can be said of a job on the command line; `submit` and `analyze` take the same options, `backtest` all but the
//! day.

use clap::{
    Args,
    builder::{PossibleValuesParser, TypedValueParser},
};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::{
    domain::{Analyst, AssetType, DateError, Provider, ReasoningEffort, Ticker, TradeDate},
    jobs::{Analysts, BackendUrl, JobConfig, JobId, JobRequest, Language, ModelName, Rounds, Temperature},
};

/// The day and the settings of a job.
#[derive(Debug, Clone, Args)]
pub struct JobOptions {
    /// The day at whose close the agents stand, YYYY-MM-DD; they see nothing later
    #[arg(long, value_name = "DATE", value_parser = date)]
    pub date: TradeDate,
    #[command(flatten)]
    pub settings: JobSettings,
}

/// The settings of a job, whatever its day.
#[derive(Debug, Clone, Args)]
pub struct JobSettings {
    /// The analysts that report, separated by commas [default: all four]
    #[arg(long, value_name = "NAMES", value_delimiter = ',', value_parser = words::<Analyst>(&["market", "social", "news", "fundamentals"]))]
    pub analysts: Vec<Analyst>,
    /// Rounds of the bull and bear debate, 1 to 5
    #[arg(long, value_name = "N", value_parser = rounds::<5>)]
    pub debate_rounds: Option<Rounds<5>>,
    /// Rounds of the risk debate, 1 to 3
    #[arg(long, value_name = "N", value_parser = rounds::<3>)]
    pub risk_rounds: Option<Rounds<3>>,
    /// Who serves the language models
    #[arg(long, value_name = "NAME", value_parser = words::<Provider>(&Provider::NAMES))]
    pub provider: Option<Provider>,
    /// Who serves the model of the research manager and the portfolio manager, if not --provider
    #[arg(long, value_name = "NAME", value_parser = words::<Provider>(&Provider::NAMES))]
    pub deep_provider: Option<Provider>,
    /// Who serves the model of all other agents, if not --provider
    #[arg(long, value_name = "NAME", value_parser = words::<Provider>(&Provider::NAMES))]
    pub quick_provider: Option<Provider>,
    /// The model of the research manager and the portfolio manager
    #[arg(long, value_name = "MODEL", value_parser = text::<ModelName>)]
    pub deep_model: Option<ModelName>,
    /// The model of all other agents
    #[arg(long, value_name = "MODEL", value_parser = text::<ModelName>)]
    pub quick_model: Option<ModelName>,
    /// The base URL of --provider, where it differs from the usual one
    #[arg(long, value_name = "URL", value_parser = text::<BackendUrl>)]
    pub backend_url: Option<BackendUrl>,
    /// The sampling temperature, 0 to 2
    #[arg(long, value_name = "T", value_parser = temperature)]
    pub temperature: Option<Temperature>,
    /// How much the models think before they answer
    #[arg(long, value_name = "LEVEL", value_parser = words::<ReasoningEffort>(&ReasoningEffort::NAMES))]
    pub reasoning_effort: Option<ReasoningEffort>,
    /// What the instrument is; told from its symbol if left out
    #[arg(long, value_name = "KIND", value_parser = words::<AssetType>(&["stock", "crypto"]))]
    pub asset_type: Option<AssetType>,
    /// The language of the reports, by its English name: German
    #[arg(long, value_name = "LANGUAGE", value_parser = text::<Language>)]
    pub language: Option<Language>,
}

impl JobOptions {
    /// The job that these options ask for.
    pub fn request(&self, ticker: Ticker) -> JobRequest {
        JobRequest::new(ticker, self.date, self.settings.config())
    }
}

impl JobSettings {
    /// The settings; what is not given is the service's default.
    pub fn config(&self) -> JobConfig {
        JobConfig {
            llm_provider: self.provider,
            deep_think_provider: self.deep_provider,
            quick_think_provider: self.quick_provider,
            deep_think_llm: self.deep_model.clone(),
            quick_think_llm: self.quick_model.clone(),
            backend_url: self.backend_url.clone(),
            temperature: self.temperature,
            reasoning_effort: self.reasoning_effort,
            max_debate_rounds: self.debate_rounds,
            max_risk_discuss_rounds: self.risk_rounds,
            selected_analysts: Analysts::try_from(self.analysts.clone()).ok(),
            asset_type: self.asset_type,
            output_language: self.language.clone(),
            ..JobConfig::default()
        }
    }
}

/// Reads one of `names`, which are the serde names of `T`; `--help` lists them.
pub(super) fn words<T>(names: &'static [&'static str]) -> impl TypedValueParser<Value = T>
where
    T: DeserializeOwned + Clone + Send + Sync + 'static,
{
    PossibleValuesParser::new(names).try_map(|name| serde_json::from_value::<T>(Value::String(name)))
}

/// Reads a job's id.
pub(super) fn job(text: &str) -> Result<JobId, &'static str> {
    text.parse().map_err(|_| {
        "a job's id looks like 018f6478-2b20-7c53-9d2a-5f3e8a1b7c44; `tradingagents jobs` lists the jobs with their ids"
    })
}

pub(super) fn date(text: &str) -> Result<TradeDate, DateError> {
    text.parse::<TradeDate>()?.not_in_future()
}

fn rounds<const MAX: u32>(text: &str) -> Result<Rounds<MAX>, String> {
    let count: u32 = text.parse().map_err(|_| format!("{text:?} is not a number from 1 to {MAX}"))?;
    Rounds::try_from(f64::from(count))
}

fn temperature(text: &str) -> Result<Temperature, String> {
    let degrees: f64 = text.parse().map_err(|_| format!("{text:?} is not a number from 0 to 2"))?;
    Temperature::try_from(degrees)
}

pub(super) fn text<T: TryFrom<String, Error = String>>(text: &str) -> Result<T, String> {
    T::try_from(text.to_owned())
}
