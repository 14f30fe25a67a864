//! The two kinds of model that a job has.

/// A kind of model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tier {
    /// Of the research manager and the portfolio manager.
    Deep,
    /// Of all other agents.
    Quick,
}

impl Tier {
    /// Both.
    pub const BOTH: [Self; 2] = [Self::Deep, Self::Quick];

    /// The setting that names the model.
    pub fn model_setting(self) -> &'static str {
        match self {
            Self::Deep => "DEEP_THINK_LLM",
            Self::Quick => "QUICK_THINK_LLM",
        }
    }
}
