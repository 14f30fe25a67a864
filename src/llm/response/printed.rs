//! Tool calls that a model prints as text, because its server does not parse them.
//!
//! Each family of models has marks of its own around its calls. A text with such a mark is never a report: its calls are
//! read if the tools are on offer, and otherwise the response is unusable. Without marks, a text counts as a call only if
//! it ends with nothing but JSON that names an offered tool and its arguments; a report may quote JSON.

use serde_json::{Deserializer, Map, Value};

use super::{super::ToolSpec, RawCall};

/// What a text turned out to be.
#[derive(Debug, PartialEq)]
pub enum Printed {
    /// A text like any other.
    Nothing,
    /// Calls of offered tools, and the prose around them.
    Calls { calls: Vec<RawCall>, prose: String },
    /// A call that can't be carried out, and the prose around it.
    Unusable { prose: String },
}

/// The marks around calls; where the second is empty, the call goes on to the end of the text.
const MARKS: [(&str, &str); 18] = [
    ("<tool_call>", "</tool_call>"), // Qwen, Hermes, GLM
    ("<tool_calls>", "</tool_calls>"),
    ("<function_calls>", "</function_calls>"),
    ("<function_call>", "</function_call>"),
    ("<minimax:tool_call>", "</minimax:tool_call>"),
    ("<invoke ", "</invoke>"),
    ("<function=", "</function>"),
    ("[TOOL_CALLS]", ""),                                           // Mistral
    ("<|python_tag|>", ""),                                         // Llama 3
    ("<|tool_calls_section_begin|>", "<|tool_calls_section_end|>"), // Kimi
    ("<|tool_call_begin|>", "<|tool_call_end|>"),
    ("<｜tool▁calls▁begin｜>", "<｜tool▁calls▁end｜>"), // DeepSeek
    ("<｜tool▁call▁begin｜>", "<｜tool▁call▁end｜>"),
    ("<|tool_call_start|>", "<|tool_call_end|>"), // LFM2
    ("<|tool_call>", "<tool_call|>"),             // Gemma 4
    ("<|channel|>", "<|call|>"),                  // gpt-oss
    ("<|START_ACTION|>", "<|END_ACTION|>"),       // Cohere
    ("```tool_code", "```"),                      // Gemma
];
/// Longer texts without marks are reports.
const MAX_BARE: usize = 32 << 10;
/// How many places of a text without marks may be the beginning of a call.
const MAX_STARTS: usize = 20;

/// The calls in a text.
pub fn calls(text: &str, tools: &[ToolSpec]) -> Printed {
    let (blocks, prose) = blocks(text);
    if blocks.is_empty() {
        return bare(text, tools);
    }
    let calls: Vec<_> = blocks.into_iter().flat_map(|block| read(block, tools)).collect();
    if calls.is_empty() { Printed::Unusable { prose } } else { Printed::Calls { calls, prose } }
}

/// What stands between marks, and the text without it.
fn blocks(text: &str) -> (Vec<&str>, String) {
    let (mut blocks, mut prose, mut rest) = (Vec::new(), String::new(), text);
    while let Some((start, open, close)) = next_mark(rest) {
        prose.push_str(&rest[..start]);
        // The tags of functions hold the name.
        let body = &rest[start
            + if open.ends_with('>') || open.ends_with(']') || open.ends_with("code") { open.len() } else { 0 }..];
        let end = if close.is_empty() { body.len() } else { body.find(close).unwrap_or(body.len()) };
        blocks.push(&body[..end]);
        rest = body.get(end + close.len()..).unwrap_or_default();
    }
    prose.push_str(rest);
    // A closing mark whose opening one the template wrote.
    for (_, close) in MARKS.iter().filter(|(_, close)| close.len() > 3) {
        prose = prose.replace(close, "");
    }
    (blocks, prose.trim().into())
}

fn next_mark(text: &str) -> Option<(usize, &'static str, &'static str)> {
    let found = MARKS.into_iter().filter_map(|(open, close)| Some((text.find(open)?, open, close)));
    found.min_by_key(|(start, open, _)| (*start, usize::MAX - open.len()))
}

