//! Results, in a folder and in a bucket: whole or not at all, and never those of a worker that was declared dead.

use std::{collections::BTreeSet, fs, fs::File, path::Path, time::Duration};

use axum::{
    Router,
    body::Body,
    http::{Method, StatusCode, header},
    response::{IntoResponse, Response},
    routing::any,
};
use rustix::process::Signal;
use serde_json::{Value, json};
use tokio::{task::JoinSet, time::timeout};
use tradingagents::{
    config,
    results::{JobResult, Results, ResultsError},
};

use crate::support::{
    program::{PATIENCE, Program, Sandbox},
    redis::{Redis, free_port},
    s3::{self, S3Bucket},
    server::Server,
    service::Service,
};

const ANALYZE: [&str; 5] = ["analyze", "AAPL", "--date", "2012-09-19", "--offline"];

/// A result such as a worker writes it.
async fn result(sandbox: &Sandbox) -> JobResult {
    let run = sandbox.run(&[&ANALYZE[..], &["--json"]].concat()).await;
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    serde_json::from_str(run.stdout.lines().last().unwrap()).unwrap()
}

/// The same as another attempt would have written it.
fn of_attempt(result: &JobResult, attempt: u32) -> JobResult {
    let mut result = JobResult { attempt, ..result.clone() };
    result.reports.trader = format!("as attempt {attempt} saw it");
    result
}

fn open(settings: &[(&str, String)]) -> Results {
    let settings = settings.iter().map(|(name, value)| ((*name).to_owned(), value.clone()));
    Results::new(&config::load(settings).unwrap()).unwrap()
}

fn in_folder(sandbox: &Sandbox) -> Results {
    open(&[("RESULTS_DIR", sandbox.results().to_str().unwrap().into())])
}

/// What the trader said in the result that is there, in each of its two files.
fn trader(state: &str, text: &str) -> String {
    let state: Value = serde_json::from_str(state).unwrap();
    let said = state["reports"]["trader"].as_str().unwrap().to_owned();
    assert_eq!(format!("{said}\n"), text);
    assert_eq!(said, format!("as attempt {} saw it", state["attempt"]));
    said
}

fn trader_in_folder(folder: &Path) -> String {
    let read = |name: &str| fs::read_to_string(folder.join(name)).unwrap();
    trader(&read("state.json"), &read("3_trading/trader.md"))
}

/// Nothing is hidden in a date's folder but its lock.
fn assert_tidy(date: &Path) {
    let names = fs::read_dir(date).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let hidden: Vec<_> = names.filter(|name| name.starts_with('.') && name != ".lock").collect();
    assert_eq!(hidden, [""; 0]);
}

