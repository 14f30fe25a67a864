//! The decision log: what was decided, what came of it, and what was learned from it.
//!
//! ```text
//! MEMORY_DIR/
//!   NVDA.jsonl    one file per ticker, one record on a line
//!   .lock         held while somebody writes
//! ```
//!
//! A record is a [`Decision`] or the [`Settlement`] of one, joined by the job's id to an [`Entry`]. [`DecisionLog`]
//! reads and writes them, [`holding`] reckons what a decision earned, [`lessons`] picks what a later job may learn.
//!
//! A decision is held for [`HOLDING_DAYS`] trading days. It is settled once the closes of all of them are known, never
//! before; and a job learns only from what was settled by its own analysis date, whenever it runs.

pub mod holding;
pub mod lessons;
mod log;
mod record;

pub use holding::HOLDING_DAYS;
pub use log::{DecisionLog, Prune};
pub use record::{Decision, Entry, Settlement};
