//! `submit`: asks for analyses.

use clap::Args;

use super::{
    client::{Client, ClientError, JobView},
    exit::{CliError, Exit},
    job_options::JobOptions,
    output::Output,
    watch,
};
use crate::{domain::Ticker, jobs::JobId};

/// Submit jobs; prints the id of each on a line of its own
#[derive(Debug, Clone, Args)]
pub struct SubmitArgs {
    /// The symbols to analyse, one job each
    #[arg(value_name = "TICKER", required = true)]
    pub tickers: Vec<Ticker>,
    #[command(flatten)]
    pub options: JobOptions,
    /// Follow the jobs to their end, as `watch` does, and print their decisions
    #[arg(long)]
    pub wait: bool,
    /// Print JSON: the accepted jobs, or with --wait their events; one value on a line
    #[arg(long)]
    pub json: bool,
}

/// Submits the jobs one after the other; ends at the first that is not accepted.
pub async fn run(args: SubmitArgs, client: &Client, output: &Output) -> Result<Exit, CliError> {
    let mut accepted = Vec::new();
    for ticker in &args.tickers {
        let job = match client.submit(&args.options.request(ticker.clone())).await {
            Ok(job) => job,
            Err(error) => return Err(refused(error, ticker, output)),
        };
        tell(&job, &args, output)?;
        accepted.push(job.job_id);
    }
    if args.wait { watch::follow(accepted, args.json, client, output).await } else { Ok(Exit::Done) }
}

/// Says that a job is accepted. With --wait the results are decisions or events, so the ids go where people look.
fn tell(job: &JobView, args: &SubmitArgs, output: &Output) -> Result<(), CliError> {
    let JobView { job_id, ticker, date, .. } = job;
    match (args.wait, args.json) {
        (true, _) => output.note(format_args!("submitted {ticker} {date}: job {job_id}")),
        (false, true) => output.json(job)?,
        (false, false) => accepted_line(*job_id, ticker, output)?,
    }
    Ok(())
}

fn accepted_line(job: JobId, ticker: &Ticker, output: &Output) -> Result<(), CliError> {
    output.note(format_args!("submitted {ticker}; `tradingagents watch {job}` follows it"));
    Ok(output.line(job)?)
}

/// With many tickers, the person has to know which one it was.
fn refused(error: ClientError, ticker: &Ticker, output: &Output) -> CliError {
    output.note(format_args!("{ticker} was not submitted"));
    error.into()
}
