//! The commands that are clients of the API, against a running service.

use serde_json::{Value, json};

use crate::support::{
    llm::FakeLlm,
    program::{Program, Run, Sandbox},
    redis::free_port,
};

/// A running service, and a place for the commands that talk to it.
struct Desk {
    commands: Sandbox,
    service: Sandbox,
    serve: Program,
}

impl Desk {
    async fn start(service: Sandbox, arguments: &[&str]) -> Self {
        let listen = format!("127.0.0.1:{}", free_port());
        let service = service.set("API_LISTEN", &listen);
        let serve = service.start(&[&["serve"], arguments].concat());
        let commands = Sandbox::new().set("TRADINGAGENTS_URL", serve.url().await);
        Self { commands, service, serve }
    }

    async fn run(&self, arguments: &[&str]) -> Run {
        self.commands.run(arguments).await
    }

    /// Submits a job and returns its id.
    async fn submit(&self, ticker: &str) -> String {
        let run = self.run(&["submit", ticker, "--date", "2012-09-19"]).await;
        assert_eq!(run.code, Some(0), "{}", run.stderr);
        run.stdout.trim().to_owned()
    }
}

fn json_lines(run: &Run) -> Vec<Value> {
    run.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[tokio::test]
async fn a_job_is_submitted_watched_read_and_listed() {
    let desk = Desk::start(Sandbox::new(), &["--offline"]).await;
    let id = desk.submit("AAPL").await;
    let watch = desk.run(&["watch", &id]).await;
    assert_eq!(watch.code, Some(0), "{}", watch.stderr);
    assert!(watch.stderr.contains("Portfolio Manager done"), "{}", watch.stderr);
    assert!(watch.stdout.contains("BUY"), "{}", watch.stdout);

    let result = desk.run(&["result", &id]).await;
    assert!(result.stdout.contains("AAPL 2012-09-19: BUY"), "{}", result.stdout);
    let report = desk.run(&["result", &id, "--report"]).await;
    assert!(report.stdout.starts_with("# Trading Analysis Report: AAPL"), "{}", report.stdout);
    let json = desk.run(&["result", &id, "--json"]).await;
    assert_eq!(json.stdout.lines().count(), 1, "a program reads it");
    assert_eq!(json_lines(&json)[0]["decision"], "BUY");

    let jobs = desk.run(&["jobs", "--status", "completed", "--json"]).await;
    assert_eq!(json_lines(&jobs)[0]["job_id"], Value::from(id.clone()));
    assert_eq!(desk.run(&["cancel", &id]).await.code, Some(4), "it has ended");
}

#[tokio::test]
async fn several_jobs_are_submitted_and_awaited_with_one_command() {
    let desk = Desk::start(Sandbox::new(), &["--offline"]).await;
    let run = desk.run(&["submit", "AAPL", "IBM", "--date", "2012-09-19", "--wait", "--json"]).await;
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let ends = json_lines(&run).into_iter().filter(|line| line["type"] == "completed").count();
    assert_eq!(ends, 2, "{}", run.stdout);
}

#[tokio::test]
async fn a_failed_job_is_tried_again_and_watched_to_its_last_end() {
    let desk = Desk::start(Sandbox::new(), &["--offline"]).await;
    let id = desk.submit("TSLA").await;
    assert_eq!(desk.run(&["watch", &id]).await.code, Some(1));
    let retry = desk.run(&["retry", &id]).await;
    assert_eq!((retry.code, retry.stdout), (Some(0), format!("{id} pending\n")));
    assert_eq!(desk.run(&["watch", &id]).await.code, Some(1));
    let retry = desk.run(&["retry", &id, "--json"]).await;
    assert_eq!(json_lines(&retry), [json!({ "job_id": id, "status": "pending" })]);
    let watch = desk.run(&["watch", &id, "--json"]).await;
    assert_eq!(watch.code, Some(1), "{}", watch.stderr);
    let kinds: Vec<_> = json_lines(&watch).iter().map(|event| event["type"].as_str().unwrap().to_owned()).collect();
    assert!(kinds.contains(&"requeued".to_owned()), "it does not stop at the first end: {kinds:?}");

    let done = desk.submit("AAPL").await;
    desk.run(&["watch", &done]).await;
    let refused = desk.run(&["retry", &done]).await;
    assert_eq!(refused.code, Some(4));
    assert!(refused.stderr.contains("has not failed"), "{}", refused.stderr);
}

#[tokio::test]
async fn a_submission_that_is_run_again_with_its_key_submits_nothing_new() {
    let desk = Desk::start(Sandbox::new(), &["--offline"]).await;
    let submit = ["submit", "AAPL", "IBM", "--date", "2012-09-19", "--idempotency-key", "monday", "--priority", "low"];
    let first = desk.run(&submit).await;
    assert_eq!(first.code, Some(0), "{}", first.stderr);
    assert_eq!(desk.run(&submit).await.stdout, first.stdout);
    let tomorrow = (chrono::Utc::now() + chrono::Days::new(1)).to_rfc3339();
    let later = desk.run(&[&submit[..], &["--not-before", &tomorrow]].concat()).await;
    assert_eq!(later.code, Some(4), "that would be another job: {}", later.stderr);
    let jobs = desk.run(&["jobs", "--json"]).await;
    assert_eq!(json_lines(&jobs).len(), 2);
    assert!(json_lines(&jobs).iter().all(|job| job["priority"] == "low"));
}

#[tokio::test]
async fn scripts_tell_the_ends_of_jobs_by_their_exit_codes() {
    let llm = FakeLlm::start().await;
    llm.answers_only(0);
    let desk = Desk::start(Sandbox::new().set("OLLAMA_BASE_URL", llm.url()), &[]).await;
    let cancelled = desk.submit("AAPL").await;
    assert_eq!(desk.run(&["result", &cancelled]).await.code, Some(4), "it is not completed");
    let cancel = desk.run(&["cancel", &cancelled, "--json"]).await;
    assert_eq!(
        (cancel.code, json_lines(&cancel)),
        (Some(0), vec![json!({ "job_id": cancelled, "status": "cancelled" })])
    );
    assert_eq!(desk.run(&["watch", &cancelled]).await.code, Some(5));
    let failed = desk.submit("TSLA").await;
    let watch = desk.run(&["watch", &failed]).await;
    assert_eq!(watch.code, Some(1));
    assert!(format!("{}{}", watch.stdout, watch.stderr).contains("AAPL, GOOG, IBM, MSFT"), "{}", watch.stderr);
    let unknown = desk.run(&["watch", "018f6478-2b20-7c53-9d2a-5f3e8a1b7c44"]).await;
    assert_eq!(unknown.code, Some(4));
    assert!(unknown.stderr.contains("Job not found"), "{}", unknown.stderr);
    assert_eq!(desk.run(&["submit", "AAPL", "--date", "2012-13-45"]).await.code, Some(2));
}

#[tokio::test]
async fn an_api_that_is_not_there_is_named_with_what_to_do() {
    let run = Sandbox::new().set("TRADINGAGENTS_URL", "http://127.0.0.1:9").run(&["jobs"]).await;
    assert_eq!(run.code, Some(3));
    assert!(run.stderr.contains("http://127.0.0.1:9") && run.stderr.contains("TRADINGAGENTS_URL"), "{}", run.stderr);
}

#[tokio::test]
async fn a_watcher_goes_on_when_theservice_was_started_again() {
    let llm = FakeLlm::start().await;
    llm.answers_only(2);
    let mut desk = Desk::start(Sandbox::new().set("OLLAMA_BASE_URL", llm.url()), &[]).await;
    let run = desk.run(&["submit", "AAPL", "--date", "2012-09-19", "--analysts", "market"]).await;
    let id = run.stdout.trim();
    let mut watch = desk.commands.start(&["watch", id, "--json"]);
    watch.line("checkpoint").await;
    desk.serve.kill().await;
    watch.line("connection lost").await;
    desk.serve = desk.service.start(&["serve"]);
    llm.answers_all();
    assert_eq!(watch.ended().await, Some(0), "{:?}", watch.lines());
    watch.line("completed").await;
    let ids: Vec<Value> =
        watch.lines().iter().filter_map(|l| serde_json::from_str::<Value>(l).ok()?.get("id").cloned()).collect();
    let mut once = ids.clone();
    once.dedup();
    assert_eq!(ids, once, "no event is told twice");
}

#[tokio::test]
async fn health_checks_of_images_say_whether_their_part_is_well() {
    let redis = crate::support::redis::Redis::start(&[]).await;
    let listen = format!("127.0.0.1:{}", free_port());
    let sandbox = Sandbox::new().set("REDIS_URL", redis.url()).set("API_LISTEN", listen);
    assert_eq!(sandbox.run(&["healthcheck", "api"]).await.code, Some(3));
    assert_eq!(sandbox.run(&["healthcheck", "worker"]).await.code, Some(3));
    let (api, worker) = (sandbox.start(&["api"]), sandbox.start(&["worker"]));
    api.url().await;
    worker.line("the worker is ready").await;
    assert_eq!(sandbox.run(&["healthcheck", "api"]).await.code, Some(0));
    assert_eq!(sandbox.run(&["healthcheck", "worker"]).await.code, Some(0));
}
