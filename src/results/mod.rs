//! What is written for people and programs: one folder per finished job.
//!
//! ```text
//! results/{TICKER}/{YYYY-MM-DD}/{job_id}/
//!   state.json    the result as the API answers it
//!   decision.txt  BUY, SELL or HOLD
//!   report.md     the whole report
//!   1_analysts/market.md, sentiment.md, news.md, fundamentals.md
//!   2_research/bull.md, bear.md, manager.md
//!   3_trading/trader.md
//!   4_risk/aggressive.md, conservative.md, neutral.md
//!   5_portfolio/decision.md
//! ```

mod document;
mod folder;
mod report;

pub use document::{FinalState, InvestmentDebateState, JobResult, Reports, RiskDebateState};
pub use folder::{Results, ResultsError};
