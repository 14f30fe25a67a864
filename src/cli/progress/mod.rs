//! The progress of jobs as people and programs see it, from the jobs' events.
//!
//! [`Progress`] takes each event and shows it in one of three [`Mode`]s: [`Bars`] on a terminal, lines elsewhere, JSON
//! for programs. [`Tally`] is what it knows of a job, [`Outcome`] how one ended. Times are the events' own, so that a
//! replay shows what happened when, not when it was heard of.

mod bars;
mod outcome;
mod tally;
mod words;

use std::{collections::HashMap, io};

use bars::Bars;
pub use outcome::{Outcome, decision_line};
use tally::Tally;

use super::output::Output;
use crate::jobs::{Event, JobId, Writing};

/// The form of progress.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// A moving line for each agent at work, on a terminal.
    Bars,
    /// A line for each event that is worth telling.
    Lines,
    /// Every event as JSON, one on a line of the standard output.
    Json,
}

/// Shows the events of any number of jobs.
pub struct Progress {
    view: View,
    output: Output,
    tallies: HashMap<JobId, Tally>,
}

enum View {
    Bars(Bars),
    Lines,
    Json,
}

impl Mode {
    /// JSON if asked for; bars if somebody watches the standard error; lines otherwise.
    pub fn choose(json: bool, output: &Output) -> Self {
        if json {
            Self::Json
        } else if output.is_attended() {
            Self::Bars
        } else {
            Self::Lines
        }
    }
}

impl Progress {
    /// Progress of this form, with nothing to show yet.
    pub fn new(mode: Mode, output: Output) -> Self {
        let view = match mode {
            Mode::Bars => View::Bars(Bars::new()),
            Mode::Lines => View::Lines,
            Mode::Json => View::Json,
        };
        Self { view, output, tallies: HashMap::new() }
    }

    /// Shows an event. If it is its job's last, returns how the job ended, for [`conclude`](Self::conclude).
    pub fn event(&mut self, event: &Event) -> io::Result<Option<Outcome>> {
        let tally = self.tallies.entry(event.job_id).or_insert_with(|| Tally::new(event));
        tally.count(event);
        match &mut self.view {
            View::Json => self.output.json(event)?,
            View::Lines => {
                if let Some(words) = words::of(&event.kind) {
                    self.output.note(words::painted(&event.kind, &tally.line(event, &words)));
                }
            }
            View::Bars(bars) => bars.show(event, tally),
        }
        Ok(Outcome::of(event, tally.label()))
    }

    /// Shows what an agent's model has written so far: on a terminal for as long as it is the latest, in JSON as it came,
    /// and in lines not at all.
    pub fn writing(&mut self, writing: &Writing) -> io::Result<()> {
        match &mut self.view {
            View::Json => self.output.json(writing),
            View::Lines => Ok(()),
            View::Bars(bars) => {
                bars.write(writing);
                Ok(())
            }
        }
    }

    /// Tells how a job ended: a decision on the standard output, anything else on the standard error. In JSON the last
    /// event has told it.
    pub fn conclude(&self, outcome: &Outcome) -> io::Result<()> {
        let print = || {
            if outcome.decided() {
                self.output.line(outcome.painted())
            } else {
                self.output.note(outcome);
                Ok(())
            }
        };
        match &self.view {
            View::Json => Ok(()),
            View::Lines => print(),
            View::Bars(bars) => bars.aside(print),
        }
    }

    /// A word to the person who watches.
    pub fn note(&self, text: &str) {
        match &self.view {
            View::Bars(bars) => bars.aside(|| self.output.note(text)),
            View::Lines | View::Json => self.output.note(text),
        }
    }

    /// Leaves the terminal clean, as dropping does.
    pub fn finish(self) {
        drop(self);
    }
}
