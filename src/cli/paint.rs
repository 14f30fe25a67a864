//! Colours of statuses and decisions, where the standard output has them.

use console::{StyledObject, style};

use crate::{domain::Decision, jobs::Status};

/// A text in the colour of a status.
pub fn status<T>(status: Status, text: T) -> StyledObject<T> {
    let text = style(text);
    match status {
        Status::Pending => text.dim(),
        Status::Running => text.cyan(),
        Status::Completed => text.green(),
        Status::Failed => text.red(),
        Status::Cancelled => text.yellow(),
    }
}

/// A text in the colour of a decision.
pub fn decision<T>(decision: Decision, text: T) -> StyledObject<T> {
    let text = style(text).bold();
    match decision {
        Decision::Buy => text.green(),
        Decision::Sell => text.red(),
        Decision::Hold => text.yellow(),
    }
}
