//! Sending traces to a collector: OTLP over HTTP in protobuf, in batches, from a thread of its own.
//!
//! A collector that is slow or away costs nobody anything: the queue before it is bounded, what finds no room is dropped,
//! and the log says so once, until it answers again.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use anyhow::Context;
use async_trait::async_trait;
use opentelemetry::trace::TracerProvider;
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::{Resource, trace::SdkTracerProvider};
use tokio::runtime::{Builder, Runtime};
use tracing::{info, warn};
use url::Url;

use super::TRACER;
use crate::{
    config::Config,
    http_client::{self, PROGRAM, root_cause},
};

/// How long the end of the process may wait for what is not sent yet.
const FAREWELL: Duration = Duration::from_secs(3);

/// The longest time for one batch.
const PATIENCE: Duration = Duration::from_secs(10);

/// The traces of this process.
pub struct Traces(SdkTracerProvider);

impl Traces {
    /// Starts to make traces, if a collector is set.
    pub fn start(config: &Config) -> anyhow::Result<Option<Self>> {
        let Some(collector) = &config.otel_exporter_otlp_endpoint else { return Ok(None) };
        let exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(Collector::new(collector.expose())?)
            .with_endpoint(traces_of(collector.expose()))
            .with_protocol(Protocol::HttpBinary)
            .build()
            .context("OTEL_EXPORTER_OTLP_ENDPOINT can't be used")?;
        let resource = Resource::builder().with_service_name(config.otel_service_name.clone());
        let resource =
            resource.with_attribute(opentelemetry::KeyValue::new("service.version", env!("CARGO_PKG_VERSION")));
        let provider =
            SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource.build()).build();
        let _ = TRACER.set(provider.tracer("tradingagents"));
        info!(collector = %collector, "traces go to the collector");
        Ok(Some(Self(provider)))
    }

    /// Sends what is left, if the collector takes it soon. Not within a runtime, for it waits.
    pub fn end(self) {
        if let Err(error) = self.0.shutdown_with_timeout(FAREWELL) {
            warn!(%error, "the last traces could not be sent");
        }
    }
}

/// The URL that traces are posted to: below the base, as the standard says.
fn traces_of(base: &Url) -> String {
    let mut url = base.clone();
    url.set_path(&format!("{}/v1/traces", base.path().trim_end_matches('/')));
    url.into()
}

/// The program's own HTTP client. It has a runtime of its own, in the exporter's thread, for that has none.
#[derive(Debug)]
struct Collector {
    client: reqwest::Client,
    runtime: Runtime,
    away: AtomicBool,
}

impl Collector {
    fn new(url: &Url) -> anyhow::Result<Self> {
        let client = http_client::client_builder(url).user_agent(PROGRAM).timeout(PATIENCE);
        Ok(Self {
            client: client.build().context("can't set up an HTTP client for the collector")?,
            runtime: Builder::new_current_thread().enable_all().build()?,
            away: AtomicBool::new(false),
        })
    }

    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, reqwest::Error> {
        // A user and a password in the URL become a header; from a whole request they would get into hyper's log lines.
        let (head, body) = request.into_parts();
        let answer = self.client.post(head.uri.to_string()).headers(head.headers).body(body).send().await?;
        let status = answer.status();
        let mut response = Response::new(answer.error_for_status()?.bytes().await?);
        *response.status_mut() = status;
        Ok(response)
    }
}

#[async_trait]
impl HttpClient for Collector {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let sent = self.runtime.block_on(self.send(request));
        let was_away = self.away.swap(sent.is_err(), Ordering::Relaxed);
        match &sent {
            Err(error) if !was_away => {
                warn!(error = root_cause(error), "the collector takes no traces; they are dropped until it does");
            }
            Ok(_) if was_away => info!("the collector takes traces again"),
            _ => {}
        }
        Ok(sent?)
    }
}
