//! What operators watch: the metrics are those that the documentation names, and they tell what happened.

use std::{collections::BTreeSet, fs, path::Path, time::Duration};

use serde_json::{Value, json};
use tokio::time::{sleep, timeout};

use crate::support::{
    disk::Disk,
    llm::{FakeLlm, Trouble},
    program::{PATIENCE, Sandbox},
    receiver::{Receiver, SECRET},
    redis::Redis,
    service::Service,
    vendors::FakeVendors,
};

/// The names in a text that begin as a metric's does.
fn names(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    words.filter(|word| word.starts_with("tradingagents_")).map(str::to_owned).collect()
}

/// The name of the metric that a sample belongs to.
fn metric(sample: &str) -> &str {
    ["_bucket", "_sum", "_count"].iter().find_map(|part| sample.strip_suffix(part)).unwrap_or(sample)
}

/// The value of a sample.
fn value<'a>(metrics: &'a str, sample: &str) -> &'a str {
    let line = metrics.lines().find_map(|line| line.strip_prefix(sample)?.strip_prefix(' '));
    line.unwrap_or_else(|| panic!("no {sample} in:\n{metrics}"))
}

async fn metrics(service: &Service) -> String {
    let answer = service.http.get(format!("{}/metrics", service.url)).send().await.unwrap();
    assert_eq!(answer.headers()["content-type"], "text/plain; version=0.0.4; charset=utf-8");
    answer.text().await.unwrap()
}

#[tokio::test]
async fn every_documented_metric_appears_and_every_one_that_appears_is_documented() {
    const KEY: &str = "prometheus-0123456789abcdef";
    let (llm, vendors, redis) = (FakeLlm::start().await, FakeVendors::start().await, Redis::start(&[]).await);
    let receiver = Receiver::start().await;
    let sandbox = Sandbox::new()
        .set("REDIS_URL", redis.url())
        .set("API_LISTEN", "127.0.0.1:0")
        .set("METRICS_LISTEN", "127.0.0.1:0")
        .set("API_KEYS", format!("prometheus={KEY}"))
        .set("OLLAMA_BASE_URL", llm.url())
        .set("VENDOR_GATEWAY", vendors.url())
        .set("PRICE_VENDORS", "yahoo,sample")
        .set("WEBHOOK_SECRET", SECRET)
        .set("ALLOW_PRIVATE_URLS", true)
        .set("JOB_RETRY_BACKOFF", 0);
    let (api, worker) = (sandbox.start(&["api"]), sandbox.start(&["worker"]));
    let service = Service::with_key(&api.url().await, KEY);
    let line = worker.line("the metrics are at").await;
    let url = line.split("the metrics are at ").nth(1).unwrap().trim_end_matches("/metrics");
    let (worker, stranger) = (Service::with_key(url, KEY), Service::at(url));
    assert_eq!(stranger.get("/metrics").await.0, 401);

    let config = json!({"selected_analysts": ["news"]});
    let id = service.submit("AAPL", "2012-09-19", config.clone()).await;
    assert_eq!(service.ended(&id).await["status"], "completed");
    let calls = llm.requests().len();
    llm.will(std::iter::repeat_n(Trouble::Status(503, json!({"error": "busy"}), ""), 3));
    let id = service.submit("AAPL", "2012-09-19", config).await;
    assert_eq!(service.ended(&id).await["retry_count"], 1);
    let id = service.submit("AAPL", "2012-09-19", json!({"llm_provider": "groq"})).await;
    assert_eq!(service.ended(&id).await["error_type"], "invalid_config");

    let webhook_url = receiver.url();
    let body =
        json!({"ticker": "AAPL", "date": "2012-09-19", "config": {"llm_provider": "groq"}, "webhook_url": webhook_url});
    let told: Value =
        service.http.post(format!("{}/jobs", service.url)).json(&body).send().await.unwrap().json().await.unwrap();
    let told = told["job_id"].as_str().unwrap();
    let delivered = async { while service.job(told).await["webhook"]["status"] != "delivered" {} };
    timeout(PATIENCE, delivered).await.expect("the receiver is told");

    let (of_api, of_worker) = (metrics(&service).await, metrics(&worker).await);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/OPERATIONS.md");
    let text = fs::read_to_string(path).unwrap();
    let (documented, alerts) = text.split_once("## Alerts").unwrap();
    let documented: BTreeSet<String> = names(documented);
    let told = format!("{of_api}{of_worker}");
    let samples = told.lines().filter(|line| !line.starts_with('#')).map(|line| line.split(['{', ' ']).next().unwrap());
    let appeared: BTreeSet<_> = samples.map(|sample| metric(sample).to_owned()).collect();
    assert_eq!(appeared, documented);
    for name in names(alerts) {
        assert!(documented.contains(metric(&name)), "an alert is about {name}");
    }

    assert_eq!(value(&of_worker, "tradingagents_claims_total"), "5");
    for (outcome, count) in [("completed", "2"), ("retried", "1"), ("failed", "2")] {
        assert_eq!(value(&of_worker, &format!("tradingagents_attempts_total{{outcome=\"{outcome}\"}}")), count);
    }
    assert_eq!(value(&of_worker, "tradingagents_retries_total{error_type=\"llm_error\"}"), "1");
    assert_eq!(value(&of_worker, "tradingagents_llm_calls_total{provider=\"ollama\",outcome=\"server_error\"}"), "3");
    let tokens = value(&of_worker, "tradingagents_llm_tokens_total{provider=\"ollama\",kind=\"out\"}");
    assert_eq!(tokens, (2 * 10 * calls).to_string());
    for metrics in [&of_api, &of_worker] {
        assert_eq!(value(metrics, "tradingagents_jobs{status=\"completed\"}"), "2");
        assert_eq!(value(metrics, "tradingagents_store_up"), "1");
        assert_eq!(value(metrics, "tradingagents_oldest_pending_seconds"), "0.0");
    }
    assert_eq!(
        value(&of_api, "tradingagents_http_requests_total{method=\"POST\",route=\"/jobs\",status=\"202\"}"),
        "4"
    );
    assert_eq!(value(&of_worker, "tradingagents_webhook_attempts_total{outcome=\"delivered\"}"), "1");
    assert_eq!(value(&of_worker, "tradingagents_webhooks_waiting"), "0");
    let hidden =
        value(&of_worker, "tradingagents_http_requests_total{method=\"GET\",route=\"/metrics\",status=\"401\"}");
    assert_eq!(hidden, "1");
}

