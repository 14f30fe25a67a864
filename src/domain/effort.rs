//! How much a model reasons before it answers.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How much a model reasons before it answers. Providers know some of these levels; the nearest one is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ReasoningEffort {
    None,
    Minimal,
    Low,
    Medium,
    High,
    Xhigh,
    Max,
}

impl ReasoningEffort {
    /// All, as configuration spells them, the least first.
    pub const NAMES: [&'static str; 7] = ["none", "minimal", "low", "medium", "high", "xhigh", "max"];

    /// The word as configuration and most providers spell it.
    pub fn as_str(self) -> &'static str {
        Self::NAMES[self as usize]
    }

    /// The nearest of the three levels that nearly every provider knows.
    pub fn common(self) -> &'static str {
        self.clamp(Self::Low, Self::High).as_str()
    }
}
