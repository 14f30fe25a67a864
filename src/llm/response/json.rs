//! JSON as servers write it, read for what it means.

use std::borrow::Cow;

use serde::de::DeserializeOwned;
use serde_json::Value;

/// Reads JSON. Half of a surrogate pair, which JSON allows in a string and UTF-8 does not (RFC 8259, 8.2), becomes the
/// replacement character.
pub fn lenient<T: DeserializeOwned>(bytes: &[u8]) -> serde_json::Result<T> {
    serde_json::from_slice(bytes).or_else(|error| match paired(&String::from_utf8_lossy(bytes)) {
        Cow::Owned(text) => serde_json::from_str(&text),
        Cow::Borrowed(text) if text.as_bytes() != bytes => serde_json::from_str(text),
        Cow::Borrowed(_) => Err(error),
    })
}

/// The text with each escape of a lone surrogate replaced.
fn paired(text: &str) -> Cow<'_, str> {
    let mut fixed = String::new();
    let (mut rest, mut done) = (0, 0);
    while let Some(at) = text[rest..].find('\\').map(|at| rest + at) {
        let Some(unit) = surrogate(text, at) else {
            // A backslash and what it escapes, which may be another backslash.
            rest = at + 1 + text[at + 1..].chars().next().map_or(0, char::len_utf8);
            continue;
        };
        if unit < 0xDC00 && surrogate(text, at + 6).is_some_and(|low| low >= 0xDC00) {
            rest = at + 12;
            continue;
        }
        fixed.push_str(&text[done..at]);
        fixed.push_str("\\ufffd");
        (rest, done) = (at + 6, at + 6);
    }
    if done == 0 {
        return text.into();
    }
    fixed.push_str(&text[done..]);
    fixed.into()
}

/// The surrogate whose escape begins here.
fn surrogate(text: &str, at: usize) -> Option<u16> {
    let digits = text.get(at..at + 6)?.strip_prefix("\\u")?;
    u16::from_str_radix(digits, 16).ok().filter(|unit| (0xD800..0xE000).contains(unit))
}

/// Takes a field out of an object; null if there is none.
pub fn take(value: &mut Value, field: &str) -> Value {
    value.get_mut(field).map(Value::take).unwrap_or_default()
}

/// A count, whatever kind of number it is; 0 for anything else, such as null.
pub fn count(value: &Value) -> u64 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a float is cut to the range of u64")]
    value.as_u64().or_else(|| value.as_f64().map(|number| number as u64)).unwrap_or_default()
}

/// The text of a message's content: a string, or the parts that are text. Parts of other kinds, such as reasoning, are
/// left out.
pub fn text_of(content: &Value) -> String {
    match content {
        Value::String(text) => text.clone(),
        Value::Array(parts) => parts.iter().map(text_of_part).collect(),
        _ => String::new(),
    }
}

fn text_of_part(part: &Value) -> &str {
    match part {
        Value::String(text) => text,
        part if part.get("type").is_none_or(|kind| kind == "text" || kind == "output_text") => {
            part["text"].as_str().unwrap_or_default()
        }
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn half_an_emoji_does_not_lose_the_text_around_it() {
        let read = |text: &str| lenient::<Value>(text.as_bytes()).unwrap();
        assert_eq!(read(r#""up \ud83d.""#), json!("up \u{fffd}."));
        assert_eq!(read(r#""\udc00\ud83d\ude00 \ud83d""#), json!("\u{fffd}😀 \u{fffd}"));
        assert_eq!(read(r#""\\ud83d""#), json!("\\ud83d"));
        assert_eq!(lenient::<Value>(b"\"\xff\"").unwrap(), json!("\u{fffd}"));
        assert!(lenient::<Value>(b"{").is_err());
    }

    #[test]
    fn a_count_may_be_any_number_or_none() {
        let counts = [json!(12), json!(12.0), Value::Null, json!("12"), json!(-1)];
        assert_eq!(counts.each_ref().map(count), [12, 12, 0, 0, 0]);
    }

    #[test]
    fn reasoning_among_the_parts_of_a_text_is_left_out() {
        let thought = json!({"type": "thinking", "thinking": [{"type": "text", "text": "Hm."}]});
        assert_eq!(text_of(&json!([thought, {"type": "text", "text": "Buy."}])), "Buy.");
        assert_eq!((text_of(&json!("Buy.")), text_of(&Value::Null)), ("Buy.".into(), String::new()));
    }
}
