//! Settings of a job that limit what its agents read.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// A count from 1 to `MAX`. In JSON, 3 and 3.0 are the same number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "f64", into = "u32")]
pub struct UpTo<const MAX: u32>(u32);

impl<const MAX: u32> UpTo<MAX> {
    /// A count that is written in the program.
    pub const fn new(count: u32) -> Self {
        assert!(1 <= count && count <= MAX);
        Self(count)
    }

    /// The count.
    pub fn get(self) -> u32 {
        self.0
    }
}

impl<const MAX: u32> TryFrom<f64> for UpTo<MAX> {
    type Error = String;

    fn try_from(number: f64) -> Result<Self, String> {
        let count = (1..=MAX).find(|count| f64::from(*count).total_cmp(&number).is_eq());
        count.map(Self).ok_or_else(|| format!("{number} is not a whole number from 1 to {MAX}"))
    }
}

impl<const MAX: u32> From<UpTo<MAX>> for u32 {
    fn from(count: UpTo<MAX>) -> Self {
        count.0
    }
}

impl<const MAX: u32> JsonSchema for UpTo<MAX> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        format!("UpTo{MAX}").into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "integer", "minimum": 1, "maximum": MAX})
    }
}

/// The most queries, and the longest of them in characters.
const MOST: usize = 10;
const LONGEST: usize = 100;
/// Queries with semicolons between them, as a pattern: each begins with a character that is not blank.
const IN_A_TEXT: &str = "^[\\u0000-\\u0020;]*[^\\u0000-\\u0020;][^;]{0,99}\
                         ([\\u0000-\\u0020]*;[\\u0000-\\u0020;]*[^\\u0000-\\u0020;][^;]{0,99}){0,9}[\\u0000-\\u0020;]*$";

/// What news on the markets is searched for: a list, or a text with semicolons between the queries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Vec<String>")]
pub struct NewsQueries(Vec<String>);

impl JsonSchema for NewsQueries {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "NewsQueries".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let query = json_schema!({"type": "string", "pattern": "[^\\u0000-\\u0020]", "maxLength": LONGEST});
        json_schema!({"anyOf": [
            {"type": "array", "items": query, "minItems": 1, "maxItems": MOST},
            {"type": "string", "pattern": IN_A_TEXT},
        ]})
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Written {
    List(Vec<String>),
    Text(String),
}

impl NewsQueries {
    /// The queries, at least one.
    pub fn as_slice(&self) -> &[String] {
        &self.0
    }
}

impl TryFrom<Written> for NewsQueries {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, String> {
        let is_blank = |c: char| c <= ' ';
        let queries: Vec<String> = match written {
            Written::List(queries) => queries,
            Written::Text(text) => {
                let queries = text.split(';').map(|query| query.trim_matches(is_blank));
                queries.filter(|query| !query.is_empty()).map(str::to_owned).collect()
            }
        };
        if queries.is_empty() || queries.len() > MOST {
            return Err(format!("{} queries given; give 1 to {MOST}", queries.len()));
        }
        if let Some(length) = queries.iter().map(|query| query.chars().count()).find(|length| *length > LONGEST) {
            return Err(format!("a query has {length} characters; the maximum is {LONGEST}"));
        }
        if queries.iter().any(|query| query.chars().all(is_blank)) {
            return Err("a query is empty; leave it out".into());
        }
        let words = |query: &String| {
            let words: Vec<_> = query.split(is_blank).filter(|word| !word.is_empty()).collect();
            words.join(" ")
        };
        Ok(Self(queries.iter().map(words).collect()))
    }
}

impl From<NewsQueries> for Vec<String> {
    fn from(queries: NewsQueries) -> Self {
        queries.0
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, from_value, json};

    use super::*;

    #[test]
    fn queries_are_a_list_or_a_text_with_semicolons() {
        let read = |value: Value| from_value::<NewsQueries>(value).map(Vec::from).map_err(|error| error.to_string());
        assert_eq!(read(json!("oil price;  OPEC  cuts ;")).unwrap(), ["oil price", "OPEC cuts"]);
        assert_eq!(read(json!(["oil, gas"])).unwrap(), ["oil, gas"]);
        assert!(read(json!(" ; ")).unwrap_err().contains("give 1 to 10"));
        assert!(read(json!(["x".repeat(101)])).unwrap_err().contains("the maximum is 100"));
        assert!(read(json!(["oil", " "])).unwrap_err().contains("a query is empty"));
    }

    #[test]
    fn a_count_is_a_whole_number_within_its_limits() {
        assert_eq!(from_value::<UpTo<100>>(json!(20.0)).unwrap().get(), 20);
        for wrong in [json!(0), json!(101), json!(1.5), json!("many")] {
            assert!(from_value::<UpTo<100>>(wrong).is_err());
        }
    }
}
