//! Redis, an API and workers, with a bad network between them.

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use rustix::process::Signal;
use tokio::time::{Instant, sleep, timeout};

use crate::{
    program::{PATIENCE, Program, Sandbox},
    proxy::{Proxy, Weather},
    redis::{Redis, free_port},
    schedule::{Fault, LEASE, Link, Part, WORKERS},
};

/// A service under faults. Everything ends when it is dropped.
pub struct Stack {
    pub redis: Redis,
    api: Party,
    workers: Vec<Party>,
    /// Between clients and API.
    front: Proxy,
    /// Workers that are stopped, and when they go on.
    paused: Vec<(Instant, usize)>,
    /// How often each kind of fault happened.
    pub struck: BTreeMap<&'static str, u32>,
    /// The folder of the results.
    pub results: PathBuf,
    /// The folder of the decision log.
    pub memory: PathBuf,
    _shared: tempfile::TempDir,
}

/// A process, how it is started, and its way to Redis.
struct Party {
    sandbox: Sandbox,
    command: &'static str,
    to_redis: Proxy,
    program: Program,
}

impl Party {
    async fn start(redis: &Redis, settings: &[(&str, String)], command: &'static str) -> Self {
        let to_redis = Proxy::before(&redis.address()).await;
        let mut sandbox = Sandbox::new().set("REDIS_URL", format!("redis://{}", to_redis.address()));
        for (name, value) in settings {
            sandbox = sandbox.set(name, value);
        }
        let program = sandbox.start(&[command]);
        Self { sandbox, command, to_redis, program }
    }

    async fn kill(&mut self) {
        self.program.kill().await;
    }

    fn start_again(&mut self) {
        self.program = self.sandbox.start(&[self.command]);
    }
}

