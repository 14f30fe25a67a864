//! The models that a job is worked on with: a backend and a model's name for each tier.

use std::{collections::BTreeSet, time::Duration};

use super::desk::{Desk, InvalidConfig};
use crate::{
    agents::Models,
    domain::{Provider, Tier},
    egress::Reach,
    jobs::{JobConfig, ModelName, ServedModels, Temperature},
    llm::{
        self, Backend, LlmError,
        catalog::{self, Retired},
        ollama,
    },
};

/// Models that are listed at most; a gateway has hundreds.
const MAX_LISTED: usize = 1000;
/// Models that an error names at most.
const SHOWN: usize = 10;

/// A model of a job.
struct Choice {
    tier: Tier,
    backend: Backend,
    model: String,
    /// Whether neither the job nor a setting names the model.
    is_default: bool,
}

impl Desk {
    /// The models that a job is worked on with.
    pub(super) fn models(&self, job: &JobConfig) -> Result<Models, InvalidConfig> {
        let [deep, quick] = self.choices(job)?;
        let connect = |choice: &Choice| {
            llm::connect(&choice.backend, &choice.model).map_err(|error: LlmError| InvalidConfig(error.to_string()))
        };
        Ok(Models { deep: connect(&deep)?, quick: connect(&quick)? })
    }

    /// Asks each provider in use whether it has the service's own models. Returns the answers in one line.
    pub async fn check_models(&self) -> Result<String, InvalidConfig> {
        let [deep, quick] = self.choices(&JobConfig::default())?;
        let deep_answer = deep.check().await;
        if (deep.backend.provider, &deep.model) == (quick.backend.provider, &quick.model) {
            return deep_answer;
        }
        match (deep_answer, quick.check().await) {
            (Ok(deep), Ok(quick)) => Ok(format!("{deep}; {quick}")),
            (Err(deep), Err(quick)) if deep != quick => Err(InvalidConfig(format!("{deep}; {quick}"))),
            (deep, quick) => deep.and(quick),
        }
    }

    /// The source of the prices for a job's costs: `prices of 2026-11` (the catalog) or `prices of LLM_PRICES`.
    pub(super) fn price_sources(&self, job: &JobConfig) -> Option<String> {
        let choices = self.choices(job).ok()?;
        let source =
            |choice: &Choice| llm::price_source(&choice.backend.prices, choice.backend.provider, &choice.model);
        let sources: BTreeSet<_> = choices.iter().filter_map(source).collect();
        Some(sources.into_iter().collect::<Vec<_>>().join(", ")).filter(|sources| !sources.is_empty())
    }

    /// Warnings for models that answered although the day of their retirement has passed.
    pub(super) fn retirements(&self, job: &JobConfig) -> Vec<String> {
        let warning = |choice: &Choice| {
            let (provider, model) = (choice.backend.provider, &choice.model);
            let retired = catalog::retired(provider, model).filter(Retired::is_past)?;
            Some(format!("the model {model} of {} may end any day: {}", provider.as_str(), retired.hint()))
        };
        let mut warnings: Vec<_> = self.choices(job).iter().flatten().filter_map(warning).collect();
        warnings.dedup();
        warnings
    }

    /// The service's own models, as their servers list them.
    pub async fn served_models(&self) -> Result<ServedModels, InvalidConfig> {
        let [deep, quick] = self.choices(&JobConfig::default())?;
        let (mut available, mut errors) = (Vec::new(), Vec::new());
        for (place, choice) in [&quick, &deep].into_iter().enumerate() {
            if place > 0 && choice.backend.provider == quick.backend.provider {
                continue;
            }
            match llm::models(&choice.backend).await {
                Ok(listed) => available.extend(listed),
                Err(error) => errors.push(error.to_string()),
            }
        }
        available.truncate(MAX_LISTED);
        Ok(ServedModels {
            provider: self.main_provider(&JobConfig::default()),
            deep_think_provider: Some(deep.backend.provider),
            quick_think_provider: Some(quick.backend.provider),
            deep_think_llm: deep.model,
            quick_think_llm: quick.model,
            available,
            error: Some(errors.join("; ")).filter(|errors| !errors.is_empty()),
        })
    }

    /// The deep and the quick model.
    fn choices(&self, job: &JobConfig) -> Result<[Choice; 2], InvalidConfig> {
        self.config.check_backend_url(job).map_err(|error| InvalidConfig(format!("backend_url: {error}")))?;
        Ok([self.choice(job, Tier::Deep)?, self.choice(job, Tier::Quick)?])
    }

