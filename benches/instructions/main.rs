//! The program's hot paths, one by its name, for callgrind to count: `hot_paths submit`. It collects while [`counted`] runs;
//! what Redis does is not in it, nor is the kernel. Each path was walked before it is counted, so that what is made once,
//! and kept, is not in it either.

mod service;

use std::{env, hint::black_box, sync::Arc};

use async_trait::async_trait;
use mimalloc::MiMalloc;
use service::{Service, runtime};
use tradingagents::{
    agents::{Analysis, Brief, Firm, Observer, Step},
    config,
    domain::{Agent, Decision, Rating},
    jobs::{EventKind, JobConfig, JobId, JobRequest, Lease, Progress, WorkerId, transition::Transition},
    results::{JobResult, html},
    worker::Desk,
};

/// The program's.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// Walks of a path that asks Redis.
const TIMES: usize = 100;

/// Events of the job that a listener follows; an analysis has about as many.
const EVENTS: usize = 100;

fn main() {
    match env::args().nth(1).as_deref() {
        Some("submit") => submit(),
        Some("look") => look(),
        Some("list") => list(),
        Some("claim_and_complete") => claim_and_complete(),
        Some("follow") => follow(),
        Some("analyse") => analyse(),
        Some("report") => report(),
        other => panic!("{other:?} is no hot path"),
    }
}

/// Callgrind knows it by its name, so it has to have one.
#[inline(never)]
fn counted<T>(path: impl FnOnce() -> T) -> T {
    black_box(path())
}

fn submit() {
    let service = served();
    counted(|| service.runtime.block_on(submit_often(&service)));
}

fn look() {
    let service = served();
    let path = format!("/jobs/{}", service.runtime.block_on(service.submit()));
    service.runtime.block_on(service.get(&path));
    counted(|| service.runtime.block_on(get_often(&service, &path)));
}

fn list() {
    let service = served();
    service.runtime.block_on(service.get("/jobs"));
    counted(|| service.runtime.block_on(get_often(&service, "/jobs")));
}

fn claim_and_complete() {
    let service = served();
    service.runtime.block_on(work(&service));
    counted(|| service.runtime.block_on(work(&service)));
}

/// A listener who comes late hears all that has happened.
fn follow() {
    let service = served();
    let path = service.runtime.block_on(async {
        let lease = claim(&service).await;
        let events = vec![EventKind::StepStarted { agent: Agent::Trader }; EVENTS];
        let progress = Progress { number: 1, events, checkpoint: None };
        service.store.record(&lease, &progress).await.expect("Redis answers");
        complete(&service, &lease).await;
        format!("/jobs/{}/events", lease.job)
    });
    service.runtime.block_on(service.get(&path));
    counted(|| service.runtime.block_on(service.get(&path)));
}

fn analyse() {
    let (firm, brief) = firm();
    counted(|| analysis(&firm, brief));
}

fn report() {
    let (firm, brief) = firm();
    let result = JobResult::new(JobId::new(), 1, &analysis(&firm, brief)).expect("it has an outcome");
    counted(|| html::report(&result));
}

/// A service with jobs.
fn served() -> Service {
    let service = Service::start();
    service.runtime.block_on(async {
        submit_often(&service).await;
        submit_often(&service).await;
    });
    service
}

async fn submit_often(service: &Service) {
    for _ in 0..TIMES {
        service.submit().await;
    }
}

async fn get_often(service: &Service, path: &str) {
    for _ in 0..TIMES {
        black_box(service.get(path).await);
    }
}

async fn work(service: &Service) {
    for _ in 0..TIMES {
        let lease = claim(service).await;
        complete(service, &lease).await;
    }
}

async fn claim(service: &Service) -> Lease {
    service.store.claim(&WorkerId("bench".into())).await.expect("Redis answers").expect("jobs are pending").lease()
}

async fn complete(service: &Service, lease: &Lease) {
    let ending = Transition::complete(lease, Decision::Buy, Rating::Buy);
    service.store.apply(&ending).await.expect("Redis answers");
}

/// A firm of rules on the sample, and what it is asked.
fn firm() -> (Firm, Brief) {
    let (ticker, date) = ("AAPL".parse().expect("it is a ticker"), "2012-09-19".parse().expect("it is a date"));
    let config = config::load([]).expect("all has defaults");
    let request = JobRequest::new(ticker, date, JobConfig::default());
    Desk::offline(Arc::new(config)).open(&request).expect("it needs nothing")
}

fn analysis(firm: &Firm, brief: Brief) -> Analysis {
    runtime().block_on(firm.run(Analysis::new(brief), &Nobody)).expect("rules always answer")
}

struct Nobody;

#[async_trait]
impl Observer for Nobody {
    async fn step(&self, _: Step) {}
    async fn checkpoint(&self, _: &Analysis) {}
    async fn progress(&self, _: &Analysis) {}
    fn must_hurry(&self) -> bool {
        false
    }
}
