//! What happens in Redis, as it happens: events, and jobs that become ready.
//!
//! Pub/sub tells it at once, but forgets what it said to a connection that broke. So after each connect, the events
//! since the last one heard are read from the feed, and whoever waits for jobs looks again. Drafts ([`Writing`]) have a
//! channel of their own, subscribed to once somebody wants them: workers never do, and no draft is fetched again.

use std::{sync::Arc, time::Duration};

use fred::{
    interfaces::{EventInterface, PubsubInterface},
    types::{Message, config::Server},
};
use tokio::{
    sync::{
        broadcast::{self, error::RecvError},
        watch,
    },
    time::{sleep, timeout},
};
use tokio_util::task::AbortOnDropHandle;
use tracing::{debug, warn};

use super::{
    RedisOptions,
    connection::{COMMAND_TIMEOUT, Connection},
    feed,
    record::{event_of_message, writing_of_message},
};
use crate::jobs::{Event, EventId, Scope, StoreError, Writing};

/// Events that the hub may lie behind before it has to read the feed.
const LIVE_BUFFER: usize = 4096;

/// Drafts that the hub may lie behind before it misses some.
const DRAFT_BUFFER: usize = 1024;

/// Events that are read from the feed at once.
const CATCH_UP_CHUNK: usize = 500;

/// The wait before Redis is asked again.
const CATCH_UP_PAUSE: Duration = Duration::from_millis(200);

/// Listens until it is dropped.
pub struct Listener {
    news: Arc<News>,
    _task: AbortOnDropHandle<()>,
}

struct News {
    /// The channel that says that a job became ready.
    ready_channel: String,
    /// The channel of drafts; the third one has events.
    drafts_channel: String,
    live: broadcast::Sender<Arc<Event>>,
    drafts: broadcast::Sender<Arc<Writing>>,
    /// Whether somebody has ever wanted drafts.
    drafts_wanted: watch::Sender<bool>,
    /// How often a job became ready.
    ready: watch::Sender<u64>,
    /// Whether there ever was a connection.
    listening: watch::Sender<bool>,
}

impl Listener {
    /// Starts to listen, on a connection of its own; `reading` is the one to read the feed on.
    pub fn start(options: &RedisOptions, reading: Arc<Connection>) -> Result<Self, StoreError> {
        let news = Arc::new(News {
            ready_channel: ready_channel(&reading.queue),
            drafts_channel: drafts_channel(&reading.queue),
            live: broadcast::Sender::new(LIVE_BUFFER),
            drafts: broadcast::Sender::new(DRAFT_BUFFER),
            drafts_wanted: watch::Sender::new(false),
            ready: watch::Sender::new(0),
            listening: watch::Sender::new(false),
        });
        let listening = Connection::new(options)?;
        let (connects, messages) = (listening.client.reconnect_rx(), listening.client.message_rx());
        let task = tokio::spawn(listen(listening.start(), connects, messages, reading, news.clone()));
        Ok(Self { news, _task: AbortOnDropHandle::new(task) })
    }

    /// Every event from now on.
    pub fn live(&self) -> broadcast::Receiver<Arc<Event>> {
        self.news.live.subscribe()
    }

    /// The drafts from now on, or from when Redis knows of the first subscription.
    pub fn drafts(&self) -> broadcast::Receiver<Arc<Writing>> {
        self.news.drafts_wanted.send_if_modified(|wanted| !std::mem::replace(wanted, true));
        self.news.drafts.subscribe()
    }

    /// How often a job became ready.
    pub fn ready(&self) -> u64 {
        *self.news.ready.borrow()
    }

    /// Waits until a job becomes ready, or may have, since the count was `seen`.
    pub async fn wait_ready(&self, seen: u64) {
        // The sender lives as long as this.
        let _ = self.news.ready.subscribe().wait_for(|count| *count != seen).await;
    }

    /// Waits until events are heard, for a while; returns whether they are.
    pub async fn is_listening(&self) -> bool {
        let mut listening = self.news.listening.subscribe();
        timeout(COMMAND_TIMEOUT, listening.wait_for(|listening| *listening)).await.is_ok()
    }
}

