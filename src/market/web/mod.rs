//! HTTP to vendors: one client with a size limit, the patience that each vendor asks for, and the cache.
//!
//! A vendor makes a [`Question`] and gives [`Web::ask`] a function that reads the [`Answer`]. What can be read is kept
//! in the [`cache`]; an error never is, and neither is an answer that its reader calls empty. [`hosts`] spaces the
//! requests to a host and leaves one alone that can't be reached.

mod cache;
mod hosts;
mod question;

use std::{
    error::Error,
    io::{self, Read},
    iter,
    path::PathBuf,
    sync::OnceLock,
    time::{Duration, Instant},
};

use cache::{Cache, Kept};
use flate2::read::GzDecoder;
use hosts::Hosts;
pub use question::{Answer, MAX_TEXTS, Question, lifetime};
use reqwest::{
    Client, Response, StatusCode,
    header::{CONTENT_ENCODING, HeaderMap, RETRY_AFTER},
};
use url::Url;

use super::{MarketError, Retrieved};
use crate::{
    domain::Vendor,
    http_client,
    metrics::METRICS,
    telemetry::{Span, SpanKind},
};

/// A host that is there accepts a connection at once. A stack without a way out should not wait for long.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// The longest answer, beats.
const TIMEOUT: u32 = 30;
/// The longest wait that a vendor may ask for, beats; more is left to the job's retries.
const PATIENCE: u32 = 30;
/// The waits between tries after a rate limit, beats. Yahoo's clients use the same.
const BACKOFFS: [u32; 3] = [2, 4, 8];
/// The longest wait that a vendor may ask of a job's retries.
const LONGEST_WAIT: Duration = Duration::from_hours(1);

/// The way to the vendors.
pub struct Web {
    /// Made for the first question: it reads the host's certificates, for which a start should not wait.
    client: OnceLock<Result<Client, String>>,
    options: WebOptions,
    cache: Cache,
    hosts: Hosts,
}

/// How vendors are reached.
#[derive(Debug, Clone)]
pub struct WebOptions {
    /// A server that stands for all of them: it gets `{gateway}/{host}/{path}`.
    pub gateway: Option<Url>,
    /// The folder of the cache; none keeps nothing.
    pub cache: Option<PathBuf>,
    /// The unit of all waits: a second, but for tests.
    pub beat: Duration,
}

impl Default for WebOptions {
    fn default() -> Self {
        Self { gateway: None, cache: None, beat: Duration::from_secs(1) }
    }
}

impl Web {
    pub fn new(options: WebOptions) -> Self {
        let (cache, hosts) = (Cache::new(options.cache.clone()), Hosts::new(options.beat));
        Self { client: OnceLock::new(), options, cache, hosts }
    }

    fn client(&self) -> &Result<Client, String> {
        self.client.get_or_init(|| {
            let anywhere = Url::parse("https://example.com").expect("it is a URL");
            let builder = http_client::client_builder(self.options.gateway.as_ref().unwrap_or(&anywhere));
            builder.connect_timeout(CONNECT_TIMEOUT).build().map_err(|error| {
                format!("{}; install the host's CA certificates, or name their file by SSL_CERT_FILE", cause(&error))
            })
        })
    }

    /// What `read` makes of the answer: from the cache if there is a fresh one, or else from the vendor. Of several
    /// that ask the same at the same time, one asks the vendor and the others find its answer in the cache.
    pub async fn ask<T>(
        &self,
        question: &Question,
        read: impl Fn(&Answer) -> Result<T, MarketError>,
    ) -> Result<Retrieved<T>, MarketError> {
        if question.keep.is_zero() {
            return self.get(question, read).await.map(|(_, data)| Retrieved::now(data));
        }
        let key = question.key();
        let mut flight = self.cache.flight(&key).await;
        let kept = if flight.is_some() { flight.clone() } else { self.cache.get(&key).await };
        if let Some(kept) = kept.filter(|kept| kept.is_fresh(question.keep))
            && let Ok(data) = read(&Answer::kept(kept.body))
        {
            METRICS.vendor_cached(question.vendor.as_str());
            return Ok(Retrieved { data, at: kept.at });
        }
        let (answer, data) = self.get(question, read).await?;
        let data = Retrieved::now(data);
        let kept = Kept { at: data.at, body: answer.body };
        *flight = Some(kept.clone());
        self.cache.put(key, kept).await;
        Ok(data)
    }

    /// The vendor's answer, and what `read` makes of it.
    async fn get<T>(
        &self,
        question: &Question,
        read: impl Fn(&Answer) -> Result<T, MarketError>,
    ) -> Result<(Answer, T), MarketError> {
        let began = Instant::now();
        let span = Span::begin(SpanKind::Client, || format!("ask {}", question.vendor.as_str()));
        span.set("server.address", question.host().to_owned());
        let answer =
            span.around(self.fetch(question)).await.and_then(|answer| read(&answer).map(|data| (answer, data)));
        let outcome = answer.as_ref().err().map_or("ok", MarketError::kind);
        if answer.is_err() {
            span.fail(outcome);
        }
        METRICS.vendor_call(question.vendor.as_str(), outcome, began.elapsed());
        answer
    }

