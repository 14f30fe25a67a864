//! `cancel`: ends jobs that have not ended.

use clap::Args;

use super::{
    client::Client,
    each::each,
    exit::{CliError, Exit},
    job_options::job,
    output::Output,
};
use crate::jobs::JobId;

/// Cancel pending or running jobs
#[derive(Debug, Clone, Args)]
pub struct CancelArgs {
    /// The jobs' ids
    #[arg(value_name = "ID", required = true, value_parser = job)]
    pub jobs: Vec<JobId>,
}

/// Cancels each job.
pub async fn run(args: CancelArgs, client: &Client, output: &Output) -> Result<Exit, CliError> {
    each(args.jobs, async |job| client.cancel(job).await, "cancelled", output).await
}
