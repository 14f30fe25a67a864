//! Reading the settings, and saying which one is wrong.
//!
//! envy reads them all at once and names no variable in its errors. So each is first read alone: what fails then is
//! the variable's own fault, and its schema says what is allowed.

use std::{collections::BTreeMap, fs};

use schemars::generate::SchemaSettings;
use serde_json::Value;

use super::Config;

/// A setting that can't be used; one line that names the variable, the value and what is allowed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    #[error("{name}={value:?} is not allowed: {problem}; it is {allowed}")]
    Value { name: String, value: String, problem: String, allowed: String },
    #[error("{name}_FILE={path:?} can't be read: {cause}; it is the path of a file that holds {name}")]
    File { name: String, path: String, cause: String },
    #[error("{name} and {name}_FILE are both set; unset one of them")]
    Both { name: String },
    #[error("JOB_SOFT_TIME_LIMIT={soft} is longer than JOB_TIME_LIMIT={hard}; the soft limit comes first")]
    Limits { soft: u64, hard: u64 },
    #[error("REDIS_TLS_CERT and REDIS_TLS_KEY go together; set both or none")]
    HalfIdentity,
    #[error("BEDROCK_ACCESS_KEY_ID and BEDROCK_SECRET_ACCESS_KEY go together; set both or none")]
    HalfBedrockKey,
}

/// What is known of one setting.
#[derive(Debug, Clone, PartialEq)]
pub struct Setting {
    /// The variable's name: `WORKER_CONCURRENCY`.
    pub name: String,
    /// What it means, and its unit.
    pub doc: String,
    /// The default as it would be written; none if unset means something of its own.
    pub default: Option<String>,
    /// What may be written.
    pub allowed: String,
    /// Whether its value is never shown, and can come from a file.
    pub secret: bool,
    schema: Value,
}

/// All settings, by name.
pub fn settings() -> Vec<Setting> {
    let schema = SchemaSettings::draft2020_12()
        .with(|settings| settings.inline_subschemas = true)
        .into_generator()
        .into_root_schema_for::<Config>()
        .to_value();
    let properties = schema["properties"].as_object().cloned().unwrap_or_default();
    properties.into_iter().map(|(field, schema)| Setting::new(&field, schema)).collect()
}

/// Reads the settings from variables, which are usually the process's environment.
pub fn load(variables: impl IntoIterator<Item = (String, String)>) -> Result<Config, ConfigError> {
    let variables: BTreeMap<_, _> = variables.into_iter().filter(|(_, value)| !value.trim().is_empty()).collect();
    let mut given = Vec::new();
    for setting in settings() {
        if let Some(value) = setting.find(&variables)? {
            setting.check(&value)?;
            given.push((setting.name, value));
        }
    }
    let config: Config = envy::from_iter(given).expect("each setting was read before");
    if config.job_soft_time_limit > config.job_time_limit {
        return Err(ConfigError::Limits { soft: config.job_soft_time_limit, hard: config.job_time_limit });
    }
    if config.redis_tls_cert.is_some() != config.redis_tls_key.is_some() {
        return Err(ConfigError::HalfIdentity);
    }
    if config.bedrock_access_key_id.is_some() != config.bedrock_secret_access_key.is_some() {
        return Err(ConfigError::HalfBedrockKey);
    }
    Ok(config)
}

impl Setting {
    fn new(field: &str, schema: Value) -> Self {
        Self {
            name: field.to_uppercase(),
            doc: schema["description"].as_str().unwrap_or_default().replace('\n', " "),
            default: match &schema["default"] {
                Value::Null => None,
                Value::String(text) => Some(text.clone()),
                other => Some(other.to_string()),
            },
            allowed: allowed(&schema),
            secret: schema["x-secret"] == true,
            schema,
        }
    }

    /// The value of the variable, or of the file that `NAME_FILE` names.
    fn find(&self, variables: &BTreeMap<String, String>) -> Result<Option<String>, ConfigError> {
        let name = &self.name;
        let value = variables.get(name).map(|value| value.trim().to_owned());
        let path = variables.get(&format!("{name}_FILE")).filter(|_| self.secret);
        match (value, path) {
            (Some(_), Some(_)) => Err(ConfigError::Both { name: name.clone() }),
            (value, None) => Ok(value),
            (None, Some(path)) => match fs::read_to_string(path) {
                Ok(content) => Ok(Some(content.trim().to_owned())),
                Err(e) => Err(ConfigError::File { name: name.clone(), path: path.clone(), cause: e.to_string() }),
            },
        }
    }

    fn check(&self, value: &str) -> Result<(), ConfigError> {
        let alone = envy::from_iter::<_, Config>([(self.name.clone(), value.to_owned())]);
        let problem = match alone {
            Ok(_) if self.within_limits(value) => return Ok(()),
            Ok(_) => "out of range".into(),
            Err(_) if self.secret => "not of the right form".into(),
            Err(error) => short_problem(&error),
        };
        Err(ConfigError::Value {
            name: self.name.clone(),
            value: if self.secret { "***".into() } else { value.into() },
            problem,
            allowed: self.allowed.clone(),
        })
    }

    /// Whether a number lies within the schema's minimum and maximum; serde does not look at them.
    fn within_limits(&self, value: &str) -> bool {
        let limit = |key: &str| self.schema[key].as_f64();
        let Ok(number) = value.parse::<f64>() else { return true };
        limit("minimum").is_none_or(|min| number >= min) && limit("maximum").is_none_or(|max| number <= max)
    }
}

