//! All vendors of market data at the wire: one server in their place, reached through the program's gateway setting. It
//! knows each by its host, and answers what a test tells it to.

use std::{
    collections::{BTreeMap, VecDeque},
    io::Write,
    sync::{Arc, Mutex},
};

use axum::{
    Json, Router,
    body::{Body, Bytes},
    extract::{Request, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use flate2::{Compression, write::GzEncoder};
use futures_util::stream;
use serde_json::Value;
use tokio::{sync::watch, time::timeout};

use super::{program::PATIENCE, server::Server};

/// A running fake. It ends when dropped.
pub struct FakeVendors {
    server: Server,
    state: Arc<Script>,
}

#[derive(Default)]
struct Script {
    /// Answers by the beginning of host and path.
    answers: Mutex<BTreeMap<String, Reply>>,
    /// What the next requests get before the answer.
    troubles: Mutex<BTreeMap<String, VecDeque<Reply>>>,
    requests: watch::Sender<Vec<Asked>>,
    closed: watch::Sender<bool>,
}

/// A request that came.
#[derive(Debug, Clone)]
pub struct Asked {
    /// `host/path?query`.
    pub what: String,
    pub headers: HeaderMap,
}

/// What it answers.
#[derive(Debug, Clone)]
pub enum Reply {
    Json(Value),
    Text(String),
    /// JSON in gzip, which is how some vendors want to be asked.
    Packed(Value),
    Status(u16, &'static str),
    /// 429 with this Retry-After; none if empty.
    Limited(&'static str),
    /// The connection breaks in the middle of the answer.
    Cut,
    /// No answer at all.
    Silence,
}

impl Reply {
    /// The same JSON in gzip.
    pub fn packed(self) -> Self {
        let Self::Json(body) = self else { panic!("{self:?} is no JSON") };
        Self::Packed(body)
    }
}

impl FakeVendors {
    pub async fn start() -> Self {
        let state = Arc::<Script>::default();
        let routes = Router::new().fallback(answer).with_state(state.clone());
        Self { server: Server::start(routes).await, state }
    }

    pub fn url(&self) -> String {
        self.server.url()
    }

    /// What whoever asks for a place that begins so gets from now on.
    pub fn answers(&self, place: &str, reply: Reply) -> &Self {
        self.state.answers.lock().unwrap().insert(place.into(), reply);
        self
    }

    /// What the next requests to the place get before that.
    pub fn will(&self, place: &str, replies: impl IntoIterator<Item = Reply>) -> &Self {
        self.state.troubles.lock().unwrap().entry(place.into()).or_default().extend(replies);
        self
    }

    /// Lets everybody wait until it opens.
    pub fn closes(&self) {
        self.state.closed.send_replace(true);
    }

    pub fn opens(&self) {
        self.state.closed.send_replace(false);
    }

    /// Waits until so many requests came to the place.
    pub async fn was_asked(&self, place: &str, count: usize) {
        let mut requests = self.state.requests.subscribe();
        let enough =
            |requests: &Vec<Asked>| requests.iter().filter(|asked| asked.what.starts_with(place)).count() >= count;
        let asked = timeout(PATIENCE, requests.wait_for(enough)).await;
        asked.unwrap_or_else(|_| panic!("only {:?}", self.asked(place))).unwrap();
    }

    /// The requests that came to the place.
    pub fn asked(&self, place: &str) -> Vec<Asked> {
        self.state.requests.borrow().iter().filter(|asked| asked.what.starts_with(place)).cloned().collect()
    }
}

async fn answer(State(script): State<Arc<Script>>, request: Request) -> Response {
    let what = request.uri().to_string().trim_start_matches('/').to_owned();
    script
        .requests
        .send_modify(|requests| requests.push(Asked { what: what.clone(), headers: request.headers().clone() }));
    script.closed.subscribe().wait_for(|closed| !closed).await.unwrap();
    let trouble = {
        let mut troubles = script.troubles.lock().unwrap();
        troubles.iter_mut().find(|(place, _)| what.starts_with(*place)).and_then(|(_, queue)| queue.pop_front())
    };
    let known = || {
        let answers = script.answers.lock().unwrap();
        // The longest place is the one that is meant.
        let meant = answers.iter().filter(|(place, _)| what.starts_with(*place)).max_by_key(|(place, _)| place.len());
        meant.map(|(_, reply)| reply.clone())
    };
    match trouble.or_else(known).unwrap_or(Reply::Status(404, "nothing is here")) {
        Reply::Json(body) => Json(body).into_response(),
        Reply::Text(body) => body.into_response(),
        Reply::Packed(body) => {
            assert_eq!(request.headers()["accept-encoding"], "gzip");
            let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
            packed.write_all(body.to_string().as_bytes()).unwrap();
            ([("content-encoding", "gzip")], packed.finish().unwrap()).into_response()
        }
        Reply::Status(status, body) => (StatusCode::from_u16(status).unwrap(), body).into_response(),
        Reply::Limited("") => StatusCode::TOO_MANY_REQUESTS.into_response(),
        Reply::Limited(wait) => (StatusCode::TOO_MANY_REQUESTS, [("retry-after", wait)]).into_response(),
        Reply::Cut => {
            let chunks = [Ok(Bytes::from_static(b"{\"ch")), Err(std::io::Error::other("cut"))];
            Body::from_stream(stream::iter(chunks)).into_response()
        }
        Reply::Silence => std::future::pending().await,
    }
}
