//! The output folder of a backtest.
//!
//! ```text
//! report.md      the figures, the chart and the decisions
//! chart.svg      what each strategy was worth from day to day
//! backtest.json  all of it for programs
//! jobs/          the results of the jobs, as RESULTS_DIR holds them
//! memory/        the log of the decisions and their lessons
//! ```

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use anyhow::Context;
use chrono::Utc;

use super::BacktestArgs;
use crate::{backtest::Backtest, config::Config};

/// A folder that no backtest had before: its name ends with the time.
pub fn unused(config: &Config, args: &BacktestArgs) -> PathBuf {
    let name = format!("{}_{}_{}_{}", args.ticker, args.from, args.to, Utc::now().format("%Y%m%dT%H%M%S%.3f"));
    config.results_dir.join("backtests").join(name)
}

/// Makes the folder. One with something in it is refused: decisions of another backtest would teach this one.
pub fn make(folder: &Path) -> anyhow::Result<()> {
    let path = folder.display();
    fs::create_dir_all(folder).with_context(|| format!("can't make the folder {path}"))?;
    let mut content = fs::read_dir(folder).with_context(|| format!("can't read the folder {path}"))?;
    anyhow::ensure!(content.next().is_none(), "the folder {path} is not empty; name another with --output");
    Ok(())
}

/// Writes what came of it.
pub fn write(folder: &Path, backtest: &Backtest) -> io::Result<()> {
    fs::write(folder.join("backtest.json"), serde_json::to_vec_pretty(backtest)?)?;
    fs::write(folder.join("chart.svg"), backtest.chart())?;
    fs::write(folder.join("report.md"), backtest.report())
}
