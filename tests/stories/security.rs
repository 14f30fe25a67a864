//! What stands between the service and a hostile network.

use std::{fs, net::IpAddr};

use reqwest::{Method, StatusCode, header};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};
use tradingagents::egress;

use crate::{
    api::problem,
    support::{
        llm::FakeLlm,
        program::{PATIENCE, Program, Sandbox},
        redis::Redis,
        service::Service,
    },
};

const N8N_KEY: &str = "n8n-0123456789abcdef";
const CRON_KEY: &str = "cron-fedcba9876543210";
const WEBHOOK_SECRET: &str = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=";

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
async fn clients_need_not_agree_on_the_names_of_their_submissions() {
    let guarded = Guarded::with_keys().await;
    let submit = async |key: &str, ticker: &str| {
        let request = Service::with_key(&guarded.url, key).http.post(format!("{}/jobs", guarded.url));
        let body = json!({"ticker": ticker, "date": "2012-09-19"});
        request.header("idempotency-key", "1").json(&body).send().await.unwrap()
    };
    let mine: Value = submit(N8N_KEY, "AAPL").await.json().await.unwrap();
    assert_eq!(submit(CRON_KEY, "IBM").await.status(), 202);
    let again: Value = submit(N8N_KEY, "AAPL").await.json().await.unwrap();
    assert_eq!(again["job_id"], mine["job_id"]);
    problem(submit(N8N_KEY, "IBM").await, 409).await;
}

