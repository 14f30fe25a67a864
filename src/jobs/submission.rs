//! Jobs on their way into a store.

use std::{fmt, str::FromStr, time::Duration};

use ring::digest::{SHA256, digest};

use super::{BatchId, Job, JobId, JobRequest, StoreError};

/// How long a store remembers an idempotency key.
pub const KEY_LIFETIME: Duration = Duration::from_hours(24);

/// Jobs that are stored and queued in one step: all of them, or none.
#[derive(Debug, Clone)]
pub struct Submission {
    /// In the order in which they are queued; at least one.
    pub jobs: Vec<(JobId, JobRequest)>,
    /// The batch that they make up.
    pub batch: Option<BatchId>,
    /// What tells the submission from a new one, when a client repeats it.
    pub key: Option<IdempotencyKey>,
    /// It is refused if more jobs than that would be pending; any number may be if none.
    pub most_pending: Option<u64>,
}

/// What a client calls a submission, so that it is the same one when it is sent again: 1 to 255 printable ASCII
/// characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyKey(String);

/// What comes of a submission.
#[derive(Debug, Clone, PartialEq)]
pub struct Receipt {
    /// The jobs in the order of the submission. Of one that is repeated, those that are still kept.
    pub jobs: Vec<Job>,
    /// Whether an earlier submission had the same key.
    pub repeated: bool,
}

/// Why a submission is not taken; nothing has changed then, unless the store's error says otherwise.
#[derive(Debug, Clone, thiserror::Error)]
pub enum SubmitError {
    /// The key belongs to another submission.
    #[error(
        "the idempotency key {0} was used within the last 24 hours for something else; send the same request, or a new \
         key"
    )]
    KeyReused(IdempotencyKey),
    /// As many jobs are pending as may be.
    #[error("{most} jobs may be pending, and there is no room for this; try again when some have begun (MAX_PENDING)")]
    QueueFull { most: u64 },
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Submission {
    /// One job.
    pub fn of_job(id: JobId, request: JobRequest) -> Self {
        Self { jobs: vec![(id, request)], batch: None, key: None, most_pending: None }
    }

    /// What is the same if, and only if, a client asks for the same: a hash of the requests (the first half of their
    /// SHA-256, hexadecimal).
    pub(super) fn fingerprint(&self) -> String {
        // Each try to submit it has a trace of its own.
        let bare = |request: &JobRequest| JobRequest { trace: None, ..request.clone() };
        let requests: Vec<_> = self.jobs.iter().map(|(_, request)| bare(request)).collect();
        let asked = serde_json::to_vec(&(self.batch.is_some(), requests));
        let asked = asked.expect("requests have no map with keys that are no texts");
        let hash = digest(&SHA256, &asked);
        let half = hash.as_ref()[..16].try_into().expect("it has 32 bytes");
        format!("{:032x}", u128::from_be_bytes(half))
    }
}

impl Receipt {
    /// The job of a submission of one.
    pub fn into_job(mut self) -> Job {
        self.jobs.swap_remove(0)
    }
}

impl IdempotencyKey {
    /// The key among those of one client: another's with the same name is another key.
    pub fn of_client(&self, name: &str) -> Self {
        Self(format!("{name}:{}", self.0))
    }

    /// The key.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for IdempotencyKey {
    type Err = &'static str;

    /// Reads a key. Quotes around it are none of it: the header is a text in quotes by its draft standard
    /// (draft-ietf-httpapi-idempotency-key-header), and without them by wide use.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bare = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text);
        if (1..=255).contains(&bare.len()) && bare.bytes().all(|byte| byte.is_ascii_graphic()) {
            Ok(Self(bare.into()))
        } else {
            Err("is no key: 1 to 255 printable ASCII characters without blanks")
        }
    }
}

impl fmt::Display for IdempotencyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
