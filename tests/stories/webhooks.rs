//! Webhooks, as their receivers get them.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use tokio::time::{sleep, timeout};

use crate::support::{
    program::{PATIENCE, Program, Sandbox},
    receiver::{Answer, Receiver, SECRET},
    redis::{Redis, free_port},
    service::Service,
};

/// The whole service in one process, which tells the ends of jobs.
struct Telling {
    service: Service,
    _sandbox: Sandbox,
    _serve: Program,
}

/// A place for programs that tell the ends of jobs, and soon again what failed.
fn sandbox() -> Sandbox {
    Sandbox::new()
        .set("API_LISTEN", "127.0.0.1:0")
        .set("LLM_PROVIDER", "rules")
        .set("WEBHOOK_SECRET", SECRET)
        .set("WEBHOOK_RETRY_BACKOFF", 0)
        // The receivers of these stories are neighbours.
        .set("ALLOW_PRIVATE_URLS", true)
}

impl Telling {
    async fn start(settings: &[(&str, &str)]) -> Self {
        let sandbox = settings.iter().fold(sandbox(), |sandbox, (name, value)| sandbox.set(name, value));
        let serve = sandbox.start(&["serve", "--offline"]);
        let service = Service::at(&serve.url().await);
        Self { service, _sandbox: sandbox, _serve: serve }
    }
}

/// Submits a job whose end is told to this URL, and returns its id.
async fn submit(service: &Service, ticker: &str, url: &str) -> String {
    let config = json!({"selected_analysts": ["market"]});
    let body = json!({"ticker": ticker, "date": "2012-09-19", "config": config, "webhook_url": url});
    let answer = service.http.post(format!("{}/jobs", service.url)).json(&body).send().await.unwrap();
    assert_eq!(answer.status(), 202);
    answer.json::<Value>().await.unwrap()["job_id"].as_str().unwrap().to_owned()
}

