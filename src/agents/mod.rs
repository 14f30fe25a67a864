//! The trading firm: analysts, researchers, trader, risk analysts and managers, and the order in which they work.
//!
//! ```text
//! market ─┐
//! social ─┤ at the   ┌─ rounds ─┐                                ┌────── rounds ──────┐
//! news   ─┤ same  ─▶ bull ◀─▶ bear ─▶ research manager ─▶ trader ─▶ aggressive ─▶ conservative ─▶ neutral ─▶ portfolio manager
//! fundam.─┘ time
//! ```
//!
//! Before the portfolio manager decides, a reflector draws lessons from earlier decisions that are settled by now
//! (`memory`), if there are any.
//!
//! [`Firm::run`] takes an [`Analysis`] as far as it has come and brings it to its end. Whoever runs it watches by an
//! [`Observer`], which hears of every step and stores the checkpoints; [`journal`] says what is in them.

mod analysis;
mod analysts;
mod case;
mod evidence;
mod firm;
mod flaw;
mod forms;
mod journal;
mod memory;
mod observer;
mod portfolio;
mod rating;
mod reading;
mod research;
mod risk;
mod structured;
mod tools;
mod trader;
mod turn;

pub use analysis::{
    Analysis, Answered, Brief, CallRecord, Debate, Outcome, RiskDebate, StepRecord, ToolAnswer, ToolRecord, Unfinished,
};
pub use firm::{AgentError, Firm, Models};
pub use observer::{Observer, Step};
pub use reading::ReadingLimits;