/// The calls of offered tools in what stands between marks.
fn read(block: &str, tools: &[ToolSpec]) -> Vec<RawCall> {
    let forms = [of_json, of_function_tags, of_invoke_tags, of_key_tags, of_name_and_json, of_python];
    let found = forms.into_iter().map(|form| form(block, tools)).find(|calls| !calls.is_empty());
    found.unwrap_or_default()
}

/// `{"name": …, "arguments": {…}}`, one or more, alone or in lists.
fn of_json(block: &str, tools: &[ToolSpec]) -> Vec<RawCall> {
    let values: Result<Vec<Value>, _> = Deserializer::from_str(block).into_iter().collect();
    let objects = values.unwrap_or_default().into_iter().flat_map(|value| match value {
        Value::Array(list) => list,
        single => vec![single],
    });
    objects.map(|object| call_of(object, tools)).collect::<Option<_>>().unwrap_or_default()
}

/// The call that a JSON object describes.
fn call_of(mut object: Value, tools: &[ToolSpec]) -> Option<RawCall> {
    if let Some(inner) = object.get_mut("function").filter(|inner| inner.is_object()) {
        object = inner.take();
    }
    let name = offered(["name", "tool_name"].into_iter().find_map(|key| object[key].as_str())?, tools)?;
    let arguments = ["arguments", "parameters"].into_iter().find_map(|key| object.get_mut(key).map(Value::take))?;
    arguments.is_object().then_some(RawCall { id: None, name, arguments })
}

/// `<function=NAME><parameter=KEY>VALUE</parameter></function>`, or with JSON inside.
fn of_function_tags(block: &str, tools: &[ToolSpec]) -> Vec<RawCall> {
    let functions = block.split("<function=").skip(1);
    let call = |function: &str| {
        let (name, body) = function.split_once('>')?;
        let arguments = match first_object(body) {
            Some(object) if !body.contains("<parameter=") => object,
            _ => fields(body, "<parameter=", ">", "</parameter>"),
        };
        Some(RawCall { id: None, name: offered(name, tools)?, arguments })
    };
    functions.filter_map(call).collect()
}

/// `<invoke name="NAME"><parameter name="KEY">VALUE</parameter></invoke>`
fn of_invoke_tags(block: &str, tools: &[ToolSpec]) -> Vec<RawCall> {
    let invocations = block.split("<invoke name=").skip(1);
    let call = |invocation: &str| {
        let (name, body) = invocation.split_once('>')?;
        let arguments = fields(body, "<parameter name=", ">", "</parameter>");
        Some(RawCall { id: None, name: offered(name, tools)?, arguments })
    };
    invocations.filter_map(call).collect()
}

/// `NAME<arg_key>KEY</arg_key><arg_value>VALUE</arg_value>`
fn of_key_tags(block: &str, tools: &[ToolSpec]) -> Vec<RawCall> {
    let Some((name, _)) = block.split_once("<arg_key>") else { return Vec::new() };
    let between = block.replace("</arg_key>", "\u{0}").replace("<arg_value>", "");
    let arguments = fields(&between, "<arg_key>", "\u{0}", "</arg_value>");
    offered(name, tools).map(|name| RawCall { id: None, name, arguments }).into_iter().collect()
}

/// A tool's name and JSON after it, with whatever tokens between them: Mistral, Kimi, `DeepSeek`, gpt-oss.
fn of_name_and_json(block: &str, tools: &[ToolSpec]) -> Vec<RawCall> {
    let mut places: Vec<_> = tools.iter().flat_map(|tool| block.match_indices(tool.name)).collect();
    places.sort_unstable();
    let call = |(at, name): (usize, &str)| {
        let after = &block[at + name.len()..];
        // `get_news` stands in `get_news_archive` too.
        let whole = !after.starts_with(|c: char| c.is_alphanumeric() || c == '_');
        let near = after.find('{').is_some_and(|brace| brace < 80);
        let arguments = first_object(after).filter(|_| whole && near)?;
        Some(RawCall { id: None, name: name.into(), arguments })
    };
    places.into_iter().filter_map(call).collect()
}

