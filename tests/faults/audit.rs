//! What was promised, compared with what is there.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    io::Write,
    path::{Path, PathBuf},
    time::Duration,
};

use tokio::time::{Instant, sleep};
use tradingagents::{
    jobs::{ErrorType, Event, EventId, EventKind, Job, JobId, Listing, RedisStore, Scope, Status, Store},
    memory::DecisionLog,
};

use crate::{
    clients::{Heard, Listener, Promises},
    redis::Redis,
    schedule::LEASE,
};

/// Far longer than a run takes.
const LONG: Duration = Duration::from_hours(10);

/// A job that may not take a step for so long is stuck.
const STUCK: Duration = Duration::from_mins(2);

/// The keys that are left but should not be: the feed is bounded, idempotency keys end by themselves, and the streams of
/// ready jobs have nothing in them.
const LEFT: &str = r"
local left = {}
for _, name in ipairs(redis.call('KEYS', '*')) do
  local is_empty = redis.call('TYPE', name).ok == 'stream' and redis.call('XLEN', name) == 0
    and redis.call('XPENDING', name, 'workers')[1] == 0
  local is_bounded = name == '{ta:0}:events' or name == '{ta:0}:counters'
  if not is_empty and not is_bounded and redis.call('PTTL', name) < 0 then table.insert(left, name) end
end
return left";

/// A store beside the service, with no bad network before it.
pub struct Audit {
    store: RedisStore,
    redis_url: String,
}

/// What the events tell.
#[derive(Debug, Default)]
pub struct Tally {
    pub jobs: usize,
    pub by_status: BTreeMap<&'static str, usize>,
    pub events: usize,
    pub claims: usize,
    pub resumed: usize,
    /// Attempts that ended with their lease.
    pub leases_lost: usize,
    pub other_retries: usize,
}

impl Audit {
    pub fn of(redis: &Redis) -> Self {
        let lease = Duration::from_secs(LEASE);
        let store = RedisStore::connect(&redis.url(), lease, LONG).unwrap();
        Self { store, redis_url: redis.url() }
    }

    /// Waits until no job is pending or running; as long as some end, there is time.
    pub async fn all_ended(&self) {
        let (mut left, mut since) = (u64::MAX, Instant::now());
        loop {
            if let Some(now) = self.left().await {
                if now == 0 {
                    return;
                }
                if now < left {
                    (left, since) = (now, Instant::now());
                }
            }
            assert!(since.elapsed() < STUCK, "{left} jobs do not end: {:?}", self.unfinished().await);
            sleep(Duration::from_millis(100)).await;
        }
    }

    /// How many jobs have not ended, if Redis says it.
    pub async fn left(&self) -> Option<u64> {
        self.store.stats().await.ok().map(|stats| stats.pending + stats.running)
    }

    async fn unfinished(&self) -> Vec<Job> {
        let jobs = self.jobs().await;
        jobs.into_values().filter(|job| !job.status.is_terminal()).take(3).collect()
    }

    /// Each promise is kept, each job has one end, and its events tell one story.
    pub async fn promises(&self, promises: &Promises) -> Tally {
        let jobs = self.jobs().await;
        if let Some(id) = promises.accepted.iter().find(|id| !jobs.contains_key(id)) {
            panic!("{id} was accepted, and is not listed; of it alone there is {:?}", self.store.get(*id).await);
        }
        let mut marked = BTreeMap::<_, usize>::new();
        for mark in jobs.values().filter_map(|job| job.request.config.quick_think_llm.as_ref()) {
            *marked.entry(mark.as_str()).or_default() += 1;
        }
        for (mark, count) in &promises.keyed {
            assert_eq!(marked.get(mark.as_str()), Some(count), "the jobs of one idempotency key");
        }
        // Those without a mark were sent by who tried whether they would be refused.
        let (count, most) = (marked.values().sum::<usize>(), promises.accepted.len() + promises.unanswered);
        assert!(count <= most, "{count} jobs, and at most {most} were submitted");
        let mut tally = Tally { jobs: jobs.len(), ..Tally::default() };
        for job in jobs.values() {
            assert!(job.status.is_terminal(), "{job:?}");
            assert!(job.status == Status::Cancelled || !promises.cancelled.contains(&job.id), "{job:?}");
            tally.add(job, &self.events_of(job.id).await);
        }
        tally
    }

