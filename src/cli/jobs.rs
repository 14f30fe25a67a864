//! `jobs`: lists the jobs that the API knows.

use clap::Args;

use super::{
    client::{Client, JobPage, JobView},
    exit::{CliError, Exit},
    job_options::words,
    output::{Output, one_line},
    paint,
};
use crate::{
    domain::Ticker,
    jobs::{Listing, Status},
};

/// Jobs asked for at once.
const PAGE: usize = 100;

const HEAD: &str =
    "JOB                                   TICKER    DATE        STATUS     SUBMITTED (UTC)      OUTCOME";

/// Where the outcome begins.
const OUTCOME: usize = 92;

/// The least that is shown of an outcome, however narrow the terminal is.
const SHORTEST: usize = 24;

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
        output.line(HEAD)?;
    }
    while left > 0 {
        listing.limit = left.min(PAGE);
        let JobPage { jobs, next_cursor } = client.jobs(&listing).await?;
        for job in jobs.iter().take(left) {
            if args.json { output.json(job)? } else { output.line(row(job, output.width()))? }
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

/// A job on one line, which a terminal of this width need not break.
fn row(job: &JobView, width: Option<usize>) -> String {
    let JobView { job_id, ticker, date, status, created_at, .. } = job;
    let outcome = match (&job.decision, &job.error) {
        (Some(decision), _) => paint::decision(*decision, decision.as_str()).to_string(),
        (None, Some(error)) => cut(&one_line(error), width),
        (None, None) => String::new(),
    };
    let status = paint::status(*status, format!("{:<9}", status.as_str()));
    let submitted = created_at.format("%Y-%m-%d %H:%M:%S");
    let row = format!("{job_id:<36}  {:<8}  {date:<10}  {status}  {submitted:<19}  {outcome}", ticker.as_str());
    row.trim_end().to_owned()
}

/// As much of an outcome as fits.
fn cut(text: &str, width: Option<usize>) -> String {
    let most = width.map_or(usize::MAX, |width| width.saturating_sub(OUTCOME).max(SHORTEST));
    if text.chars().count() <= most {
        return text.to_owned();
    }
    text.chars().take(most - 1).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_error_is_cut_to_the_terminal_and_whole_elsewhere() {
        let error = "no vendor has prices of NOBODY: look at the symbol and the date";
        assert_eq!(cut(error, None), error);
        assert_eq!(cut(error, Some(133)).chars().count() + OUTCOME, 133);
        assert_eq!(cut(error, Some(80)), "no vendor has prices of…");
    }

    #[test]
    fn rows_stand_below_their_heads() {
        let job = serde_json::json!({
            "job_id": "018f6478-2b20-7c53-9d2a-5f3e8a1b7c44", "status": "failed", "created_at": "2024-05-10T20:15:00Z",
            "ticker": "NOBODY", "date": "2024-05-10", "error": "no prices",
        });
        let row = row(&serde_json::from_value(job).unwrap(), None);
        for (head, value) in [("TICKER", "NOBODY"), ("STATUS", "failed"), ("OUTCOME", "no prices")] {
            assert_eq!(HEAD.find(head), row.find(value), "{HEAD}\n{row}");
        }
        assert_eq!(HEAD.find("OUTCOME"), Some(OUTCOME));
    }
}
