//! The service as its operators run it: processes that are started, used, killed and started again.

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::PermissionsExt,
    path::PathBuf,
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use futures_util::future::select_all;
use rustix::process::Signal;
use serde_json::{Value, json};

use crate::support::{
    llm::{FakeLlm, Trouble},
    program::{PATIENCE, Program, Sandbox},
    redis::Redis,
    service::Service,
};

/// Redis, an API and a folder for everything, with settings that make failures show soon.
struct Stack {
    redis: Redis,
    sandbox: Sandbox,
    api: Program,
    service: Service,
}

impl Stack {
    async fn start(settings: &[(&str, &str)]) -> Self {
        let redis = Redis::start(&["--appendonly", "yes", "--appendfsync", "always"]).await;
        let mut sandbox = Sandbox::new()
            .set("REDIS_URL", redis.url())
            .set("API_LISTEN", "127.0.0.1:0")
            .set("LLM_PROVIDER", "rules")
            .set("JOB_LEASE", 1)
            .set("JOB_RETRY_BACKOFF", 0);
        for (name, value) in settings {
            sandbox = sandbox.set(name, value);
        }
        let api = sandbox.start(&["api"]);
        let service = Service::at(&api.url().await);
        Self { redis, sandbox, api, service }
    }

    async fn worker(&self) -> Program {
        let worker = self.sandbox.start(&["worker"]);
        worker.line("the worker is ready").await;
        worker
    }
}

/// A stack whose models are those of a fake server.
async fn stack_with_models(llm: &FakeLlm, settings: &[(&str, &str)]) -> Stack {
    let url = llm.url();
    let models = [("LLM_PROVIDER", "ollama"), ("OLLAMA_BASE_URL", url.as_str()), ("LLM_CONCURRENCY", "16")];
    Stack::start(&[&models, settings].concat()).await
}

