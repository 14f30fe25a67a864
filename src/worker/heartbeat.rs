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
    task::spawn_blocking,
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

/// The time between two looks for a GPU that wasn't there.
const NO_GPU_PERIOD: Duration = Duration::from_mins(1);

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

    /// The GPUs, or why there is none.
    fn sees(&self, seen: Result<Vec<Gpu>, NoGpu>) {
        let no_gpu = seen.as_ref().err().map(NoGpu::to_string);
        let gpus = seen.unwrap_or_default();
        let info = &mut self.state().info;
        if info.no_gpu != no_gpu || info.gpus.len() != gpus.len() {
            if let Some(reason) = &no_gpu {
                info!("{reason}");
            } else {
                info!(gpus = gpus.len(), "GPUs are there");
            }
            self.changed.notify_one();
        }
        (info.gpus, info.no_gpu) = (gpus, no_gpu);
    }

    fn snapshot(&self) -> WorkerInfo {
        let state = self.state();
        WorkerInfo { running: state.running.iter().copied().collect(), ..state.info.clone() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.info.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Tells the store every few seconds, for as long as it is polled.
pub async fn beat(worker: Arc<Worker>) {
    let period = PERIOD.min(worker.options.lease / 3);
    loop {
        if let Err(error) = worker.queue.heartbeat(&worker.activity.snapshot()).await {
            debug!(%error, "a heartbeat was lost");
        }
        sleep(GAP).await;
        // A timeout is the usual case: nothing has changed.
        let _ = timeout(period, worker.activity.changed.notified()).await;
    }
}

/// Looks at the GPUs as often, and every minute for a driver that isn't there, for as long as it is polled. The heart beats on
/// meanwhile, for a driver may hang.
pub async fn watch_gpus(worker: Arc<Worker>) {
    let mut opened = None;
    loop {
        let (still_open, seen) = spawn_blocking(|| look(opened)).await.unwrap_or_else(|error| {
            let reason = NoGpu::Other(error.to_string());
            (None, Err(reason))
        });
        opened = still_open;
        worker.activity.sees(seen);
        sleep(if opened.is_some() { PERIOD } else { NO_GPU_PERIOD }).await;
    }
}

/// What NVML shows, and it, unless it failed: then it is to be opened anew.
fn look(opened: Option<Gpus>) -> (Option<Gpus>, Result<Vec<Gpu>, NoGpu>) {
    match opened.map_or_else(Gpus::open, Ok).and_then(|gpus| Ok((gpus.read()?, gpus))) {
        Ok((seen, gpus)) => (Some(gpus), Ok(seen)),
        Err(reason) => (None, Err(reason)),
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
