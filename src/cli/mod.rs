//! The command line: one program, one command per role.
//!
//! Here the parts are put together as [`crate::config`] says. [`service`] has the long-running commands, [`analyze`]
//! one job in the foreground, [`backtest`] many of them over past days, [`remote`] the commands that are clients of a running API through [`client`]. [`exit`]
//! says how a command ends, [`output`] where it writes, [`progress`] how a job is shown.

mod analyze;
mod backtest;
mod cancel;
pub mod client;
mod describe;
mod doctor;
mod each;
pub mod exit;
pub mod healthcheck;
mod job_options;
mod jobs;
mod logging;
mod memory;
pub mod output;
mod paint;
pub mod progress;
mod remote;
mod result;
mod retry;
mod service;
mod signals;
mod sources;
mod submit;
mod tickers;
mod verdict;
mod watch;

use std::{env, process::ExitCode, sync::Arc, time::Duration};

use analyze::AnalyzeArgs;
use backtest::BacktestArgs;
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use client::Client;
use describe::Describe;
use doctor::DoctorArgs;
use exit::{CliError, EXIT_CODES, Exit};
use healthcheck::{HealthcheckArgs, Part};
pub use job_options::JobOptions;
use memory::MemoryArgs;
use output::Output;
use remote::API_SETTINGS;
pub use remote::Remote;
use sources::Sources;

use crate::{
    config::{self, Config},
    http_client,
    jobs::StoreError,
    memory::DecisionLog,
    results::ResultsError,
    telemetry::Traces,
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

#[expect(clippy::large_enum_variant, reason = "there is one per process")]
#[derive(Debug, Subcommand)]
enum Command {
    #[command(flatten)]
    Work(Work),
    #[command(flatten)]
    Describe(Describe),
}

/// A command that goes by the settings.
#[derive(Debug, Subcommand)]
enum Work {
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
    Doctor(DoctorArgs),
}

/// How long what blocks may go on when a command has ended: a disk that hangs would keep the process for as long as it does.
const LAST_WRITES: Duration = Duration::from_secs(2);

/// Runs the command that the arguments name.
pub fn main() -> ExitCode {
    let output = Output::stdio();
    let command = Cli::from_arg_matches(&command_line().get_matches()).unwrap_or_else(|error| error.exit()).command;
    let done = match command {
        Command::Describe(what) => what.run(command_line(), &output).map(|()| Exit::Done),
        Command::Work(command) => prepare(&command).and_then(|(config, traces)| {
            let done = run(command, config, &output);
            if let Some(traces) = traces {
                traces.end();
            }
            done
        }),
    };
    let exit = done.unwrap_or_else(|error| {
        let exit = exit_of(&error);
        if !matches!(error.downcast_ref(), Some(CliError::ReaderGone)) {
            output.error(format_args!("{error:#}"));
        }
        exit
    });
    exit.into()
}

/// The whole command line; the help of each command has the exit codes, and that of a client where it finds the API.
fn command_line() -> clap::Command {
    Cli::command().mut_subcommands(|command| {
        let is_client = Remote::has_subcommand(command.get_name());
        command.after_help(if is_client { format!("{API_SETTINGS}\n\n{EXIT_CODES}") } else { EXIT_CODES.into() })
    })
}

/// Reads the settings, and starts to log and, in a service, to trace.
fn prepare(command: &Work) -> anyhow::Result<(Config, Option<Traces>)> {
    // A variable that is no text can't be one of ours.
    let variables =
        env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    let config = config::load(variables)?;
    let is_service = matches!(command, Work::Api | Work::Worker | Work::Serve(_));
    logging::start(&config, !is_service)?;
    http_client::install_tls();
    let traces = if is_service { Traces::start(&config)? } else { None };
    Ok((config, traces))
}

fn run(command: Work, config: Config, output: &Output) -> anyhow::Result<Exit> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let done = runtime.block_on(carry_out(command, config, output));
    runtime.shutdown_timeout(LAST_WRITES);
    done
}

async fn carry_out(command: Work, config: Config, output: &Output) -> anyhow::Result<Exit> {
    match command {
        Work::Api => service::api(Arc::new(config)).await?,
        Work::Worker => service::worker(Arc::new(config)).await?,
        Work::Serve(sources) => {
            let (config, desk) = sources.apply(config);
            service::serve(config, desk).await?;
        }
        Work::Analyze(args) => {
            let (config, desk) = args.sources.clone().apply(of_operator(config));
            return analyze::run(args, config, desk, output).await;
        }
        Work::Backtest(args) => return backtest::run(args, of_operator(config), output).await,
        Work::Memory(args) => return memory::run(args, &DecisionLog::new(config.memory_folder()), output),
        Work::Remote(command) => {
            let client =
                Client::new(config.tradingagents_url, config.tradingagents_key.as_ref()).map_err(CliError::from)?;
            return Ok(command.run(&client, output).await?);
        }
        Work::Healthcheck(HealthcheckArgs { part: Part::Api }) => {
            let client = Client::new(healthcheck::api_url(&config), None).map_err(CliError::from)?;
            return Ok(healthcheck::api(&client, output).await?);
        }
        Work::Healthcheck(HealthcheckArgs { part: Part::Worker }) => {
            return healthcheck::worker(&config, &service::redis_queue(&config)?, output).await;
        }
        Work::Doctor(args) => return doctor::run(args, config, output).await,
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
