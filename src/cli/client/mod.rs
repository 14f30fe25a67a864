//! The API's client: one method per call of the contract.
//!
//! [`Client`] knows where the API is and how long to wait for it; [`Follow`] is a job's event stream, which survives
//! cut connections; [`ClientError`] is what a person reads when a call does not succeed; [`JobView`], [`JobPage`] and
//! [`Health`] are the answers. Results are [`JobResult`] as they were stored.

mod answer;
mod error;
mod follow;

use std::time::Duration;

pub use answer::{Health, JobPage, JobView};
pub use error::{ClientError, Problem};
pub use follow::{Follow, Update};
use reqwest::{
    Method, RequestBuilder, Response,
    header::{self, HeaderName, HeaderValue},
};
use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;
use url::Url;

use crate::{
    http_client::{PROGRAM, install_tls, root_cause},
    jobs::{IdempotencyKey, JobId, JobRequest, Listing},
    results::JobResult,
};

/// How long to wait for what.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// For a connection.
    pub connect: Duration,
    /// For a whole answer; an event stream has no end.
    pub answer: Duration,
    /// For the next byte of an event stream. The API sends a comment every 15 s, so this is three of them missed.
    pub silence: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self { connect: Duration::from_secs(5), answer: Duration::from_secs(30), silence: Duration::from_secs(45) }
    }
}

/// A client of one API. Clones share its connections.
#[derive(Debug, Clone)]
pub struct Client {
    base: Url,
    patience: Patience,
    http: reqwest::Client,
}

impl Client {
    /// The client of the API at `base`, which may have a path, with the key that lets it in.
    pub fn new(base: Url, key: Option<&SecretString>) -> Result<Self, ClientError> {
        Self::with_patience(base, key, Patience::default())
    }

    /// The same, waiting longer or shorter.
    pub fn with_patience(mut base: Url, key: Option<&SecretString>, patience: Patience) -> Result<Self, ClientError> {
        // Without a slash at its end, the last part of the path would be replaced rather than continued.
        if !base.path().ends_with('/') {
            base.set_path(&format!("{}/", base.path()));
        }
        install_tls();
        let mut http = reqwest::Client::builder()
            .user_agent(PROGRAM)
            .default_headers(key.map(authorization).transpose()?.into_iter().collect())
            .connect_timeout(patience.connect)
            .read_timeout(patience.silence);
        if is_loopback(&base) {
            // HTTP_PROXY is for the outside; a proxy would look for this API on its own host.
            http = http.no_proxy();
        }
        let http = http.build().map_err(|cause| ClientError::NoClient(root_cause(&cause)))?;
        Ok(Self { base, patience, http })
    }

    /// Where the API is, without a password that may be in the URL.
    pub fn place(&self) -> String {
        let mut place = self.base.clone();
        // URLs that can't have a user have none to hide.
        let _ = place.set_username("");
        let _ = place.set_password(None);
        place.into()
    }

    /// Asks for an analysis; the job is stored and queued once this returns. With the key of an earlier submission it is
    /// that one's job.
    pub async fn submit(&self, request: &JobRequest, key: Option<&IdempotencyKey>) -> Result<JobView, ClientError> {
        let mut post = self.request(Method::POST, "jobs").json(request);
        if let Some(key) = key {
            post = post.header("idempotency-key", key.as_str());
        }
        self.read(post).await
    }

    /// A job as it is now.
    pub async fn status(&self, job: JobId) -> Result<JobView, ClientError> {
        self.read(self.request(Method::GET, &format!("jobs/{job}"))).await
    }

    /// The result of a completed job.
    pub async fn result(&self, job: JobId) -> Result<JobResult, ClientError> {
        self.read(self.request(Method::GET, &format!("jobs/{job}/result"))).await
    }

    /// The report of a completed job, as Markdown.
    pub async fn report(&self, job: JobId) -> Result<String, ClientError> {
        let request = self.request(Method::GET, &format!("jobs/{job}/report"));
        let answer = self.send(request.header(header::ACCEPT, "text/markdown")).await?;
        answer.text().await.map_err(|cause| self.broken(&cause))
    }

    /// A page of the jobs, newest first.
    pub async fn jobs(&self, listing: &Listing) -> Result<JobPage, ClientError> {
        let mut query = vec![("limit", listing.limit.to_string())];
        query.extend(listing.status.map(|status| ("status", status.to_string())));
        query.extend(listing.ticker.as_ref().map(|ticker| ("ticker", ticker.to_string())));
        query.extend(listing.cursor.map(|cursor| ("cursor", cursor.to_string())));
        self.read(self.request(Method::GET, "jobs").query(&query)).await
    }

    /// Cancels a job that has not ended.
    pub async fn cancel(&self, job: JobId) -> Result<(), ClientError> {
        self.send(self.request(Method::DELETE, &format!("jobs/{job}"))).await.map(drop)
    }

    /// Has a failed job tried again.
    pub async fn retry(&self, job: JobId) -> Result<JobView, ClientError> {
        self.read(self.request(Method::POST, &format!("jobs/{job}/retry"))).await
    }

    /// Whether the API can take jobs, and the state of its parts; an error of status 503 if it can't.
    pub async fn health(&self) -> Result<Health, ClientError> {
        self.read(self.request(Method::GET, "health/ready")).await
    }

    /// The events of a job from its first to its last.
    pub fn follow(&self, job: JobId) -> Follow {
        Follow::new(self.clone(), job)
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.stream_request(method, path).timeout(self.patience.answer)
    }

    /// A request whose answer may go on for ever.
    fn stream_request(&self, method: Method, path: &str) -> RequestBuilder {
        let mut url = self.base.clone();
        url.set_path(&format!("{}{path}", self.base.path()));
        self.http.request(method, url)
    }

    /// Sends a request; an answer that is no success is an error.
    async fn send(&self, request: RequestBuilder) -> Result<Response, ClientError> {
        let answer = request.send().await.map_err(|cause| self.broken(&cause))?;
        if answer.status().is_success() { Ok(answer) } else { Err(Problem::read(answer).await.into()) }
    }

    async fn read<T: DeserializeOwned>(&self, request: RequestBuilder) -> Result<T, ClientError> {
        let answer = self.send(request).await?;
        let body = answer.bytes().await.map_err(|cause| self.broken(&cause))?;
        serde_json::from_slice(&body).map_err(|cause| self.unreadable(cause.to_string()))
    }

    fn broken(&self, cause: &reqwest::Error) -> ClientError {
        let url = self.place();
        if cause.is_timeout() && !cause.is_connect() {
            ClientError::Timeout { url, waited: self.patience.answer }
        } else {
            ClientError::Unreachable { url, cause: root_cause(cause) }
        }
    }

    fn unreadable(&self, cause: String) -> ClientError {
        ClientError::Unreadable { url: self.place(), cause }
    }
}

/// The header that shows a key. No log and no other host gets it: it is marked sensitive, and reqwest drops it when a
/// redirect leads elsewhere.
fn authorization(key: &SecretString) -> Result<(HeaderName, HeaderValue), ClientError> {
    let value = HeaderValue::try_from(format!("Bearer {}", key.expose_secret()));
    let mut value = value.map_err(|_| ClientError::BadKey)?;
    value.set_sensitive(true);
    Ok((header::AUTHORIZATION, value))
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}