/// Hears messages, and catches up after each connect.
async fn listen(
    connection: Connection,
    mut connects: broadcast::Receiver<Server>,
    mut messages: broadcast::Receiver<Message>,
    reading: Arc<Connection>,
    news: Arc<News>,
) {
    let mut last = None;
    let mut drafts_wanted = news.drafts_wanted.subscribe();
    loop {
        let missed = tokio::select! {
            connected = connects.recv() => match connected {
                Ok(_) | Err(RecvError::Lagged(_)) => true,
                Err(RecvError::Closed) => return,
            },
            message = messages.recv() => match message {
                Ok(message) => {
                    news.hear(&message, &mut last);
                    false
                }
                Err(RecvError::Lagged(_)) => true,
                Err(RecvError::Closed) => return,
            },
            Ok(()) = drafts_wanted.changed() => {
                news.subscribe_to_drafts(&connection).await;
                false
            }
        };
        if missed {
            news.catch_up_patiently(&connection, &reading, &mut last).await;
        }
    }
}

impl News {
    /// Takes in a message. Those that were read from the feed meanwhile are known.
    fn hear(&self, message: &Message, last: &mut Option<EventId>) {
        if *message.channel == *self.ready_channel {
            self.ready.send_modify(|count| *count += 1);
            return;
        }
        if *message.channel == *self.drafts_channel {
            self.hear_draft(message);
            return;
        }
        match event_of_message(&message.value.as_str().unwrap_or_default()) {
            Ok(event) if Some(event.id) > *last => {
                *last = Some(event.id);
                self.tell(event);
            }
            Ok(_) => {}
            Err(error) => warn!(%error, "another version sent an event that can't be read"),
        }
    }

    fn hear_draft(&self, message: &Message) {
        match writing_of_message(&message.value.as_str().unwrap_or_default()) {
            Ok(writing) => {
                // An error only says that nobody listens.
                let _ = self.drafts.send(Arc::new(writing));
            }
            Err(error) => debug!(%error, "another version sent a draft that can't be read"),
        }
    }

    /// Subscribes to drafts if somebody wants them. By a command of its own: where it fails, as for a user who may not use
    /// the channel, events are heard all the same. Without a connection, the next connect subscribes.
    async fn subscribe_to_drafts(&self, connection: &Connection) {
        let wanted = *self.drafts_wanted.borrow();
        if wanted && let Err(error) = connection.client.subscribe(self.drafts_channel.as_str()).await {
            debug!(error = error.details(), "can't subscribe to drafts");
        }
    }

    /// Catches up, as soon as Redis answers.
    async fn catch_up_patiently(&self, connection: &Connection, reading: &Connection, last: &mut Option<EventId>) {
        while let Err(error) = self.catch_up(connection, reading, last).await {
            debug!(%error, "can't listen to Redis yet");
            sleep(CATCH_UP_PAUSE).await;
        }
        self.subscribe_to_drafts(connection).await;
    }

    /// Subscribes, and tells of the events since `last`; without one, from now on.
    async fn catch_up(
        &self,
        connection: &Connection,
        reading: &Connection,
        last: &mut Option<EventId>,
    ) -> Result<(), StoreError> {
        let channels = vec![events_channel(&connection.queue), self.ready_channel.clone()];
        connection.client.subscribe(channels).await.map_err(|error| connection.fault(&error))?;
        // An event that happens before Redis knows of the subscription is not heard, so it has to be read after that.
        connection.settle().await?;
        match last {
            None => *last = Some(feed::last(reading).await?),
            Some(last) => self.read_on(reading, last).await?,
        }
        self.ready.send_modify(|count| *count += 1);
        self.listening.send_replace(true);
        Ok(())
    }

    /// Tells of the events since `last`, which then is the newest of them, also if the rest has to wait.
    async fn read_on(&self, reading: &Connection, last: &mut EventId) -> Result<(), StoreError> {
        loop {
            let replay = feed::read(reading, Scope::All, *last, CATCH_UP_CHUNK).await?;
            if replay.gap {
                warn!("the connection to Redis was away for so long that the feed no longer has all events since");
            }
            let count = replay.events.len();
            for event in replay.events {
                *last = event.id;
                self.tell(event);
            }
            if count < CATCH_UP_CHUNK {
                return Ok(());
            }
        }
    }

    fn tell(&self, event: Event) {
        // An error only says that nobody listens.
        let _ = self.live.send(Arc::new(event));
    }
}

fn events_channel(queue: &str) -> String {
    format!("{queue}:events")
}

fn drafts_channel(queue: &str) -> String {
    format!("{queue}:drafts")
}

fn ready_channel(queue: &str) -> String {
    format!("{queue}:ready")
}
