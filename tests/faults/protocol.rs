//! The protocol of leases and fences, every order of its steps: a model of one job, checked by stateright.
//!
//! It has two workers, a client and the maintenance that all workers do. A worker claims, records progress in numbered
//! steps, confirms its lease, writes the result, and ends its attempt: completed, failed, or handed back. Steps come in any
//! order that the rules allow, so a worker may pause at any place for as long as it takes others to go on. Requests may be
//! answered, lose their answer, or arrive late, after their sender has sent them again or died. Leases run out at any time,
//! workers crash, and clients cancel.
//!
//! Covered, in each order: three attempts, each with a step of progress; a retry, a hand back, a crash and a cancellation; and
//! two requests whose answer is lost or that arrive late. That is a quarter of a million states. Not covered: the code of the
//! stores, which the stories and the other runs try; failed jobs that a client has tried again; several jobs at once, which
//! share nothing in this protocol; a store that forgets what it had acknowledged, as Redis may when its machine crashes.

use stateright::{Checker, HasDiscoveries, Model, Property};

use self::{End::*, Status::*};

/// Retries of a job.
const RETRIES: u8 = 1;

/// Steps of progress in an attempt.
const STEPS: u8 = 1;

/// The protocol, or what is left of it without one of its parts.
#[derive(Clone, Copy)]
struct Protocol {
    without: Option<Part>,
}

/// What makes it work.
#[derive(Clone, Copy, PartialEq)]
enum Part {
    /// The store takes writes of the attempt that runs alone.
    Fence,
    /// The results keep what a later attempt wrote.
    FenceOfResults,
    /// The store knows a step of progress by its number.
    Numbers,
    /// The store knows what ended an attempt.
    MemoryOfEnds,
}

const WHOLE: Protocol = Protocol { without: None };