#[tokio::test]
async fn keys_come_from_a_file_and_one_that_can_not_be_used_is_not_shown() {
    let sandbox = Sandbox::new().set("API_LISTEN", "127.0.0.1:0").set("API_KEYS_FILE", "keys");
    fs::write(sandbox.path().join("keys"), format!("n8n={N8N_KEY}\ncron={CRON_KEY}\n")).unwrap();
    let serve = sandbox.start(&["serve", "--offline"]);
    let url = serve.url().await;
    assert_eq!(Service::with_key(&url, CRON_KEY).get("/jobs").await.0, 200);
    assert_eq!(Service::at(&url).get("/jobs").await.0, 401);

    let run = Sandbox::new().set("API_KEYS", "0123456789abcdef").run(&["jobs"]).await;
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
    // Where nobody needs one, it is the reader's choice.
    let (_, document) = Guarded::start(&[]).await.stranger().get("/openapi.json").await;
    assert_eq!(document["paths"]["/jobs"]["post"]["security"], json!([{"bearer": []}, {}]));
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

/// A raw connection, whose bytes a story chooses.
struct Wire(TcpStream);

impl Wire {
    async fn to(url: &str) -> Self {
        Self(TcpStream::connect(url.strip_prefix("http://").unwrap()).await.unwrap())
    }

    async fn say(mut self, bytes: impl AsRef<[u8]>) -> Self {
        // The other end may have had enough in the middle of it.
        let _ = self.0.write_all(bytes.as_ref()).await;
        self
    }

    /// What comes until the other end closes.
    async fn rest(mut self) -> String {
        let mut bytes = Vec::new();
        let read = timeout(PATIENCE, self.0.read_to_end(&mut bytes)).await.expect("the connection is closed");
        // A reset after the answer is an end too.
        read.or_else(|error| if bytes.is_empty() { Err(error) } else { Ok(0) }).unwrap();
        String::from_utf8(bytes).unwrap()
    }
}

/// Asks until the answer has this status.
async fn until_answered(service: &Service, path: &str, status: u16) {
    let asked =
        async { while service.http.get(format!("{}{path}", service.url)).send().await.unwrap().status() != status {} };
    timeout(PATIENCE, asked).await.unwrap_or_else(|_| panic!("{path} is never answered {status}"));
}

#[tokio::test]
async fn a_client_that_takes_its_time_is_cut_off_and_a_listener_is_not() {
    let llm = FakeLlm::start().await;
    llm.answers_only(0);
    let sandbox =
        Sandbox::new().set("API_LISTEN", "127.0.0.1:0").set("OLLAMA_BASE_URL", llm.url()).set("CLIENT_TIMEOUT", 1);
    let serve = sandbox.start(&["serve"]);
    let service = Service::at(&serve.url().await);
    let id = service.submit("AAPL", "2012-09-19", json!({"selected_analysts": ["news"]})).await;
    llm.was_asked(1).await;
    let listening = tokio::spawn({
        let (url, id) = (service.url.clone(), id.clone());
        async move { Service::at(&url).events(&id).await }
    });

    let silent = Wire::to(&service.url).await;
    let slow_head = Wire::to(&service.url).await.say("GET /jobs HTTP/1.1\r\nhost: x\r\nx-slow: ").await;
    assert_eq!((silent.rest().await, slow_head.rest().await), (String::new(), String::new()));
    let head = "POST /jobs HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n";
    for body in ["content-length: 100\r\n\r\n{", "transfer-encoding: chunked\r\n\r\n1\r\n{\r\n"] {
        let answer = Wire::to(&service.url).await.say(format!("{head}{body}")).await.rest().await;
        assert!(answer.starts_with("HTTP/1.1 408") && answer.contains("CLIENT_TIMEOUT"), "{answer}");
    }
    // Who has no wish to go on is closed too, and whoever asks anew is answered.
    let idle = Wire::to(&service.url).await.say("GET /health/live HTTP/1.1\r\nhost: x\r\n\r\n").await;
    assert!(idle.rest().await.starts_with("HTTP/1.1 200"));

    llm.answers_all();
    assert_eq!(listening.await.unwrap().last().unwrap()["type"], "completed");
}

#[tokio::test]
async fn a_client_that_leaves_its_answers_unread_makes_room_for_others() {
    let guarded = Guarded::start(&[("CLIENT_TIMEOUT", "1"), ("MAX_CONNECTIONS", "1")]).await;
    // Fifty pages are more than the buffers of a connection hold.
    let unread = Wire::to(&guarded.url).await.say("GET /docs HTTP/1.1\r\nhost: x\r\n\r\n".repeat(50)).await;
    until_answered(&guarded.stranger(), "/health/live", 200).await;
    drop(unread);
}

#[tokio::test]
async fn what_is_too_large_is_refused_before_it_is_read() {
    let guarded = Guarded::start(&[]).await;
    let many = "x: y\r\n".repeat(101);
    for (what, headers) in [("large", format!("x: {}\r\n", "y".repeat(40 << 10))), ("many", many)] {
        let request = format!("GET /jobs HTTP/1.1\r\nhost: x\r\n{headers}\r\n");
        let answer = Wire::to(&guarded.url).await.say(request).await.rest().await;
        assert!(answer.starts_with("HTTP/1.1 431"), "{what}: {answer}");
    }
    let long =
        guarded.stranger().http.get(format!("{}/jobs?ticker={}", guarded.url, "A".repeat(9000))).send().await.unwrap();
    problem(long, 414).await;
    let head = "POST /jobs HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n";
    let answer = Wire::to(&guarded.url).await.say(format!("{head}content-length: 1048577\r\n\r\n")).await.rest().await;
    assert!(answer.starts_with("HTTP/1.1 413"), "a body that is announced is not waited for: {answer}");
    for smuggled in ["content-length: 1\r\ncontent-length: 2\r\n\r\n{}", "content-length: +1\r\n\r\n{"] {
        let answer = Wire::to(&guarded.url).await.say(format!("{head}{smuggled}")).await.rest().await;
        assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
    }
}

#[tokio::test]
async fn connections_and_listeners_beyond_the_limits_are_told_so() {
    let guarded = Guarded::start(&[("MAX_CONNECTIONS", "2"), ("MAX_LISTENERS", "1"), ("CLIENT_TIMEOUT", "60")]).await;
    let (first, second) = (Wire::to(&guarded.url).await, Wire::to(&guarded.url).await);
    let turned_away = guarded.stranger().http.get(format!("{}/health/live", guarded.url)).send().await.unwrap();
    assert!(turned_away.headers().contains_key(header::RETRY_AFTER));
    assert!(problem(turned_away, 503).await["detail"].as_str().unwrap().contains("connections"));
    guarded.serve.line("MAX_CONNECTIONS").await;
    drop((first, second));

    let service = guarded.stranger();
    until_answered(&service, "/health/live", 200).await;
    let listener = service.http.get(format!("{}/events", guarded.url)).send().await.unwrap();
    assert_eq!(listener.status(), StatusCode::OK);
    let one_more = service.http.get(format!("{}/events", guarded.url)).send().await.unwrap();
    assert!(one_more.headers().contains_key(header::RETRY_AFTER));
    assert!(problem(one_more, 503).await["detail"].as_str().unwrap().contains("listeners"));
    drop(listener);
    until_answered(&service, "/events", 200).await;
}

/// Submits a job; the answer's status, and the wait that it asks for.
async fn submission(service: &Service, forwarded_for: &str) -> (u16, Option<String>) {
    let request = service.http.post(format!("{}/jobs", service.url)).header("x-forwarded-for", forwarded_for);
    let answer = request.json(&json!({"ticker": "AAPL", "date": "2012-09-19"})).send().await.unwrap();
    let status = answer.status().as_u16();
    let wait = answer.headers().get(header::RETRY_AFTER).map(|wait| wait.to_str().unwrap().to_owned());
    if status == 429 {
        problem(answer, 429).await;
    }
    (status, wait)
}

#[tokio::test]
async fn who_submits_too_often_is_told_when_to_come_again() {
    let keys = format!("n8n={N8N_KEY},cron={CRON_KEY}");
    let guarded = Guarded::start(&[("API_KEYS", &keys), ("RATE_LIMIT_KEY", "2")]).await;
    let (n8n, cron) = (guarded.friend(), Service::with_key(&guarded.url, CRON_KEY));
    for _ in 0..2 {
        assert_eq!(submission(&n8n, "").await.0, 202);
    }
    let (status, wait) = submission(&n8n, "198.51.100.1").await;
    assert_eq!(status, 429);
    assert!((1..=30).contains(&wait.unwrap().parse::<u32>().unwrap()), "two a minute are one in half a minute");
    assert_eq!(n8n.get("/jobs").await.0, 200, "only submissions count");
    assert_eq!(submission(&cron, "").await.0, 202, "each key has its own limit");
}

#[tokio::test]
async fn addresses_are_told_apart_also_behind_a_proxy_and_only_a_trusted_one_is_believed() {
    let guarded = Guarded::start(&[("RATE_LIMIT_ADDRESS", "1"), ("API_KEYS", &format!("n8n={N8N_KEY}"))]).await;
    assert_eq!(submission(&guarded.stranger(), "").await.0, 401);
    assert_eq!(submission(&guarded.friend(), "198.51.100.1").await.0, 429, "guesses of keys count, and lies don't");

    let guarded = Guarded::start(&[("RATE_LIMIT_ADDRESS", "1"), ("TRUSTED_PROXIES", "127.0.0.0/8")]).await;
    let service = guarded.stranger();
    assert_eq!(submission(&service, "198.51.100.1").await.0, 202);
    assert_eq!(submission(&service, "198.51.100.2").await.0, 202);
    assert_eq!(submission(&service, "198.51.100.3, 198.51.100.1").await.0, 429);
}

#[tokio::test]
async fn who_guesses_keys_is_told_to_wait_whatever_is_asked_and_even_with_the_right_one() {
    let keys = format!("n8n={N8N_KEY}");
    let guarded = Guarded::start(&[("API_KEYS", &keys), ("RATE_LIMIT_ADDRESS", "2")]).await;
    let (friend, guesser) = (guarded.friend(), Service::with_key(&guarded.url, "guess-0123456789abcdef"));
    assert_eq!(guarded.stranger().get("/jobs").await.0, 401, "who shows no key guesses none");
    for (method, with_the_right_one) in [(Method::GET, 200), (Method::DELETE, 429)] {
        assert_eq!(guesser.http.request(method, format!("{}/jobs", guarded.url)).send().await.unwrap().status(), 401);
        assert_eq!(friend.get("/jobs").await.0, with_the_right_one);
    }
    let refused = guesser.http.get(format!("{}/jobs", guarded.url)).send().await.unwrap();
    assert!(refused.headers().contains_key(header::RETRY_AFTER));
    assert!(problem(refused, 429).await["detail"].as_str().unwrap().contains("wrong keys"));
    assert_eq!(friend.get("/health/live").await.0, 200);
    assert_eq!(guarded.stranger().get("/jobs").await.0, 401);
}

#[tokio::test]
async fn a_batch_counts_as_many_as_it_has() {
    let keys = format!("n8n={N8N_KEY}");
    for limits in
        [[("RATE_LIMIT_KEY", "3"), ("RATE_LIMIT_ADDRESS", "9")], [("RATE_LIMIT_ADDRESS", "3"), ("LOG", "info")]]
    {
        let guarded = Guarded::start(&[&limits[..], &[("API_KEYS", &keys)]].concat()).await;
        let batch = async |tickers: &[&str]| {
            let body = json!({"tickers": tickers, "date": "2012-09-19"});
            guarded.friend().http.post(format!("{}/batches", guarded.url)).json(&body).send().await.unwrap()
        };
        assert_eq!(batch(&["AAPL", "MSFT"]).await.status(), 202);
        let refused = batch(&["AAPL", "MSFT"]).await;
        assert!(refused.headers().contains_key(header::RETRY_AFTER));
        problem(refused, 429).await;
    }
    let guarded = Guarded::start(&[("API_KEYS", &keys), ("RATE_LIMIT_KEY", "3")]).await;
    let body = json!({"tickers": ["AAPL", "MSFT", "IBM", "GOOG"], "date": "2012-09-19"});
    let answer = guarded.friend().http.post(format!("{}/batches", guarded.url)).json(&body).send().await.unwrap();
    let told = &problem(answer, 422).await["errors"][0];
    assert_eq!(told["field"], "tickers");
    assert!(told["message"].as_str().unwrap().contains("batches of 3 at most"), "{told}");
}

#[tokio::test]
async fn many_slow_bodies_are_refused_before_they_fill_the_memory_and_make_room_when_they_end() {
    const MIB: usize = 1 << 20;
    let guarded = Guarded::start(&[("CLIENT_TIMEOUT", "60")]).await;
    let head =
        format!("POST /jobs HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: {MIB}\r\n\r\n");
    let mut announced = Vec::new();
    for _ in 0..40 {
        announced.push(Wire::to(&guarded.url).await.say(&head).await);
    }
    assert_eq!(submission(&guarded.stranger(), "").await.0, 202, "what is only announced takes no room");

    // All but the last byte of each.
    let unfinished = format!("{head}{}", " ".repeat(MIB - 1));
    let mut slow = Vec::new();
    let (service, body) = (guarded.stranger(), json!({"ticker": "AAPL", "date": "2012-09-19"}));
    let refused = async {
        loop {
            slow.push(Wire::to(&guarded.url).await.say(&unfinished).await);
            let answer = service.http.post(format!("{}/jobs", service.url)).json(&body).send().await.unwrap();
            if answer.status() != 202 {
                return answer;
            }
        }
    };
    let answer = timeout(PATIENCE, refused).await.expect("all room is taken at last");
    assert!(answer.headers().contains_key(header::RETRY_AFTER));
    assert!(problem(answer, 503).await["detail"].as_str().unwrap().contains("bodies"));
    drop(slow);
    let accepted = async { while submission(&guarded.stranger(), "").await.0 != 202 {} };
    timeout(PATIENCE, accepted).await.expect("there is room again");
}

#[tokio::test]
async fn one_address_does_not_get_all_connections_unless_it_is_a_proxy() {
    tradingagents::http_client::install_tls();
    let guarded = Guarded::start(&[("MAX_CONNECTIONS_PER_ADDRESS", "1"), ("TRUSTED_PROXIES", "127.0.0.3")]).await;
    let held = Wire::to(&guarded.url).await;
    let at = |address: [u8; 4]| reqwest::Client::builder().local_address(IpAddr::from(address)).build().unwrap();
    let ask = async |client: &reqwest::Client| client.get(format!("{}/health/live", guarded.url)).send().await.unwrap();
    let turned_away = ask(&at([127, 0, 0, 1])).await;
    assert!(turned_away.headers().contains_key(header::RETRY_AFTER));
    assert!(problem(turned_away, 503).await["detail"].as_str().unwrap().contains("MAX_CONNECTIONS_PER_ADDRESS"));
    guarded.serve.line("MAX_CONNECTIONS_PER_ADDRESS").await;
    assert_eq!(ask(&at([127, 0, 0, 2])).await.status(), 200);
    // Each keeps its connection.
    for proxy in &[at([127, 0, 0, 3]), at([127, 0, 0, 3])] {
        assert_eq!(ask(proxy).await.status(), 200);
    }
    drop(held);
    until_answered(&guarded.stranger(), "/health/live", 200).await;
}

#[tokio::test]
async fn pages_of_other_sites_may_do_nothing_unless_they_are_named() {
    const DESK: &str = "https://desk.example";
    let preflight = async |guarded: &Guarded, origin: &str| {
        let request = guarded.stranger().http.request(Method::OPTIONS, format!("{}/jobs", guarded.url));
        let request = request.header(header::ORIGIN, origin).header(header::ACCESS_CONTROL_REQUEST_METHOD, "POST");
        let answer = request.header(header::ACCESS_CONTROL_REQUEST_HEADERS, "authorization").send().await.unwrap();
        answer.headers().get(header::ACCESS_CONTROL_ALLOW_ORIGIN).map(|origin| origin.to_str().unwrap().to_owned())
    };
    let submit = async |guarded: &Guarded, headers: &[(&str, &str)]| {
        let request = guarded.friend().http.post(format!("{}/jobs", guarded.url));
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        request.json(&json!({"ticker": "AAPL", "date": "2012-09-19"})).send().await.unwrap()
    };
    let keys = format!("n8n={N8N_KEY}");
    let closed = Guarded::start(&[("API_KEYS", &keys)]).await;
    assert_eq!(preflight(&closed, DESK).await, None);
    let strangers: [&[_]; 4] = [
        &[("origin", DESK), ("sec-fetch-site", "cross-site")],
        &[("origin", "http://other.localhost"), ("sec-fetch-site", "same-site")],
        &[("origin", DESK)],
        &[("origin", "null")],
    ];
    for headers in strangers {
        problem(submit(&closed, headers).await, 403).await;
    }
    let own: [&[_]; 3] = [
        &[],
        &[("origin", closed.url.as_str())],
        &[("origin", "https://proxy.example"), ("sec-fetch-site", "same-origin")],
    ];
    for headers in own {
        assert_eq!(submit(&closed, headers).await.status(), StatusCode::ACCEPTED, "{headers:?}");
    }

    let open = Guarded::start(&[("API_KEYS", &keys), ("CORS_ORIGINS", DESK)]).await;
    assert_eq!(preflight(&open, DESK).await.as_deref(), Some(DESK));
    assert_eq!(preflight(&open, "https://other.example").await, None);
    let answer = submit(&open, &[("origin", DESK), ("sec-fetch-site", "cross-site")]).await;
    assert_eq!(answer.status(), StatusCode::ACCEPTED);
    assert_eq!(answer.headers()[header::ACCESS_CONTROL_ALLOW_ORIGIN], DESK);
}

#[tokio::test]
async fn every_answer_protects_whoever_reads_it_in_a_browser() {
    let guarded = Guarded::with_keys().await;
    for (path, status, cached) in [
        ("/jobs", 200, "no-store"),
        ("/jobs/nobody", 404, "no-store"),
        ("/nowhere", 404, "no-store"),
        ("/health", 200, "no-store"),
        ("/docs", 200, "no-cache"),
        ("/openapi.json", 200, "no-cache"),
    ] {
        let answer = guarded.friend().http.get(format!("{}{path}", guarded.url)).send().await.unwrap();
        assert_eq!(answer.status(), status);
        let headers = answer.headers();
        assert_eq!(headers[header::X_CONTENT_TYPE_OPTIONS], "nosniff", "{path}");
        assert_eq!(headers[header::REFERRER_POLICY], "no-referrer", "{path}");
        assert_eq!(headers[header::CACHE_CONTROL], cached, "{path}");
        let policy = headers[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
        assert!(
            policy.starts_with("default-src 'none'") && policy.contains("frame-ancestors 'none'"),
            "{path}: {policy}"
        );
    }
    let stranger = guarded.stranger().http.get(format!("{}/jobs", guarded.url)).send().await.unwrap();
    assert_eq!(stranger.headers()[header::CACHE_CONTROL], "no-store");
}

#[tokio::test]
async fn a_job_can_not_have_the_network_around_the_service_asked() {
    let (llm, inside) = (FakeLlm::start().await, FakeLlm::start().await);
    let sandbox = Sandbox::new()
        .set("API_LISTEN", "127.0.0.1:0")
        .set("OLLAMA_BASE_URL", llm.url())
        .set("WEBHOOK_SECRET", WEBHOOK_SECRET)
        .set("JOB_RETRY_BACKOFF", 0);
    let serve = sandbox.start(&["serve"]);
    let service = Service::at(&serve.url().await);
    let post = async |url: &str| {
        let config = json!({"llm_provider": "openai_compatible", "backend_url": url, "deep_think_llm": "m", "quick_think_llm": "m"});
        let body = json!({"ticker": "AAPL", "date": "2012-09-19", "config": config});
        service.http.post(format!("{}/jobs", service.url)).json(&body).send().await.unwrap()
    };
    for url in [
        &inside.url(),
        "http://localhost:1",
        "http://169.254.169.254/latest/meta-data",
        "http://[::ffff:10.0.0.1]",
        "http://0x7f.1:8000",
    ] {
        let problem = problem(post(url).await, 422).await;
        assert_eq!(problem["errors"][0]["field"], "config.backend_url", "{problem}");
        assert!(problem["detail"].as_str().unwrap().contains("ALLOW_PRIVATE_URLS"), "{problem}");
    }
    for (path, subject) in [("/jobs", json!({"ticker": "AAPL"})), ("/batches", json!({"tickers": ["AAPL", "IBM"]}))] {
        let mut body =
            json!({"date": "2012-09-19", "webhook_url": inside.url(), "config": {"backend_url": inside.url()}});
        body.as_object_mut().unwrap().extend(subject.as_object().unwrap().clone());
        let answer = service.http.post(format!("{}{path}", service.url)).json(&body).send().await.unwrap();
        let problem = problem(answer, 422).await;
        let fields: Vec<_> = problem["errors"].as_array().unwrap().iter().map(|error| &error["field"]).collect();
        assert_eq!(fields, ["webhook_url", "config.backend_url"], "{path}");
    }
    // The operator's own server is where it is, also for a job that names it.
    let config = json!({"backend_url": llm.url(), "selected_analysts": ["news"]});
    let id = service.submit("AAPL", "2012-09-19", config).await;
    assert_eq!(service.ended(&id).await["status"], "completed");

    // Of a name nothing is known before it is resolved.
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    let found: Vec<_> = tokio::net::lookup_host((host.as_str(), 80)).await.into_iter().flatten().collect();
    if host != "localhost" && !found.is_empty() && !found.iter().any(|found| egress::is_public(found.ip())) {
        let answer = post(&inside.url().replace("127.0.0.1", &host)).await;
        let id = answer.json::<Value>().await.unwrap()["job_id"].as_str().unwrap().to_owned();
        let job = service.ended(&id).await;
        assert_eq!((&job["error_type"], &job["retry_count"]), (&json!("llm_error"), &json!(0)), "{job}");
        assert!(job["error"].as_str().unwrap().contains("ALLOW_PRIVATE_URLS"), "{job}");
    }
    assert_eq!(inside.requests().len(), 0);
}

#[tokio::test]
async fn a_worker_does_not_rely_on_the_api_for_where_a_job_may_lead() {
    let inside = FakeLlm::start().await;
    let redis = Redis::start(&[]).await;
    let careless = Sandbox::new()
        .set("REDIS_URL", redis.url())
        .set("API_LISTEN", "127.0.0.1:0")
        .set("ALLOW_PRIVATE_URLS", true)
        .set("WEBHOOK_SECRET", WEBHOOK_SECRET);
    let api = careless.start(&["api"]);
    let service = Service::at(&api.url().await);
    let careful =
        Sandbox::new().set("REDIS_URL", redis.url()).set("LLM_PROVIDER", "rules").set("WEBHOOK_SECRET", WEBHOOK_SECRET);
    let worker = careful.start(&["worker"]);
    let config = json!({"llm_provider": "ollama", "backend_url": inside.url()});
    let id = service.submit("AAPL", "2012-09-19", config).await;
    let job = service.ended(&id).await;
    assert_eq!(job["error_type"], "invalid_config", "{job}");
    assert_eq!(inside.requests().len(), 0);

    let body = json!({"ticker": "AAPL", "date": "2012-09-19", "webhook_url": inside.url()});
    let answer = service.http.post(format!("{}/jobs", service.url)).json(&body).send().await.unwrap();
    let id = answer.json::<Value>().await.unwrap()["job_id"].as_str().unwrap().to_owned();
    worker.line("the webhook failed and is given up").await;
    let told = async {
        loop {
            let job = service.job(&id).await;
            if job["webhook"]["status"] == "failed" {
                return job["webhook"]["error"].to_string();
            }
        }
    };
    let error = timeout(PATIENCE, told).await.expect("what became of the webhook is written");
    assert!(error.contains("ALLOW_PRIVATE_URLS"), "{error}");
}
