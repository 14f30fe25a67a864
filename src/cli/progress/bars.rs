//! Progress on a terminal: a moving line for each job and each agent at work, and above them what has happened.

use std::{collections::HashMap, time::Duration};

use chrono::Utc;
use console::Term;
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use super::{tally::Tally, words};
use crate::{
    domain::Agent,
    jobs::{Event, EventKind, JobId, Writing},
};

/// How often the lines move.
const TICK: Duration = Duration::from_millis(120);

/// What stands before the message in an agent's line, columns: the spinner, the agent and the time.
const BEFORE_MESSAGE: usize = 33;

/// The moving lines, each job's followed by those of its agents.
pub(super) struct Bars {
    area: MultiProgress,
    jobs: HashMap<JobId, JobBars>,
}

struct JobBars {
    whole: ProgressBar,
    agents: HashMap<Agent, ProgressBar>,
}

impl Bars {
    pub fn new() -> Self {
        Self { area: MultiProgress::new(), jobs: HashMap::new() }
    }

    /// Shows an event of the job that `tally` knows.
    pub fn show(&mut self, event: &Event, tally: &Tally) {
        let job = self.jobs.entry(event.job_id).or_insert_with(|| JobBars::new(&self.area, tally));
        job.whole.set_prefix(tally.label());
        match &event.kind {
            EventKind::StepStarted { agent } => job.begin(&self.area, *agent, event),
            EventKind::ToolCalled { agent, tool, error: None, .. } => job.say(*agent, tool),
            // The job's own line shows it.
            EventKind::ModelPull { .. } => {}
            kind => {
                if let Some(words) = words::of(kind) {
                    let line = tally.line(event, &words);
                    // An error only says that the terminal is gone.
                    let _ = self.area.println(words::painted(kind, &line));
                }
            }
        }
        match &event.kind {
            EventKind::StepFinished { agent, .. } => job.end(&self.area, *agent),
            EventKind::Claimed { .. } | EventKind::Retry { .. } | EventKind::Released { .. } => job.end_all(&self.area),
            _ => {}
        }
        job.whole.set_message(tally.state());
        if event.kind.is_terminal()
            && let Some(mut job) = self.jobs.remove(&event.job_id)
        {
            job.end_all(&self.area);
            remove(&self.area, &job.whole);
        }
    }

    /// Shows what an agent at work has written so far, in its line.
    pub fn write(&mut self, writing: &Writing) {
        let bar = self.jobs.get(&writing.job_id).and_then(|job| job.agents.get(&writing.data.agent));
        if let Some(bar) = bar {
            let columns = usize::from(Term::stderr().size().1);
            bar.set_message(words::draft(&writing.data, columns.saturating_sub(BEFORE_MESSAGE)));
        }
    }

    /// Does something that prints, with the moving lines out of the way.
    pub fn aside<T>(&self, print: impl FnOnce() -> T) -> T {
        self.area.suspend(print)
    }
}

impl Drop for Bars {
    fn drop(&mut self) {
        let _ = self.area.clear();
    }
}

impl JobBars {
    fn new(area: &MultiProgress, tally: &Tally) -> Self {
        let whole = spinner("{spinner:.cyan} {prefix:.bold}  {elapsed}  {msg}", tally.began);
        Self { whole: start(area.add(whole)), agents: HashMap::new() }
    }

    fn begin(&mut self, area: &MultiProgress, agent: Agent, event: &Event) {
        let bar = spinner("  {spinner:.cyan} {prefix:<21} {elapsed:>4}  {wide_msg:.dim}", event.at)
            .with_prefix(agent.label());
        let below = self.agents.values().next().unwrap_or(&self.whole);
        let bar = start(area.insert_after(below, bar));
        if let Some(earlier) = self.agents.insert(agent, bar) {
            remove(area, &earlier);
        }
    }

    fn say(&self, agent: Agent, tool: &str) {
        if let Some(bar) = self.agents.get(&agent) {
            bar.set_message(crate::cli::output::one_line(tool));
        }
    }

    fn end(&mut self, area: &MultiProgress, agent: Agent) {
        if let Some(bar) = self.agents.remove(&agent) {
            remove(area, &bar);
        }
    }

    /// The attempt is over, and with it the turns that had begun.
    fn end_all(&mut self, area: &MultiProgress) {
        for (_, bar) in self.agents.drain() {
            remove(area, &bar);
        }
    }
}

/// A line that has moved since `began`, by this host's clock.
fn spinner(template: &str, began: chrono::DateTime<Utc>) -> ProgressBar {
    let style = ProgressStyle::with_template(template).expect("the template is well-formed");
    let elapsed = (Utc::now() - began).to_std().unwrap_or_default();
    ProgressBar::new_spinner().with_style(style).with_elapsed(elapsed)
}

/// Lets a line move, once it has its place.
fn start(bar: ProgressBar) -> ProgressBar {
    bar.enable_steady_tick(TICK);
    bar
}

fn remove(area: &MultiProgress, bar: &ProgressBar) {
    bar.finish_and_clear();
    area.remove(bar);
}
