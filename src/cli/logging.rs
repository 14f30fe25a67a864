//! Log lines on standard error, in the form and amount that the settings say.

use std::io::IsTerminal;

use anyhow::Context;
use tracing_subscriber::EnvFilter;

use crate::config::{Config, LogFormat};

/// Starts to log. `quiet` leaves only warnings unless `LOG` was set: for commands that draw their own progress.
pub fn start(config: &Config, quiet: bool) -> anyhow::Result<()> {
    let directives = if quiet && config.log == Config::default().log { "warn" } else { &config.log };
    let filter = EnvFilter::try_new(directives)
        .with_context(|| format!("LOG={directives:?} is not allowed; it is a level such as info, or directives such as info,tradingagents::worker=debug"))?;
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match config.log_format {
        LogFormat::Json => lines.json().flatten_event(true).init(),
        LogFormat::Text => lines.with_ansi(std::io::stderr().is_terminal()).init(),
    }
    Ok(())
}
