//! `jobs`: lists the jobs that the API knows.

use clap::Args;

use super::{
    client::{Client, JobPage, JobView},
    exit::{CliError, Exit},
    job_options::words,
    output::{Output, one_line},
};
use crate::{
    domain::Ticker,
    jobs::{Listing, Status},
};

/// Jobs asked for at once.
const PAGE: usize = 100;

/// List jobs, newest first
#[derive(Debug, Clone, Args)]
pub struct JobsArgs {
    /// Only those of this status
    #[arg(long, value_parser = words::<Status>(&["pending", "running", "completed", "failed", "cancelled"]))]
    pub status: Option<Status>,
    /// Only those of this symbol
    #[arg(long)]
    pub ticker: Option<Ticker>,
    /// At most so many
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub limit: usize,
    /// All of them
    #[arg(long, conflicts_with = "limit")]
    pub all: bool,
    /// Print JSON, one job on a line
    #[arg(long)]
    pub json: bool,
}

/// Prints page after page, so that the first jobs show at once however many there are.
pub async fn run(args: JobsArgs, client: &Client, output: &Output) -> Result<Exit, CliError> {
    let mut left = if args.all { usize::MAX } else { args.limit };
    let mut listing = Listing { status: args.status, ticker: args.ticker.clone(), cursor: None, limit: 0 };
    if !args.json {
        output.line(row(["JOB", "TICKER", "DATE", "STATUS", "SUBMITTED (UTC)", "OUTCOME"]))?;
    }
    while left > 0 {
        listing.limit = left.min(PAGE);
        let JobPage { jobs, next_cursor } = client.jobs(&listing).await?;
        for job in jobs.iter().take(left) {
            if args.json { output.json(job)? } else { output.line(job_row(job))? }
        }
        left = left.saturating_sub(jobs.len());
        // A page without jobs ends the listing whatever its cursor says, or a faulty one could go round for ever.
        if next_cursor.is_none() || jobs.is_empty() {
            break;
        }
        listing.cursor = next_cursor;
    }
    Ok(Exit::Done)
}

fn job_row(job: &JobView) -> String {
    let outcome = match (&job.decision, &job.error) {
        (Some(decision), _) => decision.as_str().to_owned(),
        (None, Some(error)) => one_line(error),
        (None, None) => String::new(),
    };
    row([
        &job.job_id.to_string(),
        job.ticker.as_str(),
        &job.date.to_string(),
        job.status.as_str(),
        &job.created_at.format("%Y-%m-%d %H:%M:%S").to_string(),
        &outcome,
    ])
}

fn row([job, ticker, date, status, submitted, outcome]: [&str; 6]) -> String {
    let row = format!("{job:<36}  {ticker:<8}  {date:<10}  {status:<9}  {submitted:<19}  {outcome}");
    row.trim_end().to_owned()
}
