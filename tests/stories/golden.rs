//! Whole runs, word for word: what the models are told, and the documents that come out. Where a change of words is meant,
//! `INSTA_UPDATE=always cargo test golden` writes the new ones, to be read like the code that changed them.

use std::{fs, path::PathBuf};

use insta::{Settings, assert_snapshot};
use serde_json::{Value, json};

use crate::{
    evidence::all_vendors,
    support::{
        books::SOUND,
        llm::{FakeLlm, Request, Trouble},
        program::{Run, Sandbox},
        recorded::day,
    },
};

/// What the model says, call by call: tool calls before three of the reports, and a plan that it has to repair.
const SCRIPT: [&str; 16] = [
    r#"{"name": "get_indicators", "arguments": {"indicator": "rsi,atr", "look_back_days": 2}}"#,
    "The market: a strong trend, a little overbought.",
    r#"{"overall_band": "Mildly Bullish", "overall_score": 6, "confidence": "low", "narrative": "The mood: one article."}"#,
    r#"[{"name": "get_news", "arguments": {}},
        {"name": "get_macro_indicators", "arguments": {"indicator": "fed_funds_rate"}},
        {"name": "get_prediction_markets", "arguments": {"topic": "Fed"}}]"#,
    "The news: sales grow, and money is cheap.",
    r#"[{"name": "get_income_statement", "arguments": {"freq": "annual"}},
        {"name": "get_balance_sheet", "arguments": {"freq": "monthly"}}]"#,
    "The fundamentals: income nearly doubled.",
    "The bull: the trend and the income agree.",
    "The bear: all of it is in the price.",
    "I would buy.",
    r#"{"recommendation": "Overweight", "rationale": "The plan: the bull is right.", "strategic_actions": "Buy half now."}"#,
    r#"{"action": "Buy", "reasoning": "The trade.", "entry_price": "702.10", "stop_loss": 680, "position_sizing": "2 %"}"#,
    "Aggressively: buy more.",
    "Conservatively: buy less.",
    "Neutrally: buy as planned.",
    r#"{"rating": "Overweight", "executive_summary": "The decision: buy in halves.", "investment_thesis": "The thesis.",
        "price_target": null, "time_horizon": "3 months"}"#,
];

const ANALYZE: [&str; 4] = ["analyze", "AAPL", "--date", "2012-09-19"];

