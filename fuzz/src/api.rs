//! Requests to the API: a line with method and path, lines of headers, an empty line, and the body. Whatever comes, it is no
//! bug, and what is refused is told in a problem document. No job is stored, for none may be pending.

use std::{
    sync::{Arc, LazyLock},
    time::Duration,
};

use super::RUNTIME;
use axum::{
    Router,
    body::{Body, to_bytes},
    http::{Request, header},
};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;
use tradingagents::{
    api::{self, Api},
    config,
    jobs::{EmbeddedStore, Queue, RetryPolicy},
    results::Results,
};

const MINUTE: Duration = Duration::from_mins(1);

static FOLDER: LazyLock<TempDir> = LazyLock::new(|| tempfile::tempdir().expect("there is a folder"));
static ROUTER: LazyLock<Router> = LazyLock::new(|| {
    let results = FOLDER.path().join("results").display().to_string();
    let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".to_owned();
    let set = [("RESULTS_DIR".to_owned(), results), ("WEBHOOK_SECRET".to_owned(), secret)];
    let config = config::load(set).expect("they are settings");
    let store = EmbeddedStore::open(&FOLDER.path().join("jobs.redb"), MINUTE, MINUTE).expect("a store opens");
    let retries = RetryPolicy { max_retries: 0, base: MINUTE, max: MINUTE };
    let queue = Queue::new(Arc::new(store), retries).with_most_pending(0);
    let results = Results::new(&config).expect("it is a folder");
    api::router(Api::new(queue, results, Arc::new(config), CancellationToken::new()))
});

pub fn run(data: &[u8]) {
    let Some(request) = request(data) else { return };
    let _inside = RUNTIME.enter();
    RUNTIME.block_on(async {
        let answer = ROUTER.clone().oneshot(request).await.expect("it always answers");
        let status = answer.status().as_u16();
        assert_ne!(status, 500);
        let kind = answer.headers().get(header::CONTENT_TYPE).cloned();
        if kind.as_ref().is_some_and(|kind| kind == "text/event-stream") {
            return;
        }
        let body = to_bytes(answer.into_body(), usize::MAX).await.expect("it comes whole");
        if status >= 400
            && kind.is_some_and(|kind| kind == "application/problem+json")
            && !body.is_empty()
            && body[0] == b'{'
        {
            let problem: serde_json::Value = serde_json::from_slice(&body).expect("a problem is JSON");
            assert_eq!(problem["status"], status);
        }
    });
}

fn request(data: &[u8]) -> Option<Request<Body>> {
    let end = data.windows(2).position(|pair| pair == b"\n\n");
    let (head, body) = end.map_or((data, &[][..]), |end| (&data[..end], &data[end + 2..]));
    let mut lines = head.split(|byte| *byte == b'\n');
    let first = lines.next()?;
    let blank = first.iter().position(|byte| *byte == b' ')?;
    let named = lines.filter_map(|line| {
        let colon = line.iter().position(|byte| *byte == b':')?;
        Some((&line[..colon], line[colon + 1..].trim_ascii()))
    });
    let request = Request::builder().method(&first[..blank]).uri(&first[blank + 1..]);
    let request = named.fold(request, |request, (name, value)| request.header(name, value));
    request.body(Body::from(body.to_vec())).ok()
}
