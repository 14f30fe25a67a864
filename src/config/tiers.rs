//! Which provider serves each tier of a job, by the job's settings and the service's.
//!
//! A job's own settings come first: the provider of the tier, then `llm_provider`. Without, the service's settings decide
//! in the same order. A base URL belongs to the main provider alone, so that no other provider's key or prompts go there.

use super::Config;
use crate::{
    domain::{Provider, Tier},
    jobs::{JobConfig, ModelName},
};

impl Config {
    /// The provider of a tier, where no job names one.
    pub fn usual_provider(&self, tier: Tier) -> Provider {
        let own = match tier {
            Tier::Deep => self.deep_think_provider,
            Tier::Quick => self.quick_think_provider,
        };
        own.unwrap_or(self.llm_provider)
    }

    /// The provider of a job's tier.
    pub fn provider(&self, job: &JobConfig, tier: Tier) -> Provider {
        job.provider(tier).unwrap_or_else(|| self.usual_provider(tier))
    }

    /// The provider that a job's `backend_url` belongs to.
    pub fn main_provider(&self, job: &JobConfig) -> Provider {
        job.llm_provider.unwrap_or(self.llm_provider)
    }

    /// The model that the job or the service names for a tier. The service's setting applies to the service's provider only.
    pub fn model<'a>(&'a self, job: &'a JobConfig, tier: Tier) -> Option<&'a ModelName> {
        let set = match tier {
            Tier::Deep => self.deep_think_llm.as_ref(),
            Tier::Quick => self.quick_think_llm.as_ref(),
        };
        let is_usual = self.provider(job, tier) == self.usual_provider(tier);
        job.model(tier).or(set.filter(|_| is_usual))
    }

    /// Refuses a model of a job's tier that Ollama would fetch from a registry that is not allowed.
    pub fn check_model(&self, job: &JobConfig, tier: Tier) -> Result<(), String> {
        match self.model(job, tier) {
            Some(model) if self.provider(job, tier) == Provider::Ollama => self.ollama_registries.check(model.as_str()),
            _ => Ok(()),
        }
    }

    /// Refuses a `backend_url` that no model of the job would be asked at.
    pub fn check_backend_url(&self, job: &JobConfig) -> Result<(), String> {
        let main = self.main_provider(job);
        if job.backend_url.is_none() || Tier::BOTH.into_iter().any(|tier| self.provider(job, tier) == main) {
            return Ok(());
        }
        Err(format!(
            "it is the URL of llm_provider {}, but the deep and the quick model are both served by others; leave it out, or \
             name its provider as llm_provider",
            main.as_str()
        ))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::config::load;

    fn config(variables: &[(&str, &str)]) -> Config {
        load(variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))).unwrap()
    }

    fn job(settings: Value) -> JobConfig {
        serde_json::from_value(settings).unwrap()
    }

    /// The provider and the named model of each tier.
    fn chosen(config: &Config, settings: Value) -> Value {
        let job = job(settings);
        json!(Tier::BOTH.map(|tier| json!([config.provider(&job, tier), config.model(&job, tier)])))
    }

    #[test]
    fn each_tier_has_the_provider_that_is_named_closest_to_it() {
        let one = config(&[("LLM_PROVIDER", "openai"), ("DEEP_THINK_LLM", "a"), ("QUICK_THINK_LLM", "b")]);
        assert_eq!(chosen(&one, json!({})), json!([["openai", "a"], ["openai", "b"]]));
        assert_eq!(chosen(&one, json!({"deep_think_provider": "xai"})), json!([["xai", null], ["openai", "b"]]));

        let two = config(&[("LLM_PROVIDER", "openai"), ("DEEP_THINK_PROVIDER", "anthropic"), ("DEEP_THINK_LLM", "c")]);
        assert_eq!(chosen(&two, json!({})), json!([["anthropic", "c"], ["openai", null]]));
        assert_eq!(chosen(&two, json!({"deep_think_llm": "d"})), json!([["anthropic", "d"], ["openai", null]]));
        assert_eq!(chosen(&two, json!({"llm_provider": "groq"})), json!([["groq", null], ["groq", null]]));
        assert_eq!(
            chosen(&two, json!({"llm_provider": "groq", "deep_think_provider": "anthropic"})),
            json!([["anthropic", "c"], ["groq", null]])
        );
    }

    #[test]
    fn a_url_that_no_tier_uses_is_refused() {
        let config = config(&[("LLM_PROVIDER", "openai")]);
        let check = |settings| config.check_backend_url(&job(settings));
        let url = "https://models.example/v1";
        assert_eq!(check(json!({"backend_url": url, "deep_think_provider": "groq"})), Ok(()));
        let both = json!({"backend_url": url, "deep_think_provider": "groq", "quick_think_provider": "xai"});
        assert!(check(both).unwrap_err().contains("llm_provider openai"));
    }
}
