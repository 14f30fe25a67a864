//! `backtest`: jobs over past days, and how their decisions would have done.
//!
//! Each day is a job of its own on the same queue, worker and pipeline as in the service, on a store that ends with the
//! command. They run one after another, for a later job learns from the decisions before it; the log of these decisions
//! lies in the output folder and knows no others. What is assumed of trading stands in [`crate::backtest`].

mod days;
mod folder;
mod progress;

use std::path::PathBuf;

use clap::Args;

use super::{
    exit::{CliError, Exit},
    job_options::{JobSettings, date},
    output::Output,
    signals::stop_on_signal,
    sources::Sources,
};
use crate::{
    backtest::Backtest,
    config::Config,
    domain::{Ticker, TradeDate},
    jobs::JobRequest,
    market::PriceHistory,
    worker::Desk,
};

/// Run jobs over past days and compare the decisions with simple rules: a table, JSON and a chart
#[derive(Debug, Clone, Args)]
pub struct BacktestArgs {
    /// The symbol to analyse
    #[arg(value_name = "TICKER")]
    ticker: Ticker,
    /// The first day, YYYY-MM-DD, or the next trading day after it
    #[arg(long, value_name = "DATE", value_parser = date)]
    from: TradeDate,
    /// The last day, YYYY-MM-DD, or the trading day before it; nothing is decided on it, for nothing follows
    #[arg(long, value_name = "DATE", value_parser = date)]
    to: TradeDate,
    /// The trading days from one decision to the next
    #[arg(long, value_name = "DAYS", value_parser = trading_days, default_value = "5d")]
    every: usize,
    /// What each change of position costs, hundredths of a percent of the whole
    #[arg(long, value_name = "BASIS_POINTS", value_parser = basis_points, default_value = "0")]
    cost: f64,
    /// The folder for the report, the chart, the JSON and the jobs' results, which must not have anything in it
    /// [default: a new one under "backtests" in the folder of the results]
    #[arg(long, value_name = "FOLDER")]
    output: Option<PathBuf>,
    #[command(flatten)]
    settings: JobSettings,
    #[command(flatten)]
    sources: Sources,
    /// Print the whole backtest as JSON instead of the table
    #[arg(long)]
    json: bool,
}

/// Runs the jobs, shows how they end, and writes and prints what came of their decisions.
pub async fn run(args: BacktestArgs, mut config: Config, output: &Output) -> anyhow::Result<Exit> {
    let interrupted = stop_on_signal()?;
    let folder = args.output.clone().unwrap_or_else(|| folder::unused(&config, &args));
    config.results_dir = folder.join("jobs");
    config.memory_dir = Some(folder.join("memory"));
    let (config, desk) = args.sources.clone().apply(config);
    let history = prices(&args, &desk).await?;
    let (first, days) = days(&history, &args)?;
    folder::make(&folder)?;

    let decisions = days::decide(&args, &days, &config, desk, &interrupted, output).await?;
    if decisions.iter().all(|judgement| judgement.decision.is_none()) {
        output.error("every job failed, so there is nothing to compare");
        return Ok(Exit::JobFailed);
    }
    let backtest = Backtest::new(&history, first, args.every, args.cost, decisions);
    folder::write(&folder, &backtest).map_err(|source| CliError::File { path: folder.clone(), source })?;
    if args.json {
        output.json(&backtest)?;
    } else {
        output.line(format_args!("{}\n\n{}\n", backtest.title(), backtest.table()))?;
        output.line(format_args!("report: {}", folder.join("report.md").display()))?;
    }
    Ok(Exit::Done)
}

/// The bars up to the last day. Without them no job has to begin.
async fn prices(args: &BacktestArgs, desk: &Desk) -> anyhow::Result<PriceHistory> {
    let (firm, brief) = desk.open(&request(args, args.to))?;
    Ok(firm.market.price_history(&brief.ticker, args.to).await?)
}

/// The number of the first bar of the span, and the days of the decisions: every so many bars, but not on the last.
fn days(history: &PriceHistory, args: &BacktestArgs) -> anyhow::Result<(usize, Vec<TradeDate>)> {
    let bars = &history.bars;
    let first = bars.partition_point(|bar| bar.date < args.from.day());
    let decided = bars[first..].split_last().map(|(_, before)| before).unwrap_or_default();
    anyhow::ensure!(
        !decided.is_empty(),
        "{} has less than two trading days from {} to {}; there are bars from {} to {}",
        args.ticker,
        args.from,
        args.to,
        bars[0].date,
        bars[bars.len() - 1].date
    );
    Ok((first, decided.iter().step_by(args.every).map(|bar| TradeDate::from(bar.date)).collect()))
}

fn request(args: &BacktestArgs, date: TradeDate) -> JobRequest {
    JobRequest::new(args.ticker.clone(), date, args.settings.config())
}

fn trading_days(text: &str) -> Result<usize, String> {
    let days = text.strip_suffix('d').unwrap_or(text).parse().ok();
    days.filter(|days| (1..=252).contains(days)).ok_or_else(|| format!("{text:?} is not from 1d to 252d"))
}

fn basis_points(text: &str) -> Result<f64, String> {
    let points = text.parse().ok();
    points.filter(|points| (0.0..=1000.0).contains(points)).ok_or_else(|| format!("{text:?} is not from 0 to 1000"))
}
