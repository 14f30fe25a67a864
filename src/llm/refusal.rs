//! Replies that are no success: what each service says in its own way, in one form, and what it is about.
//!
//! A service may put its reason into the status, a code, or a sentence of its own, and a gateway may hide the sentence of
//! the service behind it. Everything that the program decides by such a reply is decided here.

use std::time::{Duration, SystemTime};

use reqwest::{
    StatusCode,
    header::{HeaderMap, LOCATION, RETRY_AFTER},
};
use serde_json::Value;

/// The longest wait that a server may ask for; more is as good as "never".
const MAX_RETRY_AFTER: Duration = Duration::from_hours(1);
/// How much of a server's own words goes into an error, characters.
const MAX_MESSAGE: usize = 500;
/// How deep a gateway may hide the reason of the service behind it.
const MAX_DEPTH: usize = 8;

/// Codes of an empty account: OpenAI, Z.ai, `MiniMax`. Some come with the status of a rate limit, but waiting does not help.
const NO_CREDIT: [&str; 6] = [
    "insufficient_quota",
    "1113",
    "1008",
    "insufficient_balance",
    "billing_hard_limit_reached",
    "credit_balance_too_low",
];
/// Codes of a model that does not exist: OpenAI, Mistral, Azure, Z.ai, Groq, Anthropic.
const NO_MODEL: [&str; 8] = [
    "model_not_found",
    "invalid_model",
    "deploymentnotfound",
    "1211",
    "model_decommissioned",
    "model_not_supported",
    "unknown_model",
    "model_not_available",
];
/// Codes of a conversation that is too long.
const TOO_LONG: [&str; 4] =
    ["context_length_exceeded", "request_too_large", "string_above_max_length", "max_tokens_exceeded"];
/// Codes of a tool call that the model got wrong: Groq.
const BAD_CALL: [&str; 1] = ["tool_use_failed"];

/// A reply that is no success.
#[derive(Debug, Default)]
pub(super) struct Refusal {
    pub status: u16,
    pub message: String,
    /// The provider's code for programs, such as `insufficient_quota`, in lower case; empty if it gave none.
    pub code: String,
    /// The parameter that it is about, if it says so.
    pub parameter: String,
    pub retry_after: Option<Duration>,
}

