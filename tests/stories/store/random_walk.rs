//! A long random walk through what a store can do, step by step compared with a small model in memory.

use std::{collections::VecDeque, time::Duration};

use fastrand::Rng;
use tradingagents::jobs::{
    Applied, ErrorType, JobId, Lease, Listing, Recorded, Stats, Status, Store, transition::Transition,
};

use super::stage::{
    LONG, Stage, apply, claim, completion, failure, get, list_all, list_by, progress, request, step, submit_for, worker,
};

for_both! {
    a_store_and_its_model_agree_all_along_a_random_walk,
}

const STEPS: usize = 600;
const TICKERS: [&str; 3] = ["NVDA", "AAPL", "BTC-USD"];

/// What is known of a job.
#[derive(Clone)]
struct Known {
    id: JobId,
    ticker: &'static str,
    status: Status,
    attempt: u32,
    retry_count: u32,
    error_type: Option<ErrorType>,
    checkpoint: Option<Vec<u8>>,
}

/// All jobs in the order of submission, and the places there of those that can be claimed.
#[derive(Default)]
struct Model {
    jobs: Vec<Known>,
    ready: VecDeque<usize>,
}

async fn a_store_and_its_model_agree_all_along_a_random_walk(stage: Stage) {
    let seed = 20_240_510;
    let mut rng = Rng::with_seed(seed);
    let store = stage.store().await;
    let mut model = Model::default();
    for number in 0..STEPS {
        model.walk(&*store, &mut rng).await;
        if number % 50 == 0 {
            model.compare(&*store).await;
        }
    }
    model.compare(&*store).await;
    assert!(Status::ALL.iter().all(|status| model.count(*status) > 0), "the walk has been everywhere");
}

impl Model {
    async fn walk(&mut self, store: &dyn Store, rng: &mut Rng) {
        match rng.u8(0..10) {
            0..3 => self.submit(store, rng).await,
            3..6 => self.claim(store).await,
            6 => self.cancel(store, rng).await,
            7 => self.write_with_a_lost_lease(store, rng).await,
            _ => self.write(store, rng).await,
        }
    }

    async fn submit(&mut self, store: &dyn Store, rng: &mut Rng) {
        let ticker = rng.choice(TICKERS).unwrap();
        let id = submit_for(store, ticker).await.id;
        self.ready.push_back(self.jobs.len());
        let status = Status::Pending;
        self.jobs.push(Known { id, ticker, status, attempt: 0, retry_count: 0, error_type: None, checkpoint: None });
    }

    async fn claim(&mut self, store: &dyn Store) {
        let Some(place) = self.ready.pop_front() else {
            assert_eq!(store.claim(&worker()).await.unwrap(), None);
            return;
        };
        let known = &mut self.jobs[place];
        known.status = Status::Running;
        known.attempt += 1;
        let claim = claim(store).await;
        assert_eq!(claim.lease(), known.lease());
        assert_eq!(claim.checkpoint, known.checkpoint);
    }

    async fn cancel(&mut self, store: &dyn Store, rng: &mut Rng) {
        let Some(place) = self.any(rng, |_| true) else { return };
        let known = &mut self.jobs[place];
        let done = matches!(store.apply(&Transition::cancel(known.id)).await.unwrap(), Applied::Done(_));
        assert_eq!(done, !known.status.is_terminal());
        if done {
            known.status = Status::Cancelled;
            self.ready.retain(|ready| *ready != place);
        }
    }

    async fn write_with_a_lost_lease(&mut self, store: &dyn Store, rng: &mut Rng) {
        let Some(place) = self.any(rng, |known| known.attempt > 0) else { return };
        let known = &self.jobs[place];
        let lost = if known.status == Status::Running {
            Lease { attempt: known.attempt - 1, ..known.lease() }
        } else {
            known.lease()
        };
        // Not that by which its holder ended it, which may ask again.
        let end =
            if known.status == Status::Completed { Transition::fail(&lost, &failure()) } else { completion(&lost) };
        assert!(matches!(store.apply(&end).await.unwrap(), Applied::Refused(_)));
        assert_eq!(store.record(&lost, &progress(vec![step()], None)).await.unwrap(), Recorded::LeaseLost);
    }

    async fn write(&mut self, store: &dyn Store, rng: &mut Rng) {
        let Some(place) = self.any(rng, |known| known.status == Status::Running) else { return };
        let known = &mut self.jobs[place];
        let lease = known.lease();
        match rng.u8(0..6) {
            0 => {
                apply(store, &completion(&lease)).await;
                (known.status, known.error_type) = (Status::Completed, None);
            }
            1 => {
                apply(store, &Transition::fail(&lease, &failure())).await;
                (known.status, known.error_type) = (Status::Failed, Some(failure().error_type));
            }
            2 => {
                apply(store, &Transition::release(&lease, worker())).await;
                known.status = Status::Pending;
                self.ready.push_back(place);
            }
            3 => {
                let state: Vec<u8> = std::iter::repeat_with(|| rng.u8(..)).take(100).collect();
                store.record(&lease, &progress(vec![step()], Some(state.clone()))).await.unwrap();
                known.checkpoint = Some(state);
            }
            delay => {
                let delay = if delay == 4 { Duration::ZERO } else { LONG };
                known.retry_count += 1;
                apply(store, &Transition::retry(&lease, &failure(), known.retry_count, delay)).await;
                (known.status, known.error_type) = (Status::Pending, Some(failure().error_type));
                if delay.is_zero() {
                    self.ready.push_back(place);
                }
            }
        }
    }

    async fn compare(&self, store: &dyn Store) {
        let stats = Stats {
            pending: self.count(Status::Pending),
            running: self.count(Status::Running),
            completed: self.count(Status::Completed),
            failed: self.count(Status::Failed),
            cancelled: self.count(Status::Cancelled),
        };
        assert_eq!(store.stats().await.unwrap(), stats);
        for status in Status::ALL {
            let ids: Vec<_> = list_by(store, status).await.iter().map(|job| job.id).collect();
            assert_eq!(ids, self.newest_first(|known| known.status == status));
        }
        for ticker in TICKERS {
            let listing = Listing { ticker: Some(request(ticker).ticker), limit: 13, ..Listing::default() };
            let ids: Vec<_> = list_all(store, listing).await.iter().map(|job| job.id).collect();
            assert_eq!(ids, self.newest_first(|known| known.ticker == ticker));
        }
        for known in &self.jobs {
            let job = get(store, known.id).await;
            assert_eq!((job.status, job.attempt, job.retry_count), (known.status, known.attempt, known.retry_count));
            assert_eq!(job.error_type, known.error_type);
            assert_eq!(job.completed_at.is_some(), known.status.is_terminal());
        }
    }

    fn newest_first(&self, matches: impl Fn(&Known) -> bool) -> Vec<JobId> {
        self.jobs.iter().rev().filter(|known| matches(known)).map(|known| known.id).collect()
    }

    fn count(&self, status: Status) -> u64 {
        self.jobs.iter().filter(|known| known.status == status).count() as u64
    }

    /// The place of one of the jobs that match.
    fn any(&self, rng: &mut Rng, matches: impl Fn(&Known) -> bool) -> Option<usize> {
        rng.choice((0..self.jobs.len()).filter(|place| matches(&self.jobs[*place])).collect::<Vec<_>>())
    }
}

impl Known {
    fn lease(&self) -> Lease {
        Lease { job: self.id, attempt: self.attempt, worker: Some(worker()) }
    }
}
