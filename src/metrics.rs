//! What this process counts and measures, for Prometheus; `docs/OPERATIONS.md` says what to make of it.
//!
//! There is one [`METRICS`] for the process, as there is one log. Names follow Prometheus's own rules: base units, and
//! `_total` for counters. A label has few values: no job, no ticker and no client is one. The crate prometheus-client
//! is the smaller choice: the facade metrics and its exporter bring some twenty crates more.

use std::{
    borrow::Cow,
    sync::{LazyLock, atomic::AtomicU64},
    time::Duration,
};

pub use prometheus_client::encoding::prometheus_text::CONTENT_TYPE;
use prometheus_client::{
    encoding::prometheus_text,
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::{self, Registry},
};

/// The metrics of this process.
pub static METRICS: LazyLock<Metrics> = LazyLock::new(Metrics::new);

/// Names and values of labels.
type Labels<const N: usize, V = &'static str> = [(&'static str, V); N];

/// Everything that is counted and measured.
pub struct Metrics {
    registry: Registry,

    jobs: Family<Labels<1>, Gauge>,
    pub oldest_pending: Gauge<f64, AtomicU64>,
    pub workers: Gauge,
    pub webhooks_waiting: Gauge,
    pub webhooks_overdue: Gauge<f64, AtomicU64>,
    pub store_up: Gauge,

    pub claims: Counter,
    pub jobs_running: Gauge,
    attempts: Family<Labels<1>, Counter>,
    retries: Family<Labels<1>, Counter>,
    pub lease_losses: Counter,
    webhook_attempts: Family<Labels<1>, Counter>,
    job_duration: Family<Labels<1>, Histogram>,
    step_duration: Family<Labels<1>, Histogram>,

    llm_calls: Family<Labels<2>, Counter>,
    llm_call_duration: Family<Labels<1>, Histogram>,
    llm_tokens: Family<Labels<2>, Counter>,
    vendor_calls: Family<Labels<2>, Counter>,
    vendor_call_duration: Family<Labels<1>, Histogram>,

    http_requests: Family<Labels<3, Cow<'static, str>>, Counter>,
    http_request_duration: Family<Labels<1, Cow<'static, str>>, Histogram>,
    pub connections: Gauge,
    pub listeners: Gauge,
}