#[tokio::test]
async fn metrics_tell_of_waiting_jobs_of_listeners_and_of_a_store_that_is_away() {
    let mut redis = Redis::start(&[]).await;
    let sandbox = Sandbox::new().set("REDIS_URL", redis.url()).set("API_LISTEN", "127.0.0.1:0");
    let api = sandbox.start(&["api"]);
    let service = Service::at(&api.url().await);
    service.submit("AAPL", "2012-09-19", json!({})).await;
    let listener = service.http.get(format!("{}/events", service.url)).send().await.unwrap();
    let waiting = async {
        loop {
            let told = metrics(&service).await;
            if value(&told, "tradingagents_oldest_pending_seconds") != "0.0" {
                return told;
            }
        }
    };
    let told = timeout(PATIENCE, waiting).await.expect("the job waits for longer and longer");
    assert_eq!(value(&told, "tradingagents_jobs{status=\"pending\"}"), "1");
    assert_eq!(value(&told, "tradingagents_sse_listeners"), "1");
    assert_ne!(value(&told, "tradingagents_connections"), "0");
    assert_eq!(value(&told, "tradingagents_workers"), "0");
    drop(listener);
    redis.kill().await;
    assert_eq!(value(&metrics(&service).await, "tradingagents_store_up"), "0");
}

