//! `cancel`: ends jobs that have not ended.

use clap::Args;

use super::{
    client::Client,
    each::{Jobs, each},
    exit::{CliError, Exit},
    output::Output,
};
use crate::jobs::Status;

/// Cancel pending or running jobs
#[derive(Debug, Clone, Args)]
pub struct CancelArgs {
    #[command(flatten)]
    pub jobs: Jobs,
}

/// Cancels each job.
pub async fn run(args: CancelArgs, client: &Client, output: &Output) -> Result<Exit, CliError> {
    each(args.jobs, async |job| client.cancel(job).await, Status::Cancelled, output).await
}
