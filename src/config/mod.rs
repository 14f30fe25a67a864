//! Every setting of the program, in one place. Nothing else reads the environment for settings.
//!
//! [`Config`] is the list: each field is the variable of the same name in capitals, its doc comment says what it means
//! and in which unit, [`Config::default`] has the defaults, and its JSON schema has the limits. [`load`] reads it.

mod load;
mod redis_url;

use std::{net::SocketAddr, path::PathBuf};

pub use load::{ConfigError, Setting, load, settings};
pub use redis_url::RedisUrl;
use schemars::JsonSchema;
use secrecy::SecretString;
use serde::{Deserialize, Serialize, Serializer};
use url::Url;

use crate::{
    domain::{PriceVendors, Provider},
    jobs::{BackendUrl, Language, ModelName, Rounds},
};

#[expect(
    clippy::doc_markdown,
    reason = "the doc comments are also help texts for people, with names as they write them"
)]
/// The settings. An unset or empty variable means the default; a secret can also be given as the content of the file
/// that `NAME_FILE` names.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(default)]
pub struct Config {
    /// Which log lines are written: a level (error, warn, info, debug, trace) or directives such as
    /// info,tradingagents::worker=debug.
    pub log: String,
    /// How log lines are written: text for people, json for programs.
    pub log_format: LogFormat,

    /// The address and port that the API listens on.
    #[schemars(extend("x-allowed" = "an address and a port, such as 127.0.0.1:8000"))]
    pub api_listen: SocketAddr,

    /// Where Redis is: redis:, rediss: (TLS), redis-cluster: or redis-sentinel: URL, with user and password if needed.
    #[schemars(with = "String", extend("x-secret" = true, "x-allowed" = "a URL such as redis://:password@host:6379/0"))]
    pub redis_url: RedisUrl,
    /// How long a job is kept after its end, seconds. Results on disk stay.
    #[schemars(range(min = 60))]
    pub job_ttl: u64,
    /// The folder of the embedded store, which serve and analyze use instead of Redis.
    pub state_dir: PathBuf,
    /// The folder of the results.
    pub results_dir: PathBuf,
    /// The folder of the decision log, which later jobs learn from; the folder memory in RESULTS_DIR if unset.
    pub memory_dir: Option<PathBuf>,

    /// The worker's name, unique among all workers; made from host name and process id if unset.
    #[schemars(length(min = 1, max = 100))]
    pub worker_id: Option<String>,
    /// How many jobs a worker runs at once.
    #[schemars(range(min = 1, max = 256))]
    pub worker_concurrency: usize,
    /// After how many jobs a worker exits, for a clean restart; 0 means never.
    pub worker_max_jobs: u64,
    /// How long a worker may be silent before its job goes to another, seconds.
    #[schemars(range(min = 1, max = 3600))]
    pub job_lease: u64,
    /// After how long a job starts no new debate round and goes to its decision, seconds.
    #[schemars(range(min = 1))]
    pub job_soft_time_limit: u64,
    /// After how long a job fails with a timeout, seconds; at least the soft limit.
    #[schemars(range(min = 1))]
    pub job_time_limit: u64,
    /// How often a job is tried again after a failure that may pass.
    #[schemars(range(max = 100))]
    pub job_max_retries: u32,
    /// The wait before the first retry, seconds; it doubles with each.
    pub job_retry_backoff: u64,
    /// The longest wait before a retry, seconds.
    pub job_retry_backoff_max: u64,
    /// How long a worker that is told to stop goes on with its jobs before it hands them back, and an API with its
    /// requests, seconds.
    pub shutdown_grace: u64,

