//! What is asked for each of several jobs.

use clap::Args;
use serde_json::json;

use super::{
    client::ClientError,
    exit::{CliError, Exit},
    job_options::job,
    output::Output,
};
use crate::jobs::{JobId, Status};

/// Several jobs.
#[derive(Debug, Clone, Args)]
pub struct Jobs {
    /// The jobs' ids
    #[arg(value_name = "ID", required = true, value_parser = job)]
    pub jobs: Vec<JobId>,
    /// Print JSON, one job on a line
    #[arg(long)]
    pub json: bool,
}

/// Asks for each job and says what it is then; one that is refused does not keep the others from it.
pub async fn each(
    Jobs { jobs, json }: Jobs,
    ask: impl AsyncFn(JobId) -> Result<(), ClientError>,
    done: Status,
    output: &Output,
) -> Result<Exit, CliError> {
    let mut exit = Exit::Done;
    for job in jobs {
        match ask(job).await {
            Ok(()) if json => output.json(&json!({ "job_id": job, "status": done }))?,
            Ok(()) => output.line(format_args!("{job} {}", done.as_str()))?,
            Err(error) if error.exit() == Exit::Refused => {
                output.error(format_args!("{job}: {error}"));
                exit = Exit::Refused;
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(exit)
}
