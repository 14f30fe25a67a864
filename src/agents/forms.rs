//! Reading what models put into forms: the JSON in a response, and the values in it, for what they mean.

use serde::{Deserialize, Deserializer, de::Error};
use serde_json::{Deserializer as JsonDeserializer, Map, Value};

use super::rating;
use crate::domain::{Decision, Rating};

/// How many objects of a text are tried.
const MAX_OBJECTS: usize = 20;
/// What models write for nothing.
const NOTHING: [&str; 9] = ["", "none", "n/a", "na", "null", "nil", "-", "tbd", "unknown"];

/// The form in a text. Prose and fences around it don't matter, and neither does an object that wraps it.
pub fn read<T: for<'de> Deserialize<'de>>(text: &str) -> Result<T, String> {
    let objects = objects(text);
    if objects.is_empty() {
        let cut_off = text.contains('{');
        return Err(if cut_off { "the JSON object does not end" } else { "there is no JSON object in it" }.into());
    }
    let mut wrong = None;
    for object in objects {
        match of_object(&object) {
            Ok(form) => return Ok(form),
            Err(error) => wrong = wrong.or(Some(error)),
        }
    }
    Err(wrong.unwrap_or_default())
}

fn of_object<T: for<'de> Deserialize<'de>>(object: &Map<String, Value>) -> Result<T, String> {
    let read = |object: &Map<String, Value>| serde_json::from_value(Value::Object(object.clone()));
    read(object).or_else(|error| {
        let wrapped = object.values().filter_map(Value::as_object).find_map(|inner| read(inner).ok());
        wrapped.ok_or_else(|| error.to_string())
    })
}

/// The JSON objects in a text, the outermost of each.
fn objects(text: &str) -> Vec<Map<String, Value>> {
    let (mut objects, mut rest) = (Vec::new(), text);
    while let Some(start) = rest.find('{').filter(|_| objects.len() < MAX_OBJECTS) {
        rest = &rest[start..];
        let mut values = JsonDeserializer::from_str(rest).into_iter::<Value>();
        match values.next() {
            Some(Ok(Value::Object(object))) => {
                objects.push(object);
                rest = &rest[values.byte_offset()..];
            }
            _ => rest = &rest[1..],
        }
    }
    objects
}

/// Whether a text says that there is nothing.
pub fn is_nothing(text: &str) -> bool {
    NOTHING.contains(&text.trim().to_lowercase().as_str())
}

/// A text. Lists become lines, and numbers what they read as.
pub fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let value = Value::deserialize(deserializer)?;
    words(&value).ok_or_else(|| D::Error::custom(format!("{value} is not a text")))
}

/// A text that may be missing.
pub fn optional_text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let value = Value::deserialize(deserializer)?;
    Ok(words(&value).filter(|text| !is_nothing(text)))
}

fn words(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Array(list) => Some(list.iter().filter_map(words).collect::<Vec<_>>().join("\n")),
        Value::Object(fields) => {
            let lines = fields.iter().filter_map(|(name, value)| Some(format!("{name}: {}", words(value)?)));
            Some(lines.collect::<Vec<_>>().join("\n"))
        }
        Value::Bool(_) | Value::Null => None,
    }
}

/// A word of a choice: without marks of Markdown, remarks after it, and whatever its case.
pub fn word<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    String::deserialize(deserializer).map(|text| bare_word(&text))
}

/// The word in lower case, its parts separated by one blank.
fn bare_word(text: &str) -> String {
    let said =
        text.split(['(', ':', ';', ',', '—', '–', '|', '/']).find(|part| !part.trim().is_empty()).unwrap_or_default();
    let parts = said.split(|c: char| !c.is_alphanumeric()).filter(|part| !part.is_empty());
    parts.collect::<Vec<_>>().join(" ").to_lowercase()
}

/// A tier of the rating.
pub fn tier<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Rating, D::Error> {
    let said = String::deserialize(deserializer)?;
    let word = bare_word(&said);
    let word = word.strip_prefix("strong ").or_else(|| word.strip_prefix("strongly ")).unwrap_or(&word);
    let known = "Buy, Overweight, Hold, Underweight, Sell";
    rating::tier(word).ok_or_else(|| D::Error::custom(format!("{said:?} is not one of {known}")))
}

/// What to do: a tier says it too.
pub fn action<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Decision, D::Error> {
    tier(deserializer).map(Rating::decision)
}

/// A price that may be missing, in any currency. Of a range, the middle is meant.
pub fn price<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<f64>, D::Error> {
    let value = Value::deserialize(deserializer)?;
    let read = match &value {
        Value::Null => return Ok(None),
        Value::String(text) if is_nothing(text) => return Ok(None),
        Value::Number(number) => number.as_f64(),
        Value::String(text) => match numbers(text)[..] {
            [one] => Some(one),
            [from, to] => Some(f64::midpoint(from, to)),
            _ => None,
        },
        _ => None,
    };
    let read = read.filter(|number| number.is_finite());
    read.map(Some).ok_or_else(|| D::Error::custom(format!("{value} is not a number")))
}

