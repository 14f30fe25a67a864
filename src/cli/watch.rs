//! `watch`: follows jobs to their end.

use std::collections::HashMap;

use clap::Args;
use futures_util::{StreamExt, stream};

use super::{
    client::{Client, Update},
    exit::{CliError, Exit},
    job_options::job,
    output::Output,
    progress::{Mode, Progress},
};
use crate::jobs::JobId;

/// Follow jobs to their end: live progress, then the decision
#[derive(Debug, Clone, Args)]
pub struct WatchArgs {
    /// The jobs' ids
    #[arg(value_name = "ID", required = true, value_parser = job)]
    pub jobs: Vec<JobId>,
    /// Print every event as JSON, one on a line; those of type "writing" tell what a model has written so far, and have no
    /// id, for they are not stored
    #[arg(long)]
    pub json: bool,
}

/// Follows the jobs; the end is the worst of theirs.
pub async fn run(args: WatchArgs, client: &Client, output: &Output) -> Result<Exit, CliError> {
    follow(args.jobs, args.json, client, output).await
}

/// Follows jobs to their end or to Ctrl-C, at the same time.
pub(super) async fn follow(jobs: Vec<JobId>, json: bool, client: &Client, output: &Output) -> Result<Exit, CliError> {
    let mut progress = Progress::new(Mode::choose(json, output), output.clone());
    tokio::select! {
        exit = follow_all(&jobs, client, &mut progress) => exit,
        _ = tokio::signal::ctrl_c() => Err(CliError::Interrupted(goes_on(&jobs))),
    }
}

async fn follow_all(jobs: &[JobId], client: &Client, progress: &mut Progress) -> Result<Exit, CliError> {
    let mut updates = stream::select_all(jobs.iter().map(|&job| Box::pin(client.follow(job).into_stream())));
    // A job that failed and was tried again has more than one end; the last counts.
    let mut ends = HashMap::new();
    while let Some(update) = updates.next().await {
        match update? {
            Update::Event(event) => {
                if let Some(outcome) = progress.event(&event)? {
                    progress.conclude(&outcome)?;
                    ends.insert(event.job_id, outcome.exit());
                }
            }
            Update::Writing(writing) => progress.writing(&writing)?,
            Update::Lost { cause, pause } => {
                progress
                    .note(&format!("connection lost: {cause}; trying again in {:.0} s", pause.as_secs_f64().ceil()));
            }
        }
    }
    Ok(ends.into_values().max().unwrap_or(Exit::Done))
}

fn goes_on(jobs: &[JobId]) -> String {
    let ids: Vec<_> = jobs.iter().map(JobId::to_string).collect();
    let ids = ids.join(" ");
    format!("what was submitted goes on: `tradingagents watch {ids}` follows it, `tradingagents cancel {ids}` ends it")
}
