//! The runs.

use std::time::Duration;

use tokio::{
    task::JoinHandle,
    time::{Instant, sleep, timeout},
};

use crate::{
    audit::{Audit, Tally, leftovers, report},
    clients::{Listener, Promises, submit},
    program::PATIENCE,
    redis::Redis,
    schedule::{Fault, Part, schedule},
    stack::Stack,
};

/// Listeners of a run.
const LISTENERS: usize = 2;

/// How many jobs there are in the greatest run.
pub fn jobs() -> usize {
    number("FAULTS_JOBS").map_or(1000, |jobs| usize::try_from(jobs).unwrap())
}

/// The seed of the faults: another each time, unless it is given.
fn seed() -> u64 {
    number("FAULTS_SEED").unwrap_or_else(|| fastrand::u64(1..1_000_000))
}

fn number(name: &str) -> Option<u64> {
    let value = std::env::var(name).ok()?;
    Some(value.parse().unwrap_or_else(|_| panic!("{name} is a number, and not {value:?}")))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_promise_is_kept_with_a_redis_that_syncs_always() {
    let redis = Redis::start(&["--appendonly", "yes", "--appendfsync", "always"]).await;
    let run = Run::start("all faults, appendfsync always", redis, jobs(), |_| Vec::new()).await;
    run.under_faults(|_| true).await.audit().await;
}

/// A kill takes what Redis has answered and not yet written, which is nothing but while a sync is under way: so this one's
/// Redis settles before it is killed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_promise_is_kept_with_a_redis_that_syncs_every_second() {
    let redis = Redis::start(&["--appendonly", "yes", "--appendfsync", "everysec"]).await;
    let run = Run::start("all faults, appendfsync everysec", redis, jobs(), |_| Vec::new()).await;
    run.under_faults(|_| true).await.audit().await;
}

/// Clients that submit and listen, and a service that they use.
pub struct Run {
    name: &'static str,
    pub seed: u64,
    began: Instant,
    jobs: usize,
    pub stack: Stack,
    pub audit: Audit,
    submitting: JoinHandle<Promises>,
    listeners: [Listener; LISTENERS],
}

impl Run {
    /// Begins, with settings of its own for each part.
    pub async fn start(
        name: &'static str,
        redis: Redis,
        jobs: usize,
        settings: impl Fn(Part) -> Vec<(&'static str, String)>,
    ) -> Self {
        let seed = seed();
        report(name, seed, &[format!("{jobs} jobs begin")]);
        let stack = Stack::start(redis, settings).await;
        let audit = Audit::of(&stack.redis);
        let url = stack.url();
        let listeners = [(); LISTENERS].map(|()| Listener::start(&url));
        let submitting = tokio::spawn(async move { submit(&url, jobs, seed).await });
        Self { name, seed, began: Instant::now(), jobs, stack, audit, submitting, listeners }
    }

    /// Plays the faults that are wanted while there are jobs, and all kinds at least once.
    pub async fn under_faults(mut self, wanted: impl Fn(&Fault) -> bool) -> Self {
        const LEAST: usize = 24;
        let faults = schedule(self.seed, LEAST + self.jobs / 8).into_iter();
        for (number, (wait, fault)) in faults.filter(|(_, fault)| wanted(fault)).enumerate() {
            if number >= LEAST && self.submitting.is_finished() && self.audit.left().await == Some(0) {
                break;
            }
            sleep(wait).await;
            self.stack.strike(&fault).await;
        }
        self.stack.calm();
        self
    }

    /// Waits until all is done, and compares.
    pub async fn audit(mut self) -> Tally {
        let promises = self.submitting.await.unwrap();
        let (stack, audit) = (&mut self.stack, &self.audit);
        audit.all_ended().await;
        let tally = audit.promises(&promises).await;
        audit.results(&stack.results).await;
        audit.decisions(&stack.memory).await;
        for (id, listener) in &promises.followed {
            audit.heard_of(*id, listener).await;
        }
        let (mut events, mut resumed) = (0, 0);
        for listener in &self.listeners {
            let heard = listener.heard_until(audit.last_event().await).await;
            audit.heard(&heard).await;
            events += heard.events.len();
            resumed += heard.resumed;
        }
        let struck: Vec<_> = stack.struck.iter().map(|(kind, count)| format!("{count} {kind}")).collect();
        let lines = [
            format!(
                "{} jobs accepted, {} requests repeated; ended: {:?}",
                promises.accepted.len(),
                promises.repeated,
                tally.by_status
            ),
            struck.join(", "),
            format!(
                "{} claims, {} resumed from a checkpoint, {} leases lost, {} other retries",
                tally.claims, tally.resumed, tally.leases_lost, tally.other_retries
            ),
            format!(
                "{} events; {LISTENERS} listeners heard {events}, and resumed {resumed} times; {} listened to one job",
                tally.events,
                promises.followed.len()
            ),
            format!(
                "{} unfinished results and {} torn steps of the killed; {:.0} s",
                leftovers(&stack.results).len(),
                stack.redis.torn,
                self.began.elapsed().as_secs_f64()
            ),
        ];
        let told: Vec<_> = lines.into_iter().filter(|line| !line.is_empty()).collect();
        report(self.name, self.seed, &told);
        timeout(PATIENCE, stack.stop_workers()).await.unwrap();
        audit.nothing_is_left(&stack.redis).await;
        tally
    }
}

/// A wait that follows from the seed.
pub fn wait(rng: &mut fastrand::Rng, millis: std::ops::Range<u64>) -> tokio::time::Sleep {
    sleep(Duration::from_millis(rng.u64(millis)))
}
