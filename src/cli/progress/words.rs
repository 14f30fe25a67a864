//! What events say in words.

use console::{measure_text_width, style};
use indicatif::HumanCount;

use crate::{
    cli::output::one_line,
    jobs::{Draft, EventKind},
};

/// How much of what a tool said for the agents is shown, characters; the result has all of it.
const SHORT: usize = 100;

/// The least room that is worth the end of a line, columns.
const LEAST_ROOM: usize = 16;

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

/// How long a draft is, and the end of its last line as far as the room allows, columns.
pub(super) fn draft(draft: &Draft, room: usize) -> String {
    if draft.characters == 0 {
        return "thinking…".into();
    }
    let count = format!("{} characters", HumanCount(draft.characters as u64));
    let last = draft.text.lines().rev().map(one_line).find(|line| !line.is_empty()).unwrap_or_default();
    let room = room.saturating_sub(measure_text_width(&count) + 2);
    if last.is_empty() || room < LEAST_ROOM { count } else { format!("{count}  {}", tail(&last, room)) }
}

/// The end of a line that fits into so many columns; a wide character takes two.
fn tail(line: &str, room: usize) -> String {
    if measure_text_width(line) <= room {
        return line.to_owned();
    }
    let mut left = room - measure_text_width("…");
    let fits = |&(_, character): &(usize, char)| {
        let width = measure_text_width(character.encode_utf8(&mut [0; 4]));
        let fits = width <= left;
        left = left.saturating_sub(width);
        fits
    };
    let start = line.char_indices().rev().take_while(fits).last().map_or(line.len(), |(start, _)| start);
    format!("…{}", line[start..].trim_start())
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

    #[test]
    fn a_draft_shows_its_length_and_the_end_of_its_last_line() {
        let text = "# Report\nMomentum is\u{1b}[2J strong, and the trend is up\n\n";
        let at = |room| draft(&Draft::new(crate::domain::Agent::Trader, text, 1234), room);
        assert_eq!(at(80), "1,234 characters  Momentum is[2J strong, and the trend is up");
        assert_eq!(at(38), "1,234 characters  …and the trend is up");
        assert_eq!(at(30), "1,234 characters", "there is no room for more");
        assert_eq!(draft(&Draft::new(crate::domain::Agent::Trader, "", 0), 80), "thinking…");
    }

    #[test]
    fn wide_characters_take_two_columns() {
        assert_eq!(tail("趨勢向上趨勢向上", 8), "…勢向上");
        assert_eq!(tail("趨勢向上", 8), "趨勢向上");
    }
}
