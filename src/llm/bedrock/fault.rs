//! Bedrock's refusals as errors. The type of a refusal says more than its status: 403 stands for a wrong key, a missing
//! permission, a model without access and a wrong clock.

use super::super::{LlmError, client::Client, refusal::Refusal};

/// Words of Bedrock about a model that it can't call by this id or for this account.
const UNUSABLE_MODEL: [&str; 6] = [
    "model identifier is invalid",
    "on-demand throughput",
    "could not resolve the foundation model",
    "end of its life",
    "access to the model",
    "marked by provider as legacy",
];
const MODEL_HINT: &str = "set DEEP_THINK_LLM and QUICK_THINK_LLM to models or inference profiles that the account may use \
                          in BEDROCK_REGION, such as us.anthropic.claude-sonnet-5-5";

/// The error of a refusal. `settings` hold the credentials.
pub(super) fn error(client: &Client, settings: &'static str, refusal: Refusal) -> LlmError {
    let (provider, url, status) = (client.endpoint.service.name, client.endpoint.shown.clone(), refusal.status);
    match refusal.code.as_str() {
        "resourcenotfoundexception" => unusable_model(client, refusal),
        "validationexception" | "accessdeniedexception" if refusal.mentions(&UNUSABLE_MODEL) => {
            unusable_model(client, refusal)
        }
        // The first has the status of a rate limit, but it is the model that needs time, not the account.
        "modelnotreadyexception" | "modelerrorexception" => {
            LlmError::Server { provider, url, status, message: refusal.message }
        }
        _ if !matches!(status, 401 | 403) => client.refused(refusal),
        _ => match hint(&refusal, settings) {
            Some(hint) => LlmError::Refused { provider, url, status, message: format!("{}; {hint}", refusal.message) },
            None => LlmError::Unauthorized { provider, url, message: refusal.message, setting: settings },
        },
    }
}

/// The remedy where the credentials are right and refused nevertheless.
fn hint(refusal: &Refusal, settings: &str) -> Option<String> {
    if refusal.mentions(&["signature expired", "signature not yet current"]) {
        return Some("set the clock of this machine".into());
    }
    refusal
        .mentions(&["not authorized to perform"])
        .then(|| format!("add a policy that allows it to the owner of {settings}"))
}

fn unusable_model(client: &Client, refusal: Refusal) -> LlmError {
    LlmError::UnknownModel {
        provider: client.endpoint.service.name,
        model: client.model.clone(),
        message: refusal.message,
        hint: MODEL_HINT.into(),
    }
}
