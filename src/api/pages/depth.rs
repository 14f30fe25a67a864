//! How full the queue was of late: a bounded series that each API samples for itself, and its picture.

use std::{
    collections::VecDeque,
    fmt::Write,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use maud::{Markup, html};
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use super::words;
use crate::jobs::{Queue, Stats};

/// From one sample to the next.
const STEP: Duration = Duration::from_secs(15);

/// Samples that are kept: those of an hour.
const KEPT: usize = 240;

/// Pending and running jobs of the last hour, the oldest first.
#[derive(Default)]
pub struct Depth(Mutex<VecDeque<(u64, u64)>>);

impl Depth {
    /// Samples the queue until `stop`. While the store does not answer, there are no samples.
    pub async fn sample(&self, queue: &Queue, stop: &CancellationToken) {
        let mut ticks = interval(STEP);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while stop.run_until_cancelled(ticks.tick()).await.is_some() {
            if let Ok(stats) = queue.stats().await {
                self.add(&stats);
            }
        }
    }

    fn add(&self, stats: &Stats) {
        let mut samples = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if samples.len() == KEPT {
            samples.pop_front();
        }
        samples.push_back((stats.pending, stats.running));
    }

    /// The series and the numbers of now.
    pub fn panel(&self, now: &Stats) -> Markup {
        let mut samples: Vec<_> = self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().copied().collect();
        samples.push((now.pending, now.running));
        let most = samples.iter().map(|(pending, running)| pending + running).max().unwrap_or(0);
        let waiting = line(samples.iter().map(|(pending, running)| pending + running), most);
        let running = line(samples.iter().map(|(_, running)| *running), most);
        html! {
            section.panel #depth data-live data-every="10" aria-labelledby="depth-title" {
                h2 #depth-title { "Queue in the last hour" }
                dl.figures {
                    div { dt { "pending" } dd { (words::number(now.pending)) } }
                    div { dt { "running" } dd { (words::number(now.running)) } }
                    div { dt { "peak" } dd { (words::number(most)) } }
                }
                svg.spark viewBox="0 0 240 48" preserveAspectRatio="none" role="img"
                    aria-label={ "Pending and running jobs of the last hour: " (most) " at most, " (now.pending + now.running) " now" } {
                    path.area d={ (waiting) "V48H" (format!("{:.1}", start(samples.len()))) "Z" } {}
                    path.edge d=(waiting) fill="none" vector-effect="non-scaling-stroke" {}
                    path.within d=(running) fill="none" vector-effect="non-scaling-stroke" {}
                }
                p.small.axis aria-hidden="true" { span { "1 h ago" } span { "now" } }
                p.small.legend {
                    span.key.all { "pending and running" } span.key.some { "running" }
                }
            }
        }
    }
}

/// Where the oldest of so many samples is, the newest being at the right end.
#[expect(clippy::cast_precision_loss, reason = "a pixel is enough")]
fn start(samples: usize) -> f64 {
    KEPT.saturating_sub(samples) as f64
}

/// A line from the oldest sample to the right end. Before it nothing is known, so nothing is drawn.
#[expect(clippy::cast_precision_loss, reason = "a pixel is enough")]
fn line(samples: impl ExactSizeIterator<Item = u64>, most: u64) -> String {
    let first = start(samples.len());
    let mut path = String::new();
    for (number, jobs) in samples.enumerate() {
        let y = 46.0 - 44.0 * jobs as f64 / most.max(1) as f64;
        // Writing to a String can't fail.
        let _ = write!(path, "{}{:.1} {y:.1}", if number == 0 { "M" } else { "L" }, (first + number as f64).min(240.0));
    }
    path.push_str("H240");
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_samples_of_an_hour_are_kept() {
        let depth = Depth::default();
        for pending in 0..300 {
            depth.add(&Stats { pending, ..Stats::default() });
        }
        let samples = depth.0.into_inner().unwrap();
        assert_eq!((samples.len(), samples[0], samples[239]), (240, (60, 0), (299, 0)));
    }

    #[test]
    fn the_newest_sample_is_at_the_right_and_the_most_at_the_top() {
        assert_eq!(line([0, 4].into_iter(), 4), "M238.0 46.0L239.0 2.0H240");
        assert_eq!(line([0].into_iter(), 0), "M239.0 46.0H240");
    }
}
