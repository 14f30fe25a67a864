//! JSON schemas as services take them, made from those that schemars derives.

use serde_json::{Map, Value, json};

/// Limits within a schema that services refuse; the response is checked afterwards anyway.
const LIMITS: [&str; 7] = ["minimum", "maximum", "multipleOf", "minLength", "maxLength", "minItems", "maxItems"];
/// What only people and generators of code read, and strict validators refuse.
const REMARKS: [&str; 4] = ["$schema", "title", "format", "default"];

/// The schema with each object closed, and without limits.
pub(super) fn closed(schema: &Value) -> Value {
    mapped(schema, &|object| {
        object.retain(|keyword, _| !LIMITS.contains(&keyword.as_str()));
        close(object);
    })
}

/// The schema as OpenAI and Groq demand it of strict responses: each object closed, each property required, and those that
/// may be left out nullable instead (<https://platform.openai.com/docs/guides/structured-outputs>).
pub(super) fn strict(schema: &Value) -> Value {
    mapped(schema, &|object| {
        object.retain(|keyword, _| !LIMITS.contains(&keyword.as_str()) && !REMARKS.contains(&keyword.as_str()));
        close(object);
        require_all(object);
    })
}

/// Applies a change to each schema within a schema. What stands below `properties` and `$defs` are names, not keywords.
fn mapped(schema: &Value, change: &impl Fn(&mut Map<String, Value>)) -> Value {
    match schema {
        Value::Object(keywords) => {
            let inner = |(keyword, value): (&String, &Value)| {
                let value = match (keyword.as_str(), value) {
                    ("properties" | "$defs", Value::Object(named)) => {
                        named.iter().map(|(name, schema)| (name.clone(), mapped(schema, change))).collect()
                    }
                    ("enum" | "const" | "required" | "examples", value) => value.clone(),
                    (_, value) => mapped(value, change),
                };
                (keyword.clone(), value)
            };
            let mut object = keywords.iter().map(inner).collect();
            change(&mut object);
            object.into()
        }
        Value::Array(list) => list.iter().map(|schema| mapped(schema, change)).collect(),
        other => other.clone(),
    }
}

fn close(object: &mut Map<String, Value>) {
    if object.get("properties").is_some_and(Value::is_object) {
        object.insert("additionalProperties".into(), false.into());
    }
}

fn require_all(object: &mut Map<String, Value>) {
    let required = object.get("required").cloned().unwrap_or_default();
    let is_required = |name: &String| required.as_array().is_some_and(|names| names.iter().any(|one| one == name));
    let Some(properties) = object.get_mut("properties").and_then(Value::as_object_mut) else { return };
    for (name, schema) in properties.iter_mut() {
        if !is_required(name) && !is_nullable(schema) {
            *schema = json!({"anyOf": [schema.take(), {"type": "null"}]});
        }
    }
    let all: Value = properties.keys().cloned().collect();
    object.insert("required".into(), all);
}

fn is_nullable(schema: &Value) -> bool {
    let in_type = schema["type"].as_array().is_some_and(|types| types.iter().any(|one| one == "null"));
    let in_choice = schema["anyOf"].as_array().is_some_and(|choices| choices.iter().any(|one| one["type"] == "null"));
    in_type || in_choice
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_strict_schema_is_closed_throughout_and_requires_every_property() {
        let schema = json!({
            "$schema": "x", "title": "Plan", "type": "object", "required": ["title"],
            "properties": {
                "title": {"type": "string", "minLength": 1},
                "price": {"type": ["number", "null"], "format": "double"},
                "levels": {"type": "array", "items": {"type": "object", "properties": {"at": {"type": "number"}}}},
            },
        });
        let level = json!({
            "type": "object", "properties": {"at": {"anyOf": [{"type": "number"}, {"type": "null"}]}},
            "required": ["at"], "additionalProperties": false,
        });
        let levels = json!({"anyOf": [{"type": "array", "items": level}, {"type": "null"}]});
        let properties = json!({"title": {"type": "string"}, "price": {"type": ["number", "null"]}, "levels": levels});
        let strict = strict(&schema);
        assert_eq!(strict["properties"], properties);
        assert_eq!(strict["required"].as_array().unwrap().len(), 3);
        assert_eq!((&strict["additionalProperties"], strict.get("$schema")), (&json!(false), None));
    }
}
