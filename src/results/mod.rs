//! What is written for people and programs: one folder per finished job, on disk or in a bucket.
//!
//! ```text
//! results/{TICKER}/{YYYY-MM-DD}/{job_id}/
//!   state.json    the result as the API answers it
//!   decision.txt  BUY, SELL or HOLD
//!   report.md     the whole report
//!   report.html   the same with its charts, evidence and costs, in one file
//!   1_analysts/market.md, sentiment.md, news.md, fundamentals.md
//!   2_research/bull.md, bear.md, manager.md
//!   3_trading/trader.md
//!   4_risk/aggressive.md, conservative.md, neutral.md
//!   5_portfolio/decision.md
//! ```
//!
//! A reader sees a result wholly or not at all: a [`Folder`] is renamed into place, a [`Bucket`] gets `state.json` last.
//! Both are fenced by the number of the attempt, which `state.json` holds: a worker that was declared dead and comes back
//! can't replace what a later attempt wrote.

mod bucket;
mod document;
mod error;
mod evidence;
mod facts;
mod files;
mod folder;
pub mod html;
mod report;
pub(crate) mod s3_client;
mod sections;

use bucket::Bucket;
pub use document::{FinalState, InvestmentDebateState, JobResult, Reports, RiskDebateState};
pub use error::ResultsError;
use folder::Folder;
use serde::Deserialize;

use crate::{config::Config, jobs::Job};

/// Where results are kept.
#[derive(Debug, Clone)]
pub enum Results {
    Folder(Folder),
    Bucket(Bucket),
}

impl Results {
    /// Where the settings say.
    pub fn new(config: &Config) -> Result<Self, ResultsError> {
        Ok(match &config.results_url {
            None => Self::Folder(Folder::new(&config.results_dir)),
            Some(url) => Self::Bucket(Bucket::new(url, config)?),
        })
    }

    /// In the settings' folder, where a crash of the machine may take them: nothing could go on from them.
    pub fn unsynced(config: &Config) -> Self {
        Self::Folder(Folder::unsynced(&config.results_dir))
    }

    /// Writes the result, and returns where it is. What an earlier attempt wrote is replaced, and so is what this one
    /// wrote before it lost the answer; what a later one wrote is left as it is.
    pub async fn write(&self, result: &JobResult) -> Result<String, ResultsError> {
        match self {
            Self::Folder(folder) => folder.write(result).await,
            Self::Bucket(bucket) => bucket.write(result).await,
        }
    }

    /// The result of a completed job as its JSON text; none if it is not there (any more).
    pub async fn read(&self, job: &Job) -> Result<Option<String>, ResultsError> {
        match self {
            Self::Folder(folder) => folder.read(job, files::STATE).await,
            Self::Bucket(bucket) => bucket.read_state(job).await,
        }
    }

    /// The report of a completed job as Markdown; none if it is not there (any more).
    pub async fn read_report(&self, job: &Job) -> Result<Option<String>, ResultsError> {
        match self {
            Self::Folder(folder) => folder.read(job, files::REPORT).await,
            Self::Bucket(bucket) => bucket.read_report(job).await,
        }
    }

    /// Where the report of a completed job is, for people.
    pub fn place_of_report(&self, job: &Job) -> String {
        match self {
            Self::Folder(folder) => folder.of(job).join(files::REPORT).display().to_string(),
            Self::Bucket(bucket) => bucket.place_of_report(job),
        }
    }

    /// Whether a result could be written now, as a place and what is true of it.
    pub async fn check(&self) -> Result<String, ResultsError> {
        match self {
            Self::Folder(folder) => folder.check().map(|root| format!("{} is writable", root.display())),
            Self::Bucket(bucket) => {
                bucket.check().await.map(|place| format!("{place} is writable, and refuses what comes too late"))
            }
        }
    }
}

/// What tells a result that is there from a later one.
#[derive(Deserialize)]
struct Written {
    /// 0 of results from before it was written.
    #[serde(default)]
    attempt: u32,
}

/// The attempt that wrote a `state.json`; 0, which any attempt may replace, if it can't be read.
fn attempt_of(state: &[u8]) -> u32 {
    serde_json::from_slice(state).map_or(0, |written: Written| written.attempt)
}
