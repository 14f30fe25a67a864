//! From a job's settings and the service's to the firm that works on it.

use std::{sync::Arc, time::Duration};

use super::sources::choice;
use crate::{
    agents::{Brief, Firm, Models},
    config::Config,
    domain::{Analyst, AssetType, Provider, Vendor},
    egress::Reach,
    jobs::{JobConfig, JobRequest, ModelName, ServedModels, Temperature},
    llm::{self, Backend, Gates, LlmError, ollama},
    market::{self, Keys, Vendors, WebOptions},
    memory::DecisionLog,
};

/// A job asks for something that the service's settings lack or forbid.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidConfig(pub(super) String);

/// Models that are listed at most; a gateway has hundreds.
const MAX_LISTED: usize = 1000;

/// Puts firms together.
pub struct Desk {
    config: Arc<Config>,
    /// Whether nothing may use the network: then only the rules model works.
    offline: bool,
    vendors: Vendors,
    /// Before the model servers, for all jobs.
    gates: Gates,
    /// Of Ollama's models, for all jobs.
    pulls: Arc<ollama::Pulls>,
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

    /// The models that a job is worked on with.
    fn models(&self, job: &JobConfig) -> Result<Models, InvalidConfig> {
        let backend = self.backend(job)?;
        let (deep, quick) = self.model_names(job, backend.provider)?;
        let connect = |name| llm::connect(&backend, name).map_err(|error: LlmError| InvalidConfig(error.to_string()));
        Ok(Models { deep: connect(deep)?, quick: connect(quick)? })
    }

    /// Asks the service's own models whether they are there; what each says, in a line.
    pub async fn check_models(&self) -> Result<String, InvalidConfig> {
        let job = JobConfig::default();
        let backend = self.backend(&job)?;
        let (deep, quick) = self.model_names(&job, backend.provider)?;
        let ask = async |name| llm::check(&backend, name).await.map_err(|error| InvalidConfig(error.to_string()));
        let answer = ask(deep).await?;
        Ok(if deep == quick { answer } else { format!("{answer}; {}", ask(quick).await?) })
    }

    /// The service's own models, as their server lists them.
    pub async fn served_models(&self) -> Result<ServedModels, InvalidConfig> {
        let job = JobConfig::default();
        let backend = self.backend(&job)?;
        let (deep, quick) = self.model_names(&job, backend.provider)?;
        let listed = llm::models(&backend).await;
        let error = listed.as_ref().err().map(ToString::to_string);
        let mut available = listed.unwrap_or_default();
        available.truncate(MAX_LISTED);
        Ok(ServedModels {
            provider: backend.provider,
            deep_think_llm: deep.into(),
            quick_think_llm: quick.into(),
            available,
            error,
        })
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

    /// The names of the deep and the quick model: the job's, or the service's where its provider is meant, or the
    /// provider's usual ones.
    fn model_names<'a>(&'a self, job: &'a JobConfig, provider: Provider) -> Result<(&'a str, &'a str), InvalidConfig> {
        let config = &self.config;
        let own = provider == config.llm_provider;
        let pick = |asked: &'a Option<ModelName>, set: &'a Option<ModelName>, usual: Option<&'static str>| {
            let named = asked.as_ref().or(set.as_ref().filter(|_| own)).map(ModelName::as_str);
            named.or(usual).ok_or_else(|| no_model(provider))
        };
        let (deep, quick) = usual_models(provider);
        Ok((
            pick(&job.deep_think_llm, &config.deep_think_llm, deep)?,
            pick(&job.quick_think_llm, &config.quick_think_llm, quick)?,
        ))
    }

    /// Where a job's models are.
    fn backend(&self, job: &JobConfig) -> Result<Backend, InvalidConfig> {
        let config = &self.config;
        let provider = job.llm_provider.unwrap_or(if self.offline { Provider::Rules } else { config.llm_provider });
        if self.offline && provider != Provider::Rules {
            return Err(InvalidConfig(format!(
                "this service runs with --offline, so llm_provider {} can't be used; leave it out, or start the service \
                 without --offline",
                provider.as_str()
            )));
        }
        let own_url = config.base_url(provider);
        let asked = job.backend_url.as_ref().map(|url| url.as_url().clone());
        let reach = asked.as_ref().map_or(Reach::Anywhere, |url| config.backend_reach(provider, url));
        // The operator's key goes to the operator's URL alone: a job could name a server that collects keys.
        let key = config.api_key(provider).filter(|_| asked.is_none() || asked == own_url);
        let base_url = asked.or(own_url);
        Ok(Backend {
            provider,
            api_key: key.cloned(),
            gate: self.gates.before(provider, base_url.as_ref()),
            prices: config.llm_prices.clone(),
            base_url,
            reach,
            timeout: Duration::from_secs(config.llm_timeout),
            temperature: job.temperature.map(Temperature::get).or(config.llm_temperature),
            reasoning_effort: job.reasoning_effort.or(config.reasoning_effort),
            azure_api_version: config.azure_openai_api_version.clone(),
            ollama: ollama::Options {
                num_ctx: config.ollama_num_ctx,
                keep_alive: config.ollama_keep_alive.clone(),
                pull: config.ollama_pull,
                pulls: self.pulls.clone(),
            },
        })
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

/// The deep and the quick model of a provider where nobody named one.
fn usual_models(provider: Provider) -> (Option<&'static str>, Option<&'static str>) {
    let (deep, quick) = match provider {
        Provider::Ollama => ("qwen3:8b", "qwen3:8b"),
        Provider::OpenAi => ("gpt-5.5", "gpt-5.4-mini"),
        Provider::Anthropic => ("claude-opus-4-6", "claude-sonnet-4-6"),
        Provider::Google => ("gemini-2.5-pro", "gemini-2.5-flash"),
        Provider::Xai => ("grok-4", "grok-4-fast"),
        Provider::DeepSeek => ("deepseek-chat", "deepseek-chat"),
        Provider::Groq => ("openai/gpt-oss-120b", "openai/gpt-oss-20b"),
        Provider::Mistral => ("mistral-large-latest", "mistral-small-latest"),
        Provider::Qwen => ("qwen-max", "qwen-plus"),
        Provider::Glm => ("glm-4.6", "glm-4.5-air"),
        Provider::Rules => ("rules", "rules"),
        // A gateway, deployments of one's own, and servers of any kind.
        Provider::OpenRouter | Provider::Azure | Provider::OpenAiCompatible => return (None, None),
    };
    (Some(deep), Some(quick))
}

fn no_model(provider: Provider) -> InvalidConfig {
    InvalidConfig(format!(
        "{} has no usual model: name deep_think_llm and quick_think_llm in the job's config, or set DEEP_THINK_LLM and \
         QUICK_THINK_LLM",
        provider.as_str()
    ))
}
