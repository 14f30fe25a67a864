//! What is known of a job from its events so far.

use chrono::{DateTime, TimeDelta, Utc};
use indicatif::HumanCount;

use crate::{
    cli::output::one_line,
    jobs::{Event, EventKind, JobId},
};

/// A job's name, its beginning, and what it has cost.
pub(super) struct Tally {
    job: JobId,
    /// The ticker and the date, once the first event told them; it may no longer be kept.
    subject: Option<(String, String)>,
    pub began: DateTime<Utc>,
    turns: u32,
    tokens: u64,
    /// US dollars, as far as prices are known.
    dollars: Option<f64>,
    /// The model that is fetched at the moment, and how much of it is there, percent.
    pull: Option<(String, u8)>,
}

impl Tally {
    /// A job that was first heard of by `event`.
    pub fn new(event: &Event) -> Self {
        Self { job: event.job_id, subject: None, began: event.at, turns: 0, tokens: 0, dollars: None, pull: None }
    }

    /// Takes an event in.
    pub fn count(&mut self, event: &Event) {
        self.pull = None;
        match &event.kind {
            EventKind::ModelPull { model, percent } => self.pull = Some((one_line(model), *percent)),
            EventKind::Submitted { ticker, date } => self.subject = Some((ticker.to_string(), date.to_string())),
            EventKind::StepFinished { tokens_in, tokens_out, cost_usd, .. } => {
                self.dollars = cost_usd.map(|cost| self.dollars.unwrap_or_default() + cost).or(self.dollars);
                self.turns += 1;
                self.tokens += tokens_in + tokens_out;
            }
            _ => {}
        }
    }

    /// The name of the job for people: `NVDA 2024-05-10`, or its id.
    pub fn label(&self) -> String {
        match &self.subject {
            Some((ticker, date)) => format!("{ticker} {date}"),
            None => self.job.to_string(),
        }
    }

    /// What the job waits for, or what it has cost so far.
    pub fn state(&self) -> String {
        if let Some((model, percent)) = &self.pull {
            return format!("fetching the model {model}: {percent} %");
        }
        let dollars = self.dollars.map(|dollars| format!(", ${dollars:.2}")).unwrap_or_default();
        let turns = if self.turns == 1 { "turn" } else { "turns" };
        format!("{} {turns}, {} tokens{dollars}", self.turns, HumanCount(self.tokens))
    }

    /// A line of progress: the time since the job's beginning, the ticker, and what happened.
    pub fn line(&self, event: &Event, words: &str) -> String {
        let name = self.subject.as_ref().map_or_else(|| self.job.to_string(), |(ticker, _)| ticker.clone());
        format!("{:>7}  {name}  {words}", clock(event.at - self.began))
    }
}

/// A time as `m:ss`, or `h:mm:ss`.
fn clock(time: TimeDelta) -> String {
    let seconds = time.num_seconds().max(0);
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if hours > 0 { format!("{hours}:{minutes:02}:{seconds:02}") } else { format!("{minutes}:{seconds:02}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_on_a_clock() {
        for (seconds, text) in [(-3, "0:00"), (9, "0:09"), (754, "12:34"), (3661, "1:01:01")] {
            assert_eq!(clock(TimeDelta::seconds(seconds)), text);
        }
    }
}