/// One more of something, until it is dropped.
pub struct OneMore(&'static Gauge);

impl OneMore {
    pub fn of(gauge: &'static Gauge) -> Self {
        gauge.inc();
        Self(gauge)
    }
}

impl Drop for OneMore {
    fn drop(&mut self) {
        self.0.dec();
    }
}

impl Metrics {
    fn new() -> Self {
        let mut registry = Registry::with_prefix("tradingagents");
        let build: Family<Labels<1>, Gauge> = add(&mut registry, "build_info", "The program's version; always 1");
        build.get_or_create(&[("version", env!("CARGO_PKG_VERSION"))]).set(1);
        let r = &mut registry;
        Self {
            jobs: add(r, "jobs", "Jobs that the store has, by status"),
            oldest_pending: add(
                r,
                "oldest_pending_seconds",
                "For how long the job is ready that is so for longest; 0 without",
            ),
            workers: add(r, "workers", "Workers that were heard of within the lease time"),
            webhooks_waiting: add(r, "webhooks_waiting", "Webhook messages that are not delivered"),
            webhooks_overdue: add(
                r,
                "webhooks_overdue_seconds",
                "For how long the webhook message is due that is so for longest; 0 without",
            ),
            store_up: add(r, "store_up", "Whether the job store answered and took a write when this was asked for"),

            claims: add(r, "claims", "Jobs that this worker claimed"),
            jobs_running: add(r, "jobs_running", "Jobs that this worker runs"),
            attempts: add(r, "attempts", "Attempts that this worker ended, by how"),
            retries: add(r, "retries", "Failed attempts that another follows, by the type of the error"),
            lease_losses: add(r, "lease_losses", "Leases of silent workers that this worker ended"),
            webhook_attempts: add(r, "webhook_attempts", "Attempts to deliver a webhook, by outcome"),
            job_duration: timer(r, "job_duration_seconds", "From a claim to the end of the job, by its status", jobs),
            step_duration: timer(r, "step_duration_seconds", "Turns of agents", calls),

            llm_calls: add(r, "llm_calls", "Calls of language models, by provider and outcome"),
            llm_call_duration: timer(r, "llm_call_duration_seconds", "Calls of language models, by provider", calls),
            llm_tokens: add(r, "llm_tokens", "Tokens of language models: in, of those cached, and out"),
            vendor_calls: add(r, "vendor_calls", "Questions to vendors on the network, by outcome"),
            vendor_call_duration: timer(r, "vendor_call_duration_seconds", "Questions that no cache answered", calls),

            http_requests: add(r, "http_requests", "Requests to the API, by method, route and status"),
            http_request_duration: timer(r, "http_request_duration_seconds", "Until an answer begins, by route", quick),
            connections: add(r, "connections", "Open connections to the API"),
            listeners: add(r, "sse_listeners", "Open event streams"),
            registry,
        }
    }

    /// All of them as Prometheus reads them.
    pub fn text(&self) -> String {
        let mut text = String::new();
        prometheus_text::encode(&mut text, &self.registry).expect("a text takes everything");
        text
    }

    /// So many jobs of this status are in the store.
    pub fn jobs(&self, status: &'static str, count: u64) {
        self.jobs.get_or_create(&[("status", status)]).set(i64::try_from(count).unwrap_or(i64::MAX));
    }

    /// An attempt ended: `completed`, `failed`, `retried`, `handed_back` or `stopped`.
    pub fn attempt(&self, outcome: &'static str) {
        self.attempts.get_or_create(&[("outcome", outcome)]).inc();
    }

    /// An attempt failed, and another follows.
    pub fn retry(&self, error_type: &'static str) {
        self.retries.get_or_create(&[("error_type", error_type)]).inc();
    }

    /// An attempt to deliver a webhook ended: `delivered`, `retried` (another follows) or `failed`.
    pub fn webhook_attempt(&self, outcome: &'static str) {
        self.webhook_attempts.get_or_create(&[("outcome", outcome)]).inc();
    }

    /// A job ended in this status, so long after its last claim.
    pub fn job(&self, status: &'static str, took: Duration) {
        self.job_duration.get_or_create(&[("status", status)]).observe(took.as_secs_f64());
    }

    /// An agent's turn ended.
    pub fn step(&self, agent: &'static str, took: Duration) {
        self.step_duration.get_or_create(&[("agent", agent)]).observe(took.as_secs_f64());
    }

    /// A model was called; `outcome` is `ok` or the kind of its error.
    pub fn llm_call(&self, provider: &'static str, outcome: &'static str, took: Duration) {
        self.llm_calls.get_or_create(&[("provider", provider), ("outcome", outcome)]).inc();
        self.llm_call_duration.get_or_create(&[("provider", provider)]).observe(took.as_secs_f64());
    }

    /// A model took so many tokens of a kind: `in`, `cached` (of those in) or `out`.
    pub fn llm_tokens(&self, provider: &'static str, kind: &'static str, count: u64) {
        self.llm_tokens.get_or_create(&[("provider", provider), ("kind", kind)]).inc_by(count);
    }

    /// A vendor was asked; `outcome` is `ok` or the kind of its error.
    pub fn vendor_call(&self, vendor: &'static str, outcome: &'static str, took: Duration) {
        self.vendor_calls.get_or_create(&[("vendor", vendor), ("outcome", outcome)]).inc();
        self.vendor_call_duration.get_or_create(&[("vendor", vendor)]).observe(took.as_secs_f64());
    }

    /// The cache answered for a vendor.
    pub fn vendor_cached(&self, vendor: &'static str) {
        self.vendor_calls.get_or_create(&[("vendor", vendor), ("outcome", "cached")]).inc();
    }

    /// A request was answered.
    pub fn http_request(&self, method: Cow<'static, str>, route: Cow<'static, str>, status: u16, took: Duration) {
        let labels = [("method", method), ("route", route.clone()), ("status", status.to_string().into())];
        self.http_requests.get_or_create(&labels).inc();
        self.http_request_duration.get_or_create(&[("route", route)]).observe(took.as_secs_f64());
    }
}

fn add<M: registry::Metric + Clone + Default>(registry: &mut Registry, name: &str, help: &str) -> M {
    let metric = M::default();
    registry.register(name, help, metric.clone());
    metric
}

fn timer<L>(registry: &mut Registry, name: &str, help: &str, make: fn() -> Histogram) -> Family<L, Histogram>
where
    Family<L, Histogram>: registry::Metric + Clone,
    L: Clone + std::hash::Hash + Eq,
{
    let family = Family::new_with_constructor(make);
    registry.register(name, help, family.clone());
    family
}

/// Seconds of an answer over HTTP.
fn quick() -> Histogram {
    Histogram::new([0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 30.0])
}

/// Seconds of a call over the network, or of a turn.
fn calls() -> Histogram {
    Histogram::new([0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0, 180.0, 600.0])
}

/// Seconds of a job; its hard limit is 1800 unless set.
fn jobs() -> Histogram {
    Histogram::new([0.1, 1.0, 5.0, 15.0, 60.0, 120.0, 300.0, 600.0, 1200.0, 1800.0, 3600.0])
}