    /// The listener heard every event of every job once, in their order.
    pub async fn heard(&self, heard: &Heard) {
        assert_eq!(heard.gaps, 0);
        let mut happened = BTreeMap::new();
        for id in self.jobs().await.into_keys() {
            let events = self.events_of(id).await;
            happened.extend(events.iter().map(|event| (event.id, (event.job_id, event.kind.name()))));
        }
        let mut last = EventId::ZERO;
        for event in &heard.events {
            assert!(event.id > last, "{} after {last}: doubled, or out of order", event.id);
            last = event.id;
            let known = happened.remove(&event.id);
            assert_eq!(known, Some((event.job_id, event.kind.name())), "heard, and not kept: {event:?}");
        }
        assert!(
            happened.is_empty(),
            "{} of {} were not heard: {:?}",
            happened.len(),
            heard.events.len(),
            happened.iter().next()
        );
    }

    /// The listener heard every event of its job once, in their order.
    pub async fn heard_of(&self, id: JobId, listener: &Listener) {
        let events = self.events_of(id).await;
        let heard = listener.heard_until(events.last().unwrap().id).await;
        assert_eq!((heard.gaps, heard.events), (0, events), "{id}");
    }

    /// Each completed job has one line in the decision log, and no job has two.
    pub async fn decisions(&self, memory: &Path) {
        let log = DecisionLog::new(memory);
        let mut decided = BTreeMap::<_, usize>::new();
        for ticker in log.tickers().unwrap() {
            let lines = fs::read_to_string(memory.join(format!("{ticker}.jsonl"))).unwrap();
            // A writer that was killed leaves a torn one.
            let records = lines.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
            for record in records.filter(|record| record["record"] == "decision") {
                *decided.entry(record["job_id"].as_str().unwrap().parse::<JobId>().unwrap()).or_default() += 1;
            }
        }
        for job in self.jobs().await.into_values() {
            let (lines, least) = (decided.get(&job.id).copied(), usize::from(job.status == Status::Completed));
            assert!((least..=1).contains(&lines.unwrap_or_default()), "{lines:?} decisions of {job:?}");
        }
    }

    /// Each completed job has the result of the attempt that completed it, and no job has two.
    pub async fn results(&self, root: &Path) {
        let folders = folders_of_jobs(root);
        assert_eq!(folders.iter().collect::<BTreeSet<_>>().len(), folders.len(), "a job has two results");
        for job in self.jobs().await.into_values().filter(|job| job.status == Status::Completed) {
            let folder =
                root.join(job.request.ticker.as_str()).join(job.request.date.to_string()).join(job.id.to_string());
            let state =
                fs::read(folder.join("state.json")).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
            let state: serde_json::Value = serde_json::from_slice(&state).unwrap();
            assert_eq!(state["job_id"], job.id.to_string());
            assert_eq!(state["attempt"], job.attempt, "the result of another attempt: {job:?}");
            assert_eq!(state["decision"], job.decision.unwrap().as_str());
            for file in ["decision.txt", "report.md", "5_portfolio/decision.md"] {
                assert!(folder.join(file).is_file(), "{}", folder.join(file).display());
            }
        }
    }

    /// Redis keeps nothing once all jobs are forgotten but the feed, and what ends by itself.
    pub async fn nothing_is_left(&self, redis: &Redis) {
        let lease = Duration::from_secs(LEASE);
        let forgetful = RedisStore::connect(&self.redis_url, lease, Duration::from_millis(1)).unwrap();
        forgetful.last_event().await.unwrap();
        // Workers that were killed are forgotten when their lease would be over.
        let forgotten = Instant::now() + lease * 2;
        while forgetful.tidy().await.unwrap() || Instant::now() < forgotten {
            sleep(Duration::from_millis(10)).await;
        }
        let left = redis.cli(&["EVAL", LEFT, "0"]).await;
        assert_eq!(left.trim(), "", "left behind");
    }

