//! What a server and model are known to accept. No list of optional parameters stays right, so each is sent until it is
//! refused, and left out from then on: by this job, the agents beside it, and later jobs of the process.

use std::sync::atomic::{AtomicU32, Ordering};

use super::refusal::Refusal;

/// A part of a request that a server or model may refuse.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Feature {
    /// The mark in a prompt up to which Bedrock caches it.
    CachePoint,
    /// A limit of tokens that we name, and that may be above the model's own.
    MaxTokens,
    /// Reasoning that is returned with the calls that followed it.
    Reasoning,
    Temperature,
    /// The effort beside tools, while it is accepted without.
    EffortWithTools,
    Effort,
    /// The switch that turns reasoning on or off.
    ThinkingSwitch,
    /// The schema in the protocol's own form; in words it always works.
    Schema,
    /// Any JSON object as the form of a response.
    JsonObject,
    /// Token counts at the end of a stream.
    StreamUsage,
    Stream,
    /// Several calls in one message.
    ParallelCalls,
    /// A message of the system beside those of the user.
    SystemMessage,
    /// Tools at all.
    Tools,
    /// OpenAI's Chat Completions, for models that only Responses serves.
    ChatCompletions,
    /// OpenAI's Responses, where a server has none.
    Responses,
}

impl Feature {
    /// In the order in which a refusal is attributed: particular words before general ones.
    const BY_WORDS: [Self; 12] = [
        Self::CachePoint,
        Self::MaxTokens,
        Self::Reasoning,
        Self::Temperature,
        Self::ParallelCalls,
        Self::ThinkingSwitch,
        Self::Effort,
        Self::Schema,
        Self::JsonObject,
        Self::StreamUsage,
        Self::Stream,
        Self::SystemMessage,
    ];

    /// Words of a refusal that is about it.
    fn words(self) -> &'static [&'static str] {
        match self {
            Self::CachePoint => &["prompt caching", "cachepoint", "cache point"],
            Self::MaxTokens => &["maximum tokens", "maxtokens", "max_tokens"],
            Self::Reasoning => &[
                "reasoning_content",
                "reasoningcontent",
                "reasoning_details",
                "thought_signature",
                "extra_content",
                "encrypted_content",
                "encrypted content",
            ],
            Self::Temperature => &["temperature"],
            Self::ThinkingSwitch => &["enable_thinking", "thinking", "think value", "reasoning_split"],
            Self::Effort => &["effort", "reasoning", "thinking", "think value"],
            Self::Schema => &[
                "schema",
                "response_format",
                "output_format",
                "output_config",
                "response mime type",
                "text.format",
                "outputconfig",
                "textformat",
                "structured output",
            ],
            Self::JsonObject => &["response_format", "json_object", "json mode"],
            Self::StreamUsage => &["stream_options", "include_usage"],
            Self::Stream => &["stream"],
            Self::ParallelCalls => {
                &["single tool-call", "single tool call", "one tool call", "parallel tool", "parallel_tool_calls"]
            }
            Self::SystemMessage => {
                &["system role", "system message", "role system", "system instruction", "developer instruction"]
            }
            Self::EffortWithTools | Self::Tools | Self::ChatCompletions | Self::Responses => &[],
        }
    }
}

/// Names up to this length stand in other words by chance.
const SHORT_NAME: usize = 6;

/// What a server and model are known to refuse.
#[derive(Debug, Default)]
pub struct Capabilities(AtomicU32);

impl Capabilities {
    /// Whether a feature may be used.
    pub(super) fn has(&self, feature: Feature) -> bool {
        self.0.load(Ordering::Relaxed) & bit(feature) == 0
    }

    /// Writes down that a feature is refused.
    pub(super) fn lacks(&self, feature: Feature) {
        self.0.fetch_or(bit(feature), Ordering::Relaxed);
    }

    /// Learns from the refusal of a request with the features `sent`; true if the request is worth sending again, without
    /// one of them. What another request learned in the meantime makes no difference: this one had the feature.
    pub(super) fn learn(&self, refusal: &Refusal, sent: &[Feature], model: &str) -> bool {
        // Bedrock refuses a cache point as if access to the model were denied.
        let of_cache = refusal.status == 403 && refusal.mentions(Feature::CachePoint.words());
        if !of_cache && !matches!(refusal.status, 400 | 404 | 405 | 415 | 422 | 501) {
            return false;
        }
        if refusal.names_other_api() {
            return false;
        }
        let Some(feature) = refused(refusal, sent, model) else { return false };
        tracing::warn!(model, ?feature, message = refusal.message, "the model does not accept a part of the request");
        self.lacks(feature);
        true
    }
}

fn bit(feature: Feature) -> u32 {
    1 << feature as u32
}

/// The feature that a refusal is about: the service names the parameter, or else its sentence does.
fn refused(refusal: &Refusal, sent: &[Feature], model: &str) -> Option<Feature> {
    let candidates = || Feature::BY_WORDS.into_iter().filter(|feature| sent.contains(feature));
    let about = |text: &str, feature: &Feature| feature.words().iter().any(|word| text.contains(word));
    let parameter = refusal.parameter.to_lowercase();
    if let Some(feature) = candidates().find(|feature| about(&parameter, feature)) {
        return Some(feature);
    }
    if refusal.is_about_key() || refusal.is_too_long() || refusal.is_out_of_credit() {
        return None;
    }
    // The name of a model may hold such a word too, as in `qwen3-thinking`.
    let message = if model.len() > SHORT_NAME { refusal.message.replace(model, "") } else { refusal.message.clone() };
    let sentence = message.to_lowercase();
    candidates().find(|feature| about(&sentence, feature))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(message: &str, parameter: &str) -> Refusal {
        Refusal { status: 400, message: message.into(), parameter: parameter.into(), ..Refusal::default() }
    }

    #[test]
    fn a_refused_parameter_is_left_out_and_the_request_repeated_even_if_another_learned_it_first() {
        let (known, sent) = (Capabilities::default(), [Feature::Temperature, Feature::Effort]);
        let refused = refusal("Unsupported value: 'temperature' does not support 0.2", "temperature");
        for _ in 0..4 {
            assert!(known.learn(&refused, &sent, "m"));
        }
        assert!(!known.has(Feature::Temperature) && known.has(Feature::Effort));
        assert!(!known.learn(&refused, &[Feature::Effort], "m"), "it was not sent");
    }

    #[test]
    fn the_parameter_that_a_service_names_counts_more_than_its_sentence() {
        let known = Capabilities::default();
        let refused = refusal("temperature is not supported with this reasoning effort", "reasoning.effort");
        assert!(known.learn(&refused, &[Feature::Temperature, Feature::Effort], "m"));
        assert!(known.has(Feature::Temperature) && !known.has(Feature::Effort));
    }

    #[test]
    fn a_failure_of_the_server_teaches_nothing() {
        let failure = Refusal { status: 500, message: "temperature".into(), ..Refusal::default() };
        assert!(!Capabilities::default().learn(&failure, &[Feature::Temperature], "m"));
    }
}
