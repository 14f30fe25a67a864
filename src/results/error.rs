//! Why a result could not be written or read.

use std::{io, path::Path};

/// What went wrong, where, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum ResultsError {
    /// The disk is full, or the quota used up.
    #[error(
        "no room for the result in {place}: {cause}; free some space, or set RESULTS_DIR or RESULTS_URL to another place"
    )]
    Full { place: String, cause: String },
    #[error("can't write the result to {place}: {cause}")]
    Write { place: String, cause: String },
    #[error("can't read the result in {place}: {cause}")]
    Read { place: String, cause: String },
    /// Asked again later, it may answer.
    #[error(
        "the results in {place} can't be reached: {cause}; is the store up, and are RESULTS_URL and AWS_ENDPOINT_URL right?"
    )]
    Unreachable { place: String, cause: String },
    /// Another attempt at the job has begun since, and wrote its result.
    #[error("attempt {by} has written the result in {place} since")]
    Superseded { place: String, by: u32 },
    #[error("the results can't be kept in {place}: {cause}")]
    Settings { place: String, cause: String },
}

impl ResultsError {
    /// What a disk said to a write.
    pub(super) fn of_write(path: &Path, error: &io::Error) -> Self {
        let place = path.display().to_string();
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::Full { place, cause: error.to_string() },
            _ => Self::Write { place, cause: format!("{error}; the folder has to be writable by the worker's user") },
        }
    }

    /// What a disk said to a read.
    pub(super) fn of_read(path: &Path, error: &io::Error) -> Self {
        Self::Read { place: path.display().to_string(), cause: error.to_string() }
    }
}