    fn choice(&self, job: &JobConfig, tier: Tier) -> Result<Choice, InvalidConfig> {
        let provider = self.provider(job, tier)?;
        self.config.check_model(job, tier).map_err(InvalidConfig)?;
        let named = self.config.model(job, tier).map(ModelName::as_str);
        let model = named.or(catalog::default_model(provider, tier)).ok_or_else(|| no_model(provider))?;
        let backend = self.backend(job, provider);
        Ok(Choice { tier, backend, model: model.into(), is_default: named.is_none() })
    }

    fn main_provider(&self, job: &JobConfig) -> Provider {
        if self.offline { job.llm_provider.unwrap_or(Provider::Rules) } else { self.config.main_provider(job) }
    }

    /// The provider of a tier. Offline it has to be the rules.
    fn provider(&self, job: &JobConfig, tier: Tier) -> Result<Provider, InvalidConfig> {
        if !self.offline {
            return Ok(self.config.provider(job, tier));
        }
        match job.provider(tier).unwrap_or(Provider::Rules) {
            Provider::Rules => Ok(Provider::Rules),
            provider => Err(InvalidConfig(format!(
                "this service runs with --offline, so the provider {} can't be used; leave it out, or start the service \
                 without --offline",
                provider.as_str()
            ))),
        }
    }

    /// Where a provider's models are, and how they are asked.
    fn backend(&self, job: &JobConfig, provider: Provider) -> Backend {
        let config = &self.config;
        let own_url = config.base_url(provider);
        let asked = job.backend_url.as_ref().filter(|_| provider == self.main_provider(job));
        let asked = asked.map(|url| url.as_url().clone());
        let reach = asked.as_ref().map_or(Reach::Anywhere, |url| config.backend_reach(provider, url));
        // The operator's key goes to the operator's URL alone: a job could name a server that collects keys.
        let trusted = asked.is_none() || asked == own_url;
        let key = config.api_key(provider).filter(|_| trusted);
        let base_url = asked.or(own_url);
        Backend {
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
            bedrock: config.bedrock(trusted),
            ollama: ollama::Options {
                num_ctx: config.ollama_num_ctx,
                keep_alive: config.ollama_keep_alive.clone(),
                pull: config.ollama_pull,
                pulls: self.pulls.clone(),
            },
        }
    }
}

impl Choice {
    /// Asks the server whether it has the model. If not, the error names the setting to change.
    async fn check(&self) -> Result<String, InvalidConfig> {
        let (provider, model) = (self.backend.provider, &self.model);
        let mut found = llm::check(&self.backend, model).await;
        if let (Err(LlmError::UnknownModel { .. }), Some((name, _))) = (&found, routed(provider, model)) {
            found = llm::check(&self.backend, name).await;
        }
        let error = match found {
            Ok(found) => return Ok(format!("{found}{}", self.remark())),
            Err(error) => error,
        };
        if let LlmError::UnknownModel { message, .. } = &error {
            return Err(self.missing(message));
        }
        // Gateways may not answer the request for a single model in the provider's form; the list decides then.
        match llm::models(&self.backend).await {
            Ok(listed) if !listed.is_empty() && !listed.contains(model) => {
                let some: Vec<_> = listed.iter().take(SHOWN).map(String::as_str).collect();
                Err(self.missing(&format!("it has {}", some.join(", "))))
            }
            _ => Err(InvalidConfig(error.to_string())),
        }
    }

    /// The error for a model that the server does not have; `reason` is the server's.
    fn missing(&self, reason: &str) -> InvalidConfig {
        let (provider, model, setting) = (self.backend.provider, &self.model, self.tier.model_setting());
        let default = if self.is_default { format!(", the default of {setting}") } else { String::new() };
        let retired = catalog::retired(provider, model).map(|retired| format!("; {}", retired.hint()));
        InvalidConfig(format!(
            "{} has no model {model}{default}: {reason}; set {setting} to a model that it has{}",
            provider.service().name,
            retired.unwrap_or_default()
        ))
    }

    /// The catalog's facts on a model that is there: its retirement, and the source of its price.
    fn remark(&self) -> String {
        let (provider, model) = (self.backend.provider, &self.model);
        let retired = catalog::retired(provider, model).map(|retired| format!("; {}", retired.hint()));
        let priced = llm::price_source(&self.backend.prices, provider, model).map(|source| format!("; {source}"));
        retired.unwrap_or_default() + &priced.unwrap_or_default()
    }
}

/// The name of a model, and the route to it, where a gateway lists only the name: `org/model:host`.
fn routed(provider: Provider, model: &str) -> Option<(&str, &str)> {
    let has_routes = matches!(provider, Provider::OpenRouter | Provider::HuggingFace);
    model.split_once(':').filter(|_| has_routes)
}

fn no_model(provider: Provider) -> InvalidConfig {
    InvalidConfig(format!(
        "{} has no default model: name deep_think_llm and quick_think_llm in the job's config, or set DEEP_THINK_LLM and \
         QUICK_THINK_LLM",
        provider.as_str()
    ))
}