/// `NAME(key="value", number=3)`, as Gemma, Llama and LFM2 write it.
fn of_python(block: &str, tools: &[ToolSpec]) -> Vec<RawCall> {
    let call = |tool: &ToolSpec| {
        let (_, after) = block.split_once(&format!("{}(", tool.name))?;
        let (inside, _) = after.split_once(')')?;
        let pairs = inside.split(',').filter(|pair| !pair.trim().is_empty());
        let field = |pair: &str| pair.split_once('=').map(|(key, value)| (key.trim().to_owned(), scalar(value)));
        let arguments: Map<_, _> = pairs.map(field).collect::<Option<_>>()?;
        Some(RawCall { id: None, name: tool.name.into(), arguments: arguments.into() })
    };
    tools.iter().filter_map(call).collect()
}

/// A text without marks: calls if it ends with nothing but JSON that describes them.
fn bare(text: &str, tools: &[ToolSpec]) -> Printed {
    if text.len() > MAX_BARE {
        return Printed::Nothing;
    }
    let lines = text.match_indices('\n').map(|(at, _)| at + 1);
    let starts = std::iter::once(0).chain(lines).filter(|at| text[*at..].starts_with(['{', '[', '`']));
    for start in starts.take(MAX_STARTS) {
        let json = text[start..].replace("```json", " ").replace("```", " ");
        let calls = of_json(&json, tools);
        if !calls.is_empty() {
            return Printed::Calls { calls, prose: text[..start].trim().into() };
        }
        if start == 0 && tools.is_empty() && is_call(&json) {
            return Printed::Unusable { prose: String::new() };
        }
    }
    Printed::Nothing
}

/// Whether a text is a call of some tool, and nothing else.
fn is_call(json: &str) -> bool {
    let value: Value = serde_json::from_str(json.trim()).unwrap_or_default();
    let object = if let Value::Array(list) = &value { list.first().unwrap_or(&Value::Null) } else { &value };
    object["name"].is_string() && (object["arguments"].is_object() || object["parameters"].is_object())
}

/// The name of an offered tool, in any quotes and with the namespace of gpt-oss and Kimi before it.
fn offered(name: &str, tools: &[ToolSpec]) -> Option<String> {
    let name = name.trim().trim_matches(['"', '\'']);
    let name = name.strip_prefix("functions.").unwrap_or(name);
    tools.iter().find(|tool| tool.name == name).map(|tool| tool.name.into())
}

/// The first JSON object in a text.
fn first_object(text: &str) -> Option<Value> {
    let start = text.find('{')?;
    let value = Deserializer::from_str(&text[start..]).into_iter::<Value>().next()?.ok()?;
    value.is_object().then_some(value)
}

/// Fields that stand as `open KEY middle VALUE close`.
fn fields(text: &str, open: &str, middle: &str, close: &str) -> Value {
    let field = |part: &str| {
        let (key, rest) = part.split_once(middle)?;
        let value = rest.split(close).next().unwrap_or(rest);
        Some((key.trim().trim_matches(['"', '\'']).to_owned(), scalar(value)))
    };
    text.split(open).skip(1).filter_map(field).collect::<Map<_, _>>().into()
}

