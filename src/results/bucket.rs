//! Results in a bucket of S3, or of a store that speaks as S3 does.
//!
//! ```text
//! s3://{bucket}/{prefix}/{TICKER}/{YYYY-MM-DD}/{job_id}/
//!   state.json          put last: with it, the result is there
//!   attempt-{n}/        all other files, as that attempt wrote them
//! ```
//!
//! `state.json` is put under a condition: that there is none, or that it is still the one that an earlier attempt wrote
//! (`If-None-Match`, `If-Match`). So of attempts that write at once the latest wins, whatever the order. The other files
//! need no condition, for no two attempts have a name in common.

use std::{sync::Arc, time::Duration};

use futures_util::{StreamExt, TryStreamExt, stream};
use object_store::{
    BackoffConfig, Error, ObjectStore, ObjectStoreExt, PutMode, PutPayload, RetryConfig, UpdateVersion,
    aws::{AmazonS3, AmazonS3Builder},
    path::Path,
};
use secrecy::{ExposeSecret, SecretString};
use tracing::debug;
use url::Url;
use uuid::Uuid;

use super::{JobResult, ResultsError, attempt_of, files, s3_client::Connector};
use crate::{
    config::{Config, ResultsUrl},
    domain::{Ticker, TradeDate},
    http_client::root_cause,
    jobs::{Job, JobId},
};

/// Files that are on their way at the same time.
const AT_ONCE: usize = 4;

/// How often a request that failed in passing is made again, and for how long. A job is tried again after that.
const RETRIES: (usize, Duration) = (3, Duration::from_secs(20));

/// The longest cause of a refusal, characters.
const MAX_CAUSE: usize = 300;

/// The bucket, and what the names of all results in it begin with.
#[derive(Debug, Clone)]
pub struct Bucket {
    store: Arc<AmazonS3>,
    url: ResultsUrl,
}

impl Bucket {
    /// The bucket at `url`, by the settings. Nobody is asked yet.
    pub fn new(url: &ResultsUrl, config: &Config) -> Result<Self, ResultsError> {
        let unusable = |cause| ResultsError::Settings { place: url.to_string(), cause };
        Path::parse(&url.prefix).map_err(|error| unusable(error.to_string()))?;
        let store = Arc::new(store(url, config).map_err(unusable)?);
        Ok(Self { store, url: url.clone() })
    }

    /// Puts the files, and `state.json` last.
    pub async fn write(&self, result: &JobResult) -> Result<String, ResultsError> {
        let folder = self.folder(&result.ticker, result.date, result.job_id);
        let parts = attempt_folder(&folder, result.attempt);
        let texts = files::texts(result).into_iter().map(|(name, text)| (within(&parts, name), PutPayload::from(text)));
        stream::iter(texts.map(Ok))
            .try_for_each_concurrent(AT_ONCE, async |(path, text)| self.store.put(&path, text).await.map(drop))
            .await
            .map_err(|error| self.of_write(&folder, &error))?;
        self.put_state(&folder, files::state(result).into(), result.attempt).await?;
        Ok(self.place(&folder))
    }

    /// Puts `state.json`, unless a later attempt has. What the attempt wrote that loses is of no use, and goes.
    async fn put_state(&self, folder: &Path, state: PutPayload, attempt: u32) -> Result<(), ResultsError> {
        let path = within(folder, files::STATE);
        let (mut mode, mut replaced) = (PutMode::Create, None);
        loop {
            match self.store.put_opts(&path, state.clone(), mode.into()).await {
                Ok(_) => break,
                // Another attempt was here first, or came in between. Each round that ends here is a write of theirs.
                Err(Error::AlreadyExists { .. } | Error::Precondition { .. }) => {}
                Err(error) => return Err(self.of_write(folder, &error)),
            }
            let Some((by, version)) = self.written(&path).await? else {
                mode = PutMode::Create;
                continue;
            };
            if by > attempt {
                self.clear(&attempt_folder(folder, attempt)).await;
                return Err(ResultsError::Superseded { place: self.place(folder), by });
            }
            (mode, replaced) = (PutMode::Update(version), (by < attempt).then_some(by));
        }
        if let Some(earlier) = replaced {
            self.clear(&attempt_folder(folder, earlier)).await;
        }
        Ok(())
    }

