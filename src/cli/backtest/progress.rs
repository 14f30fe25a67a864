//! How far a backtest has come, on the standard error.

use indicatif::{ProgressBar, ProgressStyle};

use crate::{
    backtest::Judgement,
    cli::{
        output::{Output, one_line},
        progress::decision_line,
    },
    domain::Ticker,
    jobs::EventKind,
};

/// A line for each day that is done, and on a terminal a bar under them.
pub struct Progress {
    bar: Option<ProgressBar>,
    output: Output,
    days: usize,
}

impl Progress {
    pub fn new(days: usize, output: &Output) -> Self {
        let style = ProgressStyle::with_template("{bar:30.cyan} {pos}/{len}  {elapsed}, {eta} left  {msg:.dim}");
        let bar = output.is_attended().then(|| {
            let bar = ProgressBar::new(days as u64);
            bar.with_style(style.expect("the template is well-formed"))
        });
        Self { bar, output: output.clone(), days }
    }

    /// Something happened in the job that runs.
    pub fn event(&self, kind: &EventKind) {
        match (kind, &self.bar) {
            (EventKind::StepStarted { agent }, Some(bar)) => bar.set_message(agent.label()),
            (EventKind::Retry { error, .. }, _) => {
                self.say(&format!("the attempt failed: {}; it is retried", one_line(error)));
            }
            _ => {}
        }
    }

    /// A day is done, the one numbered `done`.
    pub fn tell(&self, done: usize, ticker: &Ticker, judgement: &Judgement) {
        let label = format!("{done}/{}  {ticker} {}", self.days, judgement.date);
        self.say(&match (judgement.decision, judgement.rating, &judgement.error) {
            (Some(decision), Some(rating), _) => decision_line(&label, decision, rating),
            (.., error) => format!("{label}: failed: {}", one_line(error.as_deref().unwrap_or_default())),
        });
        if let Some(bar) = &self.bar {
            bar.inc(1);
        }
    }

    fn say(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| self.output.note(text)),
            None => self.output.note(text),
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
