//! What stands between the service and a hostile network.

use std::fs;

use reqwest::{Method, StatusCode, header};
use serde_json::{Value, json};

use crate::{
    api::problem,
    support::{
        program::{Program, Sandbox},
        service::Service,
    },
};

const N8N_KEY: &str = "n8n-0123456789abcdef";
const CRON_KEY: &str = "cron-fedcba9876543210";

/// The whole service in one process, on the bundled bars, with these settings.
struct Guarded {
    url: String,
    sandbox: Sandbox,
    serve: Program,
}

impl Guarded {
    async fn start(settings: &[(&str, &str)]) -> Self {
        let mut sandbox = Sandbox::new().set("API_LISTEN", "127.0.0.1:0");
        for (name, value) in settings {
            sandbox = sandbox.set(name, value);
        }
        let serve = sandbox.start(&["serve", "--offline"]);
        Self { url: serve.url().await, sandbox, serve }
    }

    async fn with_keys() -> Self {
        Self::start(&[("API_KEYS", &format!("n8n={N8N_KEY},cron={CRON_KEY}")), ("LOG_FORMAT", "json")]).await
    }

    fn stranger(&self) -> Service {
        Service::at(&self.url)
    }

    fn friend(&self) -> Service {
        Service::with_key(&self.url, N8N_KEY)
    }
}

#[tokio::test]
async fn without_a_key_nothing_is_open_but_health_and_documentation() {
    let guarded = Guarded::with_keys().await;
    let id = guarded.friend().submit("AAPL", "2012-09-19", json!({})).await;
    assert_eq!(guarded.friend().ended(&id).await["status"], "completed");
    let job = format!("/jobs/{id}");
    let mut closed =
        vec![(Method::POST, "/jobs".to_owned()), (Method::DELETE, job.clone()), (Method::PUT, job.clone())];
    closed.extend(["/result", "/report", "/events"].map(|part| (Method::GET, format!("{job}{part}"))));
    closed.extend(
        ["/", "/jobs", "/events", "/workers", "/models", "/nowhere", "/docs/", "//docs"]
            .map(|path| (Method::GET, path.into())),
    );
    for (method, path) in closed {
        for key in [None, Some("Bearer n8n-0123456789abcdeX"), Some("Basic bjhuOmtleQ=="), Some(N8N_KEY)] {
            let request = guarded.stranger().http.request(method.clone(), format!("{}{path}", guarded.url));
            let request = key.into_iter().fold(request, |request, key| request.header(header::AUTHORIZATION, key));
            let answer = request.send().await.unwrap();
            assert_eq!(answer.headers()[header::WWW_AUTHENTICATE], "Bearer", "{method} {path}");
            assert!(!problem(answer, 401).await.to_string().contains("0123456789"));
        }
    }
    for path in ["/health", "/health/live", "/health/ready", "/docs", "/openapi.json"] {
        let answer = guarded.stranger().http.get(format!("{}{path}", guarded.url)).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK, "{path}");
    }
    for path in ["", "/result", "/report", "/events"] {
        let answer = guarded.friend().http.get(format!("{}{job}{path}", guarded.url)).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK, "{path}");
    }
}

#[tokio::test]
async fn the_log_has_the_names_of_keys_and_no_key() {
    let guarded = Guarded::with_keys().await;
    guarded.friend().get("/jobs?status=failed").await;
    Service::with_key(&guarded.url, CRON_KEY).get("/jobs?status=running").await;
    Service::with_key(&guarded.url, "stolen-0123456789abcdef").get("/workers").await;
    guarded.serve.line("/workers").await;
    let lines = guarded.serve.lines();
    let keys: Vec<Value> = lines
        .iter()
        .filter(|line| line.contains("answered"))
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["span"]["key"].clone())
        .collect();
    assert_eq!(keys, [json!("n8n"), json!("cron"), Value::Null]);
    assert!(!lines.join("").contains("0123456789"), "{lines:?}");
}

#[tokio::test]
async fn keys_come_from_a_file_and_one_that_can_not_be_used_is_not_shown() {
    let sandbox = Sandbox::new().set("API_LISTEN", "127.0.0.1:0").set("API_KEYS_FILE", "keys");
    fs::write(sandbox.path().join("keys"), format!("n8n={N8N_KEY}\ncron={CRON_KEY}\n")).unwrap();
    let serve = sandbox.start(&["serve", "--offline"]);
    let url = serve.url().await;
    assert_eq!(Service::with_key(&url, CRON_KEY).get("/jobs").await.0, 200);
    assert_eq!(Service::at(&url).get("/jobs").await.0, 401);

    let run = Sandbox::new().set("API_KEYS", "0123456789abcdef").run(&["openapi"]).await;
    assert_eq!(run.code, Some(2));
    assert!(run.stderr.contains("API_KEYS=\"***\"") && run.stderr.contains("n8n=KEY"), "{}", run.stderr);
}

#[tokio::test]
async fn commands_show_their_key_and_the_health_check_needs_none() {
    let guarded = Guarded::with_keys().await;
    let commands = Sandbox::new().set("TRADINGAGENTS_URL", &guarded.url);
    let refused = commands.run(&["jobs"]).await;
    assert_eq!(refused.code, Some(4));
    assert!(refused.stderr.contains("TRADINGAGENTS_KEY"), "{}", refused.stderr);
    assert_eq!(commands.run(&["healthcheck", "api"]).await.code, Some(0));

    let commands = commands.set("TRADINGAGENTS_KEY", N8N_KEY);
    let run = commands.run(&["submit", "AAPL", "--date", "2012-09-19", "--wait"]).await;
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    assert_eq!(commands.run(&["jobs"]).await.code, Some(0));
    assert_eq!(guarded.sandbox.run(&["doctor", "--offline"]).await.stdout.matches("n8n=***,cron=***").count(), 1);
}

#[tokio::test]
async fn the_document_says_which_calls_want_a_key() {
    let guarded = Guarded::with_keys().await;
    let (_, document) = guarded.stranger().get("/openapi.json").await;
    let scheme = &document["components"]["securitySchemes"]["bearer"];
    assert_eq!((&scheme["type"], &scheme["scheme"]), (&json!("http"), &json!("bearer")));
    for (path, item) in document["paths"].as_object().unwrap() {
        let open = path.starts_with("/health") || path == "/docs" || path == "/openapi.json";
        for (method, operation) in item.as_object().unwrap() {
            let wanted = operation["security"] == json!([{"bearer": []}]);
            assert_eq!(wanted, !open, "{method} {path}");
            assert_eq!(operation["responses"].get("401").is_some(), !open, "{method} {path}");
        }
    }
}

#[tokio::test]
async fn an_open_api_that_others_can_reach_says_so() {
    for (listen, keys, warned) in
        [("0.0.0.0:0", "", true), ("0.0.0.0:0", "n8n=n8n-0123456789abcdef", false), ("127.0.0.1:0", "", false)]
    {
        let sandbox = Sandbox::new().set("API_LISTEN", listen).set("API_KEYS", keys);
        let mut serve = sandbox.start(&["serve", "--offline"]);
        serve.line("the worker is ready").await;
        serve.url().await;
        serve.signal(rustix::process::Signal::TERM);
        serve.ended().await;
        assert_eq!(serve.lines().iter().any(|line| line.contains("without API_KEYS")), warned, "{listen} {keys}");
    }
}
