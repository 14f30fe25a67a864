//! What a job is, and the rules of its life.
//!
//! [`Queue`] is what the rest of the program uses. It holds the rules: which status follows which ([`transition`]),
//! who may write, when a failed attempt is retried. Under it lies a [`Store`], which keeps jobs, events and leases and
//! makes each step atomic: [`RedisStore`] for any number of processes and hosts, [`EmbeddedStore`] for one process.
//! [`feed`] turns the store's events into streams that resume. [`Writing`] is the one kind of event that is not stored.

pub mod embedded;
mod event;
pub mod feed;
mod ids;
mod model;
mod model_name;
mod priority;
mod queue;
mod reading;
pub mod redis;
mod request;
mod store;
mod stored;
mod submission;
pub mod transition;
mod webhook;
mod writing;

pub use embedded::EmbeddedStore;
pub use event::{Event, EventId, EventIdError, EventKind};
pub use feed::Scope;
pub use ids::{BatchId, JobId};
pub use model::{
    Claim, ErrorType, Failure, Gpu, Job, Lease, Listing, Page, ServedModels, Stats, Status, WorkerId, WorkerInfo,
};
pub use model_name::ModelName;
pub use priority::Priority;
pub use queue::{Cancel, Queue, RetryPolicy};
pub use reading::{NewsQueries, UpTo};
pub use redis::{QueueName, RedisOptions, RedisStore};
pub use request::{
    Analysts, BackendUrl, DataVendors, JobConfig, JobRequest, Language, Rounds, Temperature, ToolVendors, WebhookUrl,
};
pub use store::{Applied, Keep, Progress, Recorded, Replay, Store, StoreError};
pub use submission::{IdempotencyKey, KEY_LIFETIME, Receipt, Submission, SubmitError};
pub use webhook::{Attempted, Delivery, Message, Outbox, Webhook, WebhookStatus};
use webhook::{DUE_LOOKED_AT, message_id};
pub use writing::{DRAFT_TAIL, Draft, Writing};
