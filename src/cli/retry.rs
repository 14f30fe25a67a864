//! `retry`: tries failed jobs again.

use clap::Args;

use super::{
    client::Client,
    each::{Jobs, each},
    exit::{CliError, Exit},
    output::Output,
};
use crate::jobs::Status;

/// Try failed jobs again, from their beginning
#[derive(Debug, Clone, Args)]
pub struct RetryArgs {
    #[command(flatten)]
    pub jobs: Jobs,
}

/// Has each job tried again.
pub async fn run(args: RetryArgs, client: &Client, output: &Output) -> Result<Exit, CliError> {
    each(args.jobs, async |job| client.retry(job).await.map(drop), Status::Pending, output).await
}
