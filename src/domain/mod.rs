//! The words that every part of the program shares: tickers, dates, analysts, providers, ratings.
//!
//! Each is parsed once, at the edge, and valid from then on. Nothing here knows another module.

mod agent;
mod analyst;
mod asset;
mod date;
mod effort;
mod provider;
mod rating;
pub mod shown;
mod ticker;
mod tier;
mod trace_parent;
mod vendor;

pub use agent::Agent;
pub use analyst::Analyst;
pub use asset::AssetType;
pub use date::{DateError, TradeDate};
pub use effort::ReasoningEffort;
pub use provider::{EffortField, KeyHeader, Provider, Quirks, Service};
pub use rating::{Decision, DecisionSource, Rating};
pub use ticker::{Ticker, TickerError};
pub use tier::Tier;
pub use trace_parent::{TraceParent, TraceParentError};
pub use vendor::{
    Category, Fundamentals, Insiders, Macro, News, Predictions, PriceVendors, Prices, Social, Vendor, VendorList,
};