/// What a job shows of its webhook, once it is like that. No event tells it.
async fn webhook(service: &Service, job: &str, is_so: impl Fn(&Value) -> bool) -> Value {
    let look = async {
        loop {
            let webhook = service.job(job).await["webhook"].clone();
            if is_so(&webhook) {
                return webhook;
            }
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(PATIENCE, look).await.unwrap_or_else(|_| panic!("the webhook of {job} does not get there"))
}

async fn concluded(service: &Service, job: &str) -> Value {
    webhook(service, job, |webhook| webhook["status"] == "delivered" || webhook["status"] == "failed").await
}

#[tokio::test]
async fn every_end_of_a_job_is_told_with_a_signature() {
    let receiver = Receiver::start().await;
    let telling = Telling::start(&[]).await;
    let service = &telling.service;
    let completed = submit(service, "AAPL", &receiver.url()).await;
    let message = receiver.received(1).await.remove(0);
    assert_eq!(message.header("content-type"), "application/json");
    let told = message.verified();
    let job = service.job(&completed).await;
    assert_eq!(told["type"], "job.completed");
    let millis = |time: &Value| time.as_str().unwrap().parse::<DateTime<Utc>>().unwrap().timestamp_millis();
    assert_eq!(millis(&told["timestamp"]), millis(&job["completed_at"]));
    assert_eq!((&told["data"]["decision"], &told["data"]["rating"]), (&json!("BUY"), &json!("Overweight")));
    for field in ["job_id", "batch_id", "ticker", "date", "status", "created_at", "error", "error_type"] {
        assert_eq!(told["data"][field], job[field], "{field}");
    }
    let webhook = concluded(service, &completed).await;
    assert_eq!(
        webhook,
        json!({"id": message.header("webhook-id"), "status": "delivered", "attempts": 1, "error": null})
    );

    let failed = submit(service, "TSLA", &receiver.url()).await;
    let told = receiver.received(2).await[1].verified();
    assert_eq!((&told["type"], &told["data"]["job_id"]), (&json!("job.failed"), &json!(failed)));
    assert_eq!(told["data"]["error_type"], "data_error");

    let tomorrow = (Utc::now() + chrono::Days::new(1)).to_rfc3339();
    let later = json!({"ticker": "AAPL", "date": "2012-09-19", "not_before": tomorrow, "webhook_url": receiver.url()});
    let later: Value =
        service.http.post(format!("{}/jobs", service.url)).json(&later).send().await.unwrap().json().await.unwrap();
    let cancelled = later["job_id"].as_str().unwrap();
    assert_eq!(service.job(cancelled).await["webhook"], Value::Null, "there is nothing to tell yet");
    service.http.delete(format!("{}/jobs/{cancelled}", service.url)).send().await.unwrap();
    let told = receiver.received(3).await[2].verified();
    assert_eq!((&told["type"], &told["data"]["job_id"]), (&json!("job.cancelled"), &json!(cancelled)));
    concluded(service, cancelled).await;
    assert_eq!(receiver.count(), 3, "each is told once");
}

#[tokio::test]
async fn every_job_of_a_batch_is_told() {
    let receiver = Receiver::start().await;
    let telling = Telling::start(&[]).await;
    let body = json!({"tickers": ["AAPL", "IBM"], "date": "2012-09-19", "webhook_url": receiver.url()});
    let url = format!("{}/batches", telling.service.url);
    let batch: Value = telling.service.http.post(url).json(&body).send().await.unwrap().json().await.unwrap();
    let mut tickers = Vec::new();
    for message in receiver.received(2).await {
        let told = message.verified();
        assert_eq!(told["data"]["batch_id"], batch["batch_id"]);
        tickers.push(told["data"]["ticker"].as_str().unwrap().to_owned());
    }
    tickers.sort();
    assert_eq!(tickers, ["AAPL", "IBM"]);
}

#[tokio::test]
async fn what_a_receiver_could_not_take_comes_again_with_the_same_id_and_words() {
    let receiver = Receiver::start().await;
    receiver.answers([Answer::Status(500), Answer::Status(503)]);
    let telling = Telling::start(&[]).await;
    let job = submit(&telling.service, "AAPL", &receiver.url()).await;
    let messages = receiver.received(3).await;
    for message in &messages {
        message.verified();
        assert_eq!(message.header("webhook-id"), messages[0].header("webhook-id"));
        assert_eq!(message.body, messages[0].body);
    }
    let webhook = concluded(&telling.service, &job).await;
    assert_eq!(
        (&webhook["status"], &webhook["attempts"], &webhook["error"]),
        (&json!("delivered"), &json!(3), &Value::Null)
    );
}

#[tokio::test]
async fn a_receiver_that_was_down_gets_the_message_when_it_is_up() {
    let telling = Telling::start(&[]).await;
    let port = free_port();
    let job = submit(&telling.service, "AAPL", &format!("http://127.0.0.1:{port}/hook?token=canary")).await;
    let waiting = webhook(&telling.service, &job, |webhook| webhook["attempts"].as_u64() > Some(1)).await;
    let error = waiting["error"].as_str().unwrap();
    assert_eq!(waiting["status"], "pending");
    assert!(error.contains("127.0.0.1") && error.contains("refused") && !error.contains("canary"), "{error}");

    let receiver = Receiver::start_at(port).await;
    receiver.received(1).await[0].verified();
    assert_eq!(concluded(&telling.service, &job).await["status"], "delivered");
}

#[tokio::test]
async fn a_worker_that_is_killed_before_it_has_told_loses_no_message() {
    let redis = Redis::start(&["--appendonly", "yes", "--appendfsync", "always"]).await;
    let receiver = Receiver::start().await;
    let sandbox = sandbox().set("REDIS_URL", redis.url()).set("WEBHOOK_TIMEOUT", 1);
    let api = sandbox.start(&["api"]);
    let service = Service::at(&api.url().await);

    // One dies in the middle of telling; another has not begun to, for it has no secret.
    receiver.answers([Answer::Silence]);
    let mut first = sandbox.start(&["worker"]);
    let cut = submit(&service, "AAPL", &receiver.url()).await;
    receiver.received(1).await;
    first.kill().await;
    let silent = Sandbox::new().set("REDIS_URL", redis.url()).set("LLM_PROVIDER", "rules");
    let mut second = silent.start(&["worker"]);
    let untold = submit(&service, "IBM", &receiver.url()).await;
    assert_eq!(service.ended(&untold).await["status"], "completed");
    second.kill().await;
    assert_eq!(service.job(&untold).await["webhook"]["status"], "pending");

    let _third = sandbox.start(&["worker"]);
    for job in [&cut, &untold] {
        assert_eq!(concluded(&service, job).await["status"], "delivered");
    }
    let mut told: Vec<_> =
        receiver.received(3).await.iter().map(|message| message.verified()["data"]["job_id"].clone()).collect();
    assert_eq!(told.remove(0), json!(cut));
    told.sort_by_key(|job| job != &json!(cut));
    assert_eq!(told, [json!(cut), json!(untold)]);
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let (receiver, elsewhere) = (Receiver::start().await, Receiver::start().await);
    receiver.answers([Answer::Elsewhere(elsewhere.url())]);
    let telling = Telling::start(&[("WEBHOOK_MAX_ATTEMPTS", "1")]).await;
    let job = submit(&telling.service, "AAPL", &receiver.url()).await;
    let webhook = concluded(&telling.service, &job).await;
    assert_eq!(webhook["status"], "failed");
    assert!(webhook["error"].as_str().unwrap().contains("redirects are not followed"), "{webhook}");
    assert_eq!((receiver.count(), elsewhere.count()), (1, 0));
}

#[tokio::test]
async fn a_receiver_that_does_not_answer_in_time_is_asked_again() {
    let receiver = Receiver::start().await;
    receiver.answers([Answer::Silence]);
    let telling = Telling::start(&[("WEBHOOK_TIMEOUT", "1"), ("WEBHOOK_RETRY_BACKOFF", "1")]).await;
    let job = submit(&telling.service, "AAPL", &receiver.url()).await;
    let slow = webhook(&telling.service, &job, |webhook| webhook["attempts"] == 1).await;
    assert!(slow["error"].as_str().unwrap().contains("within 1 s"), "{slow}");
    receiver.received(2).await[1].verified();
    assert_eq!(concluded(&telling.service, &job).await["attempts"], 2);
}

#[tokio::test]
async fn a_receiver_that_does_not_answer_leaves_room_for_the_others() {
    let (silent, quick) = (Receiver::start().await, Receiver::start().await);
    silent.answers(std::iter::repeat_n(Answer::Silence, 30));
    let telling = Telling::start(&[("WEBHOOK_TIMEOUT", "300")]).await;
    for _ in 0..30 {
        let job = submit(&telling.service, "AAPL", &silent.url()).await;
        telling.service.ended(&job).await;
    }
    silent.received(4).await;
    let job = submit(&telling.service, "AAPL", &quick.url()).await;
    quick.received(1).await;
    assert_eq!(concluded(&telling.service, &job).await["status"], "delivered");
    assert_eq!(silent.count(), 4);
}

#[tokio::test]
async fn a_message_is_given_up_when_its_attempts_are_used_up_or_the_receiver_is_gone() {
    let receiver = Receiver::start().await;
    let telling = Telling::start(&[("WEBHOOK_MAX_ATTEMPTS", "2")]).await;
    receiver.answers([Answer::Status(500), Answer::Status(404), Answer::Status(410)]);
    for (attempts, error) in [(2, "404"), (1, "410 Gone")] {
        let job = submit(&telling.service, "AAPL", &receiver.url()).await;
        let webhook = concluded(&telling.service, &job).await;
        assert_eq!((&webhook["status"], &webhook["attempts"]), (&json!("failed"), &json!(attempts)));
        assert!(webhook["error"].as_str().unwrap().contains(error), "{webhook}");
    }
    assert_eq!(receiver.count(), 3);
}

#[tokio::test]
async fn a_new_secret_signs_beside_the_old_one() {
    let receiver = Receiver::start().await;
    let both = format!("whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD,{SECRET}");
    let telling = Telling::start(&[("WEBHOOK_SECRET", &both)]).await;
    submit(&telling.service, "AAPL", &receiver.url()).await;
    let message = receiver.received(1).await.remove(0);
    message.verified();
    assert_eq!(message.header("webhook-signature").split(' ').count(), 2);
}

#[tokio::test]
async fn a_webhook_url_that_can_not_be_told_is_refused_at_once() {
    let telling = Telling::start(&[]).await;
    let silent = Telling::start(&[("WEBHOOK_SECRET", "")]).await;
    let refused = async |service: &Service, url: &str| {
        let body = json!({"ticker": "AAPL", "date": "2012-09-19", "webhook_url": url});
        let answer = service.http.post(format!("{}/jobs", service.url)).json(&body).send().await.unwrap();
        assert_eq!(answer.status(), 422, "{url}");
        let error = answer.json::<Value>().await.unwrap()["errors"][0].clone();
        assert_eq!(error["field"], "webhook_url");
        error["message"].as_str().unwrap().to_owned()
    };
    for url in ["ftp://receiver.example/", "https://user:password@receiver.example/", "receiver", ""] {
        refused(&telling.service, url).await;
    }
    assert!(refused(&silent.service, "https://receiver.example/").await.contains("WEBHOOK_SECRET"));
}

#[tokio::test]
async fn a_webhook_leads_to_no_address_that_is_not_public() {
    let inside = Receiver::start().await;
    let guarded = Telling::start(&[("ALLOW_PRIVATE_URLS", "false")]).await;
    for url in [&inside.url(), "http://localhost:1/", "http://169.254.169.254/latest", "http://[::ffff:10.0.0.1]/"] {
        let service = &guarded.service;
        for (path, body) in [
            ("jobs", json!({"ticker": "AAPL", "date": "2012-09-19", "webhook_url": url})),
            ("batches", json!({"tickers": ["AAPL"], "date": "2012-09-19", "webhook_url": url})),
        ] {
            let answer = service.http.post(format!("{}/{path}", service.url)).json(&body).send().await.unwrap();
            assert_eq!(answer.status(), 422, "{url}");
            let error = answer.json::<Value>().await.unwrap()["errors"][0].clone();
            assert_eq!(error["field"], "webhook_url");
        }
    }

    // A worker does not rely on the API.
    let redis = Redis::start(&[]).await;
    let careless = sandbox().set("REDIS_URL", redis.url());
    let api = careless.start(&["api"]);
    let service = Service::at(&api.url().await);
    let careful = sandbox().set("REDIS_URL", redis.url()).set("ALLOW_PRIVATE_URLS", false);
    let _worker = careful.start(&["worker"]);
    let job = submit(&service, "AAPL", &inside.url()).await;
    let webhook = concluded(&service, &job).await;
    assert_eq!((&webhook["status"], &webhook["attempts"]), (&json!("failed"), &json!(1)), "{webhook}");
    assert!(webhook["error"].as_str().unwrap().contains("no public address"), "{webhook}");
    assert_eq!(inside.count(), 0);
}

#[tokio::test]
async fn the_document_describes_what_receivers_get() {
    let printed = Sandbox::new().run(&["openapi"]).await;
    let document: Value = serde_json::from_str(&printed.stdout).unwrap();
    let post = &document["webhooks"]["jobEnded"]["post"];
    let schema = &post["requestBody"]["content"]["application/json"]["schema"];
    let name = schema["$ref"].as_str().unwrap().rsplit('/').next().unwrap();
    let properties = &document["components"]["schemas"][name]["properties"];
    for field in ["type", "timestamp", "data"] {
        assert!(properties.get(field).is_some(), "{properties}");
    }
}
