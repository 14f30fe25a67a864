//! The command line: one program, one command per role.
//!
//! Here the parts are put together as [`crate::config`] says. [`service`] has the long-running commands, [`analyze`]
//! one job in the foreground, [`backtest`] many of them over past days, [`remote`] the commands that are clients of a running API through [`client`]. [`exit`]
//! says how a command ends, [`output`] where it writes, [`progress`] how a job is shown.

mod analyze;
mod backtest;
mod cancel;
pub mod client;
mod doctor;
mod each;
pub mod exit;
pub mod healthcheck;
mod job_options;
mod jobs;
mod logging;
mod memory;
pub mod output;
pub mod progress;
mod remote;
mod result;
mod retry;
mod service;
mod signals;
mod sources;
mod submit;
mod watch;

use std::{env, process::ExitCode, sync::Arc};

use analyze::AnalyzeArgs;
use backtest::BacktestArgs;
use clap::{Parser, Subcommand};
use client::Client;
use exit::{CliError, EXIT_CODES, Exit};
use healthcheck::{HealthcheckArgs, Part};
pub use job_options::JobOptions;
use memory::MemoryArgs;
use output::Output;
pub use remote::Remote;
use sources::Sources;

use crate::{
    api,
    config::{self, Config},
    http_client,
    jobs::StoreError,
    memory::DecisionLog,
    results::ResultsError,
};

/// A job service that runs a team of LLM trading agents over market data and returns a reasoned BUY, SELL or HOLD.
///
/// Settings are environment variables; `tradingagents doctor` lists them.
#[derive(Debug, Parser)]
#[command(version, after_help = EXIT_CODES, propagate_version = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the HTTP API; needs Redis
    Api,
    /// Claim and run jobs; needs Redis
    Worker,
    /// Serve the API and run jobs in one process, without Redis
    Serve(Sources),
    Analyze(AnalyzeArgs),
    Backtest(BacktestArgs),
    Memory(MemoryArgs),
    #[command(flatten)]
    Remote(Remote),
    Healthcheck(HealthcheckArgs),
    /// Print the OpenAPI document
    Openapi,
    /// Report on every setting, and on what is reachable and what is missing
    Doctor(Sources),
}

/// Runs the command that the arguments name.
pub fn main() -> ExitCode {
    let command = Cli::parse().command;
    let output = Output::stdio();
    let exit = prepare(&command).and_then(|config| run(command, config, &output)).unwrap_or_else(|error| {
        let exit = exit_of(&error);
        if !matches!(error.downcast_ref(), Some(CliError::ReaderGone)) {
            output.note(format_args!("error: {error:#}"));
        }
        exit
    });
    exit.into()
}

/// Reads the settings and starts to log.
fn prepare(command: &Command) -> anyhow::Result<Config> {
    // A variable that is no text can't be one of ours.
    let variables =
        env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    let config = config::load(variables)?;
    let is_service = matches!(command, Command::Api | Command::Worker | Command::Serve(_));
    logging::start(&config, !is_service)?;
    http_client::install_tls();
    Ok(config)
}

#[tokio::main]
async fn run(command: Command, config: Config, output: &Output) -> anyhow::Result<Exit> {
    match command {
        Command::Api => service::api(Arc::new(config)).await?,
        Command::Worker => service::worker(Arc::new(config)).await?,
        Command::Serve(sources) => {
            let (config, desk) = sources.apply(config);
            service::serve(config, desk).await?;
        }
        Command::Analyze(args) => {
            let (config, desk) = args.sources.clone().apply(of_operator(config));
            return analyze::run(args, config, desk, output).await;
        }
        Command::Backtest(args) => return backtest::run(args, of_operator(config), output).await,
        Command::Memory(args) => return memory::run(args, &DecisionLog::new(config.memory_folder()), output),
        Command::Remote(command) => {
            let client =
                Client::new(config.tradingagents_url, config.tradingagents_key.as_ref()).map_err(CliError::from)?;
            return Ok(command.run(&client, output).await?);
        }
        Command::Healthcheck(HealthcheckArgs { part: Part::Api }) => {
            let client = Client::new(healthcheck::api_url(&config), None).map_err(CliError::from)?;
            return Ok(healthcheck::api(&client, output).await?);
        }
        Command::Healthcheck(HealthcheckArgs { part: Part::Worker }) => {
            return healthcheck::worker(&config, &service::redis_queue(&config)?, output).await;
        }
        Command::Openapi => output.line(serde_json::to_string_pretty(&api::openapi())?)?,
        Command::Doctor(sources) => {
            let (config, desk) = sources.apply(config);
            return doctor::run(config, &desk).await;
        }
    }
    Ok(Exit::Done)
}

/// The settings for jobs that the operator asks for: their URLs may lead anywhere.
fn of_operator(config: Config) -> Config {
    Config { allow_private_urls: true, ..config }
}

/// The end that an error makes.
fn exit_of(error: &anyhow::Error) -> Exit {
    if let Some(error) = error.downcast_ref::<CliError>() {
        error.exit()
    } else if error.is::<config::ConfigError>() || matches!(error.downcast_ref(), Some(ResultsError::Settings { .. })) {
        Exit::Usage
    } else if error.is::<StoreError>() {
        Exit::Unreachable
    } else {
        Exit::Refused
    }
}
