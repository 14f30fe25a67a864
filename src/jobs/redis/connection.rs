//! The connection to Redis, and its failures in words.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use fred::{
    clients::Client,
    error::{Error, ErrorKind},
    interfaces::{ClientLike, EventInterface, HashesInterface, KeysInterface, LuaInterface},
    types::{
        Builder, ClusterHash, CustomCommand, Expiration, FromValue, Value,
        config::{Config, Options, ReconnectPolicy, Server},
        scripts::Script,
    },
    util::redis_keyslot,
};
use tokio::{sync::broadcast::Receiver, time::sleep};
use tokio_util::task::AbortOnDropHandle;
use tracing::debug;

use super::{RedisOptions, record::Fields};
use crate::jobs::StoreError;

/// The longest wait for an answer. A step takes well under a millisecond; a Redis that needs longer is as good as away.
pub const COMMAND_TIMEOUT: Duration = Duration::from_secs(2);

/// The longest wait for replicas, milliseconds; less than that for an answer.
const REPLICA_TIMEOUT_MS: i64 = 1000;

/// How long what a probe wrote is kept.
const PROBE_EXPIRY: Expiration = Expiration::EX(60);

/// The wait before the first try to connect anew, and the longest, milliseconds.
const RECONNECT_MS: (u32, u32) = (50, 1000);

/// How often each connection has to show that it is alive.
const WATCH_PERIOD: Duration = Duration::from_secs(2);

/// The longest cause of a failed connection, characters.
const MAX_TROUBLE: usize = 200;

/// Messages of pub/sub that may wait to be read; those beyond are read from the feed. fred makes room for as many of each
/// of the eight kinds of its own news, on every connection: 3 MB in all.
const MESSAGES: usize = 2048;

/// A client that connects in the background, again and again.
pub struct Connection {
    pub client: Client,
    /// The name of the queue, with which all keys and channels begin.
    pub queue: String,
    /// How many replicas have to have what is to be kept.
    replicas: u32,
    /// Where Redis is, without user and password.
    place: String,
    /// Why the last try to connect failed.
    trouble: Arc<Mutex<Option<String>>>,
    tasks: Vec<AbortOnDropHandle<()>>,
}

impl Connection {
    /// A client by these options that does not connect yet: whoever wants to hear of every connect can subscribe before.
    pub fn new(options: &RedisOptions) -> Result<Self, StoreError> {
        let mut config = Config::from_url(&options.url).map_err(|error| unusable(&error))?;
        if let Some(tls) = options.tls()? {
            config.tls = Some(tls.into());
        }
        let hosts: Vec<_> = config.server.hosts().iter().map(ToString::to_string).collect();
        Ok(Self {
            client: client(config)?,
            queue: options.queue.key(),
            replicas: options.replicas,
            place: hosts.join(","),
            trouble: Arc::default(),
            tasks: Vec::new(),
        })
    }

    /// Starts to connect.
    pub fn start(mut self) -> Self {
        let noting = tokio::spawn(note_trouble(self.client.error_rx(), self.trouble.clone()));
        let connecting = tokio::spawn(connect(self.client.clone()));
        let watching = tokio::spawn(watch(self.client.clone()));
        self.tasks.extend([noting, connecting, watching].map(AbortOnDropHandle::new));
        self
    }

    /// Runs a script on the queue's keys.
    pub async fn run<T: FromValue>(&self, script: &Script, args: Vec<Value>) -> Result<T, StoreError> {
        self.routed(|| self.evaluate(script, args.clone())).await
    }

    /// Asks, and once more if what was asked happened nowhere: where the queue is now was just looked up then.
    async fn routed<T, F: Future<Output = Result<T, Error>>>(&self, ask: impl Fn() -> F) -> Result<T, StoreError> {
        let first = ask().await;
        match first {
            Err(error) if *error.kind() == ErrorKind::Routing => ask().await,
            result => result,
        }
        .map_err(|error| self.fault(&error))
    }

