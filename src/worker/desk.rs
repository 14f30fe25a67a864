//! From a job's settings and the service's to the firm that works on it.

use std::{sync::Arc, time::Duration};

use url::Url;

use crate::{
    agents::{Brief, Firm, Models},
    config::Config,
    domain::{Analyst, PriceVendor, PriceVendors, Provider},
    jobs::{JobConfig, JobRequest, ModelName},
    llm::{self, Backend, LlmError, ollama},
    market::{CsvFolder, Market, PriceSource, Sample},
    memory::DecisionLog,
};

/// A job asks for something that the service's settings lack or forbid.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidConfig(String);

/// Puts firms together.
pub struct Desk {
    config: Arc<Config>,
    /// Whether nothing may use the network: then only the rules model works.
    offline: bool,
    csv: Option<Arc<CsvFolder>>,
    sample: Arc<Sample>,
}

impl Desk {
    /// A desk that may use all that the settings allow.
    pub fn new(config: Arc<Config>) -> Self {
        let csv = config.data_dir.as_ref().map(|folder| Arc::new(CsvFolder::new(folder)));
        Self { config, offline: false, csv, sample: Arc::new(Sample) }
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
            market: self.market(job)?,
            analyst_concurrency: self.config.analyst_concurrency,
            max_tool_rounds: self.config.max_tool_rounds,
            memory: self.memory(),
        };
        Ok((firm, self.brief(request)))
    }

    /// What was decided before, and where decisions go.
    pub fn memory(&self) -> DecisionLog {
        DecisionLog::new(self.config.memory_folder())
    }

    fn brief(&self, request: &JobRequest) -> Brief {
        let (job, config) = (&request.config, &self.config);
        Brief {
            ticker: request.ticker.clone(),
            date: request.date,
            analysts: job.selected_analysts.as_ref().map_or(Analyst::ALL.to_vec(), |a| a.as_slice().to_vec()),
            max_debate_rounds: job.max_debate_rounds.unwrap_or(config.max_debate_rounds).get(),
            max_risk_rounds: job.max_risk_discuss_rounds.unwrap_or(config.max_risk_discuss_rounds).get(),
            output_language: job.output_language.as_ref().unwrap_or(&config.output_language).as_str().into(),
        }
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
        let own_url = self.own_url(provider);
        let asked = job.backend_url.as_ref().map(|url| url.as_url().clone());
        // The operator's key goes to the operator's URL alone: a job could name a server that collects keys.
        let key = match provider {
            _ if asked.is_some() && asked != own_url => None,
            Provider::OpenAi => config.openai_api_key.clone(),
            Provider::OpenAiCompatible => config.openai_compatible_api_key.clone(),
            Provider::Ollama | Provider::Rules => None,
        };
        Ok(Backend {
            provider,
            base_url: asked.or(own_url),
            api_key: key,
            timeout: Duration::from_secs(config.llm_timeout),
            temperature: config.llm_temperature,
            ollama: ollama::Options { num_ctx: config.ollama_num_ctx, keep_alive: config.ollama_keep_alive.clone() },
        })
    }

    /// The base URL of a provider by the service's settings. `LLM_BACKEND_URL` is that of `LLM_PROVIDER` alone.
    fn own_url(&self, provider: Provider) -> Option<Url> {
        let config = &self.config;
        let set = config.llm_backend_url.as_ref().filter(|_| provider == config.llm_provider);
        let ollama = (provider == Provider::Ollama).then(|| config.ollama_base_url.clone());
        set.map(|url| url.as_url().clone()).or(ollama)
    }

    /// The market by the vendors that the job names, or the service, or else all that there are.
    fn market(&self, job: &JobConfig) -> Result<Market, InvalidConfig> {
        let asked = job.data_vendors.as_ref().and_then(|vendors| vendors.core_stock_apis.as_ref());
        let Some(vendors) = asked.or(self.config.price_vendors.as_ref()) else { return Ok(Market::new(self.all())) };
        let sources = vendors.as_slice().iter().map(|vendor| self.source(*vendor, vendors));
        Ok(Market::new(sources.collect::<Result<_, _>>()?))
    }

    fn all(&self) -> Vec<Arc<dyn PriceSource>> {
        let csv = self.csv.clone().map(|csv| csv as Arc<dyn PriceSource>);
        csv.into_iter().chain([self.sample.clone() as Arc<dyn PriceSource>]).collect()
    }

    fn source(&self, vendor: PriceVendor, of: &PriceVendors) -> Result<Arc<dyn PriceSource>, InvalidConfig> {
        match (vendor, &self.csv) {
            (PriceVendor::Sample, _) => Ok(self.sample.clone()),
            (PriceVendor::Csv, Some(csv)) => Ok(csv.clone()),
            (PriceVendor::Csv, None) => Err(InvalidConfig(format!(
                "the price vendors {of} name csv, but the worker has no folder of CSV files; set DATA_DIR, or leave csv out"
            ))),
        }
    }
}

/// The deep and the quick model of a provider where nobody named one.
fn usual_models(provider: Provider) -> (Option<&'static str>, Option<&'static str>) {
    match provider {
        Provider::Ollama => (Some("qwen3:8b"), Some("qwen3:8b")),
        Provider::OpenAi => (Some("gpt-5.5"), Some("gpt-5.4-mini")),
        Provider::OpenAiCompatible => (None, None),
        Provider::Rules => (Some("rules"), Some("rules")),
    }
}

fn no_model(provider: Provider) -> InvalidConfig {
    InvalidConfig(format!(
        "{} has no usual model: name deep_think_llm and quick_think_llm in the job's config, or set DEEP_THINK_LLM and \
         QUICK_THINK_LLM",
        provider.as_str()
    ))
}
