//! The long-running commands: `api`, `worker` and `serve`.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use anyhow::Context;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::signals::stop_on_signal;
use crate::{
    api::{self, Api, Limits},
    config::Config,
    jobs::{EmbeddedStore, Keep, Queue, RedisStore, RetryPolicy, StoreError},
    results::Results,
    worker::{Desk, Options, Worker},
};

/// The API, on Redis.
pub async fn api(config: Arc<Config>) -> anyhow::Result<()> {
    let stop = stop_on_signal()?;
    let listener = listen(config.api_listen, "API_LISTEN").await?;
    serve_api(&config, listener, redis_queue(&config)?, stop).await
}

/// A worker, on Redis.
pub async fn worker(config: Arc<Config>) -> anyhow::Result<()> {
    let stop = stop_on_signal()?;
    let desk = Desk::new(config.clone());
    let queue = redis_queue(&config)?;
    let metrics = match config.metrics_listen {
        Some(address) => Some(listen(address, "METRICS_LISTEN").await?),
        None => None,
    };
    let worker = new_worker(&config, queue.clone(), desk)?;
    let told = CancellationToken::new();
    let tell = async {
        if let Some(listener) = metrics {
            info!("the metrics are at http://{}/metrics", listener.local_addr()?);
            api::serve(
                listener,
                api::metrics::alone(queue, &config),
                Limits::new(&config),
                told.clone(),
                Duration::ZERO,
            )
            .await;
        }
        std::io::Result::Ok(())
    };
    // They are told until the last job has ended.
    let work = async {
        worker.run(stop).await;
        told.cancel();
    };
    let (told, ()) = tokio::join!(tell, work);
    Ok(told?)
}

/// API and worker in one process, on the embedded store.
pub async fn serve(config: Arc<Config>, desk: Desk) -> anyhow::Result<()> {
    let stop = stop_on_signal()?;
    let listener = listen(config.api_listen, "API_LISTEN").await?;
    let file = config.state_dir.join("jobs.redb");
    let store = EmbeddedStore::open(&file, lease(&config), keep(&config))?;
    let failed = store.failed();
    let queue = Queue::new(Arc::new(store), retry_policy(&config)).with_most_pending(config.max_pending);
    let worker = new_worker(&config, queue.clone(), desk)?;
    let worker = async {
        // What it works on when the store has failed can't be kept, and goes on from the last checkpoint later.
        failed.run_until_cancelled(worker.run(stop.clone())).await;
        // A worker that ends by WORKER_MAX_JOBS ends the process, as it does alone.
        stop.cancel();
    };
    let (served, ()) = tokio::join!(serve_api(&config, listener, queue, stop.clone()), worker);
    served?;
    if failed.is_cancelled() {
        let cause = format!(
            "a write to {} failed, and no more are taken until it is opened anew; mend the disk of STATE_DIR (is it full?) \
             and start again: accepted jobs go on",
            file.display()
        );
        return Err(StoreError::Unavailable(cause).into());
    }
    Ok(())
}

/// The queue on Redis. It need not be up yet.
pub fn redis_queue(config: &Config) -> anyhow::Result<Queue> {
    let store = RedisStore::connect(config.redis(), lease(config), keep(config))?;
    Ok(Queue::new(Arc::new(store), retry_policy(config)).with_most_pending(config.max_pending))
}

/// A worker as the settings say.
pub fn new_worker(config: &Config, queue: Queue, desk: Desk) -> anyhow::Result<Worker> {
    Ok(Worker::new(queue, desk, Results::new(config)?, Options::new(config)))
}

/// The retries that the settings allow.
pub fn retry_policy(config: &Config) -> RetryPolicy {
    RetryPolicy {
        max_retries: config.job_max_retries,
        base: Duration::from_secs(config.job_retry_backoff),
        max: Duration::from_secs(config.job_retry_backoff_max),
    }
}

pub fn lease(config: &Config) -> Duration {
    Duration::from_secs(config.job_lease)
}

pub fn keep(config: &Config) -> Keep {
    Keep { ttl: Duration::from_secs(config.job_ttl), most: config.max_kept }
}

async fn listen(address: SocketAddr, setting: &str) -> anyhow::Result<TcpListener> {
    let taken = || format!("can't listen on {address}; is another program there? set {setting} to another port");
    TcpListener::bind(address).await.with_context(taken)
}

async fn serve_api(
    config: &Arc<Config>,
    listener: TcpListener,
    queue: Queue,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    let address = listener.local_addr()?;
    info!("the API listens on http://{address}, its documentation is at http://{address}/docs");
    if config.api_keys.is_empty() && !address.ip().is_loopback() {
        warn!("without API_KEYS, whoever reaches {address} can submit jobs and read their results");
    }
    let api = Api::new(queue.clone(), Results::new(config)?, config.clone(), stop.clone());
    let depth = api.depth.clone();
    let grace = Duration::from_secs(config.shutdown_grace);
    let serving = api::serve(listener, api::router(api), Limits::new(config), stop.clone(), grace);
    tokio::join!(serving, depth.sample(&queue, &stop));
    Ok(())
}
