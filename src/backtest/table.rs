//! A backtest's figures as a Markdown table whose columns line up.

use super::{Backtest, Strategy};

const HEADER: [&str; 7] =
    ["Strategy", "Return %", "Annualised %", "Sharpe ratio", "Max. drawdown %", "Days in", "Trades"];

/// One row for each strategy.
pub(super) fn of(backtest: &Backtest) -> String {
    let rows: Vec<_> =
        std::iter::once(HEADER.map(str::to_owned)).chain(backtest.strategies.iter().map(cells)).collect();
    let widths: Vec<_> = (0..HEADER.len()).map(|c| rows.iter().map(|row| row[c].len()).max().unwrap_or(0)).collect();
    let mut lines: Vec<_> = rows.iter().map(|row| line(row, &widths)).collect();
    lines.insert(1, rule(&widths));
    lines.join("\n")
}

fn cells(strategy: &Strategy) -> [String; 7] {
    let figures = &strategy.performance;
    [
        strategy.name.clone(),
        format!("{:+.2}", figures.cumulative_return),
        format!("{:+.2}", figures.annualised_return),
        figures.sharpe_ratio.map_or("n/a".into(), |ratio| format!("{ratio:+.2}")),
        format!("{:.2}", figures.max_drawdown),
        strategy.days_held.to_string(),
        strategy.trades.to_string(),
    ]
}

/// Names to the left, figures to the right.
fn line(row: &[String; 7], widths: &[usize]) -> String {
    let cells =
        row.iter().zip(widths).enumerate().map(|(column, (cell, width))| {
            if column == 0 { format!("{cell:<width$}") } else { format!("{cell:>width$}") }
        });
    format!("| {} |", cells.collect::<Vec<_>>().join(" | "))
}

fn rule(widths: &[usize]) -> String {
    let cells = widths
        .iter()
        .enumerate()
        .map(|(column, width)| if column == 0 { "-".repeat(*width) } else { format!("{}:", "-".repeat(width - 1)) });
    format!("| {} |", cells.collect::<Vec<_>>().join(" | "))
}
