//! What a job is, and the rules of its life.
//!
//! [`Queue`] is what the rest of the program uses. It holds the rules: which status follows which ([`transition`]),
//! who may write, when a failed attempt is retried. Under it lies a [`Store`], which keeps jobs, events and leases and
//! makes each step atomic: [`RedisStore`] for any number of processes and hosts, [`EmbeddedStore`] for one process.
//! [`feed`] turns the store's events into streams that resume.

pub mod embedded;
mod event;
pub mod feed;
mod model;
mod queue;
pub mod redis;
mod request;
mod store;
pub mod transition;

pub use embedded::EmbeddedStore;
pub use event::{Event, EventId, EventIdError, EventKind};
pub use feed::Scope;
pub use model::{
    Claim, ErrorType, Failure, Gpu, Job, JobId, Lease, Listing, Page, ServedModels, Stats, Status, WorkerId, WorkerInfo,
};
pub use queue::{Cancel, Queue, RetryPolicy};
pub use redis::RedisStore;
pub use request::{
    Analysts, BackendUrl, DataVendors, JobConfig, JobRequest, Language, ModelName, Rounds, Temperature, ToolVendors,
};
pub use store::{Applied, Recorded, Replay, Store, StoreError};
