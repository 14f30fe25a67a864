//! What models cost: by `LLM_PRICES`, or by the catalog.

use std::{collections::BTreeMap, str::FromStr};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Usage, catalog};
use crate::domain::Provider;

/// The prices of models by `provider/model`, written `openai/gpt-5.5=1.25:10,anthropic/claude-opus-4-6=5:25:0.5`: US
/// dollars for a million tokens in, out, and read from the cache, which cost as much as the others if left out.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
pub struct Prices(#[schemars(with = "String")] BTreeMap<String, Price>);

/// The price of a model, US dollars for a million tokens.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Price {
    input: f64,
    output: f64,
    /// Read from the cache.
    cached: f64,
}

impl Prices {
    /// The price of a model, if it is in the list.
    fn of(&self, provider: Provider, model: &str) -> Option<Price> {
        self.0.get(&format!("{}/{model}", provider.as_str())).copied()
    }
}

/// The source of a model's price, in words; none if the price is not known.
pub fn price_source(prices: &Prices, provider: Provider, model: &str) -> Option<String> {
    known(prices, provider, model).map(|(_, source)| format!("prices of {source}"))
}

/// The price of a model and its source: `LLM_PRICES`, which takes precedence, or the month of the catalog's row.
pub(super) fn known(prices: &Prices, provider: Provider, model: &str) -> Option<(Price, &'static str)> {
    let set = prices.of(provider, model).map(|price| (price, "LLM_PRICES"));
    set.or_else(|| catalog::price(provider, model))
}

impl Price {
    /// The price of a million tokens in, out, and read from the cache.
    pub fn new(input: f64, output: f64, cached: f64) -> Self {
        Self { input, output, cached }
    }

    /// What these tokens cost, US dollars.
    #[expect(clippy::cast_precision_loss, reason = "nobody uses 2^53 tokens")]
    pub fn cost(self, usage: &Usage) -> f64 {
        let fresh = usage.tokens_in.saturating_sub(usage.tokens_cached);
        let [fresh, cached, out] = [fresh, usage.tokens_cached, usage.tokens_out].map(|tokens| tokens as f64 / 1e6);
        fresh * self.input + cached * self.cached + out * self.output
    }
}

impl FromStr for Prices {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        text.split(',').map(str::trim).filter(|entry| !entry.is_empty()).map(entry).collect::<Result<_, _>>().map(Self)
    }
}

fn entry(text: &str) -> Result<(String, Price), String> {
    let wrong = || format!("{text:?} is not a price; write it as openai/gpt-5.5=1.25:10");
    let (model, prices) = text.split_once('=').filter(|(model, _)| model.contains('/')).ok_or_else(wrong)?;
    let amount = |text: &str| text.trim().parse().ok().filter(|price: &f64| price.is_finite() && *price >= 0.0);
    let amounts: Vec<f64> = prices.split(':').map(amount).collect::<Option<_>>().ok_or_else(wrong)?;
    let (input, output, cached) = match amounts[..] {
        [input, output] => (input, output, input),
        [input, output, cached] => (input, output, cached),
        _ => return Err(wrong()),
    };
    Ok((model.trim().to_owned(), Price { input, output, cached }))
}

impl TryFrom<String> for Prices {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Prices> for String {
    fn from(prices: Prices) -> Self {
        let entries =
            prices.0.iter().map(|(model, price)| format!("{model}={}:{}:{}", price.input, price.output, price.cached));
        entries.collect::<Vec<_>>().join(",")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_of_the_cache_have_a_price_of_their_own() {
        let prices: Prices = "openai/gpt-5.5=1.25:10, anthropic/claude=5:25:0.5".parse().unwrap();
        let usage =
            Usage { calls: 1, tokens_in: 1_000_000, tokens_out: 100_000, tokens_cached: 400_000, cost_usd: None };
        let cost = |provider, model| prices.of(provider, model).map(|price: Price| price.cost(&usage));
        assert_eq!(cost(Provider::OpenAi, "gpt-5.5"), Some(2.25));
        assert_eq!(cost(Provider::Anthropic, "claude"), Some(5.7));
        assert_eq!(cost(Provider::OpenAi, "claude"), None);
        assert_eq!(String::from(prices.clone()).parse(), Ok(prices));
    }

    #[test]
    fn the_setting_comes_before_the_catalog() {
        let prices: Prices = "openai/gpt-5.5=1:2".parse().unwrap();
        let known = |model| known(&prices, Provider::OpenAi, model);
        assert_eq!(known("gpt-5.5"), Some((Price::new(1.0, 2.0, 1.0), "LLM_PRICES")));
        let (_, source) = known("gpt-5.6-sol").unwrap();
        assert!(source.starts_with("2026-"), "{source}");
        assert_eq!(known("my-own"), None);
    }

    #[test]
    fn a_sum_has_a_cost_only_if_each_part_has() {
        let call = |cost_usd| Usage { calls: 1, cost_usd, ..Usage::default() };
        let sum = |costs: &[Option<f64>]| {
            let mut total = Usage::default();
            for cost in costs {
                total += call(*cost);
            }
            total.cost_usd
        };
        assert_eq!(sum(&[Some(1.0), Some(0.5)]), Some(1.5));
        assert_eq!(sum(&[Some(1.0), None, Some(1.0)]), None);
        assert_eq!(sum(&[]), None);
    }

    #[test]
    fn a_price_that_can_not_be_read_is_shown() {
        for wrong in ["gpt-5.5=1:2", "openai/gpt-5.5", "openai/gpt-5.5=1", "a/b=1:x", "a/b=-1:2", "a/b=1:2:3:4"] {
            assert!(wrong.parse::<Prices>().unwrap_err().contains(wrong));
        }
    }
}
