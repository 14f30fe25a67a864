//! A receiver of webhooks at the wire, which checks signatures with the standard's own library.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::post,
};
use serde_json::Value;
use standardwebhooks::Webhook;
use tokio::{sync::watch, time::timeout};

use super::{program::PATIENCE, server::Server};

/// The secret that the receiver shares with the service.
pub const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// A running receiver. It ends when dropped.
pub struct Receiver {
    server: Server,
    state: Arc<Script>,
}

struct Script {
    received: watch::Sender<Vec<Received>>,
    answers: Mutex<VecDeque<Answer>>,
}

/// A message as it came.
#[derive(Debug, Clone)]
pub struct Received {
    pub headers: HeaderMap,
    pub body: Bytes,
}

/// What a message is answered with; 204 when nothing else is said.
#[derive(Debug, Clone)]
pub enum Answer {
    Status(u16),
    /// 302 to this place.
    Elsewhere(String),
    /// None ever.
    Silence,
}

impl Receiver {
    pub async fn start() -> Self {
        Self::start_at(0).await
    }

    /// Starts one on this port of the loopback.
    pub async fn start_at(port: u16) -> Self {
        let state = Arc::new(Script { received: watch::Sender::default(), answers: Mutex::default() });
        let routes = Router::new().route("/{*path}", post(receive)).with_state(state.clone());
        Self { server: Server::start_at(port, routes).await, state }
    }

    pub fn url(&self) -> String {
        format!("{}/hook?token=canary", self.server.url())
    }

    /// What the next messages are answered with.
    pub fn answers(&self, answers: impl IntoIterator<Item = Answer>) {
        self.state.answers.lock().unwrap().extend(answers);
    }

    /// The messages, once there are so many.
    pub async fn received(&self, count: usize) -> Vec<Received> {
        let mut received = self.state.received.subscribe();
        let enough = received.wait_for(|received| received.len() >= count);
        let received = timeout(PATIENCE, enough).await.unwrap_or_else(|_| panic!("{count} messages do not come"));
        received.unwrap().clone()
    }

    /// How many messages came until now.
    pub fn count(&self) -> usize {
        self.state.received.borrow().len()
    }
}

impl Received {
    pub fn header(&self, name: &str) -> &str {
        self.headers[name].to_str().unwrap()
    }

    /// What it says, once its signature is found to be right.
    pub fn verified(&self) -> Value {
        Webhook::new(SECRET).unwrap().verify(&self.body, &self.headers).unwrap();
        serde_json::from_slice(&self.body).unwrap()
    }
}

async fn receive(State(script): State<Arc<Script>>, headers: HeaderMap, body: Bytes) -> Response {
    let answer = script.answers.lock().unwrap().pop_front();
    script.received.send_modify(|received| received.push(Received { headers, body }));
    match answer {
        None => StatusCode::NO_CONTENT.into_response(),
        Some(Answer::Status(status)) => StatusCode::from_u16(status).unwrap().into_response(),
        Some(Answer::Elsewhere(url)) => (StatusCode::FOUND, [(header::LOCATION, url)]).into_response(),
        Some(Answer::Silence) => std::future::pending().await,
    }
}
