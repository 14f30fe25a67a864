//! Every setting of the program, in one place. Nothing else reads the environment for settings.
//!
//! [`Config`] is the list: each field is the variable of the same name in capitals, its doc comment says what it means
//! and in which unit, `defaults.rs` has the defaults, and its JSON schema has the limits. [`load`] reads it.

mod api_keys;
mod bedrock;
mod defaults;
mod load;
mod networks;
mod origins;
mod page;
mod provider_keys;
mod providers;
mod redis_url;
mod registries;
mod results_url;
mod server_url;
mod tiers;
mod webhook_secrets;

use std::{net::SocketAddr, num::NonZeroU32, path::PathBuf};

pub use api_keys::ApiKeys;
pub use load::{ConfigError, Setting, load, settings};
pub use networks::Networks;
pub use origins::Origins;
pub use page::page;
pub use provider_keys::ProviderKeys;
pub use redis_url::RedisUrl;
pub use registries::Registries;
pub use results_url::ResultsUrl;
use schemars::JsonSchema;
use secrecy::SecretString;
use serde::{Deserialize, Serialize, Serializer};
pub use server_url::ServerUrl;
use url::Url;
pub use webhook_secrets::WebhookSecrets;

use crate::{
    domain::{Fundamentals, News, PriceVendors, Provider, ReasoningEffort, Ticker, VendorList},
    jobs::{BackendUrl, Language, ModelName, NewsQueries, QueueName, RedisOptions, Rounds, UpTo},
    llm::{Prices, ollama::PullPolicy},
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
    /// The base URL of the OpenTelemetry collector that gets traces, by OTLP over HTTP; none are made if unset.
    #[schemars(with = "Option<String>", extend("x-secret" = true, "x-allowed" = "a URL such as http://collector:4318"))]
    pub otel_exporter_otlp_endpoint: Option<ServerUrl>,
    /// The name that traces have for this service.
    pub otel_service_name: String,

    /// The address and port that the API listens on.
    #[schemars(extend("x-allowed" = "an address and a port, such as 127.0.0.1:8000"))]
    pub api_listen: SocketAddr,
    /// The keys that let clients in, each with the name that logs show: n8n=KEY,cron=KEY. They then ask with the header
    /// Authorization: Bearer KEY; health and documentation stay open. If unset, everybody who reaches the API is let in.
    #[schemars(with = "Option<String>", extend("x-secret" = true, "x-allowed" = "a list of names and keys such as n8n=KEY,cron=KEY; a key has 16 to 256 letters, digits and -._~+/="))]
    pub api_keys: ApiKeys,
    /// The origins whose pages may use the API from a browser; * is every one. If unset, only its own documentation page
    /// may.
    #[schemars(with = "Option<String>", extend("x-allowed" = "a list of origins such as https://desk.example,http://localhost:3000, or *"))]
    pub cors_origins: Origins,
    /// How many jobs a minute each key of API_KEYS may submit, so many at once at most; any number if unset. Each POST
    /// counts as one, and a batch as many as it has.
    pub rate_limit_key: Option<NonZeroU32>,
    /// How many jobs a minute may be submitted from each address, and how many wrong keys it may show, so many at once at
    /// most; any number if unset. An IPv6 network of 64 bits counts as one address.
    pub rate_limit_address: Option<NonZeroU32>,
    /// The networks of reverse proxies before the API, such as 10.0.0.0/8,fd00::/8. The address of their clients is read
    /// from X-Forwarded-For; nobody else's is believed.
    #[schemars(with = "Option<String>", extend("x-allowed" = "a list of networks such as 10.0.0.0/8,fd00::/8"))]
    pub trusted_proxies: Networks,
    /// How long a client may keep the API waiting, seconds: for the head of a request, for its body, and for room to write
    /// an answer. A connection that is idle for so long is closed.
    #[schemars(range(min = 1, max = 3600))]
    pub client_timeout: u64,
    /// How many connections the API has at once; more are answered 503. Each is an open file.
    #[schemars(range(min = 1))]
    pub max_connections: usize,
    /// How many of them may come from one address, those in TRUSTED_PROXIES excepted; more are answered 503. An IPv6
    /// network of 64 bits counts as one address.
    #[schemars(range(min = 1))]
    pub max_connections_per_address: usize,
    /// How many event streams the API has at once; more are answered 503. Less than MAX_CONNECTIONS, so that listeners
    /// leave room for others.
    #[schemars(range(min = 1))]
    pub max_listeners: usize,

    /// Where Redis is: redis:, rediss: (TLS), redis-cluster: or redis-sentinel: URL, with user and password if needed.
    #[schemars(with = "String", extend("x-secret" = true, "x-allowed" = "a URL such as redis://:password@host:6379/0"))]
    pub redis_url: RedisUrl,
    /// The file (PEM) with the certificates of those who sign that of Redis; those of the host if unset.
    pub redis_tls_ca: Option<PathBuf>,
    /// The file (PEM) of the certificate that Redis is shown, if it wants one.
    pub redis_tls_cert: Option<PathBuf>,
    /// The file (PEM) of the key of REDIS_TLS_CERT.
    pub redis_tls_key: Option<PathBuf>,
    /// The name of the queue in Redis: stacks with different names share a Redis without meeting.
    #[schemars(with = "String", extend("x-allowed" = "a name of at most 64 letters, digits and :-_."))]
    pub redis_queue: QueueName,
    /// How many replicas of Redis must have a job before it is accepted, and its end before a worker goes on; less, and the
    /// answer is 503. With 1, a failover that Sentinel or Cluster makes loses none.
    #[schemars(range(max = 10))]
    pub redis_wait_replicas: u32,
    /// The most jobs that may be pending; more are answered 429 until some have begun.
    #[schemars(range(min = 1))]
    pub max_pending: u64,
    /// The most jobs that are kept after their end, whatever JOB_TTL says; of more, those that ended first are forgotten.
    #[schemars(range(min = 1))]
    pub max_kept: u64,
    /// How long a job is kept after its end, seconds. Results on disk stay.
    #[schemars(range(min = 60))]
    pub job_ttl: u64,
    /// The folder of the embedded store, which serve and analyze use instead of Redis.
    pub state_dir: PathBuf,
    /// The folder of the results.
    pub results_dir: PathBuf,
    /// The bucket of S3, or of a store that speaks as S3 does, that keeps the results instead of RESULTS_DIR, and what their
    /// names begin with: s3://bucket/prefix.
    #[schemars(with = "Option<String>", extend("x-allowed" = "a bucket and a prefix such as s3://bucket/prefix"))]
    pub results_url: Option<ResultsUrl>,
    /// Where the store of RESULTS_URL is, if not at Amazon. With AWS_VIRTUAL_HOSTED_STYLE_REQUEST the bucket is part of its
    /// name.
    #[schemars(with = "Option<Url>", extend("x-allowed" = "a URL such as https://minio.example:9000"))]
    pub aws_endpoint_url: Option<ServerUrl>,
    /// Whether AWS_ENDPOINT_URL may be an http: URL, over which results go in the clear.
    pub aws_allow_http: bool,
    /// Whether the bucket is named in the host (bucket.host) and not in the path (host/bucket).
    pub aws_virtual_hosted_style_request: bool,
    /// The region of the bucket.
    pub aws_region: String,
    /// The id of the key to the bucket. Without, the role is taken that Amazon gives to the machine.
    #[serde(serialize_with = "masked")]
    #[schemars(with = "Option<String>", extend("x-secret" = true))]
    pub aws_access_key_id: Option<SecretString>,
    /// The key to the bucket.
    #[serde(serialize_with = "masked")]
    #[schemars(with = "Option<String>", extend("x-secret" = true))]
    pub aws_secret_access_key: Option<SecretString>,
    /// The token of a key that ends.
    #[serde(serialize_with = "masked")]
    #[schemars(with = "Option<String>", extend("x-secret" = true))]
    pub aws_session_token: Option<SecretString>,
    /// The folder of the decision log, which later jobs learn from; the folder memory in RESULTS_DIR if unset.
    pub memory_dir: Option<PathBuf>,

    /// The worker's name, unique among all workers; made from host name and process id if unset.
    #[schemars(length(min = 1, max = 100))]
    pub worker_id: Option<String>,
    /// The address and port on which a worker tells its metrics (GET /metrics); nowhere if unset. The API tells its own,
    /// and in serve those of both.
    #[schemars(with = "Option<String>", extend("x-allowed" = "an address and a port, such as 127.0.0.1:9090"))]
    pub metrics_listen: Option<SocketAddr>,
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
    /// After how long a job fails with a timeout, seconds; at least the soft limit. The time in which its models are
    /// pulled does not count.
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

    /// The secret that webhooks are signed with, by Standard Webhooks: whsec_ and 24 to 64 random bytes in base64. While one
    /// replaces another, both, separated by a comma. If unset, jobs can have no webhook_url.
    #[schemars(with = "Option<String>", extend("x-secret" = true, "x-allowed" = "whsec_ and the base64 of 24 to 64 bytes; several are separated by commas"))]
    pub webhook_secret: WebhookSecrets,
    /// How long the receiver of a webhook may take to answer, seconds.
    #[schemars(range(min = 1, max = 300))]
    pub webhook_timeout: u64,
    /// How often a webhook is sent until it is given up.
    #[schemars(range(min = 1, max = 100))]
    pub webhook_max_attempts: u32,
    /// The wait before a webhook is sent again, seconds; it doubles with each attempt, up to six hours.
    pub webhook_retry_backoff: u64,

    /// Who serves the language models.
    pub llm_provider: Provider,
    /// Who serves the model of the research manager and the portfolio manager; LLM_PROVIDER if unset.
    #[schemars(extend("x-allowed" = "a provider, as for LLM_PROVIDER"))]
    pub deep_think_provider: Option<Provider>,
    /// Who serves the model of all other agents; LLM_PROVIDER if unset.
    #[schemars(extend("x-allowed" = "a provider, as for LLM_PROVIDER"))]
    pub quick_think_provider: Option<Provider>,
    /// The model of the research manager and the portfolio manager; the provider's default if unset.
    #[schemars(with = "Option<String>", extend("x-allowed" = "a model's name such as qwen3:8b or openai/gpt-oss-120b, at most 128 characters"))]
    pub deep_think_llm: Option<ModelName>,
    /// The model of all other agents; the provider's default if unset.
    #[schemars(with = "Option<String>", extend("x-allowed" = "a model's name such as qwen3:8b or openai/gpt-oss-120b, at most 128 characters"))]
    pub quick_think_llm: Option<ModelName>,
    /// The base URL of LLM_PROVIDER, where it differs from the provider's own. Other providers of a job never get it.
    #[schemars(with = "Option<String>", url)]
    pub llm_backend_url: Option<BackendUrl>,
    /// Whether backend_url and webhook_url of a job may lead to private, loopback, link-local and other addresses that are
    /// not public, and by HTTPS_PROXY. What these settings name themselves may be anywhere.
    pub allow_private_urls: bool,
    /// The longest time for one answer of a model, seconds.
    #[schemars(range(min = 1))]
    pub llm_timeout: u64,
    /// The sampling temperature; the model's own if unset.
    #[schemars(range(min = 0.0, max = 2.0))]
    pub llm_temperature: Option<f64>,
    /// How many calls to one model server run at once, over all jobs of a worker; if unset, 1 for Ollama, as its
    /// OLLAMA_NUM_PARALLEL usually is, and any number for the others.
    #[schemars(range(min = 1))]
    pub llm_concurrency: Option<usize>,
    /// What models cost, US dollars for a million tokens in and out, and read from a cache where that differs:
    /// openai/gpt-6.1-sol=2:10:0.1,anthropic/claude-opus-5-5=4:20. They come before the prices that the program knows.
    #[schemars(with = "Option<String>", extend("x-allowed" = "a list such as openai/gpt-6.1-sol=2:10:0.1,xai/grok-4.3=1.25:2.5"))]
    pub llm_prices: Prices,
    /// Where Ollama is.
    #[schemars(with = "Url")]
    pub ollama_base_url: ServerUrl,
    /// The registries besides Ollama's own whose models Ollama may be asked for, by host: hf.co,registry.example:5000. A job
    /// whose model's name begins with another host is refused. For the API and the workers.
    #[schemars(with = "Option<String>", extend("x-allowed" = "a list of hosts such as hf.co,registry.example:5000"))]
    pub ollama_registries: Registries,
    /// The context window that Ollama gives each model, tokens. A prompt that is longer loses its oldest evidence, and the
    /// result says so.
    #[schemars(range(min = 2048))]
    pub ollama_num_ctx: u32,
    /// How long Ollama keeps a model in memory after a request: 30m, 24h, -1 for ever.
    pub ollama_keep_alive: String,
    /// What becomes of a model that Ollama lacks: auto has it pulled, never fails the job.
    pub ollama_pull: PullPolicy,
    /// How much models think before they answer: none, minimal, low, medium, high, xhigh or max; as each does by itself if unset. A model that can't
    /// be told is not.
    pub reasoning_effort: Option<ReasoningEffort>,
    /// The keys of the providers.
    #[serde(flatten)]
    pub provider_keys: ProviderKeys,
    /// Where the Azure resource is, a URL that ends in openai.azure.com. Models are named by their deployments.
    pub azure_openai_endpoint: Option<Url>,
    /// The version of Azure's API: v1, or a date such as 2024-10-21 for the API by deployments, which has Chat Completions
    /// alone.
    pub azure_openai_api_version: String,

    /// The region of Amazon Bedrock; AWS_REGION if unset.
    pub bedrock_region: Option<String>,
    /// The id of the access key that requests to Amazon Bedrock are signed with. If unset, AWS_ACCESS_KEY_ID is used, unless
    /// AWS_ENDPOINT_URL says that it belongs to another store; and without that, the role of the EC2 instance.
    #[serde(serialize_with = "masked")]
    #[schemars(with = "Option<String>", extend("x-secret" = true))]
    pub bedrock_access_key_id: Option<SecretString>,
    /// The secret of BEDROCK_ACCESS_KEY_ID.
    #[serde(serialize_with = "masked")]
    #[schemars(with = "Option<String>", extend("x-secret" = true))]
    pub bedrock_secret_access_key: Option<SecretString>,
    /// The session token of BEDROCK_ACCESS_KEY_ID, if the key is temporary.
    #[serde(serialize_with = "masked")]
    #[schemars(with = "Option<String>", extend("x-secret" = true))]
    pub bedrock_session_token: Option<SecretString>,

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

    /// The vendors of daily bars, in order: csv (the folder DATA_DIR), yahoo, tiingo, alpha_vantage, sample (bundled,
    /// to 2013). If unset, those of them that are configured, in this order.
    #[schemars(extend("x-allowed" = "csv, yahoo, tiingo, alpha_vantage, sample, in the order in which they are asked: csv,yahoo"))]
    pub price_vendors: Option<PriceVendors>,
    /// The vendors of company profiles and statements, in order: sec_edgar, yahoo, alpha_vantage. If unset, those of
    /// them that are configured, in this order.
    #[schemars(extend("x-allowed" = "sec_edgar, yahoo, alpha_vantage, in the order in which they are asked"))]
    pub fundamental_vendors: Option<VendorList<Fundamentals>>,
    /// The vendors of news, in order: yahoo (of this week only), google_news, alpha_vantage. If unset, those of them that
    /// are configured, in this order.
    #[schemars(extend("x-allowed" = "yahoo, google_news, alpha_vantage, in the order in which they are asked"))]
    pub news_vendors: Option<VendorList<News>>,
    /// What the returns of earlier decisions are compared with; if unset, SPY, or the leading index of the instrument's
    /// exchange.
    #[schemars(with = "Option<String>", extend("x-allowed" = "a ticker such as SPY or ^GSPC"))]
    pub benchmark_ticker: Option<Ticker>,
    /// How many articles on the instrument an agent reads.
    pub news_article_limit: UpTo<100>,
    /// How many articles on the markets an agent reads.
    pub global_news_article_limit: UpTo<100>,
    /// How far back articles and posts on the instrument are looked for, days, unless the agent names others.
    pub news_lookback_days: UpTo<90>,
    /// How far back articles on the markets are looked for, days, unless the agent names others.
    pub global_news_lookback_days: UpTo<90>,
    /// What news on the markets is searched for, with semicolons between the queries; the vendors' own choice if unset.
    /// Alpha Vantage has fixed topics and searches for none.
    #[schemars(with = "Option<String>", extend("x-allowed" = "up to 10 queries such as Federal Reserve interest rates; oil price"))]
    pub global_news_queries: Option<NewsQueries>,
    /// How far back insiders' trades are looked for, days.
    pub insider_lookback_days: UpTo<730>,
    /// How far back macro series are shown, days, unless the agent names others.
    pub macro_lookback_days: UpTo<3650>,
    /// A folder of {TICKER}.csv with daily bars.
    pub data_dir: Option<PathBuf>,
    /// The folder in which vendors' answers are kept; any number of workers may share it. If unset, none is kept.
    pub cache_dir: Option<PathBuf>,
    /// A server that all vendors on the network are asked through, as {VENDOR_GATEWAY}/{host}/{path}; a proxy that
    /// caches, or that has the only way out. If unset, they are asked directly, or by HTTPS_PROXY.
    #[schemars(with = "Option<Url>")]
    pub vendor_gateway: Option<ServerUrl>,
    /// The key of Alpha Vantage.
    #[serde(serialize_with = "masked")]
    #[schemars(with = "Option<String>", extend("x-secret" = true))]
    pub alpha_vantage_api_key: Option<SecretString>,
    /// The key of Tiingo, for daily bars of shares listed in the United States.
    #[serde(serialize_with = "masked")]
    #[schemars(with = "Option<String>", extend("x-secret" = true))]
    pub tiingo_api_key: Option<SecretString>,
    /// The key of FRED, the economic series of the Federal Reserve Bank of St. Louis; it costs nothing.
    #[serde(serialize_with = "masked")]
    #[schemars(with = "Option<String>", extend("x-secret" = true))]
    pub fred_api_key: Option<SecretString>,
    /// Your e-mail address, which the SEC demands of programs that read its filings; without it they are left out.
    pub contact_email: Option<String>,

    /// Where the commands submit, watch, result, jobs, cancel, retry and healthcheck find the API.
    pub tradingagents_url: Url,
    /// The key that they show to an API that has API_KEYS.
    #[serde(serialize_with = "masked")]
    #[schemars(with = "Option<String>", extend("x-secret" = true))]
    pub tradingagents_key: Option<SecretString>,
}

/// The form of log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    Text,
    Json,
}

impl Config {
    /// How Redis is reached, and which queue in it.
    pub fn redis(&self) -> RedisOptions {
        RedisOptions {
            url: self.redis_url.expose().into(),
            ca: self.redis_tls_ca.clone(),
            identity: self.redis_tls_cert.clone().zip(self.redis_tls_key.clone()),
            queue: self.redis_queue.clone(),
            replicas: self.redis_wait_replicas,
        }
    }

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
