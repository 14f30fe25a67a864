//! Retries of a single call.
//!
//! A rate limit or a restart of the model server passes within seconds. Waiting here keeps the agent's conversation,
//! which a retry of the job would begin again. What takes longer is left to the job's own retries, and so are
//! timeouts, which have taken long already, and unusable answers, which their agent knows how to mend.

use std::time::Duration;

use super::LlmError;

const TRIES: u32 = 3;
/// The wait before the second try; it doubles.
const BACKOFF: Duration = Duration::from_millis(500);
/// A longer wait than this is the job's business.
const PATIENCE: Duration = Duration::from_secs(30);

/// Makes a call, again after a failure that passes.
pub(super) async fn patiently<T, F: Future<Output = Result<T, LlmError>>>(
    mut call: impl FnMut() -> F,
) -> Result<T, LlmError> {
    for tried in 1..TRIES {
        let error = match call().await {
            Err(error) if passes(&error) => error,
            result => return result,
        };
        let wait = wait(tried, &error);
        tracing::warn!(%error, tried, wait_seconds = wait.as_secs_f64(), "the model gave no answer; asking again");
        tokio::time::sleep(wait).await;
    }
    call().await
}

/// Whether it is worth while to wait.
fn passes(error: &LlmError) -> bool {
    let kind = matches!(error, LlmError::Unreachable { .. } | LlmError::RateLimited { .. } | LlmError::Server { .. });
    kind && error.retry_after() <= Some(PATIENCE)
}

/// At least as long as the server asks for; up to half as long again, so that agents that were refused together don't
/// come back together.
fn wait(tried: u32, error: &LlmError) -> Duration {
    let backoff = BACKOFF * 2u32.pow(tried - 1);
    backoff.max(error.retry_after().unwrap_or_default()).mul_f64(1.0 + 0.5 * fastrand::f64())
}
