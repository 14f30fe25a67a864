//! What kind of thing is analysed.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The kind of an instrument.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum AssetType {
    /// A share, and whatever else is quoted like one: funds, indices, futures, currencies.
    #[default]
    Stock,
    /// A crypto-currency: no company is behind it, so it has no fundamentals.
    Crypto,
}
