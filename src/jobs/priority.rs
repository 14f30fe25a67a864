//! Which jobs go first.

use std::sync::atomic::{AtomicU64, Ordering};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Which jobs go first. Jobs of the same priority go in the order in which they became ready.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Priority {
    High,
    #[default]
    Normal,
    Low,
}

impl Priority {
    /// All of them, the first to go first.
    pub const ALL: [Self; 3] = [Self::High, Self::Normal, Self::Low];

    /// The names, for command lines.
    pub const NAMES: [&'static str; 3] = ["high", "normal", "low"];

    /// The word as the API and the stores spell it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::High => "high",
            Self::Normal => "normal",
            Self::Low => "low",
        }
    }

    /// Whether it is the usual one.
    pub fn is_normal(&self) -> bool {
        *self == Self::Normal
    }
}

/// Whose turn it is. High goes before normal and normal before low; but so that none waits for ever, of each 16 claims of
/// a process three look for normal jobs first, and one for low ones.
#[derive(Debug)]
pub(super) struct Turns(AtomicU64);

impl Turns {
    /// Processes begin anywhere, so that many short-lived ones keep the shares too.
    pub fn new() -> Self {
        Self(AtomicU64::new(fastrand::u64(..16)))
    }

    /// The order in which the next claim looks for jobs.
    pub fn next(&self) -> [Priority; 3] {
        use Priority::{High, Low, Normal};
        match self.0.fetch_add(1, Ordering::Relaxed) % 16 {
            0 => [Low, Normal, High],
            4 | 8 | 12 => [Normal, High, Low],
            _ => [High, Normal, Low],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_priority_has_its_share_of_the_turns() {
        let turns = Turns::new();
        let first: Vec<_> = (0..16).map(|_| turns.next()[0]).collect();
        for (priority, share) in [(Priority::High, 12), (Priority::Normal, 3), (Priority::Low, 1)] {
            assert_eq!(first.iter().filter(|first| **first == priority).count(), share, "{priority:?}");
        }
    }
}
