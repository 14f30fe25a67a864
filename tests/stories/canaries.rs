//! Secrets stay secret: a canary is planted in every secret setting, jobs succeed and fail in all ways in which the other
//! side may repeat a key, and then everything that the program said and wrote is searched.

use std::{fs, path::Path};

use serde_json::{Value, json};
use tradingagents::config;

use crate::support::{
    collector::Collector,
    llm::{FakeLlm, Trouble},
    program::{Program, Sandbox},
    redis::Redis,
    service::Service,
    vendors::{FakeVendors, Reply},
};

/// What every planted secret has in it, and nothing else.
const CANARY: &str = "canary";

/// The secret of a setting.
fn planted(name: &str) -> String {
    format!("{CANARY}-{}-0123456789", name.to_lowercase().replace('_', "-"))
}

/// The URL with a user and a password.
fn with_password(url: &str, name: &str) -> String {
    url.replacen("http://", &format!("http://user:{}@", planted(name)), 1)
}

/// Everything that was said and written.
#[derive(Default)]
struct Heard(Vec<(String, Vec<u8>)>);

impl Heard {
    fn add(&mut self, place: impl Into<String>, what: impl Into<Vec<u8>>) {
        self.0.push((place.into(), what.into()));
    }

    async fn ask(&mut self, service: &Service, path: &str) {
        let answer = service.http.get(format!("{}{path}", service.url)).send().await.unwrap();
        let headers = format!("{:?}", answer.headers());
        self.add(format!("GET {path}"), headers + &answer.text().await.unwrap());
    }

    /// The job once it has ended, with all that can be asked of it.
    async fn job(&mut self, service: &Service, config: Value) -> Value {
        let id = service.submit("AAPL", "2012-09-19", config).await;
        self.ended(service, &id).await
    }

    async fn ended(&mut self, service: &Service, id: &str) -> Value {
        let job = service.ended(id).await;
        for part in ["", "/events", "/result", "/report"] {
            self.ask(service, &format!("/jobs/{id}{part}")).await;
        }
        job
    }

    fn files(&mut self, folder: &Path) {
        for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
            let path = entry.path();
            if path.is_dir() {
                self.files(&path);
            } else {
                self.add(path.display().to_string(), fs::read(&path).unwrap());
            }
        }
    }

    /// Places with a canary, and the line that it is in.
    fn canaries(&self) -> Vec<String> {
        let texts = self.0.iter().map(|(place, what)| (place, String::from_utf8_lossy(what)));
        texts
            .flat_map(|(place, text)| {
                let lines = text.lines().filter(|line| line.contains(CANARY));
                lines.map(|line| format!("{place}: {}", line.chars().take(500).collect::<String>())).collect::<Vec<_>>()
            })
            .collect()
    }
}

/// A place in which every secret setting has a canary: one half in the environment, the other in files elsewhere.
fn plant(secrets: &Path, redis: &Redis, collector: &Collector) -> Sandbox {
    let mut sandbox = Sandbox::new();
    for (place, setting) in config::settings().into_iter().filter(|setting| setting.secret).enumerate() {
        let name = &setting.name;
        let secret = match name.as_str() {
            "REDIS_URL" => format!("redis://:{}@{}", planted(name), redis.address()),
            // Base64, as the standard wants it.
            "WEBHOOK_SECRET" => format!("whsec_{}00", CANARY.repeat(5)),
            "API_KEYS" => format!("n8n={}", planted(name)),
            "TRADINGAGENTS_KEY" => planted("API_KEYS"),
            "OTEL_EXPORTER_OTLP_ENDPOINT" => with_password(&collector.url(), name),
            _ => planted(name),
        };
        if place % 2 == 0 {
            sandbox = sandbox.set(name, secret);
        } else {
            let file = secrets.join(name);
            fs::write(&file, secret).unwrap();
            sandbox = sandbox.set(&format!("{name}_FILE"), file.display());
        }
    }
    sandbox
}

async fn ready(sandbox: &Sandbox) -> (Program, Program, Service) {
    let (api, worker) = (sandbox.start(&["api"]), sandbox.start(&["worker"]));
    let service = Service::with_key(&api.url().await, &planted("API_KEYS"));
    worker.line("the worker is ready").await;
    (api, worker, service)
}

