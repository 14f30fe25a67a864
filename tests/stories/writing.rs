//! What models are writing, as clients of a service see it: the event stream, `watch`, and the page of a job. The story
//! itself is the worker, so that it says when a model writes.

use std::{sync::Arc, time::Duration};

use futures_util::StreamExt;
use reqwest::header;
use serde_json::{Value, json};
use tokio::time::{sleep, timeout};
use tradingagents::{
    domain::Agent,
    jobs::{Draft, EventKind, Lease, Store},
};

use crate::{
    store::stage,
    support::{
        llm::{FakeLlm, Trouble},
        program::{PATIENCE, Program, Sandbox},
        redis::Redis,
        service::Service,
    },
};

const TEXT: &str = "I propose to buy\n<b>\"now\"</b>";

/// An API, and a job of it that the story works on.
struct Desk {
    service: Service,
    commands: Sandbox,
    store: Arc<dyn Store>,
    lease: Lease,
    id: String,
    _api: Program,
    _redis: Redis,
}

impl Desk {
    async fn start() -> Self {
        let redis = Redis::start(&[]).await;
        let api = Sandbox::new().set("REDIS_URL", redis.url()).set("API_LISTEN", "127.0.0.1:0").start(&["api"]);
        let service = Service::at(&api.url().await);
        let commands = Sandbox::new().set("TRADINGAGENTS_URL", &service.url);
        let id = service.submit("AAPL", "2012-09-19", json!({})).await;
        let store = stage::open(&redis, stage::LONG, stage::LONG).await;
        let lease = stage::claim(&*store).await.lease();
        stage::record(&*store, &lease, vec![EventKind::StepStarted { agent: Agent::Trader }]).await;
        Self { service, commands, store, lease, id, _api: api, _redis: redis }
    }

