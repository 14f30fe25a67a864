//! The keys of the model providers: one setting for each row of the provider table that names one.
//!
//! [`ProviderKeys`] is flattened into [`Config`](super::Config). Its schema, which documents the settings, and its
//! deserialization follow from the table, so a new provider needs no field.

use std::{borrow::Cow, collections::BTreeMap, fmt};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use secrecy::SecretString;
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{IgnoredAny, MapAccess, Visitor},
    ser::SerializeMap,
};
use serde_json::{Map, Value, json};

use crate::domain::Provider;

/// The keys that are set.
#[derive(Debug, Clone, Default)]
pub struct ProviderKeys(BTreeMap<Provider, SecretString>);

impl ProviderKeys {
    /// The key of a provider, if it is set.
    pub fn get(&self, provider: Provider) -> Option<&SecretString> {
        self.0.get(&provider)
    }
}

/// The providers that have a key, with its setting as fields are spelled: `openai_api_key`.
fn settings() -> impl Iterator<Item = (Provider, String)> {
    let named = |provider: Provider| (provider, provider.service().key.to_lowercase());
    Provider::ALL.into_iter().map(named).filter(|(_, key)| !key.is_empty())
}

/// The documentation of a provider's key.
fn description(provider: Provider) -> String {
    let service = provider.service();
    match provider {
        Provider::Ollama => {
            "The key of the Ollama server at OLLAMA_BASE_URL, if it wants one; ollama.com does, a local \
                             server does not."
                .into()
        }
        Provider::OpenAiCompatible => "The key of the server at LLM_BACKEND_URL, if it wants one.".into(),
        Provider::Azure => "The key of the Azure resource.".into(),
        Provider::Bedrock => format!(
            "The key of Amazon Bedrock, a Bedrock API key; keys are made at {}. Without it, requests are signed with \
             BEDROCK_ACCESS_KEY_ID.",
            service.keys_at.unwrap_or_default()
        ),
        _ => {
            let made_at = service.keys_at.map(|place| format!("; keys are made at {place}")).unwrap_or_default();
            format!("The key of {} (provider {}){made_at}.", service.name, provider.as_str())
        }
    }
}

impl JsonSchema for ProviderKeys {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "ProviderKeys".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let property = |(provider, key)| {
            let schema = json!({"type": ["string", "null"], "description": description(provider), "x-secret": true});
            (key, schema)
        };
        let properties: Map<String, Value> = settings().map(property).collect();
        json_schema!({"type": "object", "properties": properties})
    }
}

impl Serialize for ProviderKeys {
    /// Shows which keys are set, and nothing more.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (provider, key) in settings() {
            map.serialize_entry(&key, &self.get(provider).map(|_| "***"))?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for ProviderKeys {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Keys)
    }
}

struct Keys;

impl<'de> Visitor<'de> for Keys {
    type Value = ProviderKeys;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("keys of model providers")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<ProviderKeys, A::Error> {
        let mut keys = BTreeMap::new();
        while let Some(name) = map.next_key::<String>()? {
            match settings().find(|(_, key)| *key == name) {
                Some((provider, _)) => {
                    if let Some(key) = map.next_value::<Option<SecretString>>()? {
                        keys.insert(provider, key);
                    }
                }
                None => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(ProviderKeys(keys))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{load, settings as documented};

    #[test]
    fn every_provider_with_a_key_has_a_secret_setting_for_it() {
        let documented = documented();
        for provider in Provider::ALL {
            let name = provider.service().key;
            if name.is_empty() {
                continue;
            }
            let setting = documented.iter().find(|setting| setting.name == name).unwrap_or_else(|| panic!("{name}"));
            assert!(setting.secret && setting.doc.starts_with("The key of "), "{setting:?}");
            assert_eq!(setting.default, None);

            let config = load([(name.to_owned(), "canary-key".to_owned())]).unwrap();
            for other in Provider::ALL {
                assert_eq!(config.api_key(other).is_some(), other == provider, "{name} for {other:?}");
            }
            let shown = serde_json::to_value(&config).unwrap();
            assert_eq!(shown[name.to_lowercase()], "***");
            assert!(!format!("{config:?}{shown}").contains("canary"), "{name}");
        }
    }
}