    async fn evaluate<T: FromValue>(&self, script: &Script, args: Vec<Value>) -> Result<T, Error> {
        match self.client.evalsha(script.sha1().clone(), self.queue.as_str(), args.clone()).await {
            // After a restart, and on its first run, Redis has to be given the text.
            Err(error) if error.details().starts_with("NOSCRIPT") => {
                let text = script.lua().expect("the scripts are made from their texts").clone();
                self.client.eval(text, self.queue.as_str(), args).await
            }
            result => result,
        }
    }

    /// Waits until as many replicas as there have to be have all that was written before, on whatever connection: what they
    /// have survives a failover to them. Nothing else is answered on this connection meanwhile.
    pub async fn await_replicas(&self) -> Result<(), StoreError> {
        // WAIT asks about the last write of its connection.
        let counters = format!("{}:counters", self.queue);
        self.routed(|| self.client.hincrby::<(), _, _>(&counters, "waits", 1)).await?;
        let wait = CustomCommand::new("WAIT", ClusterHash::Custom(redis_keyslot(self.queue.as_bytes())), false);
        let args = [i64::from(self.replicas), REPLICA_TIMEOUT_MS];
        let count: u32 = self.client.custom(wait, args.to_vec()).await.map_err(|error| self.fault(&error))?;
        if count >= self.replicas {
            return Ok(());
        }
        Err(StoreError::Unavailable(format!(
            "only {count} replicas of Redis at {} have what was written, and REDIS_WAIT_REPLICAS asks for {}; are they up?",
            self.place, self.replicas
        )))
    }

    /// One of the queue's hashes; empty if it is not there. A script that gives it costs Redis seven times as much.
    pub async fn hash(&self, name: &str) -> Result<Fields, StoreError> {
        // As Redis sends it: the client's own command makes a value of each part, and a table of them.
        let ask = CustomCommand::new_static("HGETALL", ClusterHash::FirstKey, false);
        let key = Value::from(format!("{}:{name}", self.queue));
        self.routed(async || self.client.custom_raw(ask.clone(), vec![key.clone()]).await?.try_into()).await
    }

    /// One of the queue's values.
    pub async fn value(&self, name: &str) -> Result<Value, StoreError> {
        let key = format!("{}:{name}", self.queue);
        self.routed(|| self.client.get(&key)).await
    }

    /// Whether Redis takes writes. One without memory or disk answers a PING all the same.
    pub async fn probe(&self) -> Result<(), StoreError> {
        let key = format!("{}:probe", self.queue);
        self.routed(|| self.client.set(&key, "", Some(PROBE_EXPIRY), None, false)).await
    }

    /// Waits until Redis has taken in all commands of pub/sub that were sent before: the client calls them done when they
    /// wait to be sent. What follows on the same connection is answered after them.
    pub async fn settle(&self) -> Result<(), StoreError> {
        let node = ClusterHash::Custom(redis_keyslot(self.client.id().as_bytes()));
        let there = self.client.with_options(&Options { cluster_hash: Some(node), ..Options::default() });
        there.ping::<()>(None).await.map_err(|error| self.fault(&error))
    }

    /// What an error means to the store's users.
    pub fn fault(&self, error: &Error) -> StoreError {
        let details = error.details();
        if details.contains("OOM") {
            return StoreError::Full(format!(
                "Redis at {} has used up its memory ({details}); raise its maxmemory, or lower JOB_TTL so that ended \
                 jobs go sooner",
                self.place
            ));
        }
        if details.contains("MISCONF") || details.contains("NOREPLICAS") {
            return StoreError::Full(format!("Redis at {} takes no writes: {details}", self.place));
        }
        if is_of_the_answer(error) {
            return StoreError::Corrupt(format!("Redis at {}: {details}", self.place));
        }
        self.unavailable(details)
    }

    /// That Redis does not answer, and why: what the last try to connect said, or else `details`.
    pub fn unavailable(&self, details: &str) -> StoreError {
        let trouble = self.trouble.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let cause = trouble.filter(|_| !self.client.is_connected()).unwrap_or_else(|| details.to_owned());
        StoreError::Unavailable(format!(
            "Redis at {} does not answer ({cause}); is it up, and is REDIS_URL right?",
            self.place
        ))
    }
}

