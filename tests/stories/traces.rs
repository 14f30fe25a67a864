//! Where the time of a job went, as a collector is told: one trace from the client's request to each call of a model.

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::support::{
    collector::{Collector, Span},
    llm::{FakeLlm, Trouble},
    program::Sandbox,
    redis::Redis,
    service::Service,
};

/// The trace of a client, and its span.
const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const CLIENT: &str = "00f067aa0ba902b7";

/// All that is said of spans: names, counts and kinds, and nothing that somebody wrote.
const ATTRIBUTES: [&str; 17] = [
    "error.type",
    "gen_ai.agent.name",
    "gen_ai.operation.name",
    "gen_ai.provider.name",
    "gen_ai.request.model",
    "gen_ai.response.finish_reasons",
    "gen_ai.tool.name",
    "gen_ai.usage.cache_read.input_tokens",
    "gen_ai.usage.input_tokens",
    "gen_ai.usage.output_tokens",
    "http.request.method",
    "http.response.status_code",
    "http.route",
    "messaging.message.id",
    "messaging.operation.type",
    "server.address",
    "tradingagents.attempt",
];

async fn submit(service: &Service) -> String {
    let body = json!({"ticker": "AAPL", "date": "2012-09-19", "config": {"selected_analysts": ["news"]}});
    let request = service.http.post(format!("{}/jobs", service.url)).json(&body);
    let answer = request.header("traceparent", format!("00-{TRACE}-{CLIENT}-01")).send().await.unwrap();
    answer.json::<Value>().await.unwrap()["job_id"].as_str().unwrap().to_owned()
}

/// Those of a name that are part of the client's trace.
fn named<'a>(spans: &'a [Span], name: &str) -> Vec<&'a Span> {
    spans.iter().filter(|span| span.name == name && span.trace == TRACE).collect()
}

/// The names from a span up to the client's.
fn ancestors<'a>(spans: &'a [Span], span: &'a Span) -> Vec<&'a str> {
    let parent = spans.iter().find(|other| other.id == span.parent);
    match parent {
        Some(parent) => [vec![&*span.name], ancestors(spans, parent)].concat(),
        None => vec![&span.name, &span.parent],
    }
}

