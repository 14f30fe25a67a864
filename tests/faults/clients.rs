//! Those who use the service meanwhile: they submit and cancel jobs, and listen.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
    time::Duration,
};

use chrono::{TimeDelta, Utc};
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
use tradingagents::jobs::{Event, EventId, JobId, Writing};

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
    /// How many jobs each submission with an idempotency key has, by its mark.
    pub keyed: BTreeMap<String, usize>,
    /// Jobs without an idempotency key of which nobody knows whether they arrived.
    pub unanswered: usize,
    /// Listeners to single jobs.
    pub followed: Vec<(JobId, Listener)>,
    /// Requests that were sent again.
    pub repeated: usize,
}

impl Promises {
    fn repeat(&mut self, submission: &Submission) {
        self.repeated += 1;
        self.unanswered += if submission.key.is_some() { 0 } else { submission.jobs };
    }

    fn keep(&mut self, submission: Submission, ids: &[JobId]) {
        assert_eq!(ids.len(), submission.jobs);
        self.accepted.extend(ids);
        if submission.key.is_some() {
            self.keyed.insert(submission.mark, submission.jobs);
        }
    }
}

/// A job, or a batch, on its way.
struct Submission {
    path: &'static str,
    body: Value,
    jobs: usize,
    /// What its jobs have for the name of a model, so that it is known whose they are.
    mark: String,
    /// With a key it can be repeated without harm. One without may have arrived each time.
    key: Option<String>,
}

impl Submission {
    /// A job, now and then one of a moment later, or a batch.
    fn made_up(rng: &mut Rng) -> Self {
        let mark = format!("mark-{:x}", rng.u64(..));
        let priority = ["high", "normal", "low"][rng.usize(0..3)];
        let config = json!({"selected_analysts": ["market"], "quick_think_llm": mark});
        let mut body = json!({"date": "2012-09-19", "priority": priority, "config": config});
        let tickers = ["AAPL", "MSFT", "IBM", "GOOG"];
        let kind = rng.u8(0..20);
        if kind == 0 {
            body["not_before"] = json!(Utc::now() + TimeDelta::milliseconds(rng.i64(0..3000)));
        }
        let (path, jobs) = if kind == 1 { ("/batches", rng.usize(2..=tickers.len())) } else { ("/jobs", 1) };
        if kind == 1 {
            body["tickers"] = json!(tickers[..jobs]);
        } else {
            body["ticker"] = json!(tickers[rng.usize(0..tickers.len())]);
        }
        let key = rng.bool().then(|| format!("key-{mark}"));
        Self { path, body, jobs, mark, key }
    }
}

/// Submits so many times, however often each has to be tried, cancels some jobs and follows others.
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
            match self.rng.u8(0..40) {
                0 => self.cancel(id).await,
                1 | 2 => self.follow(id),
                _ => {}
            }
            sleep(Duration::from_millis(self.rng.u64(0..40))).await;
        }
    }

    /// Returns the first of the jobs.
    async fn submit_one(&mut self) -> JobId {
        let submission = Submission::made_up(&mut self.rng);
        let submit = async {
            loop {
                let mut request = self.http.post(format!("{}{}", self.url, submission.path)).json(&submission.body);
                if let Some(key) = &submission.key {
                    request = request.header("idempotency-key", key);
                }
                if let Ok(answer) = request.send().await
                    && answer.status() == StatusCode::ACCEPTED
                    && let Ok(answer) = answer.json::<Value>().await
                {
                    return ids(&answer);
                }
                self.promises.lock().unwrap().repeat(&submission);
                sleep(Duration::from_millis(100)).await;
            }
        };
        let ids = timeout(PATIENCE, submit).await.expect("a job is accepted in time");
        self.promises.lock().unwrap().keep(submission, &ids);
        ids[0]
    }

    fn follow(&self, id: JobId) {
        let listener = Listener::of_job(&self.url, id);
        self.promises.lock().unwrap().followed.push((id, listener));
    }

    async fn cancel(&self, id: JobId) {
        let answer = self.http.delete(format!("{}/jobs/{id}", self.url)).send().await;
        if answer.is_ok_and(|answer| answer.status() == StatusCode::ACCEPTED) {
            self.promises.lock().unwrap().cancelled.insert(id);
        }
    }
}

/// The ids of an answer: of a job, or of a batch's jobs.
fn ids(answer: &Value) -> Vec<JobId> {
    let jobs = answer["jobs"].as_array().map_or(std::slice::from_ref(answer), Vec::as_slice);
    jobs.iter().map(|job| job["job_id"].as_str().unwrap().parse().unwrap()).collect()
}

/// One who hears all events of a stream from the first on, and comes back with the last id whenever the stream breaks.
#[derive(Debug)]
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
    /// Begins to listen to all jobs.
    pub fn start(url: &str) -> Self {
        Self::until(format!("{url}/events"), |_| false)
    }

    /// Begins to listen to a job, until its end.
    pub fn of_job(url: &str, id: JobId) -> Self {
        Self::until(format!("{url}/jobs/{id}/events"), |event| event.kind.is_terminal())
    }

    fn until(url: String, is_last: fn(&Event) -> bool) -> Self {
        let heard = Arc::new(Mutex::new(Heard::default()));
        let task = tokio::spawn(listen(url, heard.clone(), is_last));
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

async fn listen(url: String, heard: Arc<Mutex<Heard>>, is_last: fn(&Event) -> bool) {
    tradingagents::http_client::install_tls();
    // A stream that is silent for so long may be dead, and to come back costs nothing.
    let http = Client::builder().connect_timeout(Duration::from_secs(5)).read_timeout(Duration::from_secs(5)).build();
    let http = http.unwrap();
    loop {
        let last = heard.lock().unwrap().events.last().cloned();
        if last.as_ref().is_some_and(is_last) {
            return;
        }
        let after = last.map_or(EventId::ZERO, |event| event.id);
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
                    // It is not stored, so it has no place in the order.
                    (Some(Writing::NAME), _) => {}
                    (_, Some(data)) => heard.events.push(serde_json::from_str(&data).unwrap()),
                    _ => {}
                }
            }
        }
        sleep(Duration::from_millis(100)).await;
    }
}
