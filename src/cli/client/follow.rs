//! A job's events over the network, as if the connection never broke.
//!
//! [`Follow`] reads server-sent events (WHATWG HTML, section 9.2). When the stream is cut or falls silent it comes back
//! with `Last-Event-ID`, so that nothing is lost; an event that arrives again is known by its id, so that nothing is
//! doubled. What models are writing is handed on as it comes, and not made up for. The wait before it comes back is the one that the API asked for (`retry:`), doubled with each failure.
//! A first connection that fails is an error at once: the address may be wrong.

use std::{pin::Pin, time::Duration};

use futures_util::{Stream, StreamExt, stream};
use reqwest::{Method, header};
use sse_stream::{Sse, SseByteStream};

use super::{Client, ClientError};
use crate::{
    http_client::root_cause,
    jobs::{Event, EventId, JobId, Writing},
};

/// The wait before the first return, unless the API says another.
const PAUSE: Duration = Duration::from_secs(1);

/// The longest wait that doubling leads to.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// After so many failures in a row the API is given up: about four minutes with the waits above.
const PATIENCE: u32 = 12;

/// A job's events in order, each once; ends after the job's last.
pub struct Follow {
    client: Client,
    job: JobId,
    state: State,
    /// The last event that was handed out.
    last: Option<EventId>,
    /// Whether it ended the job. The stream then ends too, unless the job was tried again since.
    over: bool,
    /// The wait that the API asks for.
    pause: Duration,
    /// Whether there was a connection before.
    connected: bool,
    /// Connections that failed since.
    failures: u32,
}

enum State {
    /// Connects after the wait.
    Away(Duration),
    Connected(Blocks),
    Ended,
}

type Blocks = Pin<Box<dyn Stream<Item = Result<Sse, sse_stream::Error>> + Send>>;

/// What the follower of a job hears.
#[derive(Debug, Clone, PartialEq)]
pub enum Update {
    Event(Event),
    /// What an agent's model has written so far, which is not stored.
    Writing(Writing),
    /// The connection is lost; the events go on where they stopped, after `pause` at the earliest.
    Lost {
        cause: String,
        pause: Duration,
    },
}

impl Follow {
    pub(super) fn new(client: Client, job: JobId) -> Self {
        Self {
            client,
            job,
            state: State::Away(Duration::ZERO),
            last: None,
            over: false,
            pause: PAUSE,
            connected: false,
            failures: 0,
        }
    }

    /// The next update; none after the job's last event. Cancel-safe.
    pub async fn next(&mut self) -> Result<Option<Update>, ClientError> {
        loop {
            match &mut self.state {
                State::Ended => return Ok(None),
                State::Away(pause) => {
                    tokio::time::sleep(*pause).await;
                    match self.connect().await {
                        Ok(blocks) => self.state = State::Connected(blocks),
                        Err(error) => return self.not_connected(error).map(Some),
                    }
                }
                State::Connected(blocks) => match blocks.next().await {
                    Some(Ok(block)) => {
                        if let Some(writing) = draft(&block) {
                            return Ok(Some(Update::Writing(writing)));
                        }
                        if let Some(event) = self.take(&block)? {
                            return Ok(Some(Update::Event(event)));
                        }
                    }
                    Some(Err(_)) | None if self.over => self.state = State::Ended,
                    Some(Err(cut)) => return Ok(Some(self.lost(root_cause(&cut), None))),
                    None => return Ok(Some(self.lost("the API ended the stream".into(), None))),
                },
            }
        }
    }

    /// The updates as a stream, which ends after an error.
    pub fn into_stream(self) -> impl Stream<Item = Result<Update, ClientError>> + Send {
        stream::try_unfold(self, async |mut follow| Ok(follow.next().await?.map(|update| (update, follow))))
    }

    async fn connect(&mut self) -> Result<Blocks, ClientError> {
        let path = format!("jobs/{}/events", self.job);
        let mut request = self.client.stream_request(Method::GET, &path).header(header::ACCEPT, "text/event-stream");
        if let Some(last) = self.last {
            request = request.header("last-event-id", last.to_string());
        }
        let answer = self.client.send(request).await?;
        let kind =
            answer.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("nothing");
        if !kind.starts_with("text/event-stream") {
            return Err(self.client.unreadable(format!("{kind} instead of an event stream")));
        }
        self.connected = true;
        self.failures = 0;
        Ok(Box::pin(SseByteStream::new(answer.bytes_stream())))
    }

    /// A connection failed: another try follows if there was one before and the cause may pass.
    fn not_connected(&mut self, error: ClientError) -> Result<Update, ClientError> {
        self.failures += 1;
        if self.connected && error.is_transient() && self.failures < PATIENCE {
            Ok(self.lost(error.to_string(), error.retry_after()))
        } else {
            self.state = State::Ended;
            Err(error)
        }
    }

    /// Between one and two times the wait that is due, so that those who were cut off together don't come back
    /// together.
    fn lost(&mut self, cause: String, at_least: Option<Duration>) -> Update {
        let due = self.pause.saturating_mul(2u32.saturating_pow(self.failures)).min(LONGEST_PAUSE).max(self.pause);
        let pause = due.mul_f64(1.0 + fastrand::f64()).max(at_least.unwrap_or_default());
        self.state = State::Away(pause);
        Update::Lost { cause, pause }
    }

    /// The event of a block, if it has one that was not handed out before.
    fn take(&mut self, block: &Sse) -> Result<Option<Event>, ClientError> {
        if let Some(retry) = block.retry {
            self.pause = Duration::from_millis(retry);
        }
        let Some(data) = &block.data else { return Ok(None) };
        let event: Event = match serde_json::from_str(data) {
            Ok(event) => event,
            // A later API may have kinds of events that this program does not know. The last one it must know.
            Err(_) if !is_last(block) => return Ok(None),
            Err(cause) => {
                self.state = State::Ended;
                return Err(self.client.unreadable(format!("an event can't be read: {cause}")));
            }
        };
        if self.last.is_some_and(|last| event.id <= last) {
            return Ok(None);
        }
        self.last = Some(event.id);
        self.over = event.kind.is_terminal();
        Ok(Some(event))
    }
}

/// The draft of a block that has one. It has no id, so it is no place to come back to.
fn draft(block: &Sse) -> Option<Writing> {
    let data = block.data.as_deref().filter(|_| block.event.as_deref() == Some(Writing::NAME))?;
    // A later API may send another form; a draft is not worth an error.
    serde_json::from_str(data).ok()
}

fn is_last(block: &Sse) -> bool {
    matches!(block.event.as_deref(), Some("completed" | "failed" | "cancelled"))
}