    /// Who serves the language models.
    pub llm_provider: Provider,
    /// The model of the research manager and the portfolio manager; the provider's usual one if unset.
    #[schemars(with = "Option<String>", extend("x-allowed" = "a model's name without blanks, at most 128 characters"))]
    pub deep_think_llm: Option<ModelName>,
    /// The model of all other agents; the provider's usual one if unset.
    #[schemars(with = "Option<String>", extend("x-allowed" = "a model's name without blanks, at most 128 characters"))]
    pub quick_think_llm: Option<ModelName>,
    /// The base URL of LLM_PROVIDER, where it differs from the provider's own.
    #[schemars(with = "Option<String>", url)]
    pub llm_backend_url: Option<BackendUrl>,
    /// The longest time for one answer of a model, seconds.
    #[schemars(range(min = 1))]
    pub llm_timeout: u64,
    /// The sampling temperature; the model's own if unset.
    #[schemars(range(min = 0.0, max = 2.0))]
    pub llm_temperature: Option<f64>,
    /// Where Ollama is.
    pub ollama_base_url: Url,
    /// The context window that Ollama gives each model, tokens. A prompt that is longer is refused, never cut.
    #[schemars(range(min = 2048))]
    pub ollama_num_ctx: u32,
    /// How long Ollama keeps a model in memory after a request: 30m, 24h, -1 for ever.
    pub ollama_keep_alive: String,
    /// The key of OpenAI.
    #[serde(serialize_with = "masked")]
    #[schemars(with = "Option<String>", extend("x-secret" = true))]
    pub openai_api_key: Option<SecretString>,
    /// The key of the server at LLM_BACKEND_URL, if it wants one.
    #[serde(serialize_with = "masked")]
    #[schemars(with = "Option<String>", extend("x-secret" = true))]
    pub openai_compatible_api_key: Option<SecretString>,

    /// Rounds of the bull and bear debate.
    pub max_debate_rounds: Rounds<5>,
    /// Rounds of the risk debate.
    pub max_risk_discuss_rounds: Rounds<3>,
    /// How many analysts of a job work at the same time; 1 for a model server with one slot.
    #[schemars(range(min = 1, max = 4))]
    pub analyst_concurrency: usize,
    /// After how many rounds of tool calls an agent has to answer.
    #[schemars(range(min = 1, max = 50))]
    pub max_tool_rounds: u32,
    /// The language of the reports, by its English name. Ratings stay English.
    #[schemars(with = "String", extend("x-allowed" = "a language such as German"))]
    pub output_language: Language,

    /// The vendors of daily bars, in order: csv (the folder DATA_DIR) and sample (bundled, to 2013). If unset, csv where
    /// DATA_DIR is set, then sample.
    #[schemars(extend("x-allowed" = "csv, sample, or both in the order in which they are asked: csv,sample"))]
    pub price_vendors: Option<PriceVendors>,
    /// A folder of {TICKER}.csv with daily bars.
    pub data_dir: Option<PathBuf>,

    /// Where the commands submit, watch, result, jobs, cancel and healthcheck find the API.
    pub tradingagents_url: Url,
}

/// The form of log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    Text,
    Json,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            log: "info".into(),
            log_format: LogFormat::Text,
            api_listen: SocketAddr::from(([127, 0, 0, 1], 8000)),
            redis_url: RedisUrl::default(),
            job_ttl: 7 * 24 * 3600,
            state_dir: "state".into(),
            results_dir: "results".into(),
            memory_dir: None,
            worker_id: None,
            worker_concurrency: 2,
            worker_max_jobs: 0,
            job_lease: 20,
            job_soft_time_limit: 1500,
            job_time_limit: 1800,
            job_max_retries: 3,
            job_retry_backoff: 5,
            job_retry_backoff_max: 300,
            shutdown_grace: 20,
            llm_provider: Provider::Ollama,
            deep_think_llm: None,
            quick_think_llm: None,
            llm_backend_url: None,
            llm_timeout: 600,
            llm_temperature: None,
            ollama_base_url: url("http://127.0.0.1:11434/"),
            ollama_num_ctx: 32_768,
            ollama_keep_alive: "30m".into(),
            openai_api_key: None,
            openai_compatible_api_key: None,
            max_debate_rounds: Rounds::ONE,
            max_risk_discuss_rounds: Rounds::ONE,
            analyst_concurrency: 4,
            max_tool_rounds: 6,
            output_language: Language::english(),
            price_vendors: None,
            data_dir: None,
            tradingagents_url: url("http://127.0.0.1:8000/"),
        }
    }
}

impl Config {
    /// The folder of the decision log.
    pub fn memory_folder(&self) -> PathBuf {
        self.memory_dir.clone().unwrap_or_else(|| self.results_dir.join("memory"))
    }
}

/// Shows whether a secret is set, and nothing more.
#[expect(clippy::ref_option, reason = "serde passes a reference to the field")]
fn masked<S: Serializer>(secret: &Option<SecretString>, serializer: S) -> Result<S::Ok, S::Error> {
    secret.as_ref().map(|_| "***").serialize(serializer)
}

fn url(text: &str) -> Url {
    Url::parse(text).expect("the default is a URL")
}
