//! Enumerations in the OpenAPI document, as generators of clients understand them.
//!
//! schemars describes each documented variant by a schema of its own (`oneOf` of `const`), of which generators make a type
//! for each word. Here they become one list of words, with the variants' descriptions in the description of the whole.

use aide::openapi::OpenApi;
use serde_json::{Value, json};

/// Makes each enumeration one list.
pub fn list(openapi: &mut OpenApi) {
    for schema in openapi.components.iter_mut().flat_map(|components| components.schemas.values_mut()) {
        if let Some((words, description)) = words(schema.json_schema.as_value()) {
            let schema = schema.json_schema.ensure_object();
            schema.remove("oneOf");
            schema.insert("type".into(), json!("string"));
            schema.insert("enum".into(), words);
            schema.insert("description".into(), description.into());
        }
    }
}

/// The words of an enumeration, and what they mean; none for any other schema.
fn words(schema: &Value) -> Option<(Value, String)> {
    let mut words = Vec::new();
    let mut description = schema["description"].as_str().unwrap_or_default().to_owned();
    for variant in schema["oneOf"].as_array()? {
        match (variant["enum"].as_array(), variant["const"].as_str()) {
            (Some(plain), _) => words.extend(plain.iter().cloned()),
            (None, Some(word)) => {
                words.push(word.into());
                if let Some(meaning) = variant["description"].as_str() {
                    description.extend(["\n\n`", word, "`: ", meaning]);
                }
            }
            (None, None) => return None,
        }
    }
    Some((words.into(), description))
}