/// envy's words without the value and the name, which the whole line has already.
fn short_problem(error: &envy::Error) -> String {
    let text = error.to_string();
    text.split(" while parsing value").next().unwrap_or(&text).to_owned()
}

/// What a schema allows, in words.
fn allowed(schema: &Value) -> String {
    if let Some(words) = schema["x-allowed"].as_str() {
        return words.into();
    }
    let kind = match &schema["type"] {
        Value::Array(kinds) => kinds[0].as_str(),
        kind => kind.as_str(),
    };
    let words = choices(schema).map(|choices| format!("one of {}", choices.join(", ")));
    let text = match kind {
        Some("integer") => "a whole number",
        Some("number") => "a number",
        Some("boolean") => "true or false",
        _ if schema["format"] == "uri" => "a URL such as http://host:8000",
        _ => "a text",
    };
    let range = match (schema["minimum"].as_f64(), schema["maximum"].as_f64()) {
        (Some(min), Some(max)) => format!(" from {min} to {max}"),
        (Some(min), None) => format!(" of at least {min}"),
        (None, Some(max)) => format!(" of at most {max}"),
        (None, None) => String::new(),
    };
    words.unwrap_or_else(|| format!("{text}{range}"))
}

/// The words of an enumeration, whose variants have a description each or not.
fn choices(schema: &Value) -> Option<Vec<&str>> {
    if let Some(words) = schema["enum"].as_array() {
        return Some(words.iter().filter_map(Value::as_str).collect());
    }
    let variants = schema["oneOf"].as_array()?;
    Some(variants.iter().filter_map(|variant| variant["const"].as_str()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Provider;

    fn load_one(name: &str, value: &str) -> Result<Config, ConfigError> {
        load([(name.to_owned(), value.to_owned())])
    }

    #[test]
    fn without_variables_every_setting_has_its_default() {
        let config = load([]).unwrap();
        assert_eq!(config.worker_concurrency, 2);
        assert_eq!(config.api_listen.to_string(), "127.0.0.1:8000");
    }

    #[test]
    fn an_empty_variable_is_an_unset_one() {
        assert_eq!(load_one("WORKER_CONCURRENCY", " ").unwrap().worker_concurrency, 2);
    }

    #[test]
    fn a_wrong_value_is_named_with_what_is_allowed() {
        for (name, value, line) in [
            (
                "WORKER_CONCURRENCY",
                "many",
                r#"WORKER_CONCURRENCY="many" is not allowed: invalid digit found in string; it is a whole number from 1 to 256"#,
            ),
            (
                "WORKER_CONCURRENCY",
                "0",
                r#"WORKER_CONCURRENCY="0" is not allowed: out of range; it is a whole number from 1 to 256"#,
            ),
            ("LLM_PROVIDER", "skynet", "it is one of ollama, openai, anthropic, google, xai, openrouter"),
            ("LLM_TEMPERATURE", "3", "it is a number from 0 to 2"),
            ("API_LISTEN", "localhost", r#"API_LISTEN="localhost" is not allowed: invalid socket address syntax"#),
            ("MAX_DEBATE_ROUNDS", "9", "9 is not within 1 to 5"),
            ("PRICE_VENDORS", "csv,bloomberg", r#""bloomberg" is not a price vendor"#),
            ("REDIS_QUEUE", "{ta}", "it is a name of at most 64 letters"),
            ("REDIS_TLS_CERT", "client.pem", "REDIS_TLS_CERT and REDIS_TLS_KEY go together"),
            ("BEDROCK_ACCESS_KEY_ID", "AKIA", "BEDROCK_ACCESS_KEY_ID and BEDROCK_SECRET_ACCESS_KEY go together"),
            ("JOB_SOFT_TIME_LIMIT", "2000", "JOB_SOFT_TIME_LIMIT=2000 is longer than JOB_TIME_LIMIT=1800"),
        ] {
            let error = load_one(name, value).unwrap_err().to_string();
            assert!(error.contains(line), "{error}");
            assert!(!error.contains('\n'), "{error}");
        }
    }

    #[test]
    fn secrets_come_from_a_file_and_show_nowhere() {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), "canary-key\n").unwrap();
        let config = load_one("OPENAI_API_KEY_FILE", file.path().to_str().unwrap()).unwrap();
        assert_eq!(secrecy::ExposeSecret::expose_secret(config.api_key(Provider::OpenAi).unwrap()), "canary-key");
        assert!(!format!("{config:?}").contains("canary"));

        let config = load_one("REDIS_URL", "redis://user:canary-password@host:6379/1").unwrap();
        assert!(!format!("{config:?}").contains("canary"));
        let config =
            load_one("REDIS_URL", "redis-sentinel://host?sentinelPassword=canary&sentinelServiceName=m").unwrap();
        assert!(!format!("{config:?}").contains("canary") && format!("{config:?}").contains("sentinelServiceName=m"));
        for name in ["OLLAMA_BASE_URL", "VENDOR_GATEWAY"] {
            let config = load_one(name, "http://user:canary-password@host").unwrap();
            let shown = serde_json::to_string(&config).unwrap();
            assert!(!format!("{config:?}{shown}").contains("canary"), "{name}");
        }
        let error = load_one("REDIS_URL", "http://user:canary-password@host").unwrap_err();
        assert!(!error.to_string().contains("canary"));
    }

    #[test]
    fn every_setting_is_described_and_says_what_is_allowed() {
        let settings = settings();
        assert!(settings.len() > 30);
        for setting in settings {
            assert!(!setting.doc.is_empty(), "{} has no description", setting.name);
        }
    }
}
