//! The catalog of models: the defaults of each provider, what models can do and cost, and when they retire.
//!
//! The data is `../models.csv`: one row per model, each with the month in which it was looked up (`as_of`) and where
//! (`source`). It is compiled in and parsed once into [`Entry`]s. [`find`] leads from a name as requests have it to its
//! entry ([`names`] knows the forms of names). A model that is not in it is unknown here, and nothing more: it is used as
//! any other, without a price.

mod names;

use std::sync::LazyLock;

use chrono::{NaiveDate, Utc};
use serde::{Deserialize, Deserializer, de};

use super::price::Price;
use crate::domain::{Provider, Tier};

static ENTRIES: LazyLock<Vec<Entry>> = LazyLock::new(|| {
    let mut reader = csv::Reader::from_reader(include_str!("../models.csv").as_bytes());
    reader.deserialize().collect::<Result<_, _>>().expect("the catalog is valid; a test reads it")
});

/// The facts on one model: one row of the data.
#[derive(Debug, Deserialize)]
pub struct Entry {
    pub provider: Provider,
    /// The name at the provider.
    pub model: String,
    default: DefaultFor,
    /// The context window in tokens, as far as input may fill it; none if unknown.
    pub context: Option<u64>,
    /// Whether it calls tools.
    #[serde(deserialize_with = "yes_or_no")]
    pub tools: bool,
    /// Whether its answers follow a JSON schema.
    #[serde(deserialize_with = "yes_or_no")]
    pub structured: bool,
    /// The reasoning efforts that requests may name, least first; empty if none.
    #[serde(deserialize_with = "words")]
    pub efforts: Vec<String>,
    /// Whether requests may set the temperature.
    #[serde(deserialize_with = "yes_or_no")]
    pub temperature: bool,
    /// US dollars for a million input tokens.
    input: Option<f64>,
    /// US dollars for a million input tokens that are read from the cache; `input` if none.
    cached: Option<f64>,
    /// US dollars for a million output tokens.
    output: Option<f64>,
    /// The day on which the provider switches it off.
    retired: Option<NaiveDate>,
    /// The model to use instead.
    successor: Option<String>,
    /// The month of the row's facts: `2026-11`.
    pub as_of: String,
    /// Where the facts are from.
    pub source: String,
}

/// The tiers that a model is the provider's default for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum DefaultFor {
    Deep,
    Quick,
    Both,
    #[serde(rename = "")]
    None,
}

/// That a model is switched off, or will be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retired {
    /// The day on which the provider switches it off; it may lie ahead.
    pub date: NaiveDate,
    /// The model to use instead, by the name that the same provider gives it.
    pub successor: String,
}

impl Entry {
    /// What its tokens cost, if that is known.
    pub(super) fn price(&self) -> Option<Price> {
        let (input, output) = self.input.zip(self.output)?;
        Some(Price::new(input, output, self.cached.unwrap_or(input)))
    }
}

impl Retired {
    /// Whether the day has come.
    pub fn is_past(&self) -> bool {
        self.date <= Utc::now().date_naive()
    }

    /// The remedy, as the end of a message.
    pub fn hint(&self) -> String {
        let when = if self.is_past() { "its retirement was announced for" } else { "it will be retired on" };
        format!("{when} {}; use {}", self.date, self.successor)
    }
}

/// The default model of a provider for a tier; none for gateways and custom servers.
pub fn default_model(provider: Provider, tier: Tier) -> Option<&'static str> {
    let wanted = if tier == Tier::Deep { DefaultFor::Deep } else { DefaultFor::Quick };
    let is_default =
        |entry: &&Entry| entry.provider == provider && (entry.default == wanted || entry.default == DefaultFor::Both);
    ENTRIES.iter().find(is_default).map(|entry| entry.model.as_str())
}

/// The entry of a model, by any form of its name.
pub fn find(provider: Provider, model: &str) -> Option<&'static Entry> {
    let listed = names::resolve(provider, model)?;
    names::forms(&listed.model).into_iter().find_map(|name| row(listed.provider, &name))
}

/// The price of a model and the month that it is of, if the provider itself or a gateway at cost serves it.
pub(super) fn price(provider: Provider, model: &str) -> Option<(Price, &'static str)> {
    names::resolve(provider, model).filter(|listed| listed.same_price)?;
    let entry = find(provider, model)?;
    Some((entry.price()?, &entry.as_of))
}

