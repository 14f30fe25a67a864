//! What the hot paths run in: the API's router on a real Redis, all of it in one thread, so that one thread's instructions
//! are all that a request costs the program.

use std::{
    net::{TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    sync::Arc,
    thread::sleep,
    time::Duration,
};

use axum::{
    Router,
    body::{Body, Bytes, to_bytes},
    http::{Method, Request, header::CONTENT_TYPE},
};
use serde_json::Value;
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;
use tradingagents::{
    api::{self, Api},
    config,
    jobs::{Queue, RedisStore, RetryPolicy, Store},
    results::Results,
};

const HOUR: Duration = Duration::from_hours(1);

/// A running API, but for its socket. Its Redis is killed when it is dropped.
pub struct Service {
    pub runtime: Runtime,
    pub store: Arc<dyn Store>,
    router: Router,
    redis: Child,
    _folder: TempDir,
}

impl Service {
    pub fn start() -> Self {
        let folder = tempfile::tempdir().expect("there is a folder");
        let (redis, url) = redis(&folder);
        let runtime = runtime();
        let inside = runtime.enter();
        let store = RedisStore::connect(url.as_str(), HOUR, HOUR).expect("it is a URL");
        let store: Arc<dyn Store> = Arc::new(store);
        runtime.block_on(store.last_event()).expect("Redis answers");
        let router = router(store.clone(), &folder);
        drop(inside);
        Self { runtime, store, router, redis, _folder: folder }
    }

    /// The answer to a question for this path.
    pub async fn get(&self, path: &str) -> Bytes {
        self.ask(Method::GET, path, Body::empty()).await
    }

    async fn ask(&self, method: Method, path: &str, body: impl Into<Body>) -> Bytes {
        let request = Request::builder().method(method).uri(path).header(CONTENT_TYPE, "application/json");
        let request = request.body(body.into()).expect("it is a request");
        let answer = self.router.clone().oneshot(request).await.expect("it always answers");
        assert!(answer.status().is_success(), "{path}: {}", answer.status());
        to_bytes(answer.into_body(), usize::MAX).await.expect("it comes whole")
    }

    /// Submits a job; returns its id.
    pub async fn submit(&self) -> String {
        let answer = self.ask(Method::POST, "/jobs", r#"{"ticker":"AAPL","date":"2012-09-19"}"#).await;
        let job: Value = serde_json::from_slice(&answer).expect("it is JSON");
        job["job_id"].as_str().expect("it has an id").to_owned()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.redis.kill().expect("it still runs");
        self.redis.wait().expect("it is a child");
    }
}

/// All goes on in the thread that asks.
pub fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().expect("a runtime starts")
}

fn router(store: Arc<dyn Store>, folder: &TempDir) -> Router {
    let results = folder.path().join("results").display().to_string();
    let config = config::load([("RESULTS_DIR".to_owned(), results)]).expect("it is a setting");
    let queue = Queue::new(store, RetryPolicy { max_retries: 0, base: HOUR, max: HOUR });
    let results = Results::new(&config).expect("it is a folder");
    api::router(Api::new(queue, results, Arc::new(config), CancellationToken::new()))
}

/// A Redis that keeps nothing on disk, and its URL.
fn redis(folder: &TempDir) -> (Child, String) {
    let port = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a port is free").port();
    let redis = Command::new("redis-server")
        .args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"])
        .current_dir(folder.path())
        .stdout(Stdio::null())
        .spawn()
        .expect("redis-server is installed");
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        sleep(Duration::from_millis(10));
    }
    (redis, format!("redis://127.0.0.1:{port}"))
}