/// A client by this URL's settings, not yet connected.
fn client(mut config: Config) -> Result<Client, StoreError> {
    config.fail_fast = true;
    let (first, longest) = RECONNECT_MS;
    Builder::from_config(config)
        .with_performance_config(|performance| {
            performance.default_command_timeout = COMMAND_TIMEOUT;
            performance.broadcast_channel_capacity = MESSAGES;
        })
        .with_connection_config(|connection| {
            connection.connection_timeout = COMMAND_TIMEOUT;
            connection.internal_command_timeout = COMMAND_TIMEOUT;
            // A step whose answer was lost may have happened: whoever asked for it knows whether to ask again.
            connection.max_command_attempts = 1;
            // While a cluster moves the queue's slot, the node that has it names the other one for whatever it does not
            // have: so for every script, as no key is named like the queue. Half of the keys are there then, and a script
            // that ran on them would break the queue. So it waits until all are, which is an outage of its own.
            connection.max_redirections = 0;
            connection.reconnect_on_auth_error = true;
            connection.tcp.nodelay = Some(true);
            connection.unresponsive.max_timeout = Some(COMMAND_TIMEOUT * 2);
        })
        .set_policy(ReconnectPolicy::new_exponential(0, first, longest, 2))
        .build()
        .map_err(|error| unusable(&error))
}

fn unusable(error: &Error) -> StoreError {
    StoreError::Unavailable(format!("REDIS_URL can't be used: {}", error.details()))
}

/// Whether Redis did answer, but not as it should; anything else is a matter of the connection.
fn is_of_the_answer(error: &Error) -> bool {
    const PASSING: [&str; 9] =
        ["LOADING", "READONLY", "MASTERDOWN", "CLUSTERDOWN", "TRYAGAIN", "NOAUTH", "WRONGPASS", "NOPERM", "BUSY"];
    match error.kind() {
        ErrorKind::Parse | ErrorKind::InvalidArgument | ErrorKind::InvalidCommand | ErrorKind::NotFound => true,
        // The client's own errors may be of this kind too; Redis' begin with a word in capitals.
        ErrorKind::Unknown => {
            let word = error.details().split(' ').next().unwrap_or_default();
            word.bytes().all(|byte| byte.is_ascii_uppercase()) && !PASSING.contains(&word)
        }
        _ => false,
    }
}

/// Connects at once, and by the client's policy until that has worked; from then on the client itself does so. One that does
/// not fail fast would wait before its first try too.
async fn connect(client: Client) {
    let mut policy = client.client_reconnect_policy();
    // Any other end only says that the store was dropped.
    while let Ok(Err(_)) = client.connect().await {
        let wait = policy.as_mut().and_then(ReconnectPolicy::next_delay);
        sleep(Duration::from_millis(wait.expect("its tries are not limited"))).await;
    }
}

/// Connects anew when nothing is answered any more. The client looks for that only until it sends the next command, and not
/// at all on a connection that only listens; of a host that vanished the system tells after a quarter of an hour.
async fn watch(client: Client) {
    loop {
        sleep(WATCH_PERIOD).await;
        if client.is_connected() && client.ping::<()>(None).await.is_err() {
            debug!("the connection to Redis is dead; connecting anew");
            // An error only says that it can't be now; the next round sees to it.
            let _ = client.force_reconnection().await;
        }
    }
}

async fn note_trouble(mut errors: Receiver<(Error, Option<Server>)>, trouble: Arc<Mutex<Option<String>>>) {
    while let Ok((error, _)) = errors.recv().await {
        debug!(error = error.details(), "the connection to Redis failed");
        // Redis explains at length; the beginning says what it is about.
        let beginning = error.details().chars().take(MAX_TROUBLE).collect();
        *trouble.lock().unwrap_or_else(PoisonError::into_inner) = Some(beginning);
    }
}
