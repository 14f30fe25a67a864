//! `result`: what came out of a job.

use std::{fmt::Write, path::PathBuf};

use clap::Args;

use super::{
    client::Client,
    exit::{CliError, Exit},
    job_options::job,
    output::{Output, one_line, printable},
    progress::decision_line,
};
use crate::{jobs::JobId, results::JobResult};

/// Show what came out of a job: the decision and its reasons
#[derive(Debug, Clone, Args)]
pub struct ResultArgs {
    /// The job's id
    #[arg(value_name = "ID", value_parser = job)]
    pub job: JobId,
    /// The whole result as JSON, on one line unless a terminal shows it
    #[arg(long, conflicts_with = "report")]
    pub json: bool,
    /// The whole report as Markdown
    #[arg(long)]
    pub report: bool,
    /// Write to a file instead
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

/// Prints the result in the form that was asked for.
pub async fn run(args: ResultArgs, client: &Client, output: &Output) -> Result<Exit, CliError> {
    let text = if args.report {
        printable(&client.report(args.job).await?)
    } else {
        let result = client.result(args.job).await?;
        if args.json { json(&result, args.output.is_none() && output.width().is_some()) } else { summary(&result) }
    };
    match args.output {
        Some(path) => std::fs::write(&path, text).map_err(|source| CliError::File { path, source })?,
        None => output.text(&text)?,
    }
    Ok(Exit::Done)
}

fn json(result: &JobResult, for_people: bool) -> String {
    let text = if for_people { serde_json::to_string_pretty(result) } else { serde_json::to_string(result) };
    text.expect("a result is JSON: it was read from it") + "\n"
}

/// The decision, its reasons, and what a reader has to know.
fn summary(result: &JobResult) -> String {
    let JobResult { ticker, date, decision, rating, usage, .. } = result;
    let mut text = decision_line(&format!("{ticker} {date}"), *decision, *rating);
    // Writing to a String can't fail.
    let _ = write!(text, "\n\n{}\n", printable(result.reports.portfolio_manager.trim()));
    for warning in &result.warnings {
        let _ = write!(text, "\nwarning: {}", one_line(warning));
    }
    let _ = writeln!(
        text,
        "\n{} turns, {} tokens in, {} out; the whole report: `tradingagents result {} --report`",
        result.steps.len(),
        usage.tokens_in,
        usage.tokens_out,
        result.job_id
    );
    text
}