impl Protocol {
    fn has(self, part: Part) -> bool {
        self.without != Some(part)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Status {
    Pending,
    Running,
    Completed,
    Failed,
    Cancelled,
}

/// How a worker ends an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum End {
    Complete,
    Fail,
    HandBack,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Worker {
    Idle,
    /// It has so many steps done.
    Working {
        attempt: u8,
        done: u8,
    },
    Confirmed {
        attempt: u8,
    },
    /// Its result is written, or there is none to write.
    Ending {
        attempt: u8,
        end: End,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Request {
    /// The number of the step; 0 only renews.
    Record {
        attempt: u8,
        number: u8,
    },
    End {
        attempt: u8,
        end: End,
    },
}

/// What becomes of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Fate {
    Answered,
    AnswerLost,
    /// It arrives at another time.
    Late,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[allow(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
struct State {
    status: Status,
    attempt: u8,
    retries: u8,
    lease_over: bool,
    recorded: u8,
    ended_by: Option<(u8, End)>,
    /// The attempt and the number of each event, in order.
    events: Vec<(u8, u8)>,
    /// The attempt whose result is kept.
    result: Option<u8>,
    workers: [Worker; 2],
    late: Vec<Request>,
    /// What may go wrong yet.
    troubles: u8,
    crashes: u8,
    hand_backs: u8,
    cancellations: u8,
    /// How often the job ended.
    ends: u8,
    /// Whether a write was taken of an attempt that did not run.
    trespassed: bool,
    /// Whether a worker was told that its lease is lost, whose end of the attempt had been taken.
    misled: bool,
    /// Whether a worker was refused.
    refused: bool,
}

#[derive(Clone, Debug, PartialEq)]
enum Action {
    Claim(usize, Fate),
    Record(usize, Fate),
    Confirm(usize, Fate),
    WriteResult(usize),
    GiveUp(usize, End),
    End(usize, Fate),
    Arrive(usize),
    LeaseRunsOut,
    DeclareLost,
    Crash(usize),
    Cancel,
}

impl State {
    fn ended(&self) -> bool {
        matches!(self.status, Completed | Failed | Cancelled)
    }

    fn end(&mut self, status: Status) {
        self.status = status;
        self.ends += u8::from(self.ended());
    }

    fn claim(&mut self) {
        (self.status, self.lease_over, self.recorded) = (Running, false, 0);
        self.attempt += 1;
    }

    /// Another attempt if there is one left.
    fn fail(&mut self) {
        if self.retries < RETRIES {
            self.retries += 1;
            self.status = Pending;
        } else {
            self.end(Failed);
        }
    }

    /// What the store does with a request; whether it says that it is done.
    fn take(&mut self, request: Request, protocol: Protocol) -> bool {
        let (Request::Record { attempt, .. } | Request::End { attempt, .. }) = request;
        let runs = self.status == Running && self.attempt == attempt;
        if !runs && protocol.has(Part::Fence) {
            self.refused = true;
            return match request {
                Request::Record { .. } => false,
                Request::End { end, .. } => protocol.has(Part::MemoryOfEnds) && self.ended_by == Some((attempt, end)),
            };
        }
        self.trespassed |= !runs;
        match request {
            Request::Record { number, .. } => {
                if number > self.recorded || (number > 0 && !protocol.has(Part::Numbers)) {
                    self.recorded = number;
                    self.events.push((attempt, number));
                }
                self.lease_over = false;
            }
            Request::End { end, .. } => {
                self.ended_by = Some((attempt, end));
                match end {
                    Complete => self.end(Completed),
                    Fail => self.fail(),
                    HandBack => self.status = Pending,
                }
            }
        }
        true
    }

    /// Sends a request; what its sender hears, if it does.
    fn send(&mut self, request: Request, fate: Fate, protocol: Protocol) -> Option<bool> {
        self.troubles -= u8::from(fate != Fate::Answered);
        match fate {
            Fate::Answered => Some(self.take(request, protocol)),
            Fate::AnswerLost => {
                self.take(request, protocol);
                None
            }
            Fate::Late => {
                self.late.push(request);
                self.late.sort_unstable();
                None
            }
        }
    }

    /// What happens when nothing goes wrong any more: whoever holds the job is gone, and another takes it.
    fn calm(mut self) -> Self {
        for _ in 0..=2 * RETRIES {
            if self.status == Running {
                self.fail();
            }
            if self.status == Pending {
                self.claim();
                let attempt = self.attempt;
                if self.result.is_none_or(|by| by <= attempt) {
                    self.result = Some(attempt);
                    self.take(Request::End { attempt, end: Complete }, WHOLE);
                }
            }
        }
        self
    }
}

impl Model for Protocol {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        vec![State {
            status: Pending,
            attempt: 0,
            retries: 0,
            lease_over: false,
            recorded: 0,
            ended_by: None,
            events: Vec::new(),
            result: None,
            workers: [Worker::Idle; 2],
            late: Vec::new(),
            troubles: 2,
            crashes: 1,
            hand_backs: 1,
            cancellations: 1,
            ends: 0,
            trespassed: false,
            misled: false,
            refused: false,
        }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        let fates =
            if state.troubles > 0 { &[Fate::Answered, Fate::AnswerLost, Fate::Late][..] } else { &[Fate::Answered] };
        for (place, worker) in state.workers.iter().enumerate() {
            match worker {
                Worker::Idle if state.status == Pending => {
                    // One that is late would be a claim by another.
                    actions.extend(
                        fates.iter().filter(|fate| **fate != Fate::Late).map(|fate| Action::Claim(place, *fate)),
                    );
                }
                Worker::Idle => {}
                Worker::Working { done, .. } => {
                    if *done < STEPS {
                        actions.extend(fates.iter().map(|fate| Action::Record(place, *fate)));
                    } else {
                        actions.extend(fates.iter().map(|fate| Action::Confirm(place, *fate)));
                    }
                    actions.push(Action::GiveUp(place, Fail));
                    if state.hand_backs > 0 {
                        actions.push(Action::GiveUp(place, HandBack));
                    }
                }
                Worker::Confirmed { .. } => actions.push(Action::WriteResult(place)),
                Worker::Ending { .. } => actions.extend(fates.iter().map(|fate| Action::End(place, *fate))),
            }
            if state.crashes > 0 && *worker != Worker::Idle {
                actions.push(Action::Crash(place));
            }
        }
        actions.extend((0..state.late.len()).map(Action::Arrive));
        if state.status == Running {
            actions.push(if state.lease_over { Action::DeclareLost } else { Action::LeaseRunsOut });
        }
        if !state.ended() && state.cancellations > 0 {
            actions.push(Action::Cancel);
        }
    }

    fn next_state(&self, last: &State, action: Action) -> Option<State> {
        let mut state = last.clone();
        match action {
            Action::Claim(place, fate) => {
                state.claim();
                state.troubles -= u8::from(fate != Fate::Answered);
                if fate == Fate::Answered {
                    state.workers[place] = Worker::Working { attempt: state.attempt, done: 0 };
                }
            }
            Action::Record(place, fate) | Action::Confirm(place, fate) => {
                let Worker::Working { attempt, done } = state.workers[place] else { return None };
                let confirms = done == STEPS;
                let number = if confirms { 0 } else { done + 1 };
                match state.send(Request::Record { attempt, number }, fate, *self) {
                    Some(true) if confirms => state.workers[place] = Worker::Confirmed { attempt },
                    Some(true) => state.workers[place] = Worker::Working { attempt, done: done + 1 },
                    Some(false) => state.workers[place] = Worker::Idle,
                    None => {}
                }
            }
            Action::WriteResult(place) => {
                let Worker::Confirmed { attempt } = state.workers[place] else { return None };
                if self.has(Part::FenceOfResults) && state.result.is_some_and(|by| by > attempt) {
                    state.workers[place] = Worker::Idle;
                } else {
                    state.result = Some(attempt);
                    state.workers[place] = Worker::Ending { attempt, end: Complete };
                }
            }
            Action::GiveUp(place, end) => {
                let Worker::Working { attempt, .. } = state.workers[place] else { return None };
                state.hand_backs -= u8::from(end == HandBack);
                state.workers[place] = Worker::Ending { attempt, end };
            }
            Action::End(place, fate) => {
                let Worker::Ending { attempt, end } = state.workers[place] else { return None };
                let was_taken = state.ended_by == Some((attempt, end));
                if let Some(done) = state.send(Request::End { attempt, end }, fate, *self) {
                    state.misled |= !done && was_taken;
                    state.workers[place] = Worker::Idle;
                }
            }
            Action::Arrive(place) => {
                let request = state.late.remove(place);
                state.take(request, *self);
            }
            Action::LeaseRunsOut => state.lease_over = true,
            Action::DeclareLost => state.fail(),
            Action::Crash(place) => {
                state.crashes -= 1;
                state.workers[place] = Worker::Idle;
            }
            Action::Cancel => {
                state.cancellations -= 1;
                state.end(Cancelled);
            }
        }
        // Which of the workers is which makes no difference.
        state.workers.sort_unstable();
        Some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("a job has one end", |_, state: &State| state.ends <= 1),
            Property::always("only the attempt that runs changes a job", |_, state: &State| !state.trespassed),
            Property::always("a completed job has the result of the attempt that completed it", |_, state: &State| {
                state.status != Completed || state.result == Some(state.attempt)
            }),
            Property::always("events are written once and in order", |_, state: &State| {
                state.events.windows(2).all(|pair| pair[0] < pair[1])
            }),
            Property::always("no event is lost", |_, state: &State| {
                state.workers.iter().all(|worker| match worker {
                    Worker::Working { attempt, done } => {
                        (1..=*done).all(|step| state.events.contains(&(*attempt, step)))
                    }
                    _ => true,
                })
            }),
            Property::always("who ended an attempt is told so", |_, state: &State| !state.misled),
            Property::always("there is no dead end", |_, state: &State| state.clone().calm().ended()),
            Property::sometimes("completed at first", |_, state: &State| {
                state.status == Completed && state.attempt == 1
            }),
            Property::sometimes("failed", |_, state: &State| state.status == Failed),
            Property::sometimes("cancelled while it runs", |_, state: &State| {
                state.status == Cancelled && state.workers[1] != Worker::Idle
            }),
            Property::sometimes("refused, and completed by another", |_, state: &State| {
                state.refused && state.status == Completed
            }),
        ]
    }
}

#[test]
fn the_protocol_holds_in_every_order_of_its_steps() {
    let checker = WHOLE.checker().threads(2).spawn_bfs().join();
    crate::audit::report("the protocol", 0, &[format!("{} states", checker.unique_state_count())]);
    checker.assert_properties();
}

#[test]
fn each_part_of_the_protocol_is_needed() {
    for (part, broken) in [
        (Part::Fence, "only the attempt that runs changes a job"),
        (Part::FenceOfResults, "a completed job has the result of the attempt that completed it"),
        (Part::Numbers, "events are written once and in order"),
        (Part::MemoryOfEnds, "who ended an attempt is told so"),
    ] {
        let found = HasDiscoveries::AnyOf([broken].into());
        let checker = Protocol { without: Some(part) }.checker().threads(2).finish_when(found).spawn_bfs().join();
        assert!(checker.discovery(broken).is_some(), "{broken}");
    }
}
