//! What a worker says of itself.

use std::{
    collections::BTreeSet,
    process,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use chrono::{DateTime, Utc};
use tokio::{
    sync::Notify,
    time::{sleep, timeout},
};
use tracing::{debug, info};

use super::{
    Options, Worker,
    gpu::{Gpus, NoGpu},
};
use crate::{
    config::Config,
    jobs::{Gpu, JobId, ServedModels, WorkerId, WorkerInfo},
};

/// The longest time between two heartbeats.
const PERIOD: Duration = Duration::from_secs(5);

/// The shortest, however fast jobs begin and end.
const GAP: Duration = Duration::from_millis(200);

/// The time between two listings of the models.
const MODELS_PERIOD: Duration = Duration::from_mins(1);

/// The worker's name: `WORKER_ID`, or host name and process id.
pub fn name(config: &Config) -> WorkerId {
    WorkerId(config.worker_id.clone().unwrap_or_else(|| format!("{}-{}", host_name(), process::id())))
}

/// Whether a worker with the usual name, or that of `WORKER_ID`, runs on this host.
pub fn is_of_this_host(config: &Config, worker: &WorkerId) -> bool {
    match &config.worker_id {
        Some(id) => worker.0 == *id,
        None => worker.0.rsplit_once('-').is_some_and(|(host, _)| host == host_name()),
    }
}

/// The name of this host, or of this container.
fn host_name() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

/// What the worker does at the moment.
pub struct Activity {
    info: Mutex<State>,
    /// Rung when something changed that listeners should see at once.
    changed: Notify,
}

struct State {
    info: WorkerInfo,
    running: BTreeSet<JobId>,
}

impl Activity {
    pub fn new(options: &Options, now: DateTime<Utc>) -> Self {
        let info = WorkerInfo {
            id: options.id.clone(),
            version: env!("CARGO_PKG_VERSION").into(),
            started_at: now,
            seen_at: now,
            concurrency: options.concurrency,
            running: Vec::new(),
            finished: 0,
            draining: false,
            gpus: Vec::new(),
            no_gpu: None,
            models: None,
        };
        Self { info: Mutex::new(State { info, running: BTreeSet::new() }), changed: Notify::new() }
    }

    pub fn begin(&self, job: JobId) {
        self.state().running.insert(job);
        self.changed.notify_one();
    }

    pub fn end(&self, job: JobId) {
        let mut state = self.state();
        state.running.remove(&job);
        state.info.finished += 1;
        self.changed.notify_one();
    }

    /// The worker claims nothing any more.
    pub fn drain(&self) {
        self.state().info.draining = true;
        self.changed.notify_one();
    }

    /// The models that jobs can have.
    pub fn serves(&self, models: ServedModels) {
        let before = self.state().info.models.replace(models.clone());
        if before != Some(models) {
            self.changed.notify_one();
        }
    }

    fn snapshot(&self, seen: Result<Vec<Gpu>, NoGpu>) -> WorkerInfo {
        let state = self.state();
        let no_gpu = seen.as_ref().err().map(NoGpu::to_string);
        let running = state.running.iter().copied().collect();
        WorkerInfo { running, gpus: seen.unwrap_or_default(), no_gpu, ..state.info.clone() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.info.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Tells the store every few seconds, for as long as it is polled.
pub async fn beat(worker: Arc<Worker>) {
    let period = PERIOD.min(worker.options.lease / 3);
    let gpus = open_gpus().await;
    loop {
        let seen = read_gpus(&gpus).await;
        if let Err(error) = worker.queue.heartbeat(&worker.activity.snapshot(seen)).await {
            debug!(%error, "a heartbeat was lost");
        }
        sleep(GAP).await;
        // A timeout is the usual case: nothing has changed.
        let _ = timeout(period, worker.activity.changed.notified()).await;
    }
}

/// Asks the model server what it has, every minute, for as long as it is polled. The heart beats on meanwhile.
pub async fn list_models(worker: Arc<Worker>) {
    loop {
        match worker.desk.served_models().await {
            Ok(models) => worker.activity.serves(models),
            Err(error) => debug!(%error, "the models can't be listed"),
        }
        sleep(MODELS_PERIOD).await;
    }
}

async fn open_gpus() -> Result<Arc<Gpus>, NoGpu> {
    let opened = asked(Gpus::open).await;
    if let Err(reason) = &opened {
        info!("{reason}");
    }
    opened.map(Arc::new)
}

async fn read_gpus(gpus: &Result<Arc<Gpus>, NoGpu>) -> Result<Vec<Gpu>, NoGpu> {
    let gpus = gpus.clone()?;
    asked(move || gpus.read()).await
}

/// What NVML answers, which may block for some milliseconds.
async fn asked<T: Send + 'static>(question: impl FnOnce() -> Result<T, NoGpu> + Send + 'static) -> Result<T, NoGpu> {
    tokio::task::spawn_blocking(question).await.unwrap_or_else(|error| Err(NoGpu::Other(error.to_string())))
}