impl Refusal {
    pub fn new(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Self {
        let json: Value = super::response::lenient(body).unwrap_or_default();
        let mut refusal = Self::of_json(status.as_u16(), &json);
        if refusal.message.is_empty() {
            refusal.message = squeeze(&String::from_utf8_lossy(body));
        }
        if let Some(to) = headers.get(LOCATION).and_then(|to| to.to_str().ok()).filter(|_| status.is_redirection()) {
            refusal.message = format!("it redirects to {}; give that address", squeeze(to));
        }
        if refusal.message.is_empty() {
            refusal.message = status.canonical_reason().unwrap_or("it gave no reason").into();
        }
        refusal.retry_after = retry_after(headers).or(refusal.retry_after);
        refusal.code = amazon_code(headers).unwrap_or(refusal.code);
        refusal
    }

    /// A refusal that came with the status of a success, or in the middle of a response.
    pub fn disguised(error: &Value) -> Self {
        let status = ["code", "status_code", "status", "StatusCode"].into_iter().find_map(|name| {
            let code: u16 = found(error, &[name], MAX_DEPTH)?.parse().ok()?;
            (400..600).contains(&code).then_some(code)
        });
        let mut refusal = Self::of_json(status.unwrap_or(502), error);
        if refusal.message.is_empty() {
            refusal.message = squeeze(&error.to_string());
        }
        if status.is_none() && refusal.is_out_of_credit() {
            refusal.status = 402;
        }
        refusal
    }

    fn of_json(status: u16, json: &Value) -> Self {
        let code = found(json, &["code", "type", "__type", "status_code"], MAX_DEPTH).unwrap_or_default();
        let message = reason(json, MAX_DEPTH).unwrap_or_default();
        Self {
            status,
            // Amazon puts a namespace before it: com.amazon.coral.service#ExpiredTokenException.
            code: code.rsplit('#').next().unwrap_or_default().to_lowercase(),
            parameter: found(json, &["param"], MAX_DEPTH).unwrap_or_default(),
            retry_after: retry_delay(json).or_else(|| wait_in_words(&message)),
            message: squeeze(&message),
        }
    }

    /// Whether the account has no credit.
    pub fn is_out_of_credit(&self) -> bool {
        self.status == 402
            || NO_CREDIT.contains(&self.code.as_str())
            || matches!(self.status, 400 | 403 | 429)
                && self.mentions(&["insufficient balance", "credit balance is too low"])
    }

    /// Whether it refuses the key.
    pub fn is_about_key(&self) -> bool {
        let about_key =
            self.mentions(&["api key", "api_key", "apikey", "api-key", "credentials", "authenticat", "access token"]);
        match self.status {
            401 => true,
            403 => about_key || self.mentions(&["permission", "forbidden", "unauthorized", "not authorized"]),
            400 => about_key && self.mentions(&["invalid", "incorrect", "not valid", "missing", "expired", "wrong"]),
            _ => false,
        }
    }

    /// Whether it says that there is no such model, or none any more.
    pub fn lacks_model(&self) -> bool {
        const GONE: [&str; 12] = [
            "not exist",
            "not found",
            "not_found",
            "unknown model",
            "invalid model",
            "no such model",
            "not a valid model",
            "decommissioned",
            "has been retired",
            "no longer available",
            "no longer supported",
            "not available",
        ];
        if !matches!(self.status, 400 | 404 | 410 | 422) || self.names_other_api() || self.lacks_tools() {
            return false;
        }
        let coded = NO_MODEL.contains(&self.code.as_str());
        let gone = self.mentions(&GONE) || self.code.starts_with("not_found");
        coded || gone && self.mentions(&["model", "deployment"])
    }

    /// Whether the model is served, but by OpenAI's Responses alone, or takes tools there alone.
    pub fn names_other_api(&self) -> bool {
        self.mentions(&["v1/responses", "responses api"])
    }

    /// Whether the conversation is too long for the model, or the request for the server.
    pub fn is_too_long(&self) -> bool {
        self.status == 413
            || TOO_LONG.contains(&self.code.as_str())
            || self.mentions(&[
                "context length",
                "context size",
                "context window",
                "prompt is too long",
                "input is too long",
                "too many tokens",
                "maximum number of tokens",
                "input token count",
                "maximum prompt length",
                "request too large",
                "reduce the length",
            ])
    }

    /// Whether the model itself called a tool in a way that the server did not accept.
    pub fn is_bad_call(&self) -> bool {
        BAD_CALL.contains(&self.code.as_str())
            || self.mentions(&[
                "tool call validation failed",
                "failed to call a function",
                "error parsing tool call",
                "failed to parse tool call",
                "model called a tool",
            ])
    }

    /// Whether the server or the model can't call tools at all.
    pub fn lacks_tools(&self) -> bool {
        let about_tools = self.mentions(&["tool", "function call"]);
        about_tools
            && !self.takes_one_call()
            && self.mentions(&[
                "not support",
                "unsupported",
                "n't support",
                "that support tool",
                "enable-auto-tool-choice",
                "tool-call-parser",
                "--jinja",
                "not enabled",
                "not available",
                "not implemented",
                "extra inputs are not permitted",
                "unknown field",
                "unrecognized",
            ])
    }

    /// Whether the template of the model takes one call in a message.
    pub fn takes_one_call(&self) -> bool {
        self.mentions(&[
            "single tool-call",
            "single tool call",
            "one tool call",
            "parallel tool",
            "parallel_tool_calls",
        ])
    }

    /// Whether its words, in any case, contain one of these.
    pub fn mentions(&self, words: &[&str]) -> bool {
        let message = self.message.to_lowercase();
        words.iter().any(|word| message.contains(word))
    }
}

/// The reason in an error. The innermost is the service's own; what a gateway wraps around it is its form alone.
fn reason(json: &Value, depth: usize) -> Option<String> {
    let depth = depth.checked_sub(1)?;
    match json {
        Value::String(text) => {
            // Gateways pass on what they got as a text.
            let inner = text.trim_start().starts_with(['{', '[']).then(|| serde_json::from_str(text).ok()).flatten();
            inner
                .and_then(|inner: Value| reason(&inner, depth))
                .or_else(|| Some(text.clone()).filter(|text| !text.is_empty()))
        }
        Value::Array(list) => {
            let reasons: Vec<_> = list.iter().filter_map(|one| reason(one, depth)).collect();
            (!reasons.is_empty()).then(|| reasons.join("; "))
        }
        Value::Object(_) => of_object(json, depth),
        _ => None,
    }
}

fn of_object(json: &Value, depth: usize) -> Option<String> {
    // FastAPI: {"loc": ["body", "stream_options"], "msg": "Extra inputs are not permitted"}.
    if let Some(what) = json["msg"].as_str() {
        let place =
            json["loc"].as_array().into_iter().flatten().filter_map(Value::as_str).collect::<Vec<_>>().join(".");
        return Some(if place.is_empty() { what.into() } else { format!("{place}: {what}") });
    }
    // OpenRouter has the words of the provider behind it in `raw`; then OpenAI, vLLM, Amazon, FastAPI, problem JSON, MiniMax.
    let nested = &json["metadata"]["raw"];
    let places = [
        nested,
        &json["error"],
        &json["message"],
        &json["Message"],
        &json["detail"],
        &json["errors"],
        &json["base_resp"],
        &json["status_msg"],
        &json["error_message"],
        &json["title"],
    ];
    let said = places.into_iter().find_map(|place| reason(place, depth))?;
    // Ollama: where to sign in.
    let address = json["signin_url"].as_str().map(|url| format!("; sign in at {url}")).unwrap_or_default();
    Some(said + &address)
}

/// The first field of these names that has a word or a number, the innermost errors first.
fn found(json: &Value, names: &[&str], depth: usize) -> Option<String> {
    let depth = depth.checked_sub(1)?;
    if let Value::Array(list) = json {
        return list.iter().find_map(|one| found(one, names, depth));
    }
    let raw: Option<Value> = json["metadata"]["raw"].as_str().and_then(|raw| serde_json::from_str(raw).ok());
    let inner = [raw.as_ref(), json.get("error"), json.get("base_resp")];
    let own = |name: &&str| match &json[*name] {
        Value::String(word) if !word.is_empty() => Some(word.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    };
    inner.into_iter().flatten().find_map(|one| found(one, names, depth)).or_else(|| names.iter().find_map(own))
}

/// Amazon names the type of an error in a header, `ValidationException:http://…`
/// (<https://smithy.io/2.0/aws/protocols/aws-restjson1-protocol.html>).
fn amazon_code(headers: &HeaderMap) -> Option<String> {
    let kind = headers.get("x-amzn-errortype")?.to_str().ok()?;
    kind.split(':').next().map(str::to_lowercase)
}

/// `Retry-After` in both its forms, seconds and a date (RFC 9110, 10.2.3), and OpenAI's in milliseconds.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let value = |name: &str| headers.get(name)?.to_str().ok().map(str::trim);
    if let Some(wait) = value("retry-after-ms").and_then(|text| text.parse().ok()) {
        return bounded(wait, 0.001);
    }
    let value = value(RETRY_AFTER.as_str())?;
    if let Ok(seconds) = value.parse() {
        return bounded(seconds, 1.0);
    }
    let wait = httpdate::parse_http_date(value).ok()?.duration_since(SystemTime::now()).ok()?;
    Some(wait.min(MAX_RETRY_AFTER))
}

/// Google reports the wait in the body: `{"details": [{"retryDelay": "34s"}]}`.
fn retry_delay(json: &Value) -> Option<Duration> {
    let error = json.get(0).unwrap_or(json);
    let error = error.get("error").unwrap_or(error);
    let details = error["details"].as_array()?;
    let told = details.iter().find_map(|detail| detail["retryDelay"].as_str())?;
    bounded(told.strip_suffix('s')?.parse().ok()?, 1.0)
}

/// A wait that stands in the sentence alone: "Please try again in 1m26.4s", "retry after 8 seconds", "in 500ms".
fn wait_in_words(message: &str) -> Option<Duration> {
    let message = message.to_lowercase();
    let marks = ["try again in ", "retry after ", "retry in ", "try again after ", "please wait "];
    let after = marks.into_iter().find_map(|mark| message.split_once(mark).map(|(_, after)| after))?;
    let (mut wait, mut rest, mut any) = (Duration::ZERO, after, false);
    loop {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let Ok(number) = rest[..digits].trim_end_matches('.').parse::<f64>() else { break };
        let unit = rest[digits..].trim_start();
        let letters = unit.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(unit.len());
        let seconds = match &unit[..letters] {
            "ms" | "milliseconds" => 0.001,
            "s" | "sec" | "secs" | "second" | "seconds" => 1.0,
            "m" | "min" | "minute" | "minutes" => 60.0,
            "h" | "hour" | "hours" => 3600.0,
            _ => break,
        };
        wait += bounded(number, seconds)?;
        any = true;
        rest = unit[letters..].trim_start();
    }
    any.then(|| wait.min(MAX_RETRY_AFTER))
}

fn bounded(number: f64, seconds: f64) -> Option<Duration> {
    Duration::try_from_secs_f64(number * seconds).ok().map(|wait| wait.min(MAX_RETRY_AFTER))
}

/// A server's words on one line of bearable length.
fn squeeze(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(MAX_MESSAGE) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn refusal(status: u16, body: &Value) -> Refusal {
        Refusal::new(StatusCode::from_u16(status).unwrap(), &HeaderMap::new(), body.to_string().as_bytes())
    }

    #[test]
    fn the_reason_is_found_wherever_a_service_puts_it() {
        let raw = json!({"error": {"message": "Not in this country", "code": "region"}}).to_string();
        for (body, reason) in [
            (json!({"error": {"message": "No"}}), "No"),
            (json!([{"error": {"message": "No"}}]), "No"),
            (json!({"error": "No"}), "No"),
            (json!({"code": "Invalid", "error": "No"}), "No"),
            (json!({"object": "error", "message": "No"}), "No"),
            (json!({"status": 404, "title": "Not Found", "detail": "No"}), "No"),
            (json!({"detail": [{"loc": ["body", "stop"], "msg": "No"}]}), "body.stop: No"),
            (json!({"message": {"detail": [{"loc": ["body", "stop"], "msg": "No"}]}}), "body.stop: No"),
            (json!({"base_resp": {"status_code": 1008, "status_msg": "No"}}), "No"),
            (json!({"error": {"message": "Provider returned error", "metadata": {"raw": raw}}}), "Not in this country"),
            (json!({"error": "unauthorized", "signin_url": "https://x"}), "unauthorized; sign in at https://x"),
            (json!({"error": {"message": "{\"error\": {\"message\": \"No\"}}"}}), "No"),
        ] {
            assert_eq!(refusal(400, &body).message, reason, "{body}");
        }
        assert_eq!(refusal(502, &Value::Null).message, "null");
    }

    #[test]
    fn an_unknown_model_is_told_from_other_refusals_whatever_the_code() {
        let lacks = |status, body| refusal(status, &body).lacks_model();
        assert!(lacks(400, json!({"error": {"message": "Model Not Exist", "code": "invalid_request_error"}})));
        assert!(lacks(400, json!({"message": "Invalid model: mistral-foo", "type": "invalid_model", "code": "1500"})));
        assert!(lacks(
            404,
            json!({"error": {"code": "DeploymentNotFound", "message": "The API deployment does not exist."}})
        ));
        assert!(lacks(
            400,
            json!({"error": {"code": "1211", "message": "Unknown Model, please check the model code."}})
        ));
        assert!(lacks(
            404,
            json!({"type": "error", "error": {"type": "not_found_error", "message": "model: claude-opus-4-0"}})
        ));
        assert!(lacks(
            400,
            json!({"error": {"message": "The model `x` has been decommissioned", "code": "model_decommissioned"}})
        ));
        assert!(!lacks(404, json!({"error": {"message": "This model is only supported in v1/responses"}})));
        assert!(!lacks(404, json!({"error": {"message": "No endpoints found that support tool use."}})));
        assert!(!lacks(400, json!({"error": {"message": "temperature is not supported by this model"}})));
        assert!(!lacks(404, json!({"detail": "Not Found"})));
    }

    #[test]
    fn amazon_names_the_type_of_an_error_in_a_header_or_in_the_body() {
        let mut headers = HeaderMap::new();
        headers.insert("x-amzn-errortype", "AccessDeniedException:http://internal.amazon.com/".parse().unwrap());
        let in_header = Refusal::new(StatusCode::FORBIDDEN, &headers, br#"{"Message": "No."}"#);
        assert_eq!((in_header.code.as_str(), in_header.message.as_str()), ("accessdeniedexception", "No."));
        let in_body = json!({"__type": "com.amazon.coral.service#ExpiredTokenException", "message": "Old."});
        assert_eq!(refusal(403, &in_body).code, "expiredtokenexception");
    }

    #[test]
    fn a_wait_is_read_from_headers_bodies_and_sentences() {
        let words = |text: &str| wait_in_words(text).map(|wait| wait.as_secs_f64());
        assert_eq!(words("Limit 30000. Please try again in 1.5s. Visit x"), Some(1.5));
        assert_eq!(words("Please try again in 1m26.4s."), Some(86.4));
        assert_eq!(words("try again in 500ms"), Some(0.5));
        assert_eq!(words("Retry after 8 seconds."), Some(8.0));
        assert_eq!(words("try again in 3 h"), Some(3600.0));
        assert_eq!((words("try again in a while"), words("no")), (None, None));
        let mut headers = HeaderMap::new();
        headers.insert("retry-after-ms", "1500".parse().unwrap());
        assert_eq!(retry_after(&headers), Some(Duration::from_millis(1500)));
    }

    #[test]
    fn keys_credit_tools_and_length_are_told_apart() {
        assert!(refusal(400, &json!({"error": "Incorrect API key provided: xa***ey."})).is_about_key());
        assert!(!refusal(403, &json!({"error": {"message": "Country not supported"}})).is_about_key());
        assert!(refusal(402, &json!({"error": {"message": "more credits"}})).is_out_of_credit());
        assert!(refusal(429, &json!({"error": {"code": "1113", "message": "Recharge."}})).is_out_of_credit());
        let no_parser = "\"auto\" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set";
        assert!(refusal(400, &json!({"error": {"message": no_parser}})).lacks_tools());
        let single =
            refusal(400, &json!({"error": {"message": "This model only supports single tool-calls at once!"}}));
        assert!(single.takes_one_call() && !single.lacks_tools());
        assert!(refusal(400, &json!({"error": {"message": "maximum context length is 4000 tokens"}})).is_too_long());
        let slip =
            refusal(400, &json!({"error": {"message": "Tool call validation failed", "code": "tool_use_failed"}}));
        assert!(slip.is_bad_call());
    }
}