    /// The attempt that wrote a `state.json`, and the condition under which it is replaced.
    async fn written(&self, path: &Path) -> Result<Option<(u32, UpdateVersion)>, ResultsError> {
        let read = async {
            let found = self.store.get(path).await?;
            let version = UpdateVersion { e_tag: found.meta.e_tag.clone(), version: None };
            Ok((attempt_of(&found.bytes().await?), version))
        };
        self.found(path, read.await)
    }

    /// Removes what is of no use. What stays by mishap costs some kilobytes.
    async fn clear(&self, folder: &Path) {
        let all = self.store.list(Some(folder)).map_ok(|object| object.location).boxed();
        if let Err(error) = self.store.delete_stream(all).try_for_each(async |_| Ok(())).await {
            debug!(%folder, %error, "can't remove what an attempt wrote that is not the last");
        }
    }

    /// `state.json` of a job; none if it is not there (any more).
    pub async fn read_state(&self, job: &Job) -> Result<Option<String>, ResultsError> {
        self.read(&within(&self.of(job), files::STATE)).await
    }

    /// The report of the attempt that completed the job; none if it is not there (any more).
    pub async fn read_report(&self, job: &Job) -> Result<Option<String>, ResultsError> {
        self.read(&self.report(job)).await
    }

    async fn read(&self, path: &Path) -> Result<Option<String>, ResultsError> {
        let read = async { self.store.get(path).await?.bytes().await };
        let Some(bytes) = self.found(path, read.await)? else { return Ok(None) };
        let text = String::from_utf8(bytes.into());
        text.map(Some).map_err(|error| ResultsError::Read { place: self.place(path), cause: error.to_string() })
    }

    /// Where the report of a completed job is, for people.
    pub fn place_of_report(&self, job: &Job) -> String {
        self.place(&self.report(job))
    }

    /// Whether a result could be written now, and whether the store refuses a second one where the first is: without
    /// that, a worker that comes back could replace what another wrote.
    pub async fn check(&self) -> Result<String, ResultsError> {
        let probe = self.path(&format!(".probe-{}", Uuid::now_v7()));
        let put = || self.store.put_opts(&probe, "probe".into(), PutMode::Create.into());
        put().await.map_err(|error| self.of_write(&probe, &error))?;
        let again = put().await;
        self.store.delete(&probe).await.map_err(|error| self.of_write(&probe, &error))?;
        match again {
            Err(Error::AlreadyExists { .. }) => Ok(self.url.to_string()),
            Err(error) => Err(self.of_write(&probe, &error)),
            Ok(_) => Err(ResultsError::Settings {
                place: self.url.to_string(),
                cause:
                    "the store does not know conditional writes (If-None-Match), which keep a worker that was declared \
                        dead from replacing a later result; use a newer version of it"
                        .into(),
            }),
        }
    }

    fn of(&self, job: &Job) -> Path {
        self.folder(&job.request.ticker, job.request.date, job.id)
    }

    fn report(&self, job: &Job) -> Path {
        within(&attempt_folder(&self.of(job), job.attempt), files::REPORT)
    }

    fn folder(&self, ticker: &Ticker, date: TradeDate, id: JobId) -> Path {
        self.path(&format!("{ticker}/{date}/{id}"))
    }

    fn path(&self, below: &str) -> Path {
        let path = Path::parse(format!("{}/{below}", self.url.prefix).trim_start_matches('/'));
        path.expect("the prefix was looked at, and a ticker has no slashes")
    }

    /// A path as people write it.
    fn place(&self, path: &Path) -> String {
        format!("s3://{}/{path}", self.url.bucket)
    }

    /// What was read; none if there is no such object.
    fn found<T>(&self, path: &Path, read: object_store::Result<T>) -> Result<Option<T>, ResultsError> {
        match read {
            Ok(found) => Ok(Some(found)),
            Err(error @ Error::NotFound { .. }) if !is_of_the_bucket(&error) => Ok(None),
            Err(error) => {
                let (place, cause) = (self.place(path), cause(&error));
                Err(match Kind::of(&error) {
                    Kind::Passing => ResultsError::Unreachable { place, cause },
                    _ => ResultsError::Read { place, cause },
                })
            }
        }
    }