/// Asks until it is said of the store that it takes no jobs, and this why; the whole answer.
async fn unhealthy(service: &Service, path: &str, why: &str) -> String {
    let told = async {
        loop {
            let (code, health) = service.get(path).await;
            let error = health["components"]["store"]["error"].as_str().unwrap_or_default();
            if error.contains(why) {
                assert_eq!((code, &health["status"]), (503, &json!("unhealthy")), "{health}");
                return health.to_string();
            }
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(PATIENCE, told).await.unwrap_or_else(|_| panic!("{path} never says {why}"))
}

#[tokio::test]
async fn a_redis_that_answers_and_takes_nothing_makes_the_service_unhealthy_until_there_is_room() {
    const KEY: &str = "prometheus-0123456789abcdef";
    let redis = Redis::start(&["--maxmemory-policy", "noeviction"]).await;
    let sandbox = Sandbox::new().set("REDIS_URL", redis.url()).set("API_LISTEN", "127.0.0.1:0");
    let open = sandbox.start(&["api"]);
    let open = Service::at(&open.url().await);
    let sandbox = sandbox.set("API_KEYS", format!("prometheus={KEY}"));
    let closed = sandbox.start(&["api"]);
    let (stranger, friend) = (Service::at(&closed.url().await), Service::with_key(&closed.url().await, KEY));
    stranger.until("/health/ready", 200).await;

    let troubles = [
        (["maxmemory", "1"], ["maxmemory", "0"], "raise its maxmemory"),
        (["min-replicas-to-write", "1"], ["min-replicas-to-write", "0"], "NOREPLICAS"),
    ];
    for (trouble, mend, said) in troubles {
        redis.cli(&[&["CONFIG", "SET"], &trouble[..]].concat()).await;
        for path in ["/health/ready", "/health"] {
            let told = unhealthy(&open, path, said).await;
            assert!(told.contains(&redis.address()), "{told}");
            let hidden = unhealthy(&stranger, path, "the API's log says why").await;
            assert!(!hidden.contains("127.0.0.1"), "{hidden}");
        }
        let line = closed.line("takes no jobs").await;
        assert!(line.contains(&redis.address()), "{line}");
        assert_eq!(value(&metrics(&friend).await, "tradingagents_store_up"), "0");
        redis.cli(&[&["CONFIG", "SET"], &mend[..]].concat()).await;
        for service in [&open, &stranger] {
            service.until("/health/ready", 200).await;
        }
        assert_eq!(value(&metrics(&friend).await, "tradingagents_store_up"), "1");
    }
}

#[tokio::test]
async fn a_service_whose_disk_is_full_ends_and_says_why_and_goes_on_once_there_is_room() {
    let Some(disk) = Disk::mount(16) else {
        println!("not run, for only root can mount a disk");
        return;
    };
    let llm = FakeLlm::start().await;
    llm.answers_only(0);
    let state = disk.path().join("state");
    let sandbox = Sandbox::new()
        .set("API_LISTEN", "127.0.0.1:0")
        .set("OLLAMA_BASE_URL", llm.url())
        .set("STATE_DIR", state.display());
    let mut serve = sandbox.start(&["serve"]);
    let service = Service::at(&serve.url().await);
    let running = service.submit("AAPL", "2012-09-19", json!({"selected_analysts": ["market"]})).await;
    llm.was_asked(1).await;

    let filler = disk.fill();
    // Little writes find room in the file for a while; these are jobs for tomorrow.
    let tickers: Vec<_> = (0..500).map(|number| format!("A{number}")).collect();
    let tomorrow = chrono::Utc::now() + chrono::TimeDelta::days(1);
    let batch = json!({"tickers": tickers, "date": "2012-09-19", "not_before": tomorrow});
    let mut accepted = 0;
    let submit = async || service.http.post(format!("{}/batches", service.url)).json(&batch).send().await;
    let refused = loop {
        match submit().await {
            Ok(answer) if answer.status() == 202 => accepted += tickers.len() as u64,
            other => break other,
        }
    };
    assert!(refused.is_ok_and(|answer| answer.status() == 503), "what can't be kept is refused");
    assert_eq!(serve.ended().await, Some(3));
    let line = serve.line("failed, and no more are taken").await;
    assert!(line.contains("STATE_DIR") && line.contains(&state.display().to_string()), "{line}");

    fs::remove_file(filler).unwrap();
    llm.answers_all();
    let serve = sandbox.start(&["serve"]);
    let service = Service::at(&serve.url().await);
    assert_eq!(service.ended(&running).await["status"], "completed");
    let health = service.until("/health", 200).await;
    assert_eq!(health["components"]["queue"]["pending"], accepted, "{health}");
}
