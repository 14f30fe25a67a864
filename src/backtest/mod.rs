//! How decisions would have done on past prices, beside the baselines of the TradingAgents paper (arXiv 2412.20138).
//!
//! What is assumed, exactly:
//!
//! - A decision is made with all that is known at the close of day t, and traded at that close. The position that it
//!   makes earns the return from the close of t to the close of t + 1, and those of the days after until a later
//!   decision changes it. The first close of the span is the start, the last close the end; nothing earns before or
//!   after, so there is no decision on the last day.
//! - Long or flat: everything is in the instrument, or nothing. BUY enters, SELL leaves, HOLD keeps what there is; so
//!   does a day without a decision. It begins flat. Nothing is sold short or borrowed, and cash earns nothing.
//! - Prices are closes adjusted for splits and dividends, so dividends count as reinvested. Each change of position
//!   costs a share of the whole, which is zero unless it is asked for.
//! - The baselines trade the same closes on each day of the span, and see the bars before it.
//!
//! [`Baseline`] says when each rule would be in, [`Strategy`] is one that was followed through, [`Performance`] its
//! figures. [`Backtest`] is all of it as one document, which is written as JSON, a table and a chart.

mod baseline;
mod chart;
mod document;
mod performance;
mod report;
mod signal;
mod table;

pub use baseline::Baseline;
pub use document::{Backtest, Judgement, Strategy};
pub use performance::{Performance, TRADING_DAYS};
pub use signal::{Signal, equity, positions};