    fn of_write(&self, path: &Path, error: &Error) -> ResultsError {
        let (place, cause) = (self.place(path), cause(error));
        match Kind::of(error) {
            Kind::Passing => ResultsError::Unreachable { place, cause },
            Kind::Full => ResultsError::Full { place, cause },
            Kind::Refused => ResultsError::Write { place, cause },
        }
    }
}

/// The folder of all files but `state.json`.
fn attempt_folder(folder: &Path, attempt: u32) -> Path {
    within(folder, &format!("attempt-{attempt}"))
}

fn within(folder: &Path, name: &str) -> Path {
    Path::parse(format!("{folder}/{name}")).expect("names of files have no empty parts")
}

/// The store by the settings.
fn store(url: &ResultsUrl, config: &Config) -> Result<AmazonS3, String> {
    let endpoint = config.aws_endpoint_url.as_ref().map(|url| url.expose().clone());
    let server = endpoint.clone().unwrap_or_else(|| Url::parse("https://s3.amazonaws.com").expect("it is a URL"));
    if server.scheme() == "http" && !config.aws_allow_http {
        return Err(
            "AWS_ENDPOINT_URL is an http: URL, over which results go in the clear; set AWS_ALLOW_HTTP=true if the \
                    network is yours alone"
                .into(),
        );
    }
    let (max_retries, retry_timeout) = RETRIES;
    let retries = RetryConfig { max_retries, retry_timeout, backoff: BackoffConfig::default() };
    let mut builder = AmazonS3Builder::new()
        .with_bucket_name(&url.bucket)
        .with_region(&config.aws_region)
        .with_virtual_hosted_style_request(config.aws_virtual_hosted_style_request)
        // Not all who speak as S3 does can delete many at once.
        .with_disable_bulk_delete(true)
        .with_http_connector(Connector(server))
        .with_retry(retries);
    if let Some(endpoint) = endpoint {
        builder = builder.with_endpoint(endpoint.as_str().trim_end_matches('/'));
    }
    if let Some(id) = exposed(config.aws_access_key_id.as_ref()) {
        builder = builder.with_access_key_id(id);
    }
    if let Some(key) = exposed(config.aws_secret_access_key.as_ref()) {
        builder = builder.with_secret_access_key(key);
    }
    if let Some(token) = exposed(config.aws_session_token.as_ref()) {
        builder = builder.with_token(token);
    }
    builder.build().map_err(|error| cause(&error))
}

fn exposed(secret: Option<&SecretString>) -> Option<&str> {
    secret.map(ExposeSecret::expose_secret)
}

/// What an error asks for.
enum Kind {
    /// To wait.
    Passing,
    /// For room.
    Full,
    /// For another key, bucket or setting.
    Refused,
}

impl Kind {
    fn of(error: &Error) -> Self {
        let text = error.to_string();
        // The codes of those who have quotas; Amazon has none.
        if ["StorageFull", "QuotaExceeded", "507 Insufficient Storage"].iter().any(|code| text.contains(code)) {
            return Self::Full;
        }
        match error {
            Error::Generic { .. } if !text.contains("status code: 4") => Self::Passing,
            _ => Self::Refused,
        }
    }
}

/// Whether the bucket itself is not there.
fn is_of_the_bucket(error: &Error) -> bool {
    error.to_string().contains("NoSuchBucket")
}

/// What the store said, and to what people can change.
fn cause(error: &Error) -> String {
    let said = root_cause(error);
    let message = said.split_once("<Message>").and_then(|(_, rest)| rest.split_once("</Message>"));
    let message: String = message.map_or(said.as_str(), |(message, _)| message).chars().take(MAX_CAUSE).collect();
    match error {
        Error::PermissionDenied { .. } | Error::Unauthenticated { .. } => format!(
            "{message}; AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY have to be those of a user who may list, get, put and \
             delete there"
        ),
        Error::NotFound { .. } => format!("{message}; make the bucket, or set RESULTS_URL to another"),
        _ => message,
    }
}
