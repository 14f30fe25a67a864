//! The response of Converse, and the lists of models.

use serde::Deserialize;
use serde_json::{Value, json};

use super::super::{
    Draft, Finish, Usage,
    response::{RawCall, RawResponse, count, take},
};

/// The response of `/model/{modelId}/converse`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Converse {
    output: Value,
    #[serde(default)]
    stop_reason: Value,
    #[serde(default)]
    usage: Value,
}

impl Converse {
    pub fn into_response(mut self, draft: &Draft) -> RawResponse {
        let content = self.output.get_mut("message").map(|message| take(message, "content"));
        let blocks = match content {
            Some(Value::Array(blocks)) => blocks,
            _ => Vec::new(),
        };
        let text: String = blocks.iter().filter_map(|block| block["text"].as_str()).collect();
        draft.write(&text);
        let calls = blocks.iter().filter_map(|block| block.get("toolUse")).map(call).collect();
        let reasoned = blocks.iter().any(|block| block.get("reasoningContent").is_some());
        let thoughts = if reasoned { blocks.into() } else { Value::Null };
        RawResponse { text, calls, thoughts, usage: usage(&self.usage), finish: finish(&self.stop_reason) }
    }
}

fn finish(stop_reason: &Value) -> Finish {
    match stop_reason.as_str() {
        None | Some("end_turn" | "tool_use" | "stop_sequence") => Finish::Stop,
        Some("max_tokens" | "model_context_window_exceeded") => Finish::Length,
        Some(reason @ ("guardrail_intervened" | "content_filtered")) => Finish::Blocked(reason.into()),
        Some(reason @ "malformed_tool_use") => Finish::BadCall(reason.into()),
        Some(reason) => Finish::Interrupted(reason.into()),
    }
}

fn call(call: &Value) -> RawCall {
    RawCall {
        id: call["toolUseId"].as_str().map(Into::into),
        name: call["name"].as_str().unwrap_or_default().into(),
        arguments: call.get("input").cloned().unwrap_or_else(|| json!({})),
    }
}

/// The tokens. `inputTokens` excludes tokens read from the cache and written to it.
fn usage(usage: &Value) -> Usage {
    let count = |name: &str| count(&usage[name]);
    let cached = count("cacheReadInputTokens");
    Usage {
        calls: 1,
        tokens_in: count("inputTokens").saturating_add(cached).saturating_add(count("cacheWriteInputTokens")),
        tokens_out: count("outputTokens"),
        tokens_cached: cached,
        cost_usd: None,
    }
}

/// The response of `/foundation-models`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Models {
    model_summaries: Vec<Model>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Model {
    model_id: String,
    /// Without `ON_DEMAND` the model answers by an inference profile only.
    #[serde(default)]
    inference_types_supported: Vec<String>,
}

impl Models {
    /// The ids of the models that can be called by them.
    pub fn into_ids(self) -> Vec<String> {
        let on_demand = |model: &Model| model.inference_types_supported.iter().any(|kind| kind == "ON_DEMAND");
        self.model_summaries.into_iter().filter(on_demand).map(|model| model.model_id).collect()
    }
}

/// The response of `/inference-profiles`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Profiles {
    inference_profile_summaries: Vec<Profile>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Profile {
    inference_profile_id: String,
}

impl Profiles {
    pub fn into_ids(self) -> Vec<String> {
        self.inference_profile_summaries.into_iter().map(|profile| profile.inference_profile_id).collect()
    }
}