    /// Writes on and on, until this is done.
    async fn write_until<T>(&self, done: impl Future<Output = T>) -> T {
        let writing = async {
            loop {
                self.store.publish(&self.lease, &Draft::new(Agent::Trader, TEXT, 1234)).await.unwrap();
                sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::select! {
            done = done => done,
            () = writing => unreachable!("it does not end"),
        }
    }

    async fn complete(&self) {
        stage::apply(&*self.store, &stage::completion(&self.lease)).await;
    }

    async fn stream(&self, path: &str, last: Option<&str>) -> Stream {
        Stream::open(&self.service, path, last).await
    }
}

struct Stream {
    chunks: std::pin::Pin<Box<dyn futures_util::Stream<Item = reqwest::Result<axum::body::Bytes>>>>,
    text: String,
}

impl Stream {
    /// A stream of events, as it comes.
    async fn open(service: &Service, path: &str, last: Option<&str>) -> Self {
        let mut asked = service.http.get(format!("{}{path}", service.url));
        if let Some(last) = last {
            asked = asked.header("last-event-id", last);
        }
        let answer = asked.header(header::ACCEPT, "text/event-stream").send().await.unwrap();
        Self { chunks: Box::pin(answer.bytes_stream()), text: String::new() }
    }

    /// Reads on until the stream has this text, or to its end.
    async fn read(&mut self, until: &str) {
        let read = async {
            while !self.text.contains(until) {
                let Some(chunk) = self.chunks.next().await else { return };
                self.text.push_str(std::str::from_utf8(&chunk.unwrap()).unwrap());
            }
        };
        timeout(PATIENCE, read).await.unwrap_or_else(|_| panic!("no {until:?} in:\n{}", self.text));
    }

    /// The kinds and ids of the events, in their order; a kind that comes again and again is named once.
    fn kinds(&self) -> Vec<(String, Option<String>)> {
        let field = |block: &str, name: &str| {
            block.lines().find_map(|line| line.strip_prefix(name)).map(|value| value.trim().to_owned())
        };
        let blocks = self.text.split("\n\n").filter(|block| block.contains("event:"));
        let mut kinds: Vec<_> = blocks.map(|block| (field(block, "event:").unwrap(), field(block, "id:"))).collect();
        kinds.dedup();
        kinds
    }
}

#[tokio::test]
async fn an_event_stream_has_what_a_model_writes_without_an_id() {
    let desk = Desk::start().await;
    let path = format!("/jobs/{}/events", desk.id);
    let mut stream = desk.stream(&path, None).await;
    desk.write_until(stream.read("1234}}\n\n")).await;
    let data = stream.text.split("event: writing\ndata: ").nth(1).unwrap().lines().next().unwrap();
    let expected = json!({
        "type": "writing",
        "job_id": desk.id,
        "data": {"agent": "trader", "text": TEXT, "characters": 1234},
    });
    assert_eq!(serde_json::from_str::<Value>(data).unwrap(), expected);

    desk.complete().await;
    stream.read("event: completed\n").await;
    let kinds = stream.kinds();
    let names: Vec<_> = kinds.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["submitted", "claimed", "step_started", "writing", "completed"]);
    for (name, id) in &kinds {
        assert_eq!(id.is_none(), name == "writing", "{kinds:?}");
    }

    let started = kinds[2].1.as_deref();
    let mut resumed = desk.stream(&path, started).await;
    resumed.read("the end of the stream").await;
    assert_eq!(resumed.kinds(), kinds[4..]);
}

#[tokio::test]
async fn the_stream_of_all_jobs_has_no_drafts() {
    let desk = Desk::start().await;
    let mut all = desk.stream("/events", None).await;
    let mut job = desk.stream(&format!("/jobs/{}/events", desk.id), None).await;
    desk.write_until(job.read("event: writing\n")).await;
    desk.complete().await;
    all.read("event: completed\n").await;
    assert!(!all.text.contains("writing"), "{}", all.text);
}

#[tokio::test]
async fn watch_passes_on_what_a_model_writes_as_json_and_prints_none_of_it_as_lines() {
    let desk = Desk::start().await;
    let mut plain = desk.commands.start(&["watch", &desk.id]);
    plain.line("Trader begins").await;
    let mut json = desk.commands.start(&["watch", &desk.id, "--json"]);
    let line = desk.write_until(json.line("\"writing\"")).await;
    let writing: Value = serde_json::from_str(&line).unwrap();
    assert_eq!(writing["data"], json!({"agent": "trader", "text": TEXT, "characters": 1234}));
    desk.complete().await;
    assert_eq!((json.ended().await, plain.ended().await), (Some(0), Some(0)));
    plain.line("BUY").await;
    let told = plain.lines().join("\n");
    assert!(!told.contains("propose") && !told.contains("1,234"), "{told}");
}

#[tokio::test]
async fn what_a_model_streams_is_seen_by_listeners_before_its_response_ends() {
    let (llm, redis) = (FakeLlm::start().await, Redis::start(&[]).await);
    llm.will([Trouble::Pauses("<think>Hm.</think>The trend holds, so far.")]);
    let sandbox = Sandbox::new()
        .set("REDIS_URL", redis.url())
        .set("API_LISTEN", "127.0.0.1:0")
        .set("LLM_PROVIDER", "openai_compatible")
        .set("LLM_BACKEND_URL", format!("{}/v1", llm.url()))
        .set("DEEP_THINK_LLM", "deep")
        .set("QUICK_THINK_LLM", "quick");
    let (api, _worker) = (sandbox.start(&["api"]), sandbox.start(&["worker"]));
    let service = Service::at(&api.url().await);
    let id = service.submit("AAPL", "2012-09-19", json!({"selected_analysts": ["news"]})).await;
    let mut stream = Stream::open(&service, &format!("/jobs/{id}/events"), None).await;
    stream.read("The trend holds, so far.").await;
    assert!(!stream.text.contains("Hm."), "reasoning is not shown: {}", stream.text);
    assert!(!stream.text.contains("model_answered"), "{}", stream.text);
    llm.goes_on();
    stream.read("event: completed\n").await;
    let report = service.get(&format!("/jobs/{id}/result")).await.1["reports"]["news"].to_string();
    assert!(report.contains("The trend holds, so far. That is all."), "{report}");
}

#[tokio::test]
async fn the_page_of_a_job_has_a_place_for_the_words_of_those_who_work() {
    let desk = Desk::start().await;
    let page = format!("{}/dashboard/jobs/{}", desk.service.url, desk.id);
    let page = desk.service.http.get(page).send().await.unwrap().text().await.unwrap();
    let place = "<div class=\"draft\" aria-live=\"off\">";
    assert_eq!(page.matches(place).count(), 1, "{page}");
    let (_, after) = page.split_once("data-agent=\"Trader\" data-state=\"working\"").unwrap();
    assert!(after.split("data-agent=").next().unwrap().contains(place), "{page}");
    let script = desk.service.http.get(format!("{}/dashboard/script.js", desk.service.url)).send().await.unwrap();
    assert!(!script.text().await.unwrap().contains("innerHTML"), "words of models are set as text");
}