#[tokio::test]
async fn what_a_later_attempt_wrote_into_a_folder_stays() {
    let sandbox = Sandbox::new();
    let first = result(&sandbox).await;
    let (results, folder) = (in_folder(&sandbox), sandbox.results().join("AAPL/2012-09-19"));
    for (attempt, told) in [(2, 2), (1, 2), (2, 2), (3, 3), (1, 3)] {
        let written = results.write(&of_attempt(&first, attempt)).await;
        match written {
            Err(ResultsError::Superseded { by, .. }) => assert!(by == told && attempt < told),
            written => assert_eq!(written.unwrap(), folder.join(first.job_id.to_string()).to_str().unwrap()),
        }
        assert_eq!(trader_in_folder(&folder.join(first.job_id.to_string())), format!("as attempt {told} saw it"));
    }
    assert_tidy(&folder);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_attempts_that_write_at_once_the_latest_wins() {
    const ATTEMPTS: u32 = 8;
    let sandbox = Sandbox::new();
    let first = result(&sandbox).await;
    let folder = sandbox.results().join("AAPL/2012-09-19").join(first.job_id.to_string());
    for _ in 0..20 {
        let mut attempts: Vec<_> = (1..=ATTEMPTS).collect();
        fastrand::shuffle(&mut attempts);
        let mut writing = JoinSet::new();
        for attempt in attempts {
            let (results, result) = (in_folder(&sandbox), of_attempt(&first, attempt));
            writing.spawn(async move { (attempt, results.write(&result).await.is_ok()) });
        }
        let written: BTreeSet<_> = writing.join_all().await.into_iter().collect();
        assert!(written.contains(&(ATTEMPTS, true)), "{written:?}");
        assert_eq!(trader_in_folder(&folder), format!("as attempt {ATTEMPTS} saw it"));
        fs::remove_dir_all(&folder).unwrap();
    }
    assert_tidy(folder.parent().unwrap());
}

/// Where links within a document lead, and what is there.
fn anchors(html: &str) -> (BTreeSet<&str>, BTreeSet<&str>) {
    let values = |attribute| html.split(attribute).skip(1).filter_map(|rest| rest.split('"').next()).collect();
    (values("href=\"#"), values(" id=\""))
}

#[tokio::test]
async fn a_report_begins_with_the_facts_and_links_to_all_that_is_there_and_nothing_else() {
    let sandbox = Sandbox::new();
    let mut result = result(&sandbox).await;
    result.attempt += 1;
    result.reports.news.clear();
    result.reports.market += "\n\n| figure | value |\n|:--|--:|\n| close | 702.10 |";
    result.final_state.past_context = "# Earlier decisions on AAPL\n\n## 2012-06-01, Hold: +1.00 %".into();
    in_folder(&sandbox).write(&result).await.unwrap();
    let folder = sandbox.results().join("AAPL/2012-09-19").join(result.job_id.to_string());
    let read = |name: &str| fs::read_to_string(folder.join(name)).unwrap();

    let html = read("report.html");
    let (links, places) = anchors(&html);
    assert!(links.is_subset(&places), "{links:?} {places:?}");
    assert!(links.is_superset(&["earlier", "decision", "said-MarketAnalyst", "costs"].into()), "{links:?}");
    assert!(!links.contains("said-NewsAnalyst") && !links.contains("said-Trader"), "{links:?}");
    let (head, _) = html.split_once("<nav").unwrap();
    assert!(head.contains("<dt>Models</dt><dd>rules/published-rules</dd>"), "{head}");
    assert!(html.contains("<td class=\"right\">702.10</td>") && !html.contains("style="), "the policy lets none in");

    let text = read("report.md");
    let places: Vec<_> = [
        "**Market data:** sample",
        "## Contents",
        "## Decision",
        "## Analysts",
        "#### Earlier decisions on AAPL",
        "## Evidence",
    ]
    .map(|part| text.find(part).unwrap_or_else(|| panic!("{part} is not in {text}")))
    .into();
    assert!(places.is_sorted(), "{places:?} in {text}");
    assert!(text.contains("- [Earlier decisions](#earlier-decisions)") && !text.contains("[News Analyst]"), "{text}");
}

/// Redis, an API and workers by the rules model.
struct Stack {
    redis: Redis,
    sandbox: Sandbox,
    _api: Program,
    service: Service,
}

impl Stack {
    async fn start(settings: &[(&str, String)]) -> Self {
        let redis = Redis::start(&[]).await;
        let sandbox = Sandbox::new()
            .set("REDIS_URL", redis.url())
            .set("API_LISTEN", "127.0.0.1:0")
            .set("LLM_PROVIDER", "rules")
            .set("JOB_MAX_RETRIES", 1)
            .set("JOB_RETRY_BACKOFF", 0);
        let sandbox = s3::with(sandbox, settings);
        let api = sandbox.start(&["api"]);
        let service = Service::at(&api.url().await);
        Self { redis, sandbox, _api: api, service }
    }

    async fn worker(&self) -> Program {
        let worker = self.sandbox.start(&["worker"]);
        worker.line("the worker is ready").await;
        worker
    }
}

#[tokio::test]
async fn a_worker_that_was_paused_while_it_wrote_its_result_leaves_that_of_the_next_alone() {
    let stack = Stack::start(&[("JOB_LEASE", "1".into())]).await;
    let date = stack.sandbox.results().join("AAPL/2012-09-19");
    fs::create_dir_all(&date).unwrap();
    let lock = File::create(date.join(".lock")).unwrap();
    lock.lock().unwrap();
    let zombie = stack.worker().await;
    let id = stack.service.submit("AAPL", "2012-09-19", json!({})).await;
    let is_hidden = |entry: fs::DirEntry| entry.file_name().to_str().unwrap().starts_with(".partial-");
    let writing = async {
        while !fs::read_dir(&date).unwrap().flatten().any(is_hidden) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(PATIENCE, writing).await.expect("the worker has its lease and writes");
    zombie.signal(Signal::STOP);
    lock.unlock().unwrap();

    let _next = stack.worker().await;
    assert_eq!(stack.service.ended(&id).await["attempt"], 2);
    let (_, before) = stack.service.get(&format!("/jobs/{id}/result")).await;
    assert_eq!(before["attempt"], 2);
    zombie.signal(Signal::CONT);
    zombie.line("stopped: the job was cancelled, or goes on elsewhere").await;
    assert_eq!(stack.service.get(&format!("/jobs/{id}/result")).await.1, before);
    let job = stack.service.job(&id).await;
    assert_eq!((&job["status"], &job["attempt"]), (&json!("completed"), &json!(2)));
    assert_tidy(&date);
}

#[tokio::test]
async fn what_a_later_attempt_put_into_a_bucket_stays_and_nothing_else_does() {
    let Some(bucket) = S3Bucket::make().await else { return };
    let first = result(&Sandbox::new()).await;
    let results = open(&bucket.settings());
    let folder = format!("trading/results/AAPL/2012-09-19/{}", first.job_id);
    for (attempt, told) in [(2, 2), (1, 2), (2, 2), (3, 3), (1, 3)] {
        match results.write(&of_attempt(&first, attempt)).await {
            Err(ResultsError::Superseded { by, .. }) => assert!(by == told && attempt < told),
            written => assert!(written.unwrap().ends_with(&folder)),
        }
        let state = bucket.text(&format!("{folder}/state.json")).await;
        let text = bucket.text(&format!("{folder}/attempt-{told}/3_trading/trader.md")).await;
        assert_eq!(trader(&state, &text), format!("as attempt {told} saw it"));
        let others: Vec<_> = bucket.names().await;
        assert!(others.iter().all(|name| name.contains(&format!("/attempt-{told}/")) || name.ends_with("state.json")));
    }
}

#[tokio::test]
async fn a_jobs_result_goes_into_a_bucket_and_comes_out_of_it() {
    let Some(bucket) = S3Bucket::make().await else { return };
    let stack = Stack::start(&bucket.settings()).await;
    let _worker = stack.worker().await;
    for ticker in ["AAPL", "^GSPC"] {
        let id = stack.service.submit(ticker, "2012-09-19", json!({})).await;
        let job = stack.service.ended(&id).await;
        assert_eq!(job["status"], "completed", "{job}");
        let (code, result) = stack.service.get(&format!("/jobs/{id}/result")).await;
        assert_eq!((code, &result["decision"]), (200, &job["decision"]));
        let report = stack.service.http.get(format!("{}/jobs/{id}/report", stack.service.url)).send().await.unwrap();
        let report = report.text().await.unwrap();
        assert!(report.starts_with("# Trading Analysis Report"), "{report}");
        let folder = format!("trading/results/{ticker}/2012-09-19/{id}");
        assert_eq!(bucket.text(&format!("{folder}/attempt-1/report.md")).await, report);
        assert!(bucket.names().await.contains(&format!("{folder}/attempt-1/1_analysts/market.md")));
    }
    let files = fs::read_dir(stack.sandbox.results()).unwrap().map(|entry| entry.unwrap().file_name());
    assert_eq!(files.collect::<Vec<_>>(), ["memory"], "on disk is only the decision log");

    let run = stack.sandbox.run(&ANALYZE).await;
    let report = run.stdout.lines().find_map(|line| line.strip_prefix("report: ")).unwrap();
    let (bucket_of, name) = report.strip_prefix("s3://").unwrap().split_once('/').unwrap();
    assert!(bucket_of.starts_with("desk-"));
    assert!(bucket.text(name).await.starts_with("# Trading Analysis Report"));
    let doctor = stack.sandbox.run(&["doctor"]).await.stdout;
    assert!(doctor.contains("results  ok") && !doctor.contains("desk-secret"), "{doctor}");
    assert!(!bucket.names().await.iter().any(|name| name.contains("probe")));
}

#[tokio::test]
async fn a_bucket_that_is_not_there_is_said_to_be_missing() {
    let Some(bucket) = S3Bucket::make().await else { return };
    let mut settings = bucket.settings();
    settings[0].1 = "s3://nobodys".into();
    let stack = Stack::start(&settings).await;
    let _worker = stack.worker().await;
    let id = stack.service.submit("AAPL", "2012-09-19", json!({})).await;
    let job = stack.service.ended(&id).await;
    assert_eq!((&job["error_type"], &job["retry_count"]), (&json!("storage_error"), &json!(1)));
    let error = job["error"].as_str().unwrap();
    assert!(error.contains("s3://nobodys/AAPL/2012-09-19/") && error.contains("RESULTS_URL"), "{error}");
}

#[tokio::test]
async fn a_key_that_the_store_refuses_is_told_with_its_settings() {
    let Some(bucket) = S3Bucket::make().await else { return };
    let sandbox = s3::with(Sandbox::new(), &bucket.settings()).set("AWS_SECRET_ACCESS_KEY", "another");
    let doctor = sandbox.run(&["doctor"]).await.stdout;
    let line = doctor.lines().find(|line| line.starts_with("  results ")).unwrap();
    assert!(line.contains("BROKEN") && line.contains("AWS_SECRET_ACCESS_KEY"), "{line}");
}

#[tokio::test]
async fn a_store_of_results_that_is_away_is_waited_for() {
    let away = format!("http://127.0.0.1:{}", free_port());
    let stack = Stack::start(&s3::settings(&away, "desk")).await;
    let worker = stack.worker().await;
    let id = stack.service.submit("AAPL", "2012-09-19", json!({})).await;
    worker.line("failed; another attempt follows").await;
    let job = stack.service.ended(&id).await;
    assert_eq!((&job["error_type"], &job["retry_count"]), (&json!("storage_error"), &json!(1)));
    let error = job["error"].as_str().unwrap();
    assert!(error.contains("can't be reached") && error.contains("AWS_ENDPOINT_URL"), "{error}");
    drop(worker);

    // Another worker has a folder, so that the API is asked for a result that it can't read.
    let elsewhere = Sandbox::new().set("REDIS_URL", stack.redis.url()).set("LLM_PROVIDER", "rules");
    let _worker = elsewhere.start(&["worker"]);
    let id = stack.service.submit("AAPL", "2012-09-19", json!({})).await;
    assert_eq!(stack.service.ended(&id).await["status"], "completed");
    let answer = stack.service.http.get(format!("{}/jobs/{id}/result", stack.service.url)).send().await.unwrap();
    assert_eq!(answer.status(), 503);
    assert!(answer.headers().contains_key(header::RETRY_AFTER));
    let doctor = stack.sandbox.run(&["doctor"]).await.stdout;
    assert!(doctor.contains("results  BROKEN") && !doctor.contains("desk-secret"), "{doctor}");
}

/// What a store that answers every PUT and DELETE like this makes the doctor say of the results.
async fn diagnosis(answer: fn() -> Response) -> String {
    let store = async move |method: Method| match method {
        Method::PUT => answer(),
        _ => StatusCode::NO_CONTENT.into_response(),
    };
    let server = Server::start(Router::new().route("/{*path}", any(store))).await;
    let sandbox = s3::with(Sandbox::new(), &s3::settings(&server.url(), "desk"));
    let doctor = sandbox.run(&["doctor"]).await.stdout;
    doctor.lines().find(|line| line.trim_start().starts_with("results ")).unwrap().to_owned()
}

fn refusal(status: u16, code: &str, message: &str) -> Response {
    let text = format!("<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>{message}</Message></Error>");
    Response::builder().status(status).body(Body::from(text)).unwrap()
}

#[tokio::test]
async fn the_doctor_says_what_is_wrong_with_a_store_of_results() {
    let line = diagnosis(|| ([(header::ETAG, "\"1\"")], "").into_response()).await;
    assert!(line.contains("BROKEN") && line.contains("conditional writes"), "{line}");
    let line = diagnosis(|| refusal(403, "InvalidAccessKeyId", "No such key.")).await;
    assert!(line.contains("No such key.; AWS_ACCESS_KEY_ID"), "{line}");
    let line = diagnosis(|| refusal(400, "QuotaExceeded", "The bucket is full.")).await;
    assert!(line.contains("no room for the result in s3://desk/trading/results/"), "{line}");
}

#[tokio::test]
async fn results_go_in_the_clear_only_where_that_is_said() {
    let [url, endpoint, ..] = s3::settings("http://127.0.0.1:9", "desk");
    let sandbox = s3::with(Sandbox::new().set("API_LISTEN", "127.0.0.1:0"), &[url, endpoint]);
    let run = sandbox.run(&["api"]).await;
    assert_eq!(run.code, Some(2));
    assert!(run.stderr.contains("AWS_ALLOW_HTTP"), "{}", run.stderr);
}
