//! What went wrong, in the words that a job shows.

use std::time::Duration;

use super::desk::InvalidConfig;
use crate::{
    agents::AgentError,
    domain::Provider,
    jobs::{ErrorType, Failure},
    llm::{LlmError, catalog},
    results::ResultsError,
};

impl From<AgentError> for Failure {
    fn from(error: AgentError) -> Self {
        let message = error.to_string();
        match error {
            AgentError::Model { source, .. } | AgentError::NotReady(source) => Self {
                error_type: ErrorType::LlmError,
                message: successor(&source).map_or(message.clone(), |hint| format!("{message}; {hint}")),
                transient: source.is_transient(),
                retry_after: source.retry_after(),
            },
            AgentError::Market(source) => {
                let retry_after = source.retry_after();
                Self { error_type: ErrorType::DataError, message, transient: source.is_transient(), retry_after }
            }
        }
    }
}

impl From<InvalidConfig> for Failure {
    fn from(error: InvalidConfig) -> Self {
        permanent(ErrorType::InvalidConfig, error.to_string())
    }
}

impl From<ResultsError> for Failure {
    /// Tried again: the work is in the checkpoint, and an operator may make room meanwhile.
    fn from(error: ResultsError) -> Self {
        Self { transient: true, ..permanent(ErrorType::StorageError, error.to_string()) }
    }
}

/// What to use instead of a model that its server refuses to know, if its provider has retired it.
fn successor(error: &LlmError) -> Option<String> {
    let LlmError::UnknownModel { provider: name, model, .. } = error else { return None };
    let provider = Provider::ALL.into_iter().find(|provider| provider.service().name == *name)?;
    catalog::retired(provider, model).map(|retired| retired.hint())
}

/// The hard limit passed.
pub fn timed_out(limit: Duration) -> Failure {
    permanent(
        ErrorType::Timeout,
        format!(
            "no decision after {} s, the hard limit (JOB_TIME_LIMIT); use a faster model, fewer debate rounds or \
             analysts, or raise the limit",
            limit.as_secs()
        ),
    )
}

/// The place of the results takes nothing. Another worker may be able to write there.
pub fn not_written(limit: Duration) -> Failure {
    let message = format!(
        "the result was not written within {} s; look at the disk of RESULTS_DIR, or at the bucket of RESULTS_URL",
        limit.as_secs()
    );
    Failure { transient: true, ..permanent(ErrorType::StorageError, message) }
}

/// What the job asks for is not known here.
pub fn of_another_version(cause: &str) -> Failure {
    permanent(
        ErrorType::Unknown,
        format!(
            "another version of the program stored this job, and this one can't read it ({cause}); submit it anew, or \
             run workers of that version and try it again"
        ),
    )
}

/// The code that ran the job broke.
pub fn panicked(panic: &(dyn std::any::Any + Send)) -> Failure {
    let cause = panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message");
    permanent(ErrorType::Unknown, format!("the worker hit a bug: {cause}; its log has the place, please report it"))
}

fn permanent(error_type: ErrorType, message: String) -> Failure {
    Failure { error_type, message, transient: false, retry_after: None }
}
