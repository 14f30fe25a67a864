//! The folder of a result: written whole or not at all.

use std::{
    io,
    path::{Path, PathBuf},
};

use super::JobResult;
use crate::jobs::{Job, JobId};

/// The folder under which results are kept.
#[derive(Debug, Clone)]
pub struct Results {
    root: PathBuf,
}

/// Why a result could not be written or read.
#[derive(Debug, thiserror::Error)]
pub enum ResultsError {
    /// The disk is full, or the quota used up.
    #[error("no room for the result in {}: {source}; free some space or set RESULTS_DIR to another disk", path.display())]
    Full { path: PathBuf, source: io::Error },
    #[error("can't write the result to {}: {source}; the folder has to be writable by the worker's user", path.display())]
    Write { path: PathBuf, source: io::Error },
    #[error("can't read the result in {}: {source}", path.display())]
    Read { path: PathBuf, source: io::Error },
}

impl Results {
    /// Results under `root`, which is made on the first write.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// Writes the result's files and returns their folder. The folder appears at once with all of them; a result that
    /// is there already, from an attempt that lost its lease, is replaced.
    pub fn write(&self, result: &JobResult) -> Result<PathBuf, ResultsError> {
        let _ = result;
        todo!()
    }

    /// The result of a completed job as its JSON text; none if its folder is not there (any more).
    pub fn read(&self, job: &Job) -> Result<Option<String>, ResultsError> {
        let _ = job;
        todo!()
    }

    /// Where the result of a job is, or will be.
    pub fn folder(&self, ticker: &crate::domain::Ticker, date: crate::domain::TradeDate, id: JobId) -> PathBuf {
        self.root.join(ticker.as_str()).join(date.to_string()).join(id.to_string())
    }

    /// The folder that holds all results.
    pub fn root(&self) -> &Path {
        &self.root
    }
}
