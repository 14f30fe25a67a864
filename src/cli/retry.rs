//! `retry`: tries failed jobs again.

use clap::Args;

use super::{
    client::Client,
    exit::{CliError, Exit},
    output::Output,
};
use crate::jobs::JobId;

/// Try failed jobs again, from their beginning
#[derive(Debug, Clone, Args)]
pub struct RetryArgs {
    /// The jobs' ids
    #[arg(value_name = "ID", required = true)]
    pub jobs: Vec<JobId>,
}

/// Has each job tried again; one that is refused does not keep the others from it.
pub async fn run(args: RetryArgs, client: &Client, output: &Output) -> Result<Exit, CliError> {
    let mut exit = Exit::Done;
    for job in args.jobs {
        match client.retry(job).await {
            Ok(_) => output.line(format_args!("{job} pending"))?,
            Err(error) if error.exit() == Exit::Refused => {
                output.note(format_args!("error: {job}: {error}"));
                exit = Exit::Refused;
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(exit)
}
