//! The HTTP contract, as clients in other languages see it.

use std::time::Duration;

use reqwest::{Method, Response, StatusCode, header};
use serde_json::{Value, json};

use crate::support::{
    llm::FakeLlm,
    program::{Program, Sandbox},
    service::Service,
};

/// The whole service in one process, on the bundled bars.
struct Offline {
    service: Service,
    sandbox: Sandbox,
    _serve: Program,
}

impl Offline {
    async fn start() -> Self {
        let sandbox = Sandbox::new().set("API_LISTEN", "127.0.0.1:0");
        let serve = sandbox.start(&["serve", "--offline"]);
        let service = Service::at(&serve.url().await);
        Self { service, sandbox, _serve: serve }
    }

    async fn ask(&self, method: Method, path: &str) -> Response {
        self.service.http.request(method, format!("{}{path}", self.service.url)).send().await.unwrap()
    }

    async fn post(&self, body: impl Into<reqwest::Body>) -> Response {
        let request = self.service.http.post(format!("{}/jobs", self.service.url));
        request.header(header::CONTENT_TYPE, "application/json").body(body).send().await.unwrap()
    }
}

/// A service whose jobs wait for a model that does not answer.
async fn busy(llm: &FakeLlm) -> (Service, Sandbox, Program) {
    let sandbox = Sandbox::new().set("API_LISTEN", "127.0.0.1:0").set("OLLAMA_BASE_URL", llm.url());
    llm.answers_only(0);
    let serve = sandbox.start(&["serve"]);
    (Service::at(&serve.url().await), sandbox, serve)
}

/// The problem document of an answer.
pub async fn problem(answer: Response, status: u16) -> Value {
    assert_eq!(answer.status(), status);
    assert_eq!(answer.headers()[header::CONTENT_TYPE], "application/problem+json");
    let problem: Value = answer.json().await.unwrap();
    assert_eq!((&problem["type"], &problem["status"]), (&json!("about:blank"), &json!(status)));
    assert!(problem["title"].is_string() && problem["detail"].is_string(), "{problem}");
    problem
}

