//! `retry`: tries failed jobs again.

use clap::Args;

use super::{
    client::Client,
    each::each,
    exit::{CliError, Exit},
    job_options::job,
    output::Output,
};
use crate::jobs::JobId;

/// Try failed jobs again, from their beginning
#[derive(Debug, Clone, Args)]
pub struct RetryArgs {
    /// The jobs' ids
    #[arg(value_name = "ID", required = true, value_parser = job)]
    pub jobs: Vec<JobId>,
}

/// Has each job tried again.
pub async fn run(args: RetryArgs, client: &Client, output: &Output) -> Result<Exit, CliError> {
    each(args.jobs, async |job| client.retry(job).await.map(drop), "pending", output).await
}