/// A score from 0 to 10, also as `7/10`, `70/100` or `70 %`.
pub fn score<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    let value = Value::deserialize(deserializer)?;
    let read = match &value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => match (numbers(text).as_slice(), text.contains('%')) {
            (&[part], true) => Some(part / 10.0),
            (&[score], false) => Some(score),
            (&[part, whole], _) if whole > 0.0 => Some(part / whole * 10.0),
            _ => None,
        },
        _ => None,
    };
    let read = read.filter(|score| (0.0..=10.0).contains(score));
    read.ok_or_else(|| D::Error::custom(format!("{value} is not a number from 0 to 10")))
}

/// The numbers in a text, without signs: in prices and scores a `-` stands between two.
fn numbers(text: &str) -> Vec<f64> {
    let parts =
        text.split(|c: char| !(c.is_ascii_digit() || c == '.' || c == ',')).map(|part| part.trim_matches(['.', ',']));
    parts.filter(|part| !part.is_empty()).filter_map(number).collect()
}

/// A number with separators of thousands, in English or as most of Europe writes it.
fn number(text: &str) -> Option<f64> {
    let (comma, point) = (text.rfind(','), text.rfind('.'));
    // A comma is a decimal one if it comes last and no group of three digits follows.
    let decimal_comma = match (comma, point) {
        (Some(comma), Some(point)) => comma > point,
        (Some(comma), None) => text.matches(',').count() == 1 && text.len() - comma - 1 != 3,
        _ => false,
    };
    let plain = if decimal_comma { text.replace('.', "").replace(',', ".") } else { text.replace(',', "") };
    plain.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Deserialize)]
    struct Form {
        #[serde(deserialize_with = "tier")]
        rating: Rating,
        #[serde(default, deserialize_with = "price")]
        price: Option<f64>,
    }

    #[test]
    fn a_form_is_found_in_prose_in_fences_and_in_an_object_around_it() {
        let form = Form { rating: Rating::Buy, price: Some(900.0) };
        let json = r#"{"rating": "Buy", "price": 900}"#;
        for text in [
            json.to_owned(),
            format!("Here {{you}} are:\n```json\n{json}\n```\nThat's it {{really}}."),
            format!(r#"{{"decision": {json}}}"#),
            format!(r#"{{"name": "decision", "arguments": {json}}}"#),
            format!("[{json}]"),
            format!(r#"{{"thought": "Hm."}} {json}"#),
        ] {
            assert_eq!(read::<Form>(&text).as_ref(), Ok(&form), "{text}");
        }
        assert_eq!(read::<Form>("Buy!").unwrap_err(), "there is no JSON object in it");
        assert_eq!(read::<Form>(r#"{"rating": "Bu"#).unwrap_err(), "the JSON object does not end");
    }

    #[test]
    fn ratings_are_read_in_any_case_and_dress() {
        for said in ["BUY", "**Buy**", "buy.", "Strong Buy", "Buy (high conviction)", "Buy — with a stop"] {
            assert_eq!(tier(Value::from(said)).unwrap(), Rating::Buy, "{said}");
        }
        assert_eq!(action(Value::from("Underweight")).unwrap(), Decision::Sell);
        for said in ["To the moon", "", "buyer", "not a buy"] {
            tier(Value::from(said)).unwrap_err();
        }
    }

    #[test]
    fn prices_are_read_in_any_currency_and_a_range_means_its_middle() {
        let read = |said: &str| price(Value::from(said)).unwrap();
        assert_eq!(read("$1,234.5"), Some(1234.5));
        assert_eq!(read("850 USD"), Some(850.0));
        assert_eq!(read("$900 - $910"), Some(905.0));
        assert_eq!(read("1.234,50 €"), Some(1234.5));
        assert_eq!((read("3,5"), read("12,000")), (Some(3.5), Some(12_000.0)));
        assert_eq!((read("N/A"), read("tbd")), (None, None));
        price(Value::from("around the close")).unwrap_err();
        price(Value::from("1, 2 or 3")).unwrap_err();
    }

    #[test]
    fn scores_are_read_as_parts_of_ten() {
        let read = |said: &str| score(Value::from(said)).unwrap();
        assert_eq!((read("7/10"), read("7.2"), read("70/100"), read("72 %")), (7.0, 7.2, 7.0, 7.2));
        score(Value::from(11)).unwrap_err();
    }

    #[test]
    fn lists_and_numbers_become_text() {
        let read = |value: Value| text(value).unwrap();
        assert_eq!(read(serde_json::json!(["One.", "Two."])), "One.\nTwo.");
        assert_eq!((read(5.into()), read(serde_json::json!({"size": "2 %"}))), ("5".into(), "size: 2 %".into()));
        text(Value::Null).unwrap_err();
    }
}