async fn no_canary_is_heard(log_format: &str) {
    let (llm, vendors) = (FakeLlm::start().await, FakeVendors::start().await);
    let mut redis = Redis::start(&["--requirepass", &planted("REDIS_URL")]).await;
    let (secrets, collector) = (tempfile::tempdir().unwrap(), Collector::start().await);
    let sandbox = plant(secrets.path(), &redis, &collector)
        .set("API_LISTEN", "127.0.0.1:0")
        .set("LOG", "trace")
        .set("LOG_FORMAT", log_format)
        .set("LLM_PROVIDER", "openai")
        .set("LLM_BACKEND_URL", llm.url())
        .set("OLLAMA_BASE_URL", with_password(&llm.url(), "OLLAMA_BASE_URL"))
        .set("VENDOR_GATEWAY", with_password(&vendors.url(), "VENDOR_GATEWAY"))
        .set("PRICE_VENDORS", "alpha_vantage,sample")
        .set("CACHE_DIR", "cache")
        .set("JOB_MAX_RETRIES", 1)
        .set("JOB_RETRY_BACKOFF", 0)
        .set("WEBHOOK_MAX_ATTEMPTS", 1)
        .set("ALLOW_PRIVATE_URLS", true);
    let (openai, fred, alpha) = (planted("OPENAI_API_KEY"), planted("FRED_API_KEY"), planted("ALPHA_VANTAGE_API_KEY"));
    let told = format!("We have detected {alpha} and something odd.");
    vendors.answers("www.alphavantage.co/query", Reply::Json(json!({ "Information": told })));
    vendors.answers("api.stlouisfed.org/fred", Reply::Json(json!({ "seriess": fred })));
    let (api, worker, service) = ready(&sandbox).await;
    let mut heard = Heard::default();

    llm.will([Trouble::Says("The key canary-openai-api-key-0123456789 was used.")]);
    assert_eq!(heard.job(&service, json!({})).await["status"], "completed");
    let echo = format!("Incorrect API key provided: {openai}. You can find yours at your account.");
    llm.will([Trouble::Status(401, json!({"error": {"message": echo, "code": "invalid_api_key"}}), "")]);
    let one_analyst = json!({"selected_analysts": ["news"]});
    let refused = heard.job(&service, one_analyst.clone()).await;
    assert!(refused["error"].as_str().unwrap().contains("Incorrect API key provided: ***"), "{refused}");
    llm.will(std::iter::repeat_n(Trouble::Status(200, json!({ "choices": openai }), ""), 2));
    assert_eq!(heard.job(&service, one_analyst.clone()).await["error_type"], "llm_error");
    llm.will(std::iter::repeat_n(Trouble::Status(500, json!({ "error": openai }), ""), 2));
    heard.job(&service, one_analyst).await;
    let priceless = heard.job(&service, json!({"data_vendors": {"core_stock_apis": "alpha_vantage"}})).await;
    assert!(priceless["error"].as_str().unwrap().contains("detected ***"), "{priceless}");
    let told =
        json!({"ticker": "AAPL", "date": "2012-09-19", "webhook_url": format!("{}/hook?token={CANARY}", llm.url())});
    let answer = service.http.post(format!("{}/jobs", service.url)).json(&told).send().await.unwrap();
    let id = answer.json::<Value>().await.unwrap()["job_id"].as_str().unwrap().to_owned();
    worker.line("the webhook failed and is given up").await;
    heard.ended(&service, &id).await;
    // Without tools all evidence is fetched first, also that of FRED.
    llm.knows_no_tools();
    let by_ollama = heard.job(&service, json!({"llm_provider": "ollama"})).await;
    assert_eq!(by_ollama["status"], "completed", "{by_ollama}");

    for path in ["/", "/jobs", "/health", "/workers", "/models", "/metrics", "/openapi.json"] {
        heard.ask(&service, path).await;
    }
    let client = Sandbox::new().set("TRADINGAGENTS_URL", &service.url).set("TRADINGAGENTS_KEY", planted("API_KEYS"));
    for (sandbox, command) in [
        (&sandbox, &["doctor"][..]),
        (&sandbox, &["analyze", "AAPL", "--date", "2012-09-19", "--analysts", "news", "--json"]),
        (&client, &["jobs", "--json"]),
    ] {
        let run = sandbox.run(command).await;
        heard.add(format!("{command:?}"), format!("{run:?}"));
    }
    redis.kill().await;
    for path in ["/jobs", "/health", "/metrics"] {
        heard.ask(&service, path).await;
    }
    for command in [&["doctor"][..], &["healthcheck", "worker"], &["openapi"]] {
        heard.add(format!("{command:?} without Redis"), format!("{:?}", sandbox.run(command).await));
    }
    heard.add("traces", format!("{:?}", collector.spans("process job", 8).await));
    heard.add("the API's log", api.lines().join("\n"));
    heard.add("the worker's log", worker.lines().join("\n"));
    heard.files(sandbox.path());

    // They were used, so they could have been heard.
    let asked = llm.requests();
    assert!(asked.iter().any(|request| format!("{:?}", request.headers.get("authorization")).contains(CANARY)));
    for place in ["www.alphavantage.co", "api.stlouisfed.org"] {
        assert!(vendors.asked(place).iter().any(|asked| asked.what.contains(CANARY)), "{place}");
    }
    assert!(heard.0.len() > 40, "{}", heard.0.len());
    let canaries = heard.canaries();
    assert!(canaries.is_empty(), "{} canaries:\n{}", canaries.len(), canaries[..canaries.len().min(20)].join("\n"));
}

#[tokio::test]
async fn no_secret_is_in_logs_for_people_nor_in_anything_else() {
    no_canary_is_heard("text").await;
}

#[tokio::test]
async fn no_secret_is_in_logs_for_programs_nor_in_anything_else() {
    no_canary_is_heard("json").await;
}