    /// The vendor's answer, after as many tries as its failures are worth. Statuses below 500 are for the vendor's
    /// code to judge, but for 429.
    async fn fetch(&self, question: &Question) -> Result<Answer, MarketError> {
        let host = question.host();
        let mut tried = 0;
        loop {
            self.hosts.turn(host, question.vendor).await?;
            let error = match self.send(question).await {
                Ok(answer) => return Ok(answer),
                Err(failure) => failure,
            };
            let Some(wait) = self.wait(tried, &error) else {
                if error.closes {
                    self.hosts.close(host, &error.error);
                }
                return Err(error.error);
            };
            tracing::debug!(vendor = question.vendor.as_str(), error = %error.error, tried, "asking again");
            tokio::time::sleep(wait).await;
            tried += 1;
        }
    }

    /// How long to wait before the next try; none if there is no use in one.
    fn wait(&self, tried: usize, failure: &Failure) -> Option<Duration> {
        let backoff = self.options.beat * *BACKOFFS.get(tried).filter(|_| tried < failure.retries)?;
        let wait = failure.error.retry_after().unwrap_or(backoff);
        (wait <= self.options.beat * PATIENCE).then_some(wait)
    }

    async fn send(&self, question: &Question) -> Result<Answer, Failure> {
        let vendor = question.vendor.as_str();
        let client = self.client().as_ref().map_err(|cause| Failure {
            error: MarketError::Unavailable { vendor, cause: cause.clone(), transient: false },
            retries: 0,
            closes: false,
        })?;
        let limit = self.options.beat * TIMEOUT;
        let exchange = async {
            let request = question.request(client, self.options.gateway.as_ref());
            let response = request.send().await.map_err(|error| Failure::unreachable(vendor, &error))?;
            read_whole(question, response).await
        };
        match tokio::time::timeout(limit, exchange).await {
            Ok(answer) => answer.map(|answer| Answer { body: question.redacted(answer.body), ..answer }),
            Err(_) => Err(Failure::down(vendor, format!("no answer within {} s", limit.as_secs_f64()), 0)),
        }
    }
}

/// A try that failed.
struct Failure {
    error: MarketError,
    /// How many more tries it is worth.
    retries: usize,
    /// Whether the host is to be left alone for a while.
    closes: bool,
}

impl Failure {
    fn down(vendor: &'static str, cause: String, retries: usize) -> Self {
        Self { error: MarketError::Unavailable { vendor, cause, transient: true }, retries, closes: false }
    }

    /// No connection; another try would wait as long as the first.
    fn unreachable(vendor: &'static str, error: &reqwest::Error) -> Self {
        if error.is_connect() {
            Self { closes: true, ..Self::down(vendor, format!("no connection: {}", cause(error)), 0) }
        } else {
            Self::down(vendor, cause(error), 1)
        }
    }

    fn too_long(vendor: &'static str, limit: usize) -> Self {
        let cause = format!("more than {} MiB", limit >> 20);
        Self { error: MarketError::Malformed { vendor, cause }, retries: 0, closes: false }
    }

    fn rate_limited(vendor: &'static str, headers: &HeaderMap) -> Self {
        let retry_after = headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.trim().parse().ok());
        let error = MarketError::RateLimited {
            vendor,
            retry_after: retry_after.map(|seconds| Duration::from_secs(seconds).min(LONGEST_WAIT)),
        };
        Self { error, retries: BACKOFFS.len(), closes: true }
    }
}

async fn read_whole(question: &Question, mut response: Response) -> Result<Answer, Failure> {
    let (vendor, limit) = (question.vendor.as_str(), question.max_body);
    let (status, headers) = (response.status(), response.headers().clone());
    // The SEC answers 403 to who asks too fast (sec.gov, "Accessing EDGAR Data": 10 requests a second).
    let is_sec_limit = question.vendor == Vendor::SecEdgar && status == StatusCode::FORBIDDEN;
    if status == StatusCode::TOO_MANY_REQUESTS || is_sec_limit {
        return Err(Failure::rate_limited(vendor, &headers));
    }
    if status.is_server_error() && !question.any_status {
        return Err(Failure::down(vendor, format!("it answers {status}"), 1));
    }
    let mut body = Vec::new();
    let broken = |error: reqwest::Error| Failure::down(vendor, format!("its answer broke off: {}", cause(&error)), 1);
    while let Some(chunk) = response.chunk().await.map_err(broken)? {
        body.extend_from_slice(&chunk);
        if body.len() > limit {
            return Err(Failure::too_long(vendor, limit));
        }
    }
    if headers.get(CONTENT_ENCODING).is_some_and(|encoding| encoding == "gzip") {
        body = unpacked(vendor, &body, limit)?;
    }
    Ok(Answer::new(status.as_u16(), &headers, body))
}

/// What gzip packed. reqwest could do it, but would then ask every server of the program to pack its answers.
fn unpacked(vendor: &'static str, packed: &[u8], limit: usize) -> Result<Vec<u8>, Failure> {
    let mut body = Vec::new();
    let read = GzDecoder::new(packed).take(limit as u64 + 1).read_to_end(&mut body);
    let broken = |error: io::Error| Failure::down(vendor, format!("its answer can't be unpacked: {error}"), 1);
    read.map_err(broken)?;
    if body.len() > limit { Err(Failure::too_long(vendor, limit)) } else { Ok(body) }
}

/// Every cause in words but the outermost, which names the URL.
fn cause(error: &reqwest::Error) -> String {
    let mut words: Vec<_> = iter::successors(error.source(), |&e| e.source()).map(ToString::to_string).collect();
    words.dedup();
    if words.is_empty() { "the connection failed".into() } else { words.join(": ") }
}
