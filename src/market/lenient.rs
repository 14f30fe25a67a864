//! Lists of which one odd entry must not spoil the others.

use serde::{Deserialize, Deserializer, de::DeserializeOwned};
use serde_json::Value;

/// The entries of a list that have the expected form; for serde's `deserialize_with`.
pub fn those_that_fit<'de, T: DeserializeOwned, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<T>, D::Error> {
    let entries = Vec::<Value>::deserialize(deserializer)?;
    Ok(entries.into_iter().filter_map(|entry| serde_json::from_value(entry).ok()).collect())
}