impl Stack {
    /// A stack on this Redis, whose results are in a folder that all share, with settings of its own for each part.
    pub async fn start(redis: Redis, settings: impl Fn(Part) -> Vec<(&'static str, String)>) -> Self {
        let shared = tempfile::tempdir().unwrap();
        let port = free_port();
        let (results, memory) = (shared.path().join("results"), shared.path().join("memory"));
        let all = vec![
            ("API_LISTEN", format!("127.0.0.1:{port}")),
            ("LLM_PROVIDER", "rules".to_owned()),
            ("JOB_LEASE", LEASE.to_string()),
            ("JOB_RETRY_BACKOFF", "0".to_owned()),
            // No job may fail for the bad luck of its workers.
            ("JOB_MAX_RETRIES", "100".to_owned()),
            ("WORKER_CONCURRENCY", "4".to_owned()),
            ("RESULTS_DIR", results.display().to_string()),
            ("MEMORY_DIR", memory.display().to_string()),
        ];
        let of = |part| [all.clone(), settings(part)].concat();
        let api = Party::start(&redis, &of(Part::Api), "api").await;
        let front = Proxy::before(&format!("127.0.0.1:{port}")).await;
        api.program.url().await;
        let mut workers = Vec::new();
        for number in 0..WORKERS {
            workers.push(Party::start(&redis, &of(Part::Worker(number)), "worker").await);
        }
        Self {
            redis,
            api,
            workers,
            front,
            paused: Vec::new(),
            struck: BTreeMap::new(),
            results,
            memory,
            _shared: shared,
        }
    }

    /// Where clients find the API.
    pub fn url(&self) -> String {
        format!("http://{}", self.front.address())
    }

    /// Plays a fault. What takes a while is over when this returns, but for the pause of a worker.
    pub async fn strike(&mut self, fault: &Fault) {
        self.wake(Instant::now());
        *self.struck.entry(kind(fault)).or_default() += 1;
        match fault {
            Fault::Kill(Part::Redis, down) => {
                settle(&self.redis).await;
                self.redis.kill().await;
                sleep(*down).await;
                self.redis.restart().await;
            }
            Fault::Kill(part, down) => {
                if let Part::Worker(number) = part {
                    self.paused.retain(|(_, paused)| paused != number);
                }
                self.party(*part).kill().await;
                sleep(*down).await;
                self.party(*part).start_again();
            }
            Fault::Pause(Part::Worker(number), time) => {
                self.workers[*number].program.signal(Signal::STOP);
                self.paused.push((Instant::now() + *time, *number));
            }
            Fault::Pause(Part::Redis, time) => {
                self.redis.freeze();
                sleep(*time).await;
                self.redis.thaw();
            }
            Fault::Pause(Part::Api, time) => {
                self.api.program.signal(Signal::STOP);
                sleep(*time).await;
                self.api.program.signal(Signal::CONT);
            }
            Fault::Cut(link) => self.proxy(*link).cut(),
            Fault::Forget(link) => self.proxy(*link).forget(),
            Fault::Silence(link, time) => self.weather(*link, Weather::Silent, *time).await,
            Fault::Delay(link, delay, time) => self.weather(*link, Weather::Slow(*delay), *time).await,
            Fault::LoseAnswer(link, text) => self.proxy(*link).set(Weather::Deaf((*text).into())),
        }
    }

    /// Ends all faults.
    pub fn calm(&mut self) {
        self.wake(Instant::now() + Duration::from_hours(1));
        for proxy in self.workers.iter().map(|worker| &worker.to_redis).chain([&self.front, &self.api.to_redis]) {
            proxy.set(Weather::Fair);
        }
    }

    /// Ends the workers in good order.
    pub async fn stop_workers(&mut self) {
        for worker in &mut self.workers {
            worker.program.signal(Signal::TERM);
            assert_eq!(worker.program.ended().await, Some(0));
        }
    }

    /// Lets paused workers go on whose time is over.
    fn wake(&mut self, now: Instant) {
        let (over, paused) = self.paused.drain(..).partition::<Vec<_>, _>(|(end, _)| *end <= now);
        self.paused = paused;
        for (_, number) in over {
            // One that is paused twice goes on with the first.
            self.workers[number].program.signal(Signal::CONT);
        }
    }

    async fn weather(&self, link: Link, weather: Weather, time: Duration) {
        self.proxy(link).set(weather);
        sleep(time).await;
        self.proxy(link).set(Weather::Fair);
    }

    fn party(&mut self, part: Part) -> &mut Party {
        match part {
            Part::Worker(number) => &mut self.workers[number],
            Part::Api | Part::Redis => &mut self.api,
        }
    }

    fn proxy(&self, link: Link) -> &Proxy {
        match link {
            Link::ClientsToApi => &self.front,
            Link::ApiToRedis => &self.api.to_redis,
            Link::WorkerToRedis(number) => &self.workers[number].to_redis,
        }
    }
}

/// With `appendfsync everysec`, Redis holds writes back while a sync is under way, and answers them all the same. Such a Redis
/// takes no more of them, and all that it has taken are in its file when this returns.
async fn settle(redis: &Redis) {
    if !redis.cli(&["CONFIG", "GET", "appendfsync"]).await.contains("everysec") {
        return;
    }
    redis.cli(&["CLIENT", "PAUSE", "60000", "WRITE"]).await;
    let settled = async {
        while !redis.cli(&["INFO", "persistence"]).await.contains("aof_buffer_length:0") {
            sleep(Duration::from_millis(1)).await;
        }
    };
    timeout(PATIENCE, settled).await.expect("Redis writes in time");
}

fn kind(fault: &Fault) -> &'static str {
    match fault {
        Fault::Kill(Part::Redis, _) => "kills of Redis",
        Fault::Kill(Part::Api, _) => "kills of the API",
        Fault::Kill(Part::Worker(_), _) => "kills of workers",
        Fault::Pause(..) => "pauses",
        Fault::Cut(_) => "cuts",
        Fault::Forget(_) => "silent ends of connections",
        Fault::Silence(..) => "silences",
        Fault::Delay(..) => "delays",
        Fault::LoseAnswer(..) => "lost answers",
    }
}
