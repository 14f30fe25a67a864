//! A running service, as a program talks to it.

use std::time::Duration;

use futures_util::StreamExt;
use reqwest::header;
use serde_json::{Value, json};
use tokio::time::{sleep, timeout};

use super::program::PATIENCE;

/// A client of the API.
pub struct Service {
    pub url: String,
    pub http: reqwest::Client,
}

impl Service {
    pub fn at(url: &str) -> Self {
        tradingagents::http_client::install_tls();
        Self { url: url.into(), http: reqwest::Client::new() }
    }

    /// A client that shows a key.
    pub fn with_key(url: &str, key: &str) -> Self {
        let mut value = header::HeaderValue::try_from(format!("Bearer {key}")).unwrap();
        value.set_sensitive(true);
        let headers = [(header::AUTHORIZATION, value)].into_iter().collect();
        let stranger = Self::at(url);
        Self { http: reqwest::Client::builder().default_headers(headers).build().unwrap(), ..stranger }
    }

    /// Submits a job and returns its id.
    pub async fn submit(&self, ticker: &str, date: &str, config: Value) -> String {
        let body = json!({"ticker": ticker, "date": date, "config": config});
        let answer = self.http.post(format!("{}/jobs", self.url)).json(&body).send().await.unwrap();
        assert_eq!(answer.status(), 202, "{}", answer.text().await.unwrap());
        answer.json::<Value>().await.unwrap()["job_id"].as_str().unwrap().to_owned()
    }

    /// The answer to a GET: code and JSON body.
    pub async fn get(&self, path: &str) -> (u16, Value) {
        let answer = self.http.get(format!("{}{path}", self.url)).send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap())
    }

    /// The answer to a GET, asked again until it has this status.
    pub async fn until(&self, path: &str, status: u16) -> Value {
        let asked = async {
            loop {
                let (code, body) = self.get(path).await;
                if code == status {
                    return body;
                }
                sleep(Duration::from_millis(20)).await;
            }
        };
        timeout(PATIENCE, asked).await.unwrap_or_else(|_| panic!("{path} is never answered {status}"))
    }

    /// The job's state.
    pub async fn job(&self, id: &str) -> Value {
        self.get(&format!("/jobs/{id}")).await.1
    }

    /// All stored events of a job from its first to its last, once it has ended.
    pub async fn events(&self, id: &str) -> Vec<Value> {
        self.events_until(id, |_| false).await
    }

    /// The stored events of a job up to the first that `stop` picks, or to its last.
    pub async fn events_until(&self, id: &str, stop: impl Fn(&Value) -> bool) -> Vec<Value> {
        let read = async {
            let stream = self.http.get(format!("{}/jobs/{id}/events", self.url)).send().await.unwrap().bytes_stream();
            let mut stream = Box::pin(stream);
            let (mut buffer, mut events) = (Vec::new(), Vec::new());
            while let Some(chunk) = stream.next().await {
                buffer.extend_from_slice(&chunk.unwrap());
                while let Some(end) = buffer.iter().position(|byte| *byte == b'\n') {
                    let line: Vec<u8> = buffer.drain(..=end).collect();
                    let Some(data) = line.strip_prefix(b"data:") else { continue };
                    let event: Value = serde_json::from_slice(data).unwrap();
                    if event["type"] == "writing" {
                        continue;
                    }
                    let stopped = stop(&event);
                    events.push(event);
                    if stopped {
                        return events;
                    }
                }
            }
            events
        };
        timeout(PATIENCE, read).await.unwrap_or_else(|_| panic!("job {id} does not get there"))
    }

    /// The state of a job once it has ended.
    pub async fn ended(&self, id: &str) -> Value {
        self.events(id).await;
        self.job(id).await
    }
}
