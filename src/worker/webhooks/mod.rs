//! Webhooks: tells the ends of jobs to the URLs that their clients named, by Standard Webhooks
//! (<https://www.standardwebhooks.com>).
//!
//! The messages wait in the queue. Each worker claims what is due, so many at once; a message whose worker dies in the
//! middle is due again when its claim is over. What fails is tried again with backoff, until it is given up.

mod signature;
mod under_way;

use std::{sync::Arc, time::Duration};

use chrono::Utc;
use reqwest::{Client, StatusCode, header};
use signature::signatures;
use tokio::time::sleep;
use tracing::{debug, info, warn};
use under_way::UnderWay;
use url::Url;

use crate::{
    config::{Config, WebhookSecrets},
    egress::{OutOfReach, Reach},
    http_client::{PROGRAM, root_cause},
    jobs::{Attempted, Delivery, Queue, RetryPolicy, WebhookUrl},
    metrics::METRICS,
    telemetry::{Span, SpanKind},
};

/// How often due messages are looked for.
const PERIOD: Duration = Duration::from_secs(1);

/// How much longer than an attempt may take its claim holds: for what is to be written after it.
const SLACK: Duration = Duration::from_secs(15);

/// The longest wait between two attempts.
const LONGEST_WAIT: Duration = Duration::from_hours(6);

/// The most of an error that a job shows, characters.
const MAX_ERROR: usize = 200;

/// How messages are signed and sent.
#[derive(Debug, Clone)]
pub struct Sender {
    secrets: WebhookSecrets,
    /// How far the URLs of clients may lead.
    reach: Reach,
    /// For a whole attempt.
    timeout: Duration,
    retries: RetryPolicy,
}

/// Why an attempt failed.
enum Trouble {
    /// Another one may succeed.
    Passing(String),
    /// None will.
    Lasting(String),
}

/// Delivers messages, for as long as it is polled. Those under way are then cut off, and are due again.
pub async fn deliver(queue: Queue, sender: Sender) {
    if sender.secrets.is_empty() {
        // Whoever has a secret delivers them.
        return;
    }
    let sender = Arc::new(sender);
    let mut under_way = UnderWay::default();
    loop {
        if under_way.has_room() {
            match queue.claim_delivery(sender.timeout + SLACK, &under_way.busy()).await {
                Ok(Some(delivery)) => {
                    let receiver = delivery.receiver().unwrap_or_default().to_owned();
                    under_way.begin(receiver, attempt(queue.clone(), sender.clone(), delivery));
                    continue;
                }
                Ok(None) => {}
                Err(error) => debug!(%error, "webhooks have to wait"),
            }
        }
        tokio::select! {
            () = sleep(PERIOD) => {}
            () = under_way.one_ended() => {}
        }
    }
}

/// One attempt, and what becomes of it.
async fn attempt(queue: Queue, sender: Arc<Sender>, delivery: Delivery) {
    let attempted = sender.conclude(&delivery, sent(&sender, &delivery).await);
    let (job, attempt) = (delivery.job, delivery.attempt);
    METRICS.webhook_attempt(attempted.outcome());
    match &attempted {
        Attempted::Delivered => info!(job.id = %job, attempt, "the webhook is delivered"),
        Attempted::Retry { error, delay } => {
            warn!(job.id = %job, attempt, error, retry_in_s = delay.as_secs_f64(), "the webhook failed; another attempt follows");
        }
        Attempted::Failed { error } => warn!(job.id = %job, attempt, error, "the webhook failed and is given up"),
    }
    if let Err(error) = queue.conclude_delivery(&delivery, &attempted).await {
        warn!(job.id = %job, %error, "what became of a webhook can't be written; it is sent again");
    }
}

/// Sends a message, as part of the trace of the job's submission.
async fn sent(sender: &Sender, delivery: &Delivery) -> Result<(), Trouble> {
    let trace = Span::follow(delivery.request.trace, SpanKind::Client, || "send webhook");
    trace.set("messaging.message.id", delivery.id());
    let sent = trace.around(sender.post(delivery)).await;
    if sent.is_err() {
        trace.fail("not_delivered");
    }
    sent
}

impl Sender {
    /// As the settings say.
    pub fn new(config: &Config) -> Self {
        Self {
            secrets: config.webhook_secret.clone(),
            reach: config.reach(),
            timeout: Duration::from_secs(config.webhook_timeout),
            retries: RetryPolicy {
                max_retries: config.webhook_max_attempts - 1,
                base: Duration::from_secs(config.webhook_retry_backoff),
                max: LONGEST_WAIT,
            },
        }
    }

    async fn post(&self, delivery: &Delivery) -> Result<(), Trouble> {
        let url = delivery.request.webhook_url.as_ref().map(WebhookUrl::as_url);
        let (Some(url), Some(message)) = (url, delivery.message()) else {
            return Err(Trouble::Lasting("another version stored it; this one can't read it".into()));
        };
        let body = serde_json::to_string(&message).expect("a message has no map with keys that are no texts");
        let (id, timestamp) = (delivery.id(), Utc::now().timestamp());
        let request = client(url, self.reach)?
            .post(url.clone())
            .timeout(self.timeout)
            .header(header::CONTENT_TYPE, "application/json")
            .header("webhook-id", &id)
            .header("webhook-timestamp", timestamp)
            .header("webhook-signature", signatures(&self.secrets, &id, timestamp, &body))
            .body(body);
        let answer = request.send().await.map_err(|error| self.unanswered(&error))?;
        match answer.status() {
            status if status.is_success() => Ok(()),
            // By the standard, the receiver wants no more of it.
            StatusCode::GONE => Err(Trouble::Lasting("the receiver answered 410 Gone".into())),
            status if status.is_redirection() => {
                Err(Trouble::Passing(format!("the receiver answered {status}; redirects are not followed")))
            }
            status => Err(Trouble::Passing(format!("the receiver answered {status}"))),
        }
    }

    /// An error in words that show no more of the URL than its host; what follows that may be a secret.
    fn unanswered(&self, error: &reqwest::Error) -> Trouble {
        let host = error.url().and_then(Url::host_str).unwrap_or("the receiver");
        if let Some(cause) = OutOfReach::behind(error) {
            return Trouble::Lasting(cause.to_string());
        }
        if error.is_timeout() {
            return Trouble::Passing(format!("{host} did not answer within {} s", self.timeout.as_secs()));
        }
        Trouble::Passing(format!("{host} can't be reached: {}", root_cause(error)))
    }

    fn conclude(&self, delivery: &Delivery, sent: Result<(), Trouble>) -> Attempted {
        let short = |error: String| error.chars().take(MAX_ERROR).collect::<String>();
        match sent {
            Ok(()) => Attempted::Delivered,
            Err(Trouble::Passing(error)) if delivery.attempt <= self.retries.max_retries => {
                Attempted::Retry { error: short(error), delay: self.retries.backoff(delivery.attempt - 1) }
            }
            Err(Trouble::Passing(error) | Trouble::Lasting(error)) => Attempted::Failed { error: short(error) },
        }
    }
}

/// The client for a receiver.
fn client(url: &Url, reach: Reach) -> Result<Client, Trouble> {
    let builder = reach.client_builder(url).map_err(|error| Trouble::Lasting(error.to_string()))?;
    builder
        .user_agent(PROGRAM)
        .build()
        .map_err(|error| Trouble::Passing(format!("can't set up an HTTP client: {error}")))
}