/// Snapshots without what differs from run to run: ids, times, seconds.
fn settings() -> Settings {
    let mut settings = Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.add_filter(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "[id]");
    settings.add_filter(r"retrieved at \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC", "retrieved at [time]");
    settings.add_filter(r#""seconds": [\d.e-]+"#, r#""seconds": "[seconds]""#);
    settings.add_filter(r"(\| \w+/[\w-]+ \| |\*\*Total\*\* \| \| )\d+\.\d ", "$1[seconds] ");
    settings.add_filter(r"(?m)^(\| \w+ Analyst \| \w+ \| .* \| )\d+\.\d\d \|$", "$1[seconds] |");
    settings.add_filter(r"\*\*Made:\*\* \d{4}-\d\d-\d\d \d\d:\d\d UTC", "**Made:** [time]");
    settings.add_filter(r#""made_at": "[^"]+""#, r#""made_at": "[time]""#);
    settings
}

/// The folder of the result that the run names.
fn folder(sandbox: &Sandbox, run: &Run) -> PathBuf {
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let report = run.stdout.lines().find_map(|line| line.strip_prefix("report: ")).unwrap();
    sandbox.path().join(report).parent().unwrap().to_owned()
}

/// The result document. Of its conversations only the roles, for what was said stands in the prompts; of its bars the last.
fn document(folder: PathBuf) -> String {
    let text = fs::read_to_string(folder.join("state.json")).unwrap();
    let mut document: Value = serde_json::from_str(&text).unwrap();
    for step in document["steps"].as_array_mut().unwrap() {
        let roles: Vec<_> = step["messages"].as_array().unwrap().iter().map(|m| m["role"].as_str().unwrap()).collect();
        step["messages"] = json!(roles.join(", "));
    }
    let bars = document["bars"].as_str().unwrap();
    document["bars"] = json!(format!("{} lines to {}", bars.lines().count(), bars.lines().last().unwrap()));
    serde_json::to_string_pretty(&document).unwrap()
}

/// The requests one after another, each with what it says beyond the one before. What all agents are told stands first.
fn prompts(requests: &[Request]) -> String {
    let messages = |request: &Request| request.body["messages"].as_array().unwrap().clone();
    let context = messages(&requests[0])[0].clone();
    let mut text = format!("# Of every request\n\n{}\n", said(&context));
    let mut before = vec![context.clone()];
    for request in requests {
        let all = messages(request);
        assert_eq!(all[0], context, "one context for all");
        let new = all.strip_prefix(&before[..]).unwrap_or(&all[1..]);
        let told: Vec<_> = new.iter().map(said).collect();
        text += "\n# ";
        text += &offer(&request.body);
        text += "\n\n";
        text += &told.join("\n");
        before = all;
    }
    text
}

/// A message as a person reads it.
fn said(message: &Value) -> String {
    let calls = message["tool_calls"].as_array().filter(|calls| !calls.is_empty());
    let calls = calls.map_or_else(String::new, |calls| json!(calls).to_string());
    format!("[{}]\n{}{calls}\n", message["role"].as_str().unwrap(), message["content"].as_str().unwrap().trim())
}

/// Which model is asked, which tools it is offered, and which form it is asked for.
fn offer(body: &Value) -> String {
    let tools = body["tools"].as_array().map(|tools| {
        let names: Vec<_> = tools.iter().map(|tool| tool["function"]["name"].as_str().unwrap()).collect();
        format!(", tools {}", names.join(", "))
    });
    let form = body["format"]["properties"].as_object().map(|fields| {
        let names: Vec<_> = fields.keys().map(String::as_str).collect();
        format!(", form of {}", names.join(", "))
    });
    format!("{}{}{}", body["model"].as_str().unwrap(), tools.unwrap_or_default(), form.unwrap_or_default())
}

#[tokio::test]
async fn a_whole_job_with_a_model_that_keeps_to_a_script() {
    let llm = FakeLlm::start().await;
    llm.will(SCRIPT.map(Trouble::Says));
    let vendors = all_vendors(day("2012-09-19")).await;
    vendors.answers("data.sec.gov/api/xbrl/companyfacts", SOUND.sec());
    // The bundled bars; and one analyst after another, as the script wants it.
    let sandbox = Sandbox::new()
        .set("OLLAMA_BASE_URL", llm.url())
        .set("DEEP_THINK_LLM", "deep")
        .set("QUICK_THINK_LLM", "quick")
        .set("VENDOR_GATEWAY", vendors.url())
        .set("PRICE_VENDORS", "sample")
        .set("FRED_API_KEY", "key")
        .set("CONTACT_EMAIL", "a@example.com")
        .set("ANALYST_CONCURRENCY", 1);
    let run = sandbox.run(&ANALYZE).await;
    let folder = folder(&sandbox, &run);
    assert_eq!(llm.requests().len(), SCRIPT.len());
    settings().bind(|| {
        assert_snapshot!("scripted-prompts", prompts(&llm.requests()));
        assert_snapshot!("scripted-report", fs::read_to_string(folder.join("report.md")).unwrap());
        assert_snapshot!("scripted-result", document(folder));
    });
}

#[tokio::test]
async fn a_whole_job_by_the_rules() {
    let sandbox = Sandbox::new();
    let run = sandbox.run(&[&ANALYZE[..], &["--offline"]].concat()).await;
    let folder = folder(&sandbox, &run);
    settings().bind(|| {
        assert_snapshot!("rules-answer", run.stdout);
        assert_snapshot!("rules-report", fs::read_to_string(folder.join("report.md")).unwrap());
    });
}