    pub async fn last_event(&self) -> EventId {
        self.store.last_event().await.unwrap()
    }

    pub async fn jobs(&self) -> BTreeMap<JobId, Job> {
        let (mut jobs, mut cursor) = (BTreeMap::new(), None);
        loop {
            let page = self.store.list(&Listing { cursor, limit: 100, ..Listing::default() }).await.unwrap();
            jobs.extend(page.jobs.into_iter().map(|job| (job.id, job)));
            cursor = page.next;
            if cursor.is_none() {
                return jobs;
            }
        }
    }

    async fn events_of(&self, id: JobId) -> Vec<Event> {
        self.store.replay(Scope::Job(id), EventId::ZERO, 10_000).await.unwrap().events
    }
}

impl Tally {
    /// Checks the events of a job that has ended, and counts them.
    fn add(&mut self, job: &Job, events: &[Event]) {
        let told =
            || events.iter().map(|event| format!("{} {:?}", event.id, event.kind)).collect::<Vec<_>>().join("\n");
        let ends: Vec<_> = events.iter().filter(|event| event.kind.is_terminal()).collect();
        assert_eq!(ends.len(), 1, "{}:\n{}", job.id, told());
        assert_eq!(events.last().map(|event| event.kind.name()), Some(job.status.as_str()), "{}:\n{}", job.id, told());
        assert_eq!(events[0].kind.name(), "submitted", "{}:\n{}", job.id, told());
        let (mut attempts, mut turns) = (0, BTreeSet::new());
        for event in events {
            match &event.kind {
                EventKind::Claimed { attempt, resumed, .. } => {
                    attempts += 1;
                    assert_eq!(*attempt, attempts, "{}:\n{}", job.id, told());
                    self.resumed += usize::from(*resumed);
                    turns.clear();
                }
                EventKind::StepStarted { agent } | EventKind::StepFinished { agent, .. } => {
                    let once = turns.insert((event.kind.name(), agent.label()));
                    assert!(once, "{}: an agent's turn was told twice:\n{}", job.id, told());
                }
                EventKind::Retry { error_type: ErrorType::WorkerLost, .. } => self.leases_lost += 1,
                EventKind::Retry { .. } => self.other_retries += 1,
                EventKind::Completed { .. } => {
                    let count = |name| turns.iter().filter(|(kind, _)| *kind == name).count();
                    let (started, finished) = (count("step_started"), count("step_finished"));
                    assert!(started == finished, "{}: a turn was not told of:\n{}", job.id, told());
                }
                _ => {}
            }
        }
        assert_eq!(job.attempt, attempts, "{}:\n{}", job.id, told());
        self.claims += attempts as usize;
        self.events += events.len();
        *self.by_status.entry(job.status.as_str()).or_default() += 1;
    }
}

/// Says how a run went, whether or not the test's output is shown.
pub fn report(run: &str, seed: u64, lines: &[String]) {
    let text = format!("faults: {run}, FAULTS_SEED={seed}\n  {}\n", lines.join("\n  "));
    io::stderr().write_all(text.as_bytes()).unwrap();
}

/// The jobs that have a folder among the results, each as often as it has one.
fn folders_of_jobs(root: &Path) -> Vec<JobId> {
    let Ok(entries) = fs::read_dir(root) else { return Vec::new() };
    let paths = entries.map(|entry| entry.unwrap().path()).filter(|path| path.is_dir());
    let id = |path: &Path| path.file_name()?.to_str()?.parse().ok();
    paths.flat_map(|path| id(&path).map_or_else(|| folders_of_jobs(&path), |id| vec![id])).collect()
}

/// What those who were killed in the middle of a result left in the folder of results.
pub fn leftovers(root: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(root) else { return Vec::new() };
    let paths = entries.map(|entry| entry.unwrap().path()).filter(|path| path.is_dir());
    paths
        .flat_map(|path| {
            let hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
            if hidden { vec![path] } else { leftovers(&path) }
        })
        .collect()
}
