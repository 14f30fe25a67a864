//! A backtest as a report for people.

use std::fmt::{self, Write};

use super::{Backtest, TRADING_DAYS};

/// The report, as Markdown; the chart is beside it.
pub(super) fn of(backtest: &Backtest) -> String {
    let mut text = String::new();
    // Writing to a String can't fail.
    let _ = write_report(&mut text, backtest);
    text
}

fn write_report(out: &mut String, backtest: &Backtest) -> fmt::Result {
    let Backtest { vendor, cost_basis_points, strategies, decisions, .. } = backtest;
    writeln!(out, "# Backtest: {}\n", backtest.title())?;
    writeln!(out, "> Made by software for research. Past prices promise nothing, and it is no investment advice.\n")?;
    writeln!(out, "{}\n\n![Return of each strategy](chart.svg)\n\n## How it was reckoned\n", backtest.table())?;
    writeln!(
        out,
        "A decision at the close of a day is traded at that close and held from it on, all in or all out; HOLD changes \
         nothing. Closes are those of the vendor {vendor}, adjusted for splits and dividends. A change of position \
         costs {cost_basis_points} hundredths of a percent. A year has {TRADING_DAYS} trading days; the Sharpe ratio is \
         the mean of the daily returns by their standard deviation, times the root of that, over cash that earns \
         nothing.\n"
    )?;
    for strategy in strategies {
        writeln!(out, "- **{}**: {}", strategy.name, strategy.rule)?;
    }
    writeln!(out, "\n## Decisions\n\n| Day | Decision | Rating | Job |\n| --- | --- | --- | --- |")?;
    for it in decisions {
        let decision = it.decision.map_or("failed", |decision| decision.as_str());
        let rating = it.rating.map_or("", |rating| rating.as_str());
        writeln!(out, "| {} | {decision} | {rating} | {} |", it.date, it.job_id)?;
    }
    Ok(())
}
