//! `cancel`: ends jobs that have not ended.

use clap::Args;

use super::{
    client::Client,
    exit::{CliError, Exit},
    output::Output,
};
use crate::jobs::JobId;

/// Cancel pending or running jobs
#[derive(Debug, Clone, Args)]
pub struct CancelArgs {
    /// The jobs' ids
    #[arg(value_name = "ID", required = true)]
    pub jobs: Vec<JobId>,
}

/// Cancels each job; one that is refused does not keep the others from it.
pub async fn run(args: CancelArgs, client: &Client, output: &Output) -> Result<Exit, CliError> {
    let mut exit = Exit::Done;
    for job in args.jobs {
        match client.cancel(job).await {
            Ok(()) => output.line(format_args!("{job} cancelled"))?,
            Err(error) if error.exit() == Exit::Refused => {
                output.note(format_args!("error: {job}: {error}"));
                exit = Exit::Refused;
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(exit)
}
