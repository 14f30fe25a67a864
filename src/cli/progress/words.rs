//! What events say in words.

use indicatif::HumanCount;

use crate::{cli::output::one_line, jobs::EventKind};

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
            format!("{agent} called {} in vain ({seconds:.1} s): {}", one_line(tool), one_line(error))
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
