//! A primary, two replicas and three sentinels, which make one of the replicas the primary when it dies.

use std::process::Stdio;

use tempfile::TempDir;
use tokio::process::{Child, Command};
use tradingagents::jobs::{JobId, RedisOptions, RedisStore, Store, StoreError, Submission, SubmitError};

use super::load::Load;
use crate::{
    store::stage::{LONG, eventually, get, request},
    support::redis::{Redis, cli, free_port, program},
};

/// The name that sentinels know the primary by.
const NAME: &str = "desk";

struct Sentinels {
    primary: Redis,
    _replicas: [Redis; 2],
    watchers: [(Child, u16, TempDir); 3],
}

impl Sentinels {
    /// All of them, once they know each other.
    async fn start() -> Self {
        let primary = Redis::start(&["--repl-diskless-sync-delay", "0"]).await;
        let port = primary.port();
        let of = format!("127.0.0.1 {port}");
        let replica = async || Redis::start(&["--replicaof", &of, "--repl-diskless-sync-delay", "0"]).await;
        let replicas = [replica().await, replica().await];
        let watchers = [watch(port), watch(port), watch(port)];
        for (_, port, _) in &watchers {
            let known = async || {
                let master = cli(*port, &["SENTINEL", "MASTER", NAME]).await?;
                let lines: Vec<_> = master.lines().collect();
                let is = |name: &str, value: &str| lines.windows(2).any(|pair| pair == [name, value]);
                (is("num-slaves", "2") && is("num-other-sentinels", "2") && is("flags", "master")).then_some(())
            };
            eventually(known).await;
        }
        Self { primary, _replicas: replicas, watchers }
    }

    fn url(&self) -> String {
        let [one, two, three] = self.watchers.each_ref().map(|(_, port, _)| format!("127.0.0.1:{port}"));
        format!("redis-sentinel://{one}?sentinelServiceName={NAME}&node={two}&node={three}")
    }
}

/// A sentinel of the primary on this port.
fn watch(primary: u16) -> (Child, u16, TempDir) {
    let (port, folder) = (free_port(), tempfile::tempdir().unwrap());
    let file = folder.path().join("sentinel.conf");
    let settings = format!(
        "port {port}\nbind 127.0.0.1\ndir {}\nsentinel monitor {NAME} 127.0.0.1 {primary} 2\n\
         sentinel down-after-milliseconds {NAME} 1000\nsentinel failover-timeout {NAME} 5000\n",
        folder.path().display()
    );
    std::fs::write(&file, settings).unwrap();
    let mut command = Command::new(program());
    command.arg(file).arg("--sentinel").stdin(Stdio::null()).stdout(Stdio::null()).kill_on_drop(true);
    (command.spawn().unwrap(), port, folder)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_primary_that_is_killed_takes_no_job_with_it_that_a_replica_had_to_have() {
    let mut sentinels = Sentinels::start().await;
    let options = RedisOptions { url: sentinels.url(), replicas: 1, ..RedisOptions::default() };
    let load = Load::start(options).await;
    sentinels.primary.kill().await;
    load.goes_on().await;
    load.ends_well().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_that_no_replica_has_is_not_accepted_where_one_has_to() {
    let mut replica_less = Redis::start(&["--repl-diskless-sync-delay", "0"]).await;
    let options = RedisOptions { replicas: 1, ..RedisOptions::from(&replica_less.url()) };
    let store = RedisStore::connect(options, LONG, LONG).unwrap();
    store.last_event().await.unwrap();
    let submission = Submission::of_job(JobId::new(), request("NVDA"));
    let refused = store.submit(&submission).await.unwrap_err();
    let SubmitError::Store(StoreError::Unavailable(message)) = refused else { panic!("{refused:?}") };
    assert!(message.contains("REDIS_WAIT_REPLICAS asks for 1") && message.contains("only 0"), "{message}");

    let of = format!("127.0.0.1 {}", replica_less.port());
    let _replica = Redis::start(&["--replicaof", &of]).await;
    let job = eventually(async || store.submit(&submission).await.ok()).await.into_job();
    assert_eq!(get(&store, job.id).await.id, submission.jobs[0].0);
    replica_less.kill().await;
}
