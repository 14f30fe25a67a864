//! Which fault comes when: all of it follows from the seed.

use std::time::Duration;

use fastrand::Rng;

/// Workers of a stack.
pub const WORKERS: usize = 3;

/// The lease of the jobs, seconds; a pause that is longer costs a worker its jobs.
pub const LEASE: u64 = 2;

/// What goes wrong.
#[derive(Debug, Clone, PartialEq)]
pub enum Fault {
    /// SIGKILL, and a start after a while.
    Kill(Part, Duration),
    /// SIGSTOP for a while.
    Pause(Part, Duration),
    /// All connections break.
    Cut(Link),
    /// The other end of all connections is gone, and nobody says so.
    Forget(Link),
    /// Nothing passes for a while.
    Silence(Link, Duration),
    /// Everything takes longer, for a while.
    Delay(Link, Duration, Duration),
    /// The next request with this text arrives, and is not answered.
    LoseAnswer(Link, &'static str),
}

/// A process.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Part {
    Redis,
    Api,
    Worker(usize),
}

/// A way on which bytes go.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Link {
    ClientsToApi,
    ApiToRedis,
    WorkerToRedis(usize),
}

/// So many faults, each with the wait before it.
pub fn schedule(seed: u64, faults: usize) -> Vec<(Duration, Fault)> {
    let mut rng = Rng::with_seed(seed);
    // The first ones are one of each kind, so that also a short run has all.
    (0..faults).map(|number| (millis(&mut rng, 50..400), fault(&mut rng, number))).collect()
}

fn fault(rng: &mut Rng, number: usize) -> Fault {
    let kind = if number < 12 { number } else { rng.usize(0..12) };
    match kind {
        0 | 1 => Fault::Kill(Part::Worker(rng.usize(0..WORKERS)), millis(rng, 0..600)),
        2 => Fault::Kill(Part::Api, millis(rng, 0..400)),
        3 => Fault::Kill(Part::Redis, millis(rng, 0..600)),
        4 | 5 => Fault::Pause(Part::Worker(rng.usize(0..WORKERS)), millis(rng, LEASE * 1000..LEASE * 1000 + 2500)),
        6 => Fault::Pause(if rng.bool() { Part::Api } else { Part::Redis }, millis(rng, 200..1500)),
        7 => Fault::Cut(link(rng)),
        8 => Fault::Forget(link(rng)),
        9 => Fault::Silence(link(rng), millis(rng, 200..3000)),
        10 => Fault::Delay(link(rng), millis(rng, 5..60), millis(rng, 300..1500)),
        _ => {
            let texts = ["step_finished", "checkpoint", "completed"];
            Fault::LoseAnswer(Link::WorkerToRedis(rng.usize(0..WORKERS)), texts[rng.usize(0..texts.len())])
        }
    }
}

fn link(rng: &mut Rng) -> Link {
    match rng.usize(0..WORKERS + 2) {
        0 => Link::ClientsToApi,
        1 => Link::ApiToRedis,
        other => Link::WorkerToRedis(other - 2),
    }
}

fn millis(rng: &mut Rng, range: std::ops::Range<u64>) -> Duration {
    Duration::from_millis(rng.u64(range))
}

#[test]
fn a_seed_gives_the_same_faults_again() {
    assert_eq!(schedule(7, 200), schedule(7, 200));
    assert_ne!(schedule(7, 200), schedule(8, 200));
}
