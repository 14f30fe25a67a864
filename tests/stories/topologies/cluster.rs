//! A cluster of three masters with a replica each. The whole queue is one slot, and so on one of them.

use tradingagents::jobs::RedisOptions;

use super::load::Load;
use crate::{
    store::stage::eventually,
    support::redis::{Redis, cli, free_port},
};

/// The queue's name, and so its slot.
const QUEUE: &str = "{ta:0}";

/// The first slot of each master, and the end of the last.
const SLOTS: [u16; 4] = [0, 5461, 10923, 16384];

/// Three masters, and after them the replica of each.
struct Cluster {
    nodes: Vec<Redis>,
}

impl Cluster {
    /// All of them, once each knows that it is well.
    async fn start() -> Self {
        let mut nodes = Vec::new();
        for _ in 0..6 {
            let bus = free_port().to_string();
            let options = ["--cluster-enabled", "yes", "--cluster-port", &bus, "--cluster-node-timeout", "2000"];
            nodes.push(Redis::start(&[&options[..], &["--repl-diskless-sync-delay", "0"]].concat()).await);
            let first: &Redis = &nodes[0];
            let (to, bus_to) = (first.port().to_string(), first.cli(&["CONFIG", "GET", "cluster-port"]).await);
            let bus_to = bus_to.lines().nth(1).unwrap();
            nodes.last().unwrap().cli(&["CLUSTER", "MEET", "127.0.0.1", &to, bus_to]).await;
        }
        for (node, slots) in nodes.iter().zip(SLOTS.windows(2)) {
            let (from, to) = (slots[0].to_string(), (slots[1] - 1).to_string());
            node.cli(&["CLUSTER", "ADDSLOTSRANGE", &from, &to]).await;
        }
        let cluster = Self { nodes };
        for node in &cluster.nodes {
            eventually(async || cluster.knows(node, "cluster_known_nodes:6").await).await;
        }
        for (master, replica) in cluster.nodes.iter().zip(&cluster.nodes[3..]) {
            let id = id(master).await;
            eventually(async || cli(replica.port(), &["CLUSTER", "REPLICATE", &id]).await).await;
        }
        for node in &cluster.nodes {
            eventually(async || cluster.knows(node, "cluster_state:ok").await).await;
        }
        for replica in &cluster.nodes[3..] {
            let linked =
                async || replica.cli(&["INFO", "replication"]).await.contains("master_link_status:up").then_some(());
            eventually(linked).await;
        }
        cluster
    }

    /// Whether the node says this of the cluster.
    async fn knows(&self, node: &Redis, line: &str) -> Option<()> {
        node.cli(&["CLUSTER", "INFO"]).await.lines().any(|told| told.trim() == line).then_some(())
    }

    /// Two of its nodes are told to the client; it finds the others.
    fn options(&self) -> RedisOptions {
        let [one, two] = [0, 1].map(|node: usize| self.nodes[node].address());
        RedisOptions::from(&format!("redis-cluster://{one}?node={two}"))
    }

    async fn slot(&self) -> String {
        self.nodes[0].cli(&["CLUSTER", "KEYSLOT", QUEUE]).await.trim().to_owned()
    }

    /// Which of the masters has the queue.
    async fn home(&self) -> usize {
        let slot: u16 = self.slot().await.parse().unwrap();
        SLOTS.windows(2).position(|slots| (slots[0]..slots[1]).contains(&slot)).unwrap()
    }

    /// Moves the queue's slot as redis-cli does it, a few keys at a time.
    async fn migrate(&self, from: usize, to: usize) {
        let (slot, from, to) = (self.slot().await, &self.nodes[from], &self.nodes[to]);
        let (from_id, to_id) = (id(from).await, id(to).await);
        to.cli(&["CLUSTER", "SETSLOT", &slot, "IMPORTING", &from_id]).await;
        from.cli(&["CLUSTER", "SETSLOT", &slot, "MIGRATING", &to_id]).await;
        loop {
            let keys = from.cli(&["CLUSTER", "GETKEYSINSLOT", &slot, "50"]).await;
            let keys: Vec<_> = keys.lines().filter(|key| !key.is_empty()).collect();
            if keys.is_empty() {
                break;
            }
            let port = to.port().to_string();
            from.cli(&[&["MIGRATE", "127.0.0.1", &port, "", "0", "5000", "KEYS"], &keys[..]].concat()).await;
        }
        for node in [to, from] {
            node.cli(&["CLUSTER", "SETSLOT", &slot, "NODE", &to_id]).await;
        }
    }
}

async fn id(node: &Redis) -> String {
    node.cli(&["CLUSTER", "MYID"]).await.trim().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_queue_that_moves_to_another_master_keeps_every_job_and_event() {
    let cluster = Cluster::start().await;
    let load = Load::start(cluster.options()).await;
    let home = cluster.home().await;
    let next = (home + 1) % 3;
    cluster.migrate(home, next).await;
    load.goes_on().await;
    cluster.migrate(next, home).await;
    load.goes_on().await;
    load.ends_well().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_master_that_is_killed_takes_no_job_with_it_that_its_replica_had_to_have() {
    let mut cluster = Cluster::start().await;
    let load = Load::start(RedisOptions { replicas: 1, ..cluster.options() }).await;
    let home = cluster.home().await;
    cluster.nodes[home].kill().await;
    let promoted =
        async || cluster.nodes[home + 3].cli(&["INFO", "replication"]).await.contains("role:master").then_some(());
    eventually(promoted).await;
    // It kept nothing on disk, so it may come back only now. Until it is a replica, nothing is accepted.
    cluster.nodes[home].restart().await;
    load.goes_on().await;
    load.ends_well().await;
}
