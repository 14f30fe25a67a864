//! The forms in which a model's name comes: with a date, with `-latest`, with `models/` before it, or through a gateway
//! with the vendor's name.

use std::borrow::Cow;

use crate::domain::Provider;

/// Whose model a name stands for, and under which name.
pub(super) struct Listed<'a> {
    pub provider: Provider,
    pub model: Cow<'a, str>,
    /// Whether the price is the provider's own.
    pub same_price: bool,
}

/// Leads from a name at a provider to the one whose catalog has it. A deployment of Azure and a model of a server of
/// one's own may have any name, so nothing follows from it.
pub(super) fn resolve(provider: Provider, model: &str) -> Option<Listed<'_>> {
    let own = |model| Some(Listed { provider, model: Cow::Borrowed(model), same_price: true });
    match provider {
        Provider::Azure | Provider::OpenAiCompatible => None,
        Provider::OpenRouter => behind_gateway(model),
        Provider::Google => own(model.strip_prefix("models/").unwrap_or(model)),
        // The ARN of a model or profile ends in its id.
        Provider::Bedrock => own(model.rsplit_once('/').map_or(model, |(_, id)| id)),
        // The part after the colon selects the host.
        Provider::HuggingFace => own(model.split_once(':').map_or(model, |(name, _)| name)),
        _ => own(model),
    }
}

/// A model at `OpenRouter`: `vendor/model`, or `vendor/model:variant`. Closed models have their vendor's price there;
/// the price of open ones depends on the host.
fn behind_gateway(model: &str) -> Option<Listed<'_>> {
    let (vendor, name) = model.split_once('/')?;
    let (name, variant) = name.split_once(':').map_or((name, None), |(name, variant)| (name, Some(variant)));
    let (provider, is_closed) = match vendor.trim_start_matches('~') {
        "openai" => (Provider::OpenAi, true),
        "anthropic" => (Provider::Anthropic, true),
        "google" => (Provider::Google, true),
        "x-ai" => (Provider::Xai, true),
        "deepseek" => (Provider::DeepSeek, false),
        "mistralai" => (Provider::Mistral, false),
        "moonshotai" => (Provider::Moonshot, false),
        "minimax" => (Provider::MiniMax, false),
        "qwen" => (Provider::Qwen, false),
        "z-ai" => (Provider::Glm, false),
        _ => return None,
    };
    // OpenRouter writes claude-opus-4.6 for what Anthropic writes claude-opus-4-6.
    let model = if provider == Provider::Anthropic { name.replace('.', "-").into() } else { Cow::Borrowed(name) };
    Some(Listed { provider, model, same_price: is_closed && variant.is_none() })
}

/// The name itself, then the name without `-latest` or its date: the order of lookups.
pub(super) fn forms(name: &str) -> Vec<String> {
    let mut forms = vec![name.to_owned()];
    let short = name.strip_suffix("-latest").unwrap_or_else(|| without_date(name));
    if short != name {
        forms.push(short.into());
    }
    forms
}

/// The name without the date at its end: `-2026-04-23`, `-20260423`, `@20260423` or `-0423`.
fn without_date(name: &str) -> &str {
    for (form, separators) in [("####-##-##", "-"), ("########", "-@"), ("####", "-")] {
        let Some((rest, date)) = name.len().checked_sub(form.len()).and_then(|at| name.split_at_checked(at)) else {
            continue;
        };
        let fits = date.chars().zip(form.chars()).all(|(c, f)| if f == '#' { c.is_ascii_digit() } else { c == f });
        if let Some(short) = rest.strip_suffix(|c: char| separators.contains(c)).filter(|_| fits && is_day(date)) {
            return short;
        }
    }
    name
}

/// Whether the last four digits are a month and a day. Mistral's names end in year and month, which is not a date.
fn is_day(date: &str) -> bool {
    let digits: String = date.chars().filter(char::is_ascii_digit).collect();
    let (month, day) = digits[digits.len() - 4..].split_at(2);
    matches!(month.parse(), Ok(1..=12)) && matches!(day.parse(), Ok(1..=31))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_and_latest_are_left_out() {
        for (name, short) in [
            ("gpt-5.5-2026-04-23", "gpt-5.5"),
            ("claude-sonnet-4-5-20250929", "claude-sonnet-4-5"),
            ("claude-opus-5@20260801", "claude-opus-5"),
            ("grok-4.3-latest", "grok-4.3"),
            ("grok-4-0709", "grok-4"),
        ] {
            assert_eq!(forms(name), [name, short]);
        }
        for name in
            ["mistral-large-2512", "gpt-5.5", "gpt-oss-120b", "qwen3:8b", "20260423", "", "é-0709x", "kimi-k2.6"]
        {
            assert_eq!(forms(name), [name]);
        }
    }

    #[test]
    fn a_gateway_names_the_vendor() {
        let found = |provider, model| {
            resolve(provider, model).map(|listed| (listed.provider, listed.model.into_owned(), listed.same_price))
        };
        let gateway = |model| found(Provider::OpenRouter, model);
        assert_eq!(gateway("openai/gpt-5.5"), Some((Provider::OpenAi, "gpt-5.5".into(), true)));
        assert_eq!(gateway("anthropic/claude-opus-4.6"), Some((Provider::Anthropic, "claude-opus-4-6".into(), true)));
        assert_eq!(gateway("openai/gpt-5.5:free"), Some((Provider::OpenAi, "gpt-5.5".into(), false)));
        assert_eq!(gateway("z-ai/glm-5.3"), Some((Provider::Glm, "glm-5.3".into(), false)));
        assert_eq!(gateway("gpt-5.5"), None);
        assert_eq!(gateway("somebody/gpt-5.5"), None);
        assert_eq!(found(Provider::Google, "models/m"), Some((Provider::Google, "m".into(), true)));
        assert_eq!(found(Provider::HuggingFace, "a/b:host"), Some((Provider::HuggingFace, "a/b".into(), true)));
        let profile = "us.anthropic.claude-opus-5-5";
        let arn = format!("arn:aws:bedrock:us-east-1:123456789012:inference-profile/{profile}");
        assert_eq!(found(Provider::Bedrock, &arn), Some((Provider::Bedrock, profile.into(), true)));
        assert_eq!(found(Provider::Azure, "gpt-5.5"), None);
    }
}
