//! What events say in words.

use console::style;
use indicatif::HumanCount;

use crate::{cli::output::one_line, jobs::EventKind};

/// How much of what a tool said for the agents is shown, characters; the result has all of it.
const SHORT: usize = 100;

/// The event in words, if it is worth a line. Endings are told by [`super::Outcome`].
pub(super) fn of(kind: &EventKind) -> Option<String> {
    Some(match kind {
        EventKind::Submitted { date, .. } => format!("submitted for {date}, waits for a worker"),
        EventKind::Claimed { worker, attempt, resumed } => {
            let resumed = if *resumed { " from the last checkpoint" } else { "" };
            format!("attempt {attempt} begins{resumed} on worker {}", one_line(&worker.0))
        }
        EventKind::ModelPull { model, percent } => format!("the model {} is fetched: {percent} %", one_line(model)),
        EventKind::StepStarted { agent } => format!("{agent} begins"),
        EventKind::ToolCalled { agent, tool, seconds, error: None } => {
            format!("{agent} called {} ({seconds:.1} s)", one_line(tool))
        }
        EventKind::ToolCalled { agent, tool, seconds, error: Some(error) } => {
            format!("{agent} called {} in vain ({seconds:.1} s): {}", one_line(tool), short(error))
        }
        EventKind::StepFinished { agent, seconds, tokens_in, tokens_out, .. } => format!(
            "{agent} done ({seconds:.1} s, {} tokens in, {} out)",
            HumanCount(*tokens_in),
            HumanCount(*tokens_out)
        ),
        EventKind::SoftTimeLimit => "time is short: no new debate round begins".into(),
        EventKind::Retry { error_type: _, error, retry_count, delay_seconds } => {
            format!("the attempt failed: {}; retry {retry_count} follows in {delay_seconds:.0} s", one_line(error))
        }
        EventKind::Released { worker } => format!("worker {} stops; another goes on", one_line(&worker.0)),
        EventKind::Requeued => "tried again, waits for a worker".into(),
        EventKind::ModelAnswered { .. }
        | EventKind::Checkpoint { .. }
        | EventKind::Completed { .. }
        | EventKind::Failed { .. }
        | EventKind::Cancelled => return None,
    })
}

/// The beginning of a text, on one line.
fn short(text: &str) -> String {
    let text = one_line(text);
    match text.char_indices().nth(SHORT) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

/// The line of an event in colours, where the standard error has them: green for what is done, yellow for what did not go
/// as it should.
pub(super) fn painted(kind: &EventKind, line: &str) -> String {
    let line = style(line).for_stderr();
    match kind {
        EventKind::StepFinished { .. } => line.green(),
        EventKind::ToolCalled { error: Some(_), .. } | EventKind::Retry { .. } | EventKind::SoftTimeLimit => {
            line.yellow()
        }
        _ => line.dim(),
    }
    .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_tool_says_at_length_is_cut_between_characters() {
        assert_eq!(short("no news\nof IBM"), "no news of IBM");
        let cut = short(&"ä".repeat(SHORT + 1));
        assert_eq!(cut, format!("{}…", "ä".repeat(SHORT)));
    }
}