#[tokio::test]
async fn a_submission_is_accepted_with_what_a_client_needs_to_go_on() {
    let offline = Offline::start().await;
    let answer = offline.post(r#"{"ticker": "aapl", "date": "2012-09-19"}"#).await;
    assert_eq!(answer.status(), 202);
    let (location, wait) = (answer.headers()["location"].clone(), answer.headers()["retry-after"].clone());
    let body: Value = answer.json().await.unwrap();
    let mut names: Vec<_> = body.as_object().unwrap().keys().map(String::as_str).collect();
    names.sort_unstable();
    assert_eq!(names, ["created_at", "date", "job_id", "status", "ticker"]);
    assert_eq!(
        (&body["status"], &body["ticker"], &body["date"]),
        (&json!("pending"), &json!("AAPL"), &json!("2012-09-19"))
    );
    assert_eq!(location, format!("/jobs/{}", body["job_id"].as_str().unwrap()));
    assert!(wait.to_str().unwrap().parse::<u32>().is_ok());
}

#[tokio::test]
async fn a_job_shows_every_field_of_the_contract_from_its_first_moment() {
    let llm = FakeLlm::start().await;
    let (service, _sandbox, _serve) = busy(&llm).await;
    let id = service.submit("AAPL", "2012-09-19", json!({})).await;
    let job = service.job(&id).await;
    let names = "job_id status created_at started_at completed_at ticker date error error_type retry_count";
    for name in names.split(' ') {
        assert!(job.get(name).is_some(), "no {name} in {job}");
    }
    assert_eq!((&job["completed_at"], &job["error"], &job["retry_count"]), (&Value::Null, &Value::Null, &json!(0)));
}

#[tokio::test]
async fn everything_that_is_wrong_with_a_body_is_named() {
    let offline = Offline::start().await;
    for (body, fields) in [
        (r#"{"ticker": "../../etc/passwd", "date": "2024-13-45"}"#, &["ticker", "date"][..]),
        (r#"{"ticker": "AAPL", "date": "2999-01-01"}"#, &["date"]),
        (r#"{"date": "2012-09-19"}"#, &["ticker"]),
        (r#"{"ticker": "AAPL", "date": "2012-09-19", "config": {"depth": 3}}"#, &["config.depth"]),
        (
            r#"{"ticker": "AAPL", "date": "2012-09-19", "config": {"max_debate_rounds": 6}}"#,
            &["config.max_debate_rounds"],
        ),
        (
            r#"{"ticker": "AAPL", "date": "2012-09-19", "config": {"selected_analysts": []}}"#,
            &["config.selected_analysts"],
        ),
        (r#"{"ticker": "AAPL", "date": "2012-09-19", "colour": "red"}"#, &["colour"]),
        ("", &["body"]),
        ("{", &["body"]),
        ("[]", &["body"]),
    ] {
        let problem = problem(offline.post(body).await, 422).await;
        let named: Vec<_> =
            problem["errors"].as_array().unwrap().iter().map(|e| e["field"].as_str().unwrap()).collect();
        assert_eq!(named, fields, "{body}");
    }
}

#[tokio::test]
async fn bodies_that_are_too_large_or_no_json_are_refused() {
    let offline = Offline::start().await;
    problem(offline.post(vec![b' '; 2 << 20]).await, 413).await;
    let form =
        offline.service.http.post(format!("{}/jobs", offline.service.url)).body("ticker=AAPL").send().await.unwrap();
    problem(form, 415).await;
}

#[tokio::test]
async fn settings_that_are_null_or_absent_mean_the_default() {
    let offline = Offline::start().await;
    for config in [json!(null), json!({}), json!({"llm_provider": null, "selected_analysts": null})] {
        let id = offline.service.submit("AAPL", "2012-09-19", config).await;
        assert_eq!(offline.service.ended(&id).await["status"], "completed");
    }
}

#[tokio::test]
async fn an_unknown_id_is_named_by_every_call() {
    let offline = Offline::start().await;
    for id in ["018f6478-2b20-7c53-9d2a-5f3e8a1b7c44", "no-uuid", "..%2f..%2fetc"] {
        for path in ["", "/result", "/report", "/events"] {
            let problem = problem(offline.ask(Method::GET, &format!("/jobs/{id}{path}")).await, 404).await;
            let id = id.replace("%2f", "/");
            assert_eq!((&problem["error"], &problem["job_id"]), (&json!(format!("Job not found: {id}")), &json!(id)));
        }
        problem(offline.ask(Method::DELETE, &format!("/jobs/{id}")).await, 404).await;
    }
}

#[tokio::test]
async fn a_result_before_its_time_says_where_the_job_is() {
    let llm = FakeLlm::start().await;
    let (service, _sandbox, _serve) = busy(&llm).await;
    let id = service.submit("AAPL", "2012-09-19", json!({})).await;
    llm.was_asked(1).await;
    let answer = service.http.get(format!("{}/jobs/{id}/result", service.url)).send().await.unwrap();
    assert_eq!(problem(answer, 400).await["detail"], "Job is not completed (current status: running)");
}

#[tokio::test]
async fn a_result_whose_files_are_gone_is_told_from_one_that_never_was() {
    let offline = Offline::start().await;
    let id = offline.service.submit("AAPL", "2012-09-19", json!({})).await;
    offline.service.ended(&id).await;
    std::fs::remove_dir_all(offline.sandbox.results()).unwrap();
    let problem = problem(offline.ask(Method::GET, &format!("/jobs/{id}/result")).await, 410).await;
    assert!(problem["detail"].as_str().unwrap().contains("RESULTS_DIR"), "{problem}");
}

#[tokio::test]
async fn a_report_is_markdown_for_people() {
    let offline = Offline::start().await;
    let id = offline.service.submit("AAPL", "2012-09-19", json!({})).await;
    offline.service.ended(&id).await;
    let answer = offline.ask(Method::GET, &format!("/jobs/{id}/report")).await;
    assert_eq!(answer.headers()[header::CONTENT_TYPE], "text/markdown; charset=utf-8");
    assert!(answer.text().await.unwrap().starts_with("# Trading Analysis Report: AAPL"));
}

#[tokio::test]
async fn finished_jobs_can_not_be_cancelled_and_others_can() {
    let llm = FakeLlm::start().await;
    let (service, _sandbox, _serve) = busy(&llm).await;
    let mut ids = Vec::new();
    for _ in 0..3 {
        ids.push(service.submit("AAPL", "2012-09-19", json!({})).await);
    }
    // Two run, the third waits.
    for id in [&ids[0], &ids[2]] {
        let answer = service.http.delete(format!("{}/jobs/{id}", service.url)).send().await.unwrap();
        assert_eq!(answer.status(), 202);
        assert_eq!(answer.json::<Value>().await.unwrap()["status"], "cancelled");
        let again = service.http.delete(format!("{}/jobs/{id}", service.url)).send().await.unwrap();
        assert!(problem(again, 409).await["detail"].as_str().unwrap().contains("cancelled"));
    }
}

#[tokio::test]
async fn jobs_are_listed_newest_first_page_by_page() {
    let offline = Offline::start().await;
    let mut ids = Vec::new();
    for ticker in ["AAPL", "IBM", "AAPL"] {
        let id = offline.service.submit(ticker, "2012-09-19", json!({"selected_analysts": ["market"]})).await;
        offline.service.ended(&id).await;
        ids.insert(0, id);
    }
    let listed = async |query: &str| {
        let (code, page) = offline.service.get(&format!("/jobs{query}")).await;
        assert_eq!(code, 200, "{page}");
        let ids: Vec<_> =
            page["jobs"].as_array().unwrap().iter().map(|job| job["job_id"].as_str().unwrap().to_owned()).collect();
        (ids, page["next_cursor"].as_str().map(str::to_owned))
    };
    assert_eq!(listed("").await, (ids.clone(), None));
    assert_eq!(listed("?status=completed&ticker=aapl").await.0, [ids[0].clone(), ids[2].clone()]);
    assert_eq!(listed("?status=failed").await, (vec![], None));
    let (first, cursor) = listed("?limit=2").await;
    assert_eq!(first, ids[..2]);
    assert_eq!(listed(&format!("?limit=2&cursor={}", cursor.unwrap())).await, (vec![ids[2].clone()], None));
    for query in ["?limit=0", "?limit=101", "?limit=x", "?status=done", "?tickr=A", "?cursor=x"] {
        let problem = problem(offline.ask(Method::GET, &format!("/jobs{query}")).await, 422).await;
        assert!(problem["errors"][0]["field"].is_string(), "{problem}");
    }
}

#[tokio::test]
async fn a_request_that_is_sent_again_with_its_key_is_the_same_job() {
    let offline = Offline::start().await;
    let post = async |path: &str, key: &str, body: &str| {
        let request = offline.service.http.post(format!("{}{path}", offline.service.url));
        let request = request.header("idempotency-key", key).header(header::CONTENT_TYPE, "application/json");
        request.body(body.to_owned()).send().await.unwrap()
    };
    let body = r#"{"ticker": "AAPL", "date": "2012-09-19"}"#;
    let first = post("/jobs", "n8n-run-7", body).await;
    assert_eq!((first.status(), first.headers().get("idempotent-replayed")), (StatusCode::ACCEPTED, None));
    let id = first.json::<Value>().await.unwrap()["job_id"].clone();
    offline.service.ended(id.as_str().unwrap()).await;
    // Spelt otherwise, it asks for the same; and the header may have quotes, as its draft standard says.
    for (key, body) in
        [("n8n-run-7", r#"{"date":"2012-09-19","config":null,"ticker":"aapl"}"#), ("\"n8n-run-7\"", body)]
    {
        let again = post("/jobs", key, body).await;
        assert_eq!(again.status(), StatusCode::ACCEPTED);
        assert_eq!(again.headers()["idempotent-replayed"], "true");
        let again: Value = again.json().await.unwrap();
        assert_eq!((&again["job_id"], &again["status"]), (&id, &json!("completed")));
    }
    let other = post("/jobs", "n8n-run-7", r#"{"ticker": "IBM", "date": "2012-09-19"}"#).await;
    assert!(problem(other, 409).await["detail"].as_str().unwrap().contains("n8n-run-7"));
    let batch = post("/batches", "n8n-run-7", r#"{"tickers": ["AAPL"], "date": "2012-09-19"}"#).await;
    problem(batch, 409).await;
    for key in ["", "two words", &"x".repeat(256)] {
        let problem = problem(post("/jobs", key, body).await, 422).await;
        assert_eq!(problem["errors"][0]["field"], "Idempotency-Key");
    }
    assert_eq!(offline.service.get("/health").await.1["components"]["queue"]["completed"], 1);
}

#[tokio::test]
async fn a_batch_is_accepted_as_a_whole_and_looked_at_as_one() {
    let offline = Offline::start().await;
    let post = async |body: Value| {
        offline.service.http.post(format!("{}/batches", offline.service.url)).json(&body).send().await.unwrap()
    };
    let terms = json!({"selected_analysts": ["market"]});
    let answer = post(json!({"tickers": ["AAPL", "ibm", "TSLA"], "date": "2012-09-19", "config": terms})).await;
    assert_eq!(answer.status(), 202);
    let location = answer.headers()["location"].to_str().unwrap().to_owned();
    let batch: Value = answer.json().await.unwrap();
    assert_eq!(location, format!("/batches/{}", batch["batch_id"].as_str().unwrap()));
    for job in batch["jobs"].as_array().unwrap() {
        assert_eq!(offline.service.ended(job["job_id"].as_str().unwrap()).await["batch_id"], batch["batch_id"]);
    }
    let (code, batch) = offline.service.get(&location).await;
    assert_eq!((code, &batch["status"]), (200, &json!("failed")), "{batch}");
    assert_eq!(
        batch["counts"],
        json!({"pending": 0, "running": 0, "completed": 2, "failed": 1, "cancelled": 0}),
        "there are no bars of TSLA"
    );
    let tickers: Vec<_> = batch["jobs"].as_array().unwrap().iter().map(|job| &job["ticker"]).collect();
    assert_eq!(tickers, ["AAPL", "IBM", "TSLA"]);

    let refused = post(json!({"tickers": ["AAPL", "no ticker"], "date": "2012-09-19"})).await;
    assert_eq!(problem(refused, 422).await["errors"][0]["field"], "tickers[1]");
    let (_, jobs) = offline.service.get("/jobs").await;
    assert_eq!(jobs["jobs"].as_array().unwrap().len(), 3, "none of it is stored");
    for id in ["018f6478-2b20-7c53-9d2a-5f3e8a1b7c44", "no-uuid"] {
        let problem = problem(offline.ask(Method::GET, &format!("/batches/{id}")).await, 404).await;
        assert_eq!(problem["error"], json!(format!("Batch not found: {id}")));
    }
}

#[tokio::test]
async fn a_failed_job_is_not_tried_again_while_the_queue_is_full() {
    let redis = crate::support::redis::Redis::start(&[]).await;
    let sandbox = Sandbox::new()
        .set("API_LISTEN", "127.0.0.1:0")
        .set("REDIS_URL", redis.url())
        .set("LLM_PROVIDER", "rules")
        .set("MAX_PENDING", 1);
    let (api, mut worker) = (sandbox.start(&["api"]), sandbox.start(&["worker"]));
    let service = Service::at(&api.url().await);
    let failed = service.submit("TSLA", "2012-09-19", json!({"data_vendors": {"core_stock_apis": "sample"}})).await;
    assert_eq!(service.ended(&failed).await["status"], "failed");
    worker.kill().await;
    let pending = service.submit("AAPL", "2012-09-19", json!({})).await;
    let retry = async || service.http.post(format!("{}/jobs/{failed}/retry", service.url)).send().await.unwrap();
    let refused = retry().await;
    assert_eq!(refused.headers()["retry-after"], "30");
    assert!(problem(refused, 429).await["detail"].as_str().unwrap().contains("MAX_PENDING"));
    service.http.delete(format!("{}/jobs/{pending}", service.url)).send().await.unwrap();
    assert_eq!(retry().await.status(), 202);
}

#[tokio::test]
async fn a_full_queue_says_when_to_come_again() {
    let redis = crate::support::redis::Redis::start(&[]).await;
    let sandbox = Sandbox::new().set("API_LISTEN", "127.0.0.1:0").set("REDIS_URL", redis.url()).set("MAX_PENDING", 2);
    let api = sandbox.start(&["api"]);
    let service = Service::at(&api.url().await);
    let post = async |path: &str, body: Value| {
        service.http.post(format!("{}{path}", service.url)).json(&body).send().await.unwrap()
    };
    let first = service.submit("AAPL", "2012-09-19", json!({})).await;
    let refused = post("/batches", json!({"tickers": ["AAPL", "IBM"], "date": "2012-09-19"})).await;
    assert_eq!(refused.headers()["retry-after"], "30");
    assert!(problem(refused, 429).await["detail"].as_str().unwrap().contains("MAX_PENDING"));
    service.submit("IBM", "2012-09-19", json!({})).await;
    problem(post("/jobs", json!({"ticker": "AAPL", "date": "2012-09-19"})).await, 429).await;
    service.http.delete(format!("{}/jobs/{first}", service.url)).send().await.unwrap();
    service.submit("AAPL", "2012-09-19", json!({})).await;
}

#[tokio::test]
async fn failed_jobs_are_listed_with_their_reasons_and_tried_again() {
    let offline = Offline::start().await;
    let id = offline.service.submit("TSLA", "2012-09-19", json!({})).await;
    offline.service.ended(&id).await;
    let (_, failed) = offline.service.get("/jobs?status=failed").await;
    let job = &failed["jobs"][0];
    assert_eq!((&job["error_type"], &job["attempt"]), (&json!("data_error"), &json!(1)));
    assert!(job["error"].as_str().unwrap().contains("TSLA"), "{job}");

    let answer = offline.ask(Method::POST, &format!("/jobs/{id}/retry")).await;
    assert_eq!(answer.status(), 202);
    let again: Value = answer.json().await.unwrap();
    assert_eq!((&again["status"], &again["completed_at"]), (&json!("pending"), &Value::Null));
    let ends = std::cell::Cell::new(0);
    let is_second_end = |event: &Value| {
        ends.set(ends.get() + u32::from(event["type"] == "failed"));
        ends.get() == 2
    };
    offline.service.events_until(&id, is_second_end).await;
    let job = offline.service.job(&id).await;
    assert_eq!((&job["status"], &job["attempt"]), (&json!("failed"), &json!(2)));

    let done = offline.service.submit("AAPL", "2012-09-19", json!({})).await;
    offline.service.ended(&done).await;
    let refused = problem(offline.ask(Method::POST, &format!("/jobs/{done}/retry")).await, 409).await;
    assert!(refused["detail"].as_str().unwrap().contains("completed"), "{refused}");
    problem(offline.ask(Method::POST, "/jobs/no-uuid/retry").await, 404).await;
}

#[tokio::test]
async fn a_job_waits_for_its_time_and_shows_its_place() {
    let offline = Offline::start().await;
    let day = (chrono::Utc::now() + chrono::Days::new(29)).date_naive();
    let time = format!("{day}T09:00:00+01:00");
    let body = json!({"ticker": "AAPL", "date": "2012-09-19", "priority": "high", "not_before": time});
    let accepted: Value = offline.post(body.to_string()).await.json().await.unwrap();
    let id = accepted["job_id"].as_str().unwrap();
    let other = offline.service.submit("AAPL", "2012-09-19", json!({})).await;
    offline.service.ended(&other).await;
    let job = offline.service.job(id).await;
    assert_eq!(
        (&job["status"], &job["priority"], &job["not_before"]),
        (&json!("pending"), &json!("high"), &json!(format!("{day}T08:00:00Z")))
    );
    let soon = chrono::Utc::now() + Duration::from_millis(1500);
    let body = json!({"ticker": "AAPL", "date": "2012-09-19", "priority": "low", "not_before": soon.to_rfc3339()});
    let accepted: Value = offline.post(body.to_string()).await.json().await.unwrap();
    let job = offline.service.ended(accepted["job_id"].as_str().unwrap()).await;
    assert_eq!(job["status"], "completed");
    assert!(job["started_at"].as_str().unwrap().parse::<chrono::DateTime<chrono::Utc>>().unwrap() >= soon, "{job}");

    for (field, value) in [("priority", "urgent"), ("not_before", "tomorrow"), ("not_before", "2999-01-01T00:00:00Z")] {
        let body = json!({"ticker": "AAPL", "date": "2012-09-19", field: value});
        assert_eq!(problem(offline.post(body.to_string()).await, 422).await["errors"][0]["field"], field);
    }
}

#[tokio::test]
async fn a_listener_resumes_after_the_last_event_that_it_saw() {
    let offline = Offline::start().await;
    let id = offline.service.submit("AAPL", "2012-09-19", json!({})).await;
    let events = offline.service.events(&id).await;
    assert_eq!((&events[0]["type"], &events.last().unwrap()["type"]), (&json!("submitted"), &json!("completed")));
    let url = format!("{}/jobs/{id}/events", offline.service.url);
    for (seen, event) in events.iter().enumerate() {
        let request = offline.service.http.get(&url).header("last-event-id", event["id"].as_str().unwrap());
        let text = request.send().await.unwrap().text().await.unwrap();
        let ids: Vec<_> = text.lines().filter_map(|line| line.strip_prefix("id: ")).collect();
        let rest: Vec<_> = events[seen + 1..].iter().map(|event| event["id"].as_str().unwrap()).collect();
        assert_eq!(ids, rest);
    }
    let nonsense = offline.service.http.get(&url).header("last-event-id", "yesterday").send().await.unwrap();
    problem(nonsense, 422).await;
}

#[tokio::test]
async fn paths_and_methods_that_are_not_there_say_what_is() {
    let offline = Offline::start().await;
    let problem_of_path = problem(offline.ask(Method::GET, "/job").await, 404).await;
    assert!(problem_of_path["detail"].as_str().unwrap().contains("/job"), "{problem_of_path}");
    let answer = offline.ask(Method::PUT, "/jobs").await;
    let allow = answer.headers()[header::ALLOW].to_str().unwrap().to_owned();
    assert!(allow.contains("GET") && allow.contains("POST"), "{allow}");
    problem(answer, 405).await;
}

#[tokio::test]
async fn every_answer_has_the_id_of_its_request() {
    let offline = Offline::start().await;
    let ask = async |id: &str| {
        let request = offline.service.http.get(format!("{}/health/live", offline.service.url));
        let answer = request.header("x-request-id", id).send().await.unwrap();
        answer.headers()["x-request-id"].to_str().unwrap().to_owned()
    };
    assert_eq!(ask("n8n-42").await, "n8n-42");
    assert_ne!(ask("forged\tline").await, "forged\tline");
    assert_eq!(offline.ask(Method::GET, "/nowhere").await.headers()["x-request-id"].len(), 36);
}

#[tokio::test]
async fn health_tells_a_service_that_works_from_one_that_only_listens() {
    let offline = Offline::start().await;
    // It listens a moment before its worker is heard of for the first time.
    let health = offline.service.until("/health", 200).await;
    assert_eq!(health["status"], "healthy", "{health}");
    let (_, workers) = offline.service.get("/workers").await;
    assert_eq!(workers["workers"][0]["concurrency"], 2, "{workers}");
    for path in ["/health/live", "/health/ready"] {
        assert_eq!(offline.service.get(path).await.0, 200);
    }

    let redis = crate::support::redis::Redis::start(&[]).await;
    let sandbox = Sandbox::new().set("API_LISTEN", "127.0.0.1:0").set("REDIS_URL", redis.url());
    let api = sandbox.start(&["api"]);
    let alone = Service::at(&api.url().await);
    let (code, health) = alone.get("/health").await;
    assert_eq!((code, &health["status"]), (503, &json!("degraded")), "{health}");
    assert_eq!(alone.get("/health/ready").await.0, 200);
}

#[tokio::test]
async fn programs_find_the_calls_at_the_root() {
    let offline = Offline::start().await;
    // What n8n says where nobody told it what to accept.
    let n8n = "application/json,text/html,application/xhtml+xml,application/xml,text/*;q=0.9, image/*;q=0.8, */*;q=0.7";
    for accepted in ["*/*", "application/json", n8n] {
        let asked = offline.service.http.get(&offline.service.url).header(header::ACCEPT, accepted);
        let index: Value = asked.send().await.unwrap().json().await.unwrap();
        for name in ["name", "version", "status", "endpoints"] {
            assert!(index.get(name).is_some(), "{index}");
        }
    }
}

#[tokio::test]
async fn the_document_describes_every_call_with_all_its_answers() {
    let offline = Offline::start().await;
    let (_, document) = offline.service.get("/openapi.json").await;
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
    let paths = document["paths"].as_object().unwrap();
    let (_, index) = offline.service.get("/").await;
    for call in index["endpoints"].as_object().unwrap().keys() {
        let (method, path) = call.split_once(' ').unwrap();
        let operation = &paths[path][method.to_lowercase()];
        assert!(operation["summary"].is_string(), "{call} is not described");
        for (code, answer) in operation["responses"].as_object().unwrap() {
            assert_ne!(answer["description"], "", "{call} {code}");
            let redirect = code.starts_with('3');
            assert!(redirect || answer["content"].is_object(), "{call} {code}");
            for media in answer["content"].as_object().into_iter().flat_map(|content| content.values()) {
                assert!(!code.starts_with('2') || media.get("example").is_some(), "{call} {code} has no example");
            }
        }
    }
    let codes: Vec<_> = paths["/jobs"]["post"]["responses"].as_object().unwrap().keys().collect();
    assert_eq!(codes, ["202", "401", "403", "408", "409", "413", "415", "422", "429", "503"]);
    let parameters = &paths["/jobs"]["post"]["parameters"];
    assert_eq!((&parameters[0]["name"], &parameters[0]["in"]), (&json!("Idempotency-Key"), &json!("header")));

    let printed = Sandbox::new().run(&["openapi"]).await;
    assert_eq!(serde_json::from_str::<Value>(&printed.stdout).unwrap(), document);
}

#[tokio::test]
async fn the_document_says_what_a_value_may_be() {
    let printed = Sandbox::new().run(&["openapi"]).await;
    let document: Value = serde_json::from_str(&printed.stdout).unwrap();
    let schemas = &document["components"]["schemas"];
    for (schema, limit) in [
        ("Ticker", "pattern"),
        ("ModelName", "pattern"),
        ("Language", "maxLength"),
        ("TradeDate", "format"),
        ("BackendUrl", "pattern"),
        ("Temperature", "maximum"),
        ("Analysts", "minItems"),
    ] {
        assert!(schemas[schema].get(limit).is_some(), "{schema}: {}", schemas[schema]);
    }
}

#[tokio::test]
async fn the_documentation_page_asks_no_other_host() {
    let offline = Offline::start().await;
    let answer = offline.ask(Method::GET, "/docs").await;
    assert_eq!(answer.status(), StatusCode::OK);
    let policy = answer.headers()["content-security-policy"].to_str().unwrap();
    assert!(policy.starts_with("default-src 'none'") && !policy.contains("http"), "{policy}");
    let page = answer.text().await.unwrap();
    assert!(page.contains("withDefaultFonts: false"));
    assert!(!page.contains("<link") && !page.contains("<script src") && !page.contains("src=\"http"));
}

#[tokio::test]
async fn answers_are_compressed_for_those_who_ask_for_it() {
    let offline = Offline::start().await;
    let request = offline.service.http.get(format!("{}/docs", offline.service.url));
    let answer = request.header(header::ACCEPT_ENCODING, "gzip").send().await.unwrap();
    assert_eq!(answer.headers()[header::CONTENT_ENCODING], "gzip");
}