/// When a model retires and what replaces it; none if nothing is known of that.
pub fn retired(provider: Provider, model: &str) -> Option<Retired> {
    let entry = find(provider, model)?;
    let successor = entry.successor.clone()?;
    let successor = match model.rsplit_once('/') {
        Some((vendor, _)) if provider == Provider::OpenRouter => format!("{vendor}/{successor}"),
        _ => successor,
    };
    Some(Retired { date: entry.retired?, successor })
}

fn row(provider: Provider, name: &str) -> Option<&'static Entry> {
    ENTRIES.iter().find(|entry| entry.provider == provider && entry.model.eq_ignore_ascii_case(name))
}

fn yes_or_no<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    match String::deserialize(deserializer)?.as_str() {
        "yes" => Ok(true),
        "no" => Ok(false),
        other => Err(de::Error::custom(format!("{other:?} is neither yes nor no"))),
    }
}

fn words<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    let text = String::deserialize(deserializer)?;
    Ok(text.split_whitespace().map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn every_row_is_complete_and_there_once() {
        let mut seen = HashSet::new();
        for entry in ENTRIES.iter() {
            let name = format!("{}/{}", entry.provider.as_str(), entry.model);
            assert!(seen.insert(name.to_lowercase()), "{name} is there twice");
            assert!(entry.as_of.len() == 7 && !entry.source.is_empty(), "{name}");
            assert_eq!(entry.input.is_some(), entry.output.is_some(), "{name}");
            assert!(entry.cached.is_none_or(|cached| Some(cached) <= entry.input), "{name}");
            assert_eq!(entry.retired.is_some(), entry.successor.is_some(), "{name}");
        }
    }

    #[test]
    fn no_default_and_no_successor_is_retired() {
        let newest = ENTRIES.iter().map(|entry| entry.as_of.as_str()).max().unwrap();
        let checked = day(&format!("{newest}-28"));
        for entry in ENTRIES.iter() {
            let still_there = |name: &str| {
                let other = row(entry.provider, name).unwrap_or_else(|| panic!("{name} has no row"));
                assert!(other.retired.is_none_or(|date| date > checked), "{name} is retired");
            };
            entry.successor.as_deref().into_iter().for_each(still_there);
            if entry.default != DefaultFor::None {
                assert_eq!(entry.retired, None, "{} is a default", entry.model);
            }
        }
    }

    #[test]
    fn every_service_with_models_of_its_own_has_a_default_for_each_tier() {
        for provider in Provider::ALL {
            let has = Tier::BOTH.map(|tier| default_model(provider, tier).is_some());
            let names_its_own = matches!(provider, Provider::OpenRouter | Provider::Azure | Provider::OpenAiCompatible);
            assert_eq!(has, [!names_its_own; 2], "{provider:?}");
        }
    }

    #[test]
    fn a_retired_model_names_its_successor() {
        let expected = Retired { date: day("2026-07-24"), successor: "deepseek-v4-flash".into() };
        assert_eq!(retired(Provider::DeepSeek, "deepseek-chat"), Some(expected));
        assert_eq!(retired(Provider::Xai, "grok-4-0709").unwrap().successor, "grok-4.3");
        assert_eq!(retired(Provider::OpenRouter, "x-ai/grok-4-fast").unwrap().successor, "x-ai/grok-4.3");
        assert_eq!(retired(Provider::Google, "models/gemini-2.5-pro").unwrap().date, day("2026-12-01"));
        assert_eq!(retired(Provider::OpenAi, "gpt-6.1-sol"), None);
        assert_eq!(retired(Provider::OpenAiCompatible, "deepseek-chat"), None);
    }

    #[test]
    fn a_price_is_told_only_where_it_is_that_of_the_provider() {
        let price = |provider, model| price(provider, model).map(|(_, as_of)| as_of);
        assert_eq!(price(Provider::OpenAi, "gpt-5.5-2026-04-23"), Some("2026-11"));
        assert_eq!(price(Provider::OpenRouter, "anthropic/claude-opus-5"), Some("2026-11"));
        for (provider, model) in [
            (Provider::OpenRouter, "openai/gpt-5.5:free"),
            (Provider::OpenRouter, "deepseek/deepseek-v4-pro"),
            (Provider::Azure, "gpt-5.5"),
            (Provider::Ollama, "qwen3:8b"),
            (Provider::OpenAi, "my-own"),
        ] {
            assert_eq!(price(provider, model), None, "{model}");
        }
    }
}
