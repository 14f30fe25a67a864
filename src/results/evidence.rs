//! What the agents looked at: each call of a tool, with its window, its sources and how it went.

use serde_json::Value;

use super::JobResult;
use crate::{agents::ToolRecord, domain::Agent};

/// The calls of all agents in the order in which their turns ended.
pub fn calls(result: &JobResult) -> impl Iterator<Item = (Agent, &ToolRecord)> {
    result.steps.iter().flat_map(|step| step.tools.iter().map(move |call| (step.agent, call)))
}

/// Where the prices come from, which all agents were shown.
pub fn prices(result: &JobResult) -> Option<&str> {
    let line = result.reports.market.lines().find(|line| line.starts_with("*Prices: "))?;
    Some(line.trim_matches('*'))
}

/// The arguments of a call, each with its name.
pub fn arguments(arguments: &Value) -> String {
    let Value::Object(fields) = arguments else { return String::new() };
    let told = fields.iter().filter(|(_, value)| !value.is_null()).map(|(name, value)| match value {
        Value::String(text) => format!("{name} {text}"),
        other => format!("{name} {other}"),
    });
    told.collect::<Vec<_>>().join(", ")
}

/// Where the answer of a call comes from, a line for each source.
pub fn sources(call: &ToolRecord) -> Vec<&str> {
    if call.sources.is_empty() {
        return vec!["the prices above"];
    }
    call.sources.iter().map(|source| source.trim_matches('*')).collect()
}

/// The vendors whose data the agents were shown, some more than once.
pub fn vendors(result: &JobResult) -> impl Iterator<Item = &str> {
    let sources = calls(result).flat_map(|(_, call)| call.sources.iter().map(String::as_str));
    prices(result).into_iter().chain(sources).filter_map(|source| source.split_once(": vendor ")?.1.split(',').next())
}