#[tokio::test]
async fn one_trace_leads_from_the_clients_request_through_both_attempts_to_the_models() {
    let (collector, llm, redis) = (Collector::start().await, FakeLlm::start().await, Redis::start(&[]).await);
    let sandbox = Sandbox::new()
        .set("REDIS_URL", redis.url())
        .set("API_LISTEN", "127.0.0.1:0")
        .set("OLLAMA_BASE_URL", llm.url())
        .set("JOB_RETRY_BACKOFF", 0)
        .set("LOG_FORMAT", "json")
        .set("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url())
        .set("OTEL_SERVICE_NAME", "trading")
        .set("OTEL_BSP_SCHEDULE_DELAY", 50);
    let (api, worker) = (sandbox.start(&["api"]), sandbox.start(&["worker"]));
    let service = Service::at(&api.url().await);
    llm.will(std::iter::repeat_n(Trouble::Status(503, json!({"error": "busy"}), ""), 3));
    let id = submit(&service).await;
    let job = service.ended(&id).await;
    assert_eq!((&job["status"], &job["attempt"]), (&json!("completed"), &json!(2)), "{job}");

    let spans = collector.spans("process job", 2).await;
    let [request] = named(&spans, "POST /jobs")[..] else { panic!("{spans:#?}") };
    assert_eq!((request.parent.as_str(), request.service.as_str()), (CLIENT, "trading"));
    assert_eq!(request.attributes["http.response.status_code"], "202");
    let mut attempts = named(&spans, "process job");
    attempts.sort_by_key(|span| &span.attributes["tradingagents.attempt"]);
    let outcomes: Vec<_> = attempts.iter().map(|span| &*span.attributes["tradingagents.outcome"]).collect();
    assert_eq!(outcomes, ["retried", "completed"]);
    assert_eq!(attempts[0].attributes["error.type"], "llm_error");
    assert!(attempts.iter().all(|span| span.parent == request.id && span.attributes["messaging.message.id"] == id));

    let calls = named(&spans, "chat qwen3:8b");
    let (failed, answered): (Vec<&Span>, Vec<&Span>) =
        calls.iter().partition(|call| call.attributes.contains_key("error.type"));
    assert!(failed.len() == 3 && failed.iter().all(|call| call.attributes["error.type"] == "server_error"));
    assert!(answered.iter().all(|call| call.attributes["gen_ai.usage.output_tokens"] == "10"), "{answered:#?}");
    for call in &calls {
        let ancestors = ancestors(&spans, call);
        let [_, agent, "process job", "POST /jobs", CLIENT] = ancestors[..] else { panic!("{ancestors:?}") };
        assert!(agent.starts_with("invoke_agent "), "{agent}");
        assert_eq!(call.attributes["gen_ai.provider.name"], "ollama");
    }
    for span in &spans {
        let known = |name: &&String| ATTRIBUTES.contains(&name.as_str()) || *name == "tradingagents.outcome";
        assert!(span.attributes.keys().all(|name| known(&name)), "{span:#?}");
    }

    let line: Value = serde_json::from_str(&worker.line("\"completed\"").await).unwrap();
    let told = &line["span"];
    assert_eq!(
        (&told["job.id"], &told["attempt"], &told["trace_id"]),
        (&json!(id), &json!(2), &json!(TRACE)),
        "{line}"
    );
}

#[tokio::test]
async fn the_embedded_store_keeps_the_trace_and_the_same_submission_may_come_with_another() {
    let collector = Collector::start().await;
    let sandbox = Sandbox::new().set("API_LISTEN", "127.0.0.1:0").set("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url());
    let mut serve = sandbox.start(&["serve", "--offline"]);
    let service = Service::at(&serve.url().await);
    let body = json!({"ticker": "AAPL", "date": "2012-09-19"});
    let mut ids = Vec::new();
    for span in [CLIENT, "00f067aa0ba902b8"] {
        let request = service.http.post(format!("{}/jobs", service.url)).json(&body).header("idempotency-key", "one");
        let answer = request.header("traceparent", format!("00-{TRACE}-{span}-01")).send().await.unwrap();
        ids.push(answer.json::<Value>().await.unwrap()["job_id"].clone());
    }
    assert_eq!(ids[0], ids[1]);
    service.ended(ids[0].as_str().unwrap()).await;
    // What is not sent yet is sent at the end.
    serve.signal(Signal::TERM);
    assert_eq!(serve.ended().await, Some(0));
    let spans = collector.spans("process job", 1).await;
    let [attempt] = named(&spans, "process job")[..] else { panic!("{spans:#?}") };
    assert_eq!(ancestors(&spans, attempt), ["process job", "POST /jobs", CLIENT]);
}

#[tokio::test]
async fn a_collector_that_is_away_is_told_of_once_and_holds_up_nothing() {
    let sandbox = Sandbox::new()
        .set("API_LISTEN", "127.0.0.1:0")
        .set("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
        .set("OTEL_BSP_SCHEDULE_DELAY", 10);
    let mut serve = sandbox.start(&["serve", "--offline"]);
    let service = Service::at(&serve.url().await);
    let first = submit(&service).await;
    assert_eq!(service.ended(&first).await["status"], "completed");
    serve.line("the collector takes no traces").await;
    let second = submit(&service).await;
    assert_eq!(service.ended(&second).await["status"], "completed");
    serve.signal(Signal::TERM);
    assert_eq!(serve.ended().await, Some(0));
    let told = serve.lines().iter().filter(|line| line.contains("the collector takes no traces")).count();
    assert_eq!(told, 1);
}
