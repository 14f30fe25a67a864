//! How a job ended.

use std::fmt;

use console::style;

use crate::{
    cli::{exit::Exit, output::one_line, paint},
    domain::{Decision, Rating},
    jobs::{Event, EventKind},
};

/// How a job ended, for a person to read: `NVDA 2024-05-10: BUY (rating Overweight)`.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// The job's name.
    label: String,
    end: End,
}

#[derive(Debug, Clone, PartialEq)]
enum End {
    Completed(Decision, Rating),
    Failed(String),
    Cancelled,
}

impl Outcome {
    /// The outcome that a job's last event tells; none for any other.
    pub(super) fn of(event: &Event, label: String) -> Option<Self> {
        let end = match &event.kind {
            EventKind::Completed { decision, rating } => End::Completed(*decision, *rating),
            EventKind::Failed { error, .. } => End::Failed(one_line(error)),
            EventKind::Cancelled => End::Cancelled,
            _ => return None,
        };
        Some(Self { label, end })
    }

    /// Whether it is a decision.
    pub fn decided(&self) -> bool {
        matches!(self.end, End::Completed(..))
    }

    /// The outcome in colours, where the standard output has them.
    pub(super) fn painted(&self) -> String {
        match self.end {
            End::Completed(decision, _) => paint::decision(decision, self),
            End::Failed(_) => style(self).bold().red(),
            End::Cancelled => style(self).bold().yellow(),
        }
        .to_string()
    }

    /// The end of a command that followed the job.
    pub fn exit(&self) -> Exit {
        match self.end {
            End::Completed(..) => Exit::Done,
            End::Failed(_) => Exit::JobFailed,
            End::Cancelled => Exit::JobCancelled,
        }
    }
}

/// The decision about `label` on one line.
pub fn decision_line(label: &str, decision: Decision, rating: Rating) -> String {
    format!("{label}: {} (rating {})", decision.as_str(), rating.as_str())
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let label = &self.label;
        match &self.end {
            End::Completed(decision, rating) => f.write_str(&decision_line(label, *decision, *rating)),
            End::Failed(error) => write!(f, "{label}: failed: {error}"),
            End::Cancelled => write!(f, "{label}: cancelled"),
        }
    }
}