fn kinds(events: &[Value]) -> Vec<&str> {
    events.iter().map(|event| event["type"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_job_goes_from_submission_to_a_decision_with_reports() {
    let stack = Stack::start(&[]).await;
    let _worker = stack.worker().await;
    let id = stack.service.submit("aapl", "2012-09-19", json!({})).await;
    let job = stack.service.ended(&id).await;
    assert_eq!(
        (&job["status"], &job["decision"], &job["ticker"]),
        (&json!("completed"), &json!("BUY"), &json!("AAPL"))
    );

    let (code, result) = stack.service.get(&format!("/jobs/{id}/result")).await;
    assert_eq!(code, 200);
    for report in ["market", "sentiment", "news", "fundamentals"] {
        assert!(result["reports"][report].as_str().unwrap().contains("From published rules"), "{report}");
    }
    assert_eq!(result["final_state"]["company_of_interest"], "AAPL");
    assert_eq!(result["final_state"]["risk_debate_state"]["count"], 3);

    let folder = stack.sandbox.results().join("AAPL/2012-09-19").join(&id);
    assert_eq!(fs::read_to_string(folder.join("decision.txt")).unwrap(), "BUY\n");
    let state: Value = serde_json::from_str(&fs::read_to_string(folder.join("state.json")).unwrap()).unwrap();
    assert_eq!(state, result);
    let report = fs::read_to_string(folder.join("report.md")).unwrap();
    assert!(report.contains("**Decision:** BUY") && report.contains("Portfolio Manager"), "{report}");
    for agent in ["1_analysts/market", "2_research/bull", "3_trading/trader", "4_risk/neutral", "5_portfolio/decision"]
    {
        assert!(folder.join(agent).with_extension("md").is_file(), "{agent}");
    }
}

#[tokio::test]
async fn a_killed_workers_jobs_go_on_elsewhere_from_their_checkpoints_and_each_job_ends_once() {
    const JOBS: usize = 50;
    let llm = FakeLlm::start().await;
    let stack = stack_with_models(&llm, &[("WORKER_CONCURRENCY", "4")]).await;
    let mut victim = stack.worker().await;
    let config = json!({"selected_analysts": ["market"]});
    let mut ids = Vec::new();
    llm.answers_only(0);
    for _ in 0..JOBS {
        ids.push(stack.service.submit("AAPL", "2012-09-19", config.clone()).await);
    }
    // Eight answers for its four jobs: some agents are done then, and no job is.
    llm.was_asked(4).await;
    llm.answers_only(8);
    llm.was_asked(12).await;
    let is_checkpoint = |event: &Value| event["type"] == "checkpoint";
    let first_checkpoint = ids[..4].iter().map(|id| Box::pin(stack.service.events_until(id, is_checkpoint)));
    select_all(first_checkpoint).await;
    let _survivor = stack.worker().await;
    victim.kill().await;
    llm.answers_all();

    let mut endings = BTreeMap::new();
    for id in &ids {
        let events = stack.service.events(id).await;
        let kinds = kinds(&events);
        assert_eq!(kinds.iter().filter(|kind| **kind == "completed").count(), 1, "{id}: {kinds:?}");
        *endings.entry(stack.service.job(id).await["status"].to_string()).or_insert(0) += 1;
        assert!(stack.sandbox.results().join("AAPL/2012-09-19").join(id).join("state.json").is_file());
    }
    assert_eq!(endings, BTreeMap::from([("\"completed\"".to_owned(), JOBS)]));
    let mut resumed = 0;
    for id in &ids[..4] {
        let events = stack.service.events(id).await;
        let claims: Vec<_> = (0..events.len()).filter(|place| events[*place]["type"] == "claimed").collect();
        assert_eq!(claims.len(), 2, "{id}");
        let claim = &events[claims[1]]["data"];
        assert_eq!(claim["attempt"], 2);
        let had_checkpoint = events[..claims[1]].iter().any(is_checkpoint);
        assert!(claim["resumed"] == true || !had_checkpoint, "an answer in mid-turn is resumed from too: {claim}");
        let market = events.iter().filter(|e| e["type"] == "step_finished" && e["data"]["agent"] == "market_analyst");
        assert_eq!(market.count(), 1, "what was done before the checkpoint is not done again");
        resumed += u32::from(had_checkpoint);
    }
    assert!(resumed > 0);
}

#[tokio::test]
async fn a_worker_that_is_killed_in_mid_turn_loses_no_answer_but_the_one_that_was_cut() {
    let llm = FakeLlm::start().await;
    let stack = stack_with_models(&llm, &[]).await;
    let mut victim = stack.worker().await;
    // Each analyst gets one answer. It is all that three of them need; the market analyst calls a tool and asks again.
    llm.answers_only(4);
    let id = stack.service.submit("AAPL", "2012-09-19", json!({})).await;
    llm.was_asked(5).await;
    // What is told of is written; so is each of the four answers, before the worker dies.
    let answers = AtomicUsize::new(0);
    let is_fourth_answer =
        |event: &Value| event["type"] == "model_answered" && answers.fetch_add(1, Ordering::Relaxed) == 3;
    stack.service.events_until(&id, is_fourth_answer).await;
    victim.kill().await;
    llm.answers_all();
    let _survivor = stack.worker().await;
    assert_eq!(stack.service.ended(&id).await["status"], "completed");

    let asked = llm.requests();
    let cut = &asked[4].body;
    assert_eq!(asked.len(), 13 + 1, "an undisturbed job asks 13 times");
    assert_eq!(asked.iter().filter(|request| request.body == *cut).count(), 2, "the cut call is made again");
    let (_, result) = stack.service.get(&format!("/jobs/{id}/result")).await;
    assert_eq!((&result["usage"]["calls"], result["steps"].as_array().unwrap().len()), (&json!(13), 12));
}

#[tokio::test]
async fn a_model_that_is_pulled_is_seen_in_the_jobs_events_and_in_the_list_of_models() {
    let llm = FakeLlm::start().await;
    llm.lacks_models([]);
    let stack = stack_with_models(&llm, &[]).await;
    let _worker = stack.worker().await;
    let id = stack.service.submit("AAPL", "2012-09-19", json!({"selected_analysts": ["news"]})).await;
    let events = stack.service.events(&id).await;
    let mut pulls = events.iter().filter(|event| event["type"] == "model_pull").map(|event| &event["data"]);
    assert_eq!(pulls.next_back(), Some(&json!({"model": "qwen3:8b", "percent": 100})));
    assert_eq!(stack.service.job(&id).await["status"], "completed");

    // The first listing may have been before the pull; a worker that starts now sees the model.
    let _other = stack.worker().await;
    let listed = async {
        loop {
            let (_, answer) = stack.service.get("/models").await;
            let models = answer["models"].as_array().unwrap().clone();
            if let Some(listed) = models.into_iter().find(|models| models["available"] == json!(["qwen3:8b"])) {
                return listed;
            }
        }
    };
    let listed = tokio::time::timeout(PATIENCE, listed).await.expect("the models are listed");
    assert_eq!((&listed["provider"], &listed["deep_think_llm"]), (&json!("ollama"), &json!("qwen3:8b")));
}

#[tokio::test]
async fn a_model_may_be_pulled_for_longer_than_a_job_may_take_and_the_job_can_be_cancelled() {
    let llm = FakeLlm::start().await;
    llm.lacks_models([]);
    llm.pulls_for_ever();
    let limits = [("JOB_SOFT_TIME_LIMIT", "1"), ("JOB_TIME_LIMIT", "1"), ("JOB_LEASE", "3")];
    let stack = stack_with_models(&llm, &limits).await;
    let _worker = stack.worker().await;
    let id = stack.service.submit("AAPL", "2012-09-19", json!({})).await;
    stack.service.events_until(&id, |event| event["type"] == "model_pull").await;
    // Longer than the limits, and than the lease.
    tokio::time::sleep(Duration::from_secs(4)).await;
    let job = stack.service.job(&id).await;
    assert_eq!((&job["status"], &job["attempt"]), (&json!("running"), &json!(1)));
    let answer = stack.service.http.delete(format!("{}/jobs/{id}", stack.service.url)).send().await.unwrap();
    assert_eq!(answer.status(), 202);
    assert_eq!(stack.service.ended(&id).await["status"], "cancelled");
}

#[tokio::test]
async fn a_job_that_names_a_server_of_its_own_does_not_get_the_operators_key() {
    let (llm, own) = (FakeLlm::start().await, FakeLlm::start().await);
    let own_url = own.url();
    let settings = [
        ("LLM_PROVIDER", "anthropic"),
        ("LLM_BACKEND_URL", own_url.as_str()),
        ("ANTHROPIC_API_KEY", "canary-key"),
        ("GOOGLE_API_KEY", "canary-key"),
        ("AWS_ACCESS_KEY_ID", "canary-id"),
        ("AWS_SECRET_ACCESS_KEY", "canary-secret"),
        ("ALLOW_PRIVATE_URLS", "true"),
    ];
    let stack = Stack::start(&settings).await;
    let _worker = stack.worker().await;
    let job = |config: Value| async {
        let id = stack.service.submit("AAPL", "2012-09-19", config).await;
        assert_eq!(stack.service.ended(&id).await["status"], "completed");
    };
    let options = json!({"selected_analysts": ["news"], "temperature": 0.5, "reasoning_effort": "low"});
    job(options.clone()).await;
    for provider in ["anthropic", "google", "bedrock"] {
        let mut elsewhere = options.clone();
        elsewhere["llm_provider"] = provider.into();
        elsewhere["backend_url"] = llm.url().into();
        job(elsewhere).await;
    }
    assert!(own.requests().iter().all(|request| request.headers["x-api-key"] == "canary-key"));
    assert!(own.requests().iter().all(|request| request.body["output_config"]["effort"] == "low"));
    let shown = format!("{:?}", llm.requests());
    assert!(shown.contains("temperature") && !shown.contains("canary"), "{shown}");
}

#[tokio::test]
async fn a_stopped_worker_hands_back_what_it_can_not_finish_and_exits_well() {
    let llm = FakeLlm::start().await;
    let stack = stack_with_models(&llm, &[("SHUTDOWN_GRACE", "0")]).await;
    let mut worker = stack.worker().await;
    llm.answers_only(2);
    let id = stack.service.submit("AAPL", "2012-09-19", json!({"selected_analysts": ["market"]})).await;
    llm.was_asked(3).await;
    worker.signal(Signal::TERM);
    assert_eq!(worker.ended().await, Some(0));
    let job = stack.service.job(&id).await;
    assert_eq!((&job["status"], &job["retry_count"]), (&json!("pending"), &json!(0)));
    assert_eq!(stack.service.get("/workers").await.1["workers"], json!([]));

    llm.answers_all();
    let _worker = stack.worker().await;
    let events = stack.service.events(&id).await;
    assert!(kinds(&events).contains(&"released"));
    assert_eq!(stack.service.job(&id).await["status"], "completed");
}

#[tokio::test]
async fn a_running_job_stops_at_once_when_it_is_cancelled() {
    let llm = FakeLlm::start().await;
    let stack = stack_with_models(&llm, &[("JOB_LEASE", "60")]).await;
    let worker = stack.worker().await;
    llm.answers_only(0);
    let id = stack.service.submit("AAPL", "2012-09-19", json!({})).await;
    llm.was_asked(1).await;
    let answer = stack.service.http.delete(format!("{}/jobs/{id}", stack.service.url)).send().await.unwrap();
    assert_eq!(answer.status(), 202);
    worker.line("stopped: the job was cancelled").await;
    assert_eq!(stack.service.ended(&id).await["status"], "cancelled");
    let again = stack.service.http.delete(format!("{}/jobs/{id}", stack.service.url)).send().await.unwrap();
    assert_eq!(again.status(), 409);
}

#[tokio::test]
async fn an_unreachable_model_server_fails_the_job_with_its_url_and_the_mend() {
    let nowhere = [("LLM_PROVIDER", "ollama"), ("OLLAMA_BASE_URL", "http://127.0.0.1:9"), ("JOB_MAX_RETRIES", "1")];
    let stack = Stack::start(&nowhere).await;
    let _worker = stack.worker().await;
    let id = stack.service.submit("AAPL", "2012-09-19", json!({})).await;
    let job = stack.service.ended(&id).await;
    assert_eq!(
        (&job["status"], &job["error_type"], &job["retry_count"]),
        (&json!("failed"), &json!("llm_error"), &json!(1))
    );
    let error = job["error"].as_str().unwrap();
    assert!(error.contains("http://127.0.0.1:9"), "{error}");
    assert!(error.contains("ollama serve") && error.contains("OLLAMA_BASE_URL"), "{error}");
}

#[tokio::test]
async fn a_missing_symbol_or_day_fails_at_once_and_says_what_there_is() {
    let llm = FakeLlm::start().await;
    // A vendor that can't be reached would be worth another try.
    let stack = stack_with_models(&llm, &[("PRICE_VENDORS", "sample")]).await;
    let _worker = stack.worker().await;
    for (ticker, date, told) in [("TSLA", "2012-09-19", "AAPL, GOOG, IBM, MSFT"), ("AAPL", "2020-01-02", "2013-03-01")]
    {
        let id = stack.service.submit(ticker, date, json!({})).await;
        let job = stack.service.ended(&id).await;
        assert_eq!((&job["error_type"], &job["retry_count"]), (&json!("data_error"), &json!(0)));
        assert!(job["error"].as_str().unwrap().contains(told), "{}", job["error"]);
    }
    assert_eq!(llm.requests().len(), 0, "no token is spent without prices");
}

#[tokio::test]
async fn a_model_that_never_answers_ends_in_a_timeout() {
    let llm = FakeLlm::start().await;
    let limits = [("JOB_SOFT_TIME_LIMIT", "1"), ("JOB_TIME_LIMIT", "1")];
    let stack = stack_with_models(&llm, &limits).await;
    let _worker = stack.worker().await;
    llm.answers_only(0);
    let id = stack.service.submit("AAPL", "2012-09-19", json!({})).await;
    let job = stack.service.ended(&id).await;
    assert_eq!((&job["status"], &job["error_type"]), (&json!("failed"), &json!("timeout")));
    assert!(job["error"].as_str().unwrap().contains("JOB_TIME_LIMIT"), "{}", job["error"]);
}

#[tokio::test]
async fn results_that_can_not_be_written_fail_the_job_clearly_and_the_work_is_not_done_again() {
    let llm = FakeLlm::start().await;
    let stack = stack_with_models(&llm, &[("JOB_MAX_RETRIES", "1")]).await;
    // A file where the folder should be stops even root.
    fs::write(stack.sandbox.results(), "in the way").unwrap();
    let _worker = stack.worker().await;
    let id = stack.service.submit("AAPL", "2012-09-19", json!({"selected_analysts": ["news"]})).await;
    let job = stack.service.ended(&id).await;
    assert_eq!((&job["error_type"], &job["retry_count"]), (&json!("storage_error"), &json!(1)));
    assert!(job["error"].as_str().unwrap().contains("results"), "{}", job["error"]);
    assert_eq!(llm.requests().len(), 9, "the second attempt had everything in its checkpoint");
}

#[tokio::test]
async fn jobs_survive_a_redis_that_is_killed_and_started_again() {
    let llm = FakeLlm::start().await;
    let mut stack = stack_with_models(&llm, &[]).await;
    let worker = stack.worker().await;
    llm.answers_only(3);
    let config = json!({"selected_analysts": ["market"]});
    let running = stack.service.submit("AAPL", "2012-09-19", config.clone()).await;
    llm.was_asked(4).await;
    stack.redis.kill().await;
    let (code, problem) = stack.service.get(&format!("/jobs/{running}")).await;
    assert_eq!(code, 503, "{problem}");
    assert!(problem["detail"].as_str().unwrap().contains("REDIS_URL"), "{problem}");
    assert_eq!(stack.service.get("/health/live").await.0, 200);
    assert_eq!(stack.service.get("/health/ready").await.0, 503);
    llm.answers_all();
    worker.line("keeping it until the store answers").await;
    stack.redis.restart().await;
    assert_eq!(stack.service.ended(&running).await["status"], "completed");
    let later = stack.service.submit("AAPL", "2012-09-19", config).await;
    assert_eq!(stack.service.ended(&later).await["status"], "completed");
}

#[tokio::test]
async fn a_worker_ends_after_the_jobs_that_it_was_given() {
    let stack = Stack::start(&[("WORKER_MAX_JOBS", "2"), ("WORKER_CONCURRENCY", "1")]).await;
    let mut ids = Vec::new();
    for _ in 0..3 {
        ids.push(stack.service.submit("AAPL", "2012-09-19", json!({})).await);
    }
    let mut worker = stack.worker().await;
    assert_eq!(worker.ended().await, Some(0));
    let (_, pending) = stack.service.get("/jobs?status=pending").await;
    assert_eq!(pending["jobs"].as_array().unwrap().len(), 1);
    assert_eq!(pending["jobs"][0]["job_id"], json!(ids[2]));
}

#[tokio::test]
async fn the_whole_service_runs_in_one_process_and_keeps_its_jobs_over_restarts() {
    let sandbox = Sandbox::new().set("API_LISTEN", "127.0.0.1:0");
    let mut serve = sandbox.start(&["serve", "--offline"]);
    let service = Service::at(&serve.url().await);
    let id = service.submit("IBM", "2008-10-10", json!({})).await;
    assert_eq!(service.ended(&id).await["decision"], "SELL");
    assert_eq!(service.get("/health").await.0, 200);
    serve.signal(Signal::TERM);
    assert_eq!(serve.ended().await, Some(0));

    let serve = sandbox.start(&["serve", "--offline"]);
    let service = Service::at(&serve.url().await);
    assert_eq!(service.job(&id).await["status"], "completed");
    assert_eq!(service.get(&format!("/jobs/{id}/result")).await.0, 200);
}

#[tokio::test]
async fn a_service_that_is_killed_in_mid_job_goes_on_with_it_when_it_is_started_again() {
    let llm = FakeLlm::start().await;
    let sandbox = Sandbox::new().set("API_LISTEN", "127.0.0.1:0").set("OLLAMA_BASE_URL", llm.url());
    let mut serve = sandbox.start(&["serve"]);
    let service = Service::at(&serve.url().await);
    llm.answers_only(4);
    let id = service.submit("AAPL", "2012-09-19", json!({"selected_analysts": ["market"]})).await;
    service.events_until(&id, |event| event["data"]["agent"] == "bear_researcher").await;
    serve.kill().await;
    llm.answers_all();

    let serve = sandbox.start(&["serve"]);
    let service = Service::at(&serve.url().await);
    let events = service.events(&id).await;
    assert!(events.iter().any(|event| event["type"] == "claimed" && event["data"]["resumed"] == true));
    assert_eq!(service.job(&id).await["status"], "completed");
    let market = events.iter().filter(|e| e["type"] == "step_started" && e["data"]["agent"] == "market_analyst");
    assert_eq!(market.count(), 1);
}

#[tokio::test]
async fn a_worker_that_was_paused_past_its_lease_can_not_end_the_job_a_second_time() {
    let llm = FakeLlm::start().await;
    let stack = stack_with_models(&llm, &[]).await;
    let paused = stack.worker().await;
    llm.answers_only(0);
    let id = stack.service.submit("AAPL", "2012-09-19", json!({"selected_analysts": ["news"]})).await;
    llm.was_asked(1).await;
    paused.signal(Signal::STOP);
    let _other = stack.worker().await;
    let second = |event: &Value| event["type"] == "claimed" && event["data"]["attempt"] == 2;
    stack.service.events_until(&id, second).await;
    llm.answers_all();
    paused.signal(Signal::CONT);
    paused.line("stopped: the job was cancelled, or goes on elsewhere").await;
    let events = stack.service.events(&id).await;
    assert_eq!(kinds(&events).iter().filter(|kind| **kind == "completed").count(), 1);
    assert_eq!(stack.service.job(&id).await["attempt"], 2);
}

#[tokio::test]
async fn a_passing_failure_of_a_model_is_not_seen_by_the_client_and_a_longer_one_is_retried() {
    let llm = FakeLlm::start().await;
    let stack = stack_with_models(&llm, &[]).await;
    let _worker = stack.worker().await;
    llm.will([Trouble::Cut, Trouble::Status(500, json!({"error": "restarting"}), "")]);
    let config = json!({"selected_analysts": ["news"]});
    let id = stack.service.submit("AAPL", "2012-09-19", config.clone()).await;
    let job = stack.service.ended(&id).await;
    assert_eq!((&job["status"], &job["retry_count"]), (&json!("completed"), &json!(0)));

    llm.will(std::iter::repeat_n(Trouble::Status(503, json!({"error": "busy"}), ""), 3));
    let id = stack.service.submit("AAPL", "2012-09-19", config).await;
    let events = stack.service.events(&id).await;
    let retry = events.iter().find(|event| event["type"] == "retry").unwrap();
    assert_eq!(retry["data"]["error_type"], "llm_error");
    assert_eq!(stack.service.job(&id).await["status"], "completed");
}

#[tokio::test]
async fn an_api_that_is_stopped_lets_its_listeners_go_and_the_job_goes_on() {
    let llm = FakeLlm::start().await;
    let mut stack = stack_with_models(&llm, &[("SHUTDOWN_GRACE", "60")]).await;
    let _worker = stack.worker().await;
    llm.answers_only(0);
    let id = stack.service.submit("AAPL", "2012-09-19", json!({"selected_analysts": ["news"]})).await;
    llm.was_asked(1).await;
    let listening = tokio::spawn({
        let (url, id) = (stack.service.url.clone(), id.clone());
        async move { Service::at(&url).events(&id).await }
    });
    stack.service.events_until(&id, |event| event["type"] == "step_started").await;
    stack.api.signal(Signal::TERM);
    assert_eq!(stack.api.ended().await, Some(0));
    listening.await.unwrap();

    let api = stack.sandbox.start(&["api"]);
    let service = Service::at(&api.url().await);
    llm.answers_all();
    assert_eq!(service.ended(&id).await["status"], "completed");
}

#[tokio::test]
async fn bars_of_ones_own_are_a_folder_of_csv_files() {
    let Some(data) = shared_data() else { return };
    let sandbox = Sandbox::new().set("API_LISTEN", "127.0.0.1:0");
    let serve = sandbox.start(&["serve", "--offline", "--data", data.to_str().unwrap()]);
    let service = Service::at(&serve.url().await);
    let id = service.submit("NVDA", "2024-05-10", json!({})).await;
    assert_eq!(service.ended(&id).await["decision"], "BUY");
    let (_, result) = service.get(&format!("/jobs/{id}/result")).await;
    assert!(result["reports"]["market"].as_str().unwrap().contains("daily bars of 2022-01-03 to 2024-05-10"));
}

/// The bars beside the repository; without them the story is not told, and `tests/run` says so.
pub fn shared_data() -> Option<PathBuf> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/data");
    folder.canonicalize().ok()
}

#[tokio::test]
async fn results_are_readable_by_others_who_share_the_folder() {
    let sandbox = Sandbox::new();
    assert_eq!(sandbox.run(&["analyze", "AAPL", "--date", "2012-09-19", "--offline"]).await.code, Some(0));
    let date = sandbox.results().join("AAPL/2012-09-19");
    let folder = fs::read_dir(&date).unwrap().flatten().find(|entry| entry.path().is_dir()).unwrap();
    assert_eq!(folder.metadata().unwrap().permissions().mode(), date.metadata().unwrap().permissions().mode());
}
