//! `memory`: the decision log.

use anyhow::Context;
use chrono::NaiveDate;
use clap::{ArgGroup, Args, Subcommand};

use super::{
    exit::Exit,
    output::{Output, one_line},
};
use crate::{
    domain::Ticker,
    memory::{DecisionLog, Entry, Prune, Settlement, lessons},
};

/// Show earlier decisions, what came of them, and the lessons that later jobs are told
#[derive(Debug, Clone, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct MemoryArgs {
    /// Only those on this symbol
    #[arg(value_name = "TICKER")]
    ticker: Option<Ticker>,
    /// Print JSON, one decision on a line
    #[arg(long)]
    json: bool,
    #[command(subcommand)]
    action: Option<Action>,
}

#[derive(Debug, Clone, Subcommand)]
enum Action {
    Prune(PruneArgs),
}

/// Remove settled decisions; those that are still pending stay
#[derive(Debug, Clone, Args)]
#[command(group(ArgGroup::new("which").required(true).args(["keep", "before"])))]
struct PruneArgs {
    /// Only those on this symbol
    #[arg(value_name = "TICKER")]
    ticker: Option<Ticker>,
    /// Keep so many of each symbol, the newest
    #[arg(long, value_name = "N")]
    keep: Option<usize>,
    /// Remove those decided before this day, YYYY-MM-DD
    #[arg(long, value_name = "DATE")]
    before: Option<NaiveDate>,
}

/// Shows the log, or removes from it.
pub fn run(args: MemoryArgs, log: &DecisionLog, output: &Output) -> anyhow::Result<Exit> {
    match args.action {
        None => show(&args, log, output),
        Some(Action::Prune(prune)) => remove(&prune, log, output),
    }
}

fn show(args: &MemoryArgs, log: &DecisionLog, output: &Output) -> anyhow::Result<Exit> {
    let mut entries = Vec::new();
    for ticker in tickers(args.ticker.as_ref(), log)? {
        entries.extend(log.entries(&ticker).with_context(|| unreadable(log))?);
    }
    entries.sort_by_key(|entry| (entry.decision.date, entry.decision.made_at));
    if args.json {
        return entries.iter().try_for_each(|entry| output.json(entry)).map(|()| Exit::Done).map_err(Into::into);
    }
    output.line(row(["DATE", "TICKER", "RATING", "RETURN %", "ALPHA", "SETTLED", "LESSON"]))?;
    for entry in &entries {
        output.line(entry_row(entry))?;
    }
    Ok(Exit::Done)
}

fn remove(args: &PruneArgs, log: &DecisionLog, output: &Output) -> anyhow::Result<Exit> {
    let prune = match (args.keep, args.before) {
        (Some(count), _) => Prune::Keep(count),
        (None, Some(day)) => Prune::Before(day),
        (None, None) => unreachable!("one of them is required"),
    };
    let mut removed = 0;
    for ticker in tickers(args.ticker.as_ref(), log)? {
        removed += log
            .prune(&ticker, prune)
            .with_context(|| format!("can't change the decision log in {}", log.folder().display()))?;
    }
    output.line(format_args!("{removed} removed"))?;
    Ok(Exit::Done)
}

/// The ticker that was asked for, or all that there are.
fn tickers(asked: Option<&Ticker>, log: &DecisionLog) -> anyhow::Result<Vec<Ticker>> {
    let known = log.tickers().with_context(|| unreadable(log))?;
    Ok(known.into_iter().filter(|ticker| asked.is_none_or(|asked| asked == ticker)).collect())
}

fn unreadable(log: &DecisionLog) -> String {
    format!("can't read the decision log in {}", log.folder().display())
}

fn entry_row(entry: &Entry) -> String {
    let decision = &entry.decision;
    let (earned, alpha, settled) = match &entry.settlement {
        Some(Settlement { return_percent, alpha_percent, settled_on, .. }) => {
            (format!("{return_percent:+.2}"), format!("{alpha_percent:+.2}"), settled_on.to_string())
        }
        None => (String::new(), String::new(), "pending".into()),
    };
    row([
        &decision.date.to_string(),
        decision.ticker.as_str(),
        decision.rating.as_str(),
        &earned,
        &alpha,
        &settled,
        &one_line(lessons::lesson(entry).unwrap_or_default()),
    ])
}

fn row([date, ticker, rating, earned, alpha, settled, lesson]: [&str; 7]) -> String {
    let row = format!("{date:<10}  {ticker:<8}  {rating:<11}  {earned:>8}  {alpha:>7}  {settled:<10}  {lesson}");
    row.trim_end().to_owned()
}
