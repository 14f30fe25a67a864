//! What is asked for each of several jobs.

use super::{
    client::ClientError,
    exit::{CliError, Exit},
    output::Output,
};
use crate::jobs::JobId;

/// Asks for each job and says what it is then; one that is refused does not keep the others from it.
pub async fn each(
    jobs: Vec<JobId>,
    ask: impl AsyncFn(JobId) -> Result<(), ClientError>,
    done: &str,
    output: &Output,
) -> Result<Exit, CliError> {
    let mut exit = Exit::Done;
    for job in jobs {
        match ask(job).await {
            Ok(()) => output.line(format_args!("{job} {done}"))?,
            Err(error) if error.exit() == Exit::Refused => {
                output.note(format_args!("error: {job}: {error}"));
                exit = Exit::Refused;
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(exit)
}
