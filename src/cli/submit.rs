//! `submit`: asks for analyses.

use chrono::{DateTime, Utc};
use clap::Args;

use super::{
    client::{Client, ClientError, JobView},
    exit::{CliError, Exit},
    job_options::{JobOptions, text, words},
    output::Output,
    tickers::Tickers,
    watch,
};
use crate::{
    domain::Ticker,
    jobs::{IdempotencyKey, JobId, JobRequest, Priority, WebhookUrl},
};

/// Submit jobs; prints the id of each on a line of its own
#[derive(Debug, Clone, Args)]
pub struct SubmitArgs {
    #[command(flatten)]
    pub tickers: Tickers,
    #[command(flatten)]
    pub options: JobOptions,
    /// Whether the jobs go before others, or after them
    #[arg(long, value_name = "LEVEL", default_value = "normal", value_parser = words::<Priority>(&Priority::NAMES))]
    pub priority: Priority,
    /// The jobs do not begin before this time: 2026-01-31T09:30:00Z
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub not_before: Option<DateTime<Utc>>,
    /// A name for this submission: repeated within 24 hours, it submits nothing new. With several tickers, each job's is
    /// KEY:TICKER
    #[arg(long, value_name = "KEY", value_parser = key)]
    pub idempotency_key: Option<IdempotencyKey>,
    /// Where the end of each job is told, by a signed POST
    #[arg(long, value_name = "URL", value_parser = text::<WebhookUrl>)]
    pub webhook_url: Option<WebhookUrl>,
    /// Follow the jobs to their end, as `watch` does, and print their decisions
    #[arg(long)]
    pub wait: bool,
    /// Print JSON: the accepted jobs, or with --wait their events, as `watch --json` has them; one value on a line
    #[arg(long)]
    pub json: bool,
}

/// Submits the jobs one after the other; ends at the first that is not accepted.
pub async fn run(args: SubmitArgs, client: &Client, output: &Output) -> Result<Exit, CliError> {
    let tickers = args.tickers.clone().read()?;
    let mut accepted = Vec::with_capacity(tickers.len());
    for ticker in &tickers {
        let key = args.key(ticker, tickers.len() == 1);
        let job = match client.submit(&args.request(ticker), key.as_ref()).await {
            Ok(job) => job,
            Err(error) => return Err(refused(error, ticker, output)),
        };
        tell(&job, &args, output)?;
        accepted.push(job.job_id);
    }
    if args.wait { watch::follow(accepted, args.json, client, output).await } else { Ok(Exit::Done) }
}

impl SubmitArgs {
    fn request(&self, ticker: &Ticker) -> JobRequest {
        let request = self.options.request(ticker.clone());
        let webhook_url = self.webhook_url.clone();
        JobRequest { priority: self.priority, not_before: self.not_before, webhook_url, ..request }
    }

    /// The key of a ticker's job, which may be the only one.
    fn key(&self, ticker: &Ticker, alone: bool) -> Option<IdempotencyKey> {
        let key = self.idempotency_key.as_ref()?;
        if alone {
            return Some(key.clone());
        }
        Some(format!("{key}:{ticker}").parse().expect("a short key and a ticker make up a key"))
    }
}

fn key(text: &str) -> Result<IdempotencyKey, &'static str> {
    let key = text.parse::<IdempotencyKey>()?;
    if key.as_str().len() <= 200 { Ok(key) } else { Err("is longer than 200 characters") }
}

fn time(text: &str) -> Result<DateTime<Utc>, String> {
    let time = DateTime::parse_from_rfc3339(text);
    time.map(|time| time.to_utc()).map_err(|error| format!("{error}; write it as 2026-01-31T09:30:00Z"))
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
