//! Those who use the service meanwhile: they submit and cancel jobs, and listen.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
    time::Duration,
};

use fastrand::Rng;
use futures_util::StreamExt;
use reqwest::{Client, StatusCode};
use serde_json::{Value, json};
use sse_stream::SseByteStream;
use tokio::{
    task::JoinSet,
    time::{sleep, timeout},
};
use tokio_util::task::AbortOnDropHandle;
use tradingagents::jobs::{Event, EventId, JobId};

use crate::program::PATIENCE;

/// How many submit at the same time.
const SUBMITTERS: usize = 4;

/// What was promised.
#[derive(Debug, Default)]
pub struct Promises {
    /// Submissions that were answered 202.
    pub accepted: BTreeSet<JobId>,
    /// Cancellations that were answered 202.
    pub cancelled: BTreeSet<JobId>,
    /// Submissions without an idempotency key of which nobody knows whether they arrived.
    pub unanswered: usize,
    /// Requests that were sent again.
    pub repeated: usize,
}

impl Promises {
    fn repeat(&mut self, with_key: bool) {
        self.repeated += 1;
        self.unanswered += usize::from(!with_key);
    }
}

/// Submits so many jobs, however often each has to be tried, and cancels some.
pub async fn submit(url: &str, jobs: usize, seed: u64) -> Promises {
    let promises = Arc::new(Mutex::new(Promises::default()));
    let mut submitters = JoinSet::new();
    for number in 0..SUBMITTERS {
        let (url, promises) = (url.to_owned(), promises.clone());
        let rng = Rng::with_seed(seed.wrapping_add(number as u64 + 1));
        let share = jobs / SUBMITTERS + usize::from(number < jobs % SUBMITTERS);
        submitters.spawn(async move { Submitter { url, http: client(), promises, rng }.submit(share).await });
    }
    while let Some(done) = submitters.join_next().await {
        done.unwrap();
    }
    Arc::into_inner(promises).unwrap().into_inner().unwrap()
}

fn client() -> Client {
    tradingagents::http_client::install_tls();
    Client::builder().timeout(Duration::from_secs(10)).build().unwrap()
}

struct Submitter {
    url: String,
    http: Client,
    promises: Arc<Mutex<Promises>>,
    rng: Rng,
}

impl Submitter {
    async fn submit(mut self, jobs: usize) {
        for _ in 0..jobs {
            let id = self.submit_one().await;
            if self.rng.u8(0..40) == 0 {
                self.cancel(id).await;
            }
            sleep(Duration::from_millis(self.rng.u64(0..40))).await;
        }
    }

    async fn submit_one(&mut self) -> JobId {
        let ticker = ["AAPL", "MSFT", "IBM", "GOOG"][self.rng.usize(0..4)];
        let priority = ["high", "normal", "low"][self.rng.usize(0..3)];
        let body = json!({
            "ticker": ticker, "date": "2012-09-19", "priority": priority, "config": {"selected_analysts": ["market"]}
        });
        // With a key, a submission can be repeated without harm. One without may have arrived each time.
        let key = self.rng.bool().then(|| format!("key-{:x}", self.rng.u128(..)));
        let submit = async {
            loop {
                let mut request = self.http.post(format!("{}/jobs", self.url)).json(&body);
                if let Some(key) = &key {
                    request = request.header("idempotency-key", key);
                }
                if let Ok(answer) = request.send().await
                    && answer.status() == StatusCode::ACCEPTED
                    && let Ok(job) = answer.json::<Value>().await
                {
                    return job["job_id"].as_str().unwrap().parse().unwrap();
                }
                self.promises.lock().unwrap().repeat(key.is_some());
                sleep(Duration::from_millis(100)).await;
            }
        };
        let id = timeout(PATIENCE, submit).await.expect("a job is accepted in time");
        self.promises.lock().unwrap().accepted.insert(id);
        id
    }

    async fn cancel(&self, id: JobId) {
        let answer = self.http.delete(format!("{}/jobs/{id}", self.url)).send().await;
        if answer.is_ok_and(|answer| answer.status() == StatusCode::ACCEPTED) {
            self.promises.lock().unwrap().cancelled.insert(id);
        }
    }
}

/// One who hears all events from the first on, and comes back with the last id whenever the stream breaks.
pub struct Listener {
    heard: Arc<Mutex<Heard>>,
    _task: AbortOnDropHandle<()>,
}

/// What came.
#[derive(Debug, Default, Clone)]
pub struct Heard {
    pub events: Vec<Event>,
    /// How often the stream went on after a place.
    pub resumed: usize,
    /// How often it said that events are no longer kept.
    pub gaps: usize,
}

impl Listener {
    pub fn start(url: &str) -> Self {
        let heard = Arc::new(Mutex::new(Heard::default()));
        let task = tokio::spawn(listen(format!("{url}/events"), heard.clone()));
        Self { heard, _task: AbortOnDropHandle::new(task) }
    }

    /// What came until this event, which is awaited.
    pub async fn heard_until(&self, last: EventId) -> Heard {
        let arrived = async {
            loop {
                let heard = self.heard.lock().unwrap().clone();
                if heard.events.last().is_some_and(|event| event.id >= last) {
                    return heard;
                }
                sleep(Duration::from_millis(100)).await;
            }
        };
        timeout(PATIENCE, arrived).await.unwrap_or_else(|_| {
            let newest = self.heard.lock().unwrap().events.last().map(|event| event.id);
            panic!("the listener has heard of events up to {newest:?}, and not up to {last}")
        })
    }
}

async fn listen(url: String, heard: Arc<Mutex<Heard>>) {
    tradingagents::http_client::install_tls();
    // A stream that is silent for so long may be dead, and to come back costs nothing.
    let http = Client::builder().connect_timeout(Duration::from_secs(5)).read_timeout(Duration::from_secs(5)).build();
    let http = http.unwrap();
    loop {
        let after = heard.lock().unwrap().events.last().map_or(EventId::ZERO, |event| event.id);
        let answer = http.get(&url).header("last-event-id", after.to_string()).send().await;
        if let Ok(answer) = answer
            && answer.status().is_success()
        {
            heard.lock().unwrap().resumed += usize::from(after != EventId::ZERO);
            let mut stream = SseByteStream::new(answer.bytes_stream());
            while let Some(Ok(block)) = stream.next().await {
                let mut heard = heard.lock().unwrap();
                match (block.event.as_deref(), block.data) {
                    (Some("gap"), _) => heard.gaps += 1,
                    (_, Some(data)) => heard.events.push(serde_json::from_str(&data).unwrap()),
                    _ => {}
                }
            }
        }
        sleep(Duration::from_millis(100)).await;
    }
}
