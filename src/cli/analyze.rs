//! `analyze`: one job in the foreground.
//!
//! It is the same queue, worker and pipeline as in the service, on an embedded store of its own. The store's file lives
//! until the job ends, so that a run which was interrupted, or killed, goes on from its last checkpoint when it is
//! started again.

use std::{
    fs,
    hash::{DefaultHasher, Hash, Hasher},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use anyhow::Context;
use clap::Args;

use super::{
    exit::{CliError, Exit},
    job_options::JobOptions,
    output::Output,
    progress::{Mode, Outcome, Progress},
    service,
    signals::stop_on_signal,
    sources::Sources,
};
use crate::{
    config::Config,
    domain::Ticker,
    jobs::{
        EmbeddedStore, Job, JobRequest, Listing, Queue, Status,
        feed::{Followed, Follower},
    },
    results::Results,
    worker::{Desk, Options, Worker},
};

/// Run one job here and now, with live progress; prints the decision and where the report is
#[derive(Debug, Clone, Args)]
pub struct AnalyzeArgs {
    /// The symbol to analyse
    #[arg(value_name = "TICKER")]
    ticker: Ticker,
    #[command(flatten)]
    options: JobOptions,
    #[command(flatten)]
    pub sources: Sources,
    /// Print every event as JSON, one on a line, as `watch --json` does, and the result as the last
    #[arg(long)]
    pub json: bool,
}

/// Runs the job that the arguments ask for, or goes on with it, and shows how it goes.
pub async fn run(args: AnalyzeArgs, config: Arc<Config>, desk: Desk, output: &Output) -> anyhow::Result<Exit> {
    let interrupted = stop_on_signal()?;
    let request = args.options.request(args.ticker);
    let file = state_file(&config, &request);
    let store = EmbeddedStore::open(&file, service::lease(&config), service::keep(&config))?;
    let queue = Queue::new(Arc::new(store), service::retry_policy(&config));
    let job = match unfinished(&queue).await? {
        Some(job) => job,
        None => queue.submit(request, None).await?.into_job(),
    };
    let events = queue.follow_with_drafts(job.id, None).await?;
    let results = Results::new(&config)?;
    let stop = interrupted.child_token();
    let working = tokio::spawn(worker(&config, &queue, desk, &results).run(stop.clone()));

    let mut progress = Progress::new(Mode::choose(args.json, output), output.clone());
    let outcome = interrupted.run_until_cancelled(show(events, &mut progress)).await;
    stop.cancel();
    working.await?;

    let Some(outcome) = outcome else {
        return Err(CliError::Interrupted("the same command goes on from the last answer of a model".into()).into());
    };
    let outcome = outcome?;
    let job = queue.get(job.id).await?.context("the job is gone from its store")?;
    drop(queue);
    forget(&file);
    progress.conclude(&outcome)?;
    if outcome.decided() {
        tell_result(&results, &job, args.json, output).await?;
    }
    Ok(outcome.exit())
}

/// A worker for the one job. Told to stop, it hands the job back at once, whose state is safe.
fn worker(config: &Config, queue: &Queue, desk: Desk, results: &Results) -> Worker {
    let options = Options { concurrency: 1, grace: Duration::ZERO, ..Options::new(config) };
    Worker::new(queue.clone(), desk, results.clone(), options)
}

/// Shows the job's events until it ends.
async fn show(mut events: Follower, progress: &mut Progress) -> anyhow::Result<Outcome> {
    while let Some(followed) = events.next().await? {
        match followed {
            Followed::Event(event) => {
                if let Some(outcome) = progress.event(&event)? {
                    return Ok(outcome);
                }
            }
            Followed::Writing(writing) => progress.writing(&writing)?,
            Followed::Gap => {}
        }
    }
    anyhow::bail!("the job's events ended before the job")
}

async fn tell_result(results: &Results, job: &Job, json: bool, output: &Output) -> anyhow::Result<()> {
    if json {
        let text = results.read(job).await?.context("the result is gone from its place")?;
        output.json(&serde_json::from_str::<serde_json::Value>(&text)?)?;
    } else {
        output.line(format_args!("report: {}", results.place_of_report(job)))?;
    }
    Ok(())
}

/// The job that an earlier run left.
async fn unfinished(queue: &Queue) -> anyhow::Result<Option<Job>> {
    let page = queue.list(&Listing { status: Some(Status::Pending), limit: 1, ..Listing::default() }).await?;
    Ok(page.jobs.into_iter().next())
}

/// The file of the job's store. Its name holds all that makes the job what it is, so that another configuration is
/// another job.
fn state_file(config: &Config, request: &JobRequest) -> PathBuf {
    let mut hash = DefaultHasher::new();
    let vendors = (&config.price_vendors, &config.fundamental_vendors, &config.news_vendors);
    let models = (
        config.llm_provider,
        (config.deep_think_provider, &config.deep_think_llm),
        (config.quick_think_provider, &config.quick_think_llm),
    );
    let identity = (request, models, &config.data_dir, vendors);
    serde_json::to_string(&identity).expect("settings have no map with keys that are no texts").hash(&mut hash);
    config.state_dir.join("analyze").join(format!("{}-{}-{:016x}.redb", request.ticker, request.date, hash.finish()))
}

/// Removes the store of a job that has ended. What stays by mishap costs some kilobytes.
fn forget(file: &Path) {
    if let Err(error) = fs::remove_file(file) {
        tracing::warn!(file = %file.display(), %error, "can't remove the state of the finished job");
    }
}
