//! The jobs of a backtest, one day after another.

use std::{sync::Arc, time::Duration};

use tokio_util::sync::CancellationToken;

use super::{BacktestArgs, progress::Progress, request};
use crate::{
    backtest::Judgement,
    cli::{exit::CliError, output::Output, service},
    config::Config,
    domain::TradeDate,
    jobs::{
        EmbeddedStore, EventKind, JobRequest, Queue, Scope,
        feed::{Followed, Follower},
    },
    results::Results,
    worker::{Desk, Options, Worker},
};

/// What the firm decides on each day. A job begins when the one before has ended.
pub async fn decide(
    args: &BacktestArgs,
    days: &[TradeDate],
    config: &Arc<Config>,
    desk: Desk,
    interrupted: &CancellationToken,
    output: &Output,
) -> anyhow::Result<Vec<Judgement>> {
    let store = EmbeddedStore::in_memory(service::lease(config), service::keep(config))?;
    let queue = Queue::new(Arc::new(store), service::retry_policy(config));
    let stop = interrupted.child_token();
    let options = Options { concurrency: 1, max_jobs: 0, grace: Duration::ZERO, ..Options::new(config) };
    let worker = Worker::new(queue.clone(), desk, Results::unsynced(config), options);
    let working = tokio::spawn(worker.run(stop.clone()));
    let progress = Progress::new(days.len(), output);
    let mut decisions = Vec::new();
    let all = async {
        for day in days {
            let judgement = judge(&queue, request(args, *day), &progress).await?;
            decisions.push(judgement);
            progress.tell(decisions.len(), &args.ticker, &decisions[decisions.len() - 1]);
        }
        anyhow::Ok(())
    };
    let ended = interrupted.run_until_cancelled(all).await;
    stop.cancel();
    working.await?;
    ended.ok_or_else(|| {
        CliError::Interrupted(format!("what was decided until now is in {}", config.results_dir.display()))
    })??;
    Ok(decisions)
}

/// Submits a job and waits for its end.
async fn judge(queue: &Queue, request: JobRequest, progress: &Progress) -> anyhow::Result<Judgement> {
    let date = request.date;
    let job = queue.submit(request, None).await?.into_job();
    let mut events = queue.follow(Scope::Job(job.id), None).await?;
    let end = last_event(&mut events, progress).await?;
    let nothing = Judgement { date, job_id: job.id, decision: None, rating: None, error: None };
    Ok(match end {
        EventKind::Completed { decision, rating } => {
            Judgement { decision: Some(decision), rating: Some(rating), ..nothing }
        }
        EventKind::Failed { error, .. } => Judgement { error: Some(error), ..nothing },
        _ => Judgement { error: Some("cancelled".into()), ..nothing },
    })
}

async fn last_event(events: &mut Follower, progress: &Progress) -> anyhow::Result<EventKind> {
    while let Some(followed) = events.next().await? {
        let Followed::Event(event) = followed else { continue };
        if event.kind.is_terminal() {
            return Ok(event.kind.clone());
        }
        progress.event(&event.kind);
    }
    anyhow::bail!("the job's events ended before the job")
}
