//! The commands that are clients of the API.

use clap::Subcommand;

use super::{
    cancel::{self, CancelArgs},
    client::Client,
    exit::{CliError, Exit},
    jobs::{self, JobsArgs},
    output::Output,
    result::{self, ResultArgs},
    retry::{self, RetryArgs},
    submit::{self, SubmitArgs},
    watch::{self, WatchArgs},
};

/// Where these commands find the API, as `--help` shows it.
pub const API_SETTINGS: &str = "\
Environment:
    TRADINGAGENTS_URL  where the API is; http://127.0.0.1:8000/ if unset
    TRADINGAGENTS_KEY  the key to show to an API that has API_KEYS";

#[expect(clippy::large_enum_variant, reason = "there is one per process")]
/// A command that is done by the API at `TRADINGAGENTS_URL`.
#[derive(Debug, Clone, Subcommand)]
pub enum Remote {
    Submit(SubmitArgs),
    Watch(WatchArgs),
    Result(ResultArgs),
    Jobs(JobsArgs),
    Cancel(CancelArgs),
    Retry(RetryArgs),
}

impl Remote {
    /// Has it done.
    pub async fn run(self, client: &Client, output: &Output) -> Result<Exit, CliError> {
        match self {
            Self::Submit(args) => submit::run(args, client, output).await,
            Self::Watch(args) => watch::run(args, client, output).await,
            Self::Result(args) => result::run(args, client, output).await,
            Self::Jobs(args) => jobs::run(args, client, output).await,
            Self::Cancel(args) => cancel::run(args, client, output).await,
            Self::Retry(args) => retry::run(args, client, output).await,
        }
    }
}