/// A value without a type: a number, a list, an object or a boolean if it reads as one, else a text.
fn scalar(text: &str) -> Value {
    let text = text.trim();
    let quoted = text.len() > 1 && text.starts_with('\'') && text.ends_with('\'');
    if quoted { text[1..text.len() - 1].into() } else { serde_json::from_str(text).unwrap_or_else(|_| text.into()) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn tools() -> Vec<ToolSpec> {
        ["get_bars", "get_bars_of_day"].map(|name| ToolSpec { name, description: "", parameters: json!({}) }).into()
    }

    #[test]
    fn calls_are_read_in_the_marks_of_every_family() {
        let json = r#"{"name": "get_bars", "arguments": {"from": "2024-05-01", "days": 3}}"#;
        let arguments = r#"{"from": "2024-05-01", "days": 3}"#;
        for text in [
            json.to_owned(),
            format!("```json\n{json}\n```"),
            format!("[{json}]"),
            json.replace("arguments", "parameters"),
            format!("<tool_call>\n{json}\n</tool_call>"),
            format!("<tool_call>{json}"),
            format!("[TOOL_CALLS][{json}]"),
            format!("[TOOL_CALLS]get_bars[ARGS]{arguments}"),
            format!("<|python_tag|>{}", json.replace("arguments", "parameters")),
            format!("<function=get_bars>{arguments}</function>"),
            "<tool_call>\n<function=get_bars>\n<parameter=from>\n2024-05-01\n</parameter>\n<parameter=days>\n3\n\
             </parameter>\n</function>\n</tool_call>"
                .to_owned(),
            "<minimax:tool_call><invoke name=\"get_bars\"><parameter name=\"from\">2024-05-01</parameter>\
             <parameter name=\"days\">3</parameter></invoke></minimax:tool_call>"
                .to_owned(),
            "<tool_call>get_bars\n<arg_key>from</arg_key>\n<arg_value>2024-05-01</arg_value>\n<arg_key>days</arg_key>\n\
             <arg_value>3</arg_value>\n</tool_call>"
                .to_owned(),
            format!(
                "<|tool_calls_section_begin|><|tool_call_begin|>functions.get_bars:0<|tool_call_argument_begin|>\
                 {arguments}<|tool_call_end|><|tool_calls_section_end|>"
            ),
            format!(
                "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>get_bars\n```json\n{arguments}\n```\
                 <｜tool▁call▁end｜><｜tool▁calls▁end｜>"
            ),
            format!("<|channel|>commentary to=functions.get_bars <|constrain|>json<|message|>{arguments}<|call|>"),
            "```tool_code\nprint(get_bars(from='2024-05-01', days=3))\n```".to_owned(),
            "<|tool_call_start|>[get_bars(from=\"2024-05-01\", days=3)]<|tool_call_end|>".to_owned(),
        ] {
            let arguments = json!({"from": "2024-05-01", "days": 3});
            let expected = vec![RawCall { id: None, name: "get_bars".into(), arguments }];
            assert_eq!(calls(&text, &tools()), Printed::Calls { calls: expected, prose: String::new() }, "{text}");
        }
    }

    #[test]
    fn several_calls_and_the_prose_around_them_are_kept_apart() {
        let one = r#"{"name": "get_bars", "arguments": {}}"#;
        for text in [
            format!("Let me look.\n<tool_call>{one}</tool_call>\n<tool_call>{one}</tool_call>"),
            format!("Let me look.\n\n{one}\n{one}"),
            format!("Let me look.\n```json\n[{one}, {one}]\n```"),
        ] {
            let Printed::Calls { calls: read, prose } = calls(&text, &tools()) else { panic!("{text}") };
            assert_eq!((read.len(), prose.as_str()), (2, "Let me look."), "{text}");
        }
    }

    #[test]
    fn a_printed_call_that_nobody_can_carry_out_is_no_report() {
        let one = r#"{"name": "get_bars", "arguments": {}}"#;
        for (text, prose) in [
            (one.to_owned(), ""),
            (format!("Well.<tool_call>{one}</tool_call>"), "Well."),
            (format!("[TOOL_CALLS][{one}]"), ""),
        ] {
            assert_eq!(calls(&text, &[]), Printed::Unusable { prose: prose.into() }, "{text}");
        }
        let unknown = r#"<tool_call>{"name": "get_gold", "arguments": {}}</tool_call>"#;
        assert_eq!(calls(unknown, &tools()), Printed::Unusable { prose: String::new() });
    }

    #[test]
    fn a_report_that_speaks_of_tools_stays_a_report() {
        for text in [
            r#"I would call {"name": "get_bars", "arguments": {}}."#,
            "get_bars could be called with\n{\"from\": \"2024-05-01\"}\nbut the figures are known.",
            r#"{"name": "other", "arguments": {}}"#,
            r#"{"rating": "Buy"}"#,
            r#"{"name": "get_bars", "arguments": "all"}"#,
            "42",
            "[]",
            "",
        ] {
            assert_eq!(calls(text, &tools()), Printed::Nothing, "{text}");
        }
    }
}
