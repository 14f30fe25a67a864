//! An OpenTelemetry collector at the wire, which reads traces with the published messages of the protocol.

use std::collections::BTreeMap;

use axum::{Router, body::Bytes, extract::State, http::header, routing::post};
use opentelemetry_proto::tonic::{
    collector::trace::v1::{ExportTraceServiceRequest, ExportTraceServiceResponse},
    common::v1::{AnyValue, any_value::Value},
    trace::v1,
};
use prost::Message;
use tokio::{sync::watch, time::timeout};

use super::{program::PATIENCE, server::Server};

/// A running collector. It ends when dropped.
pub struct Collector {
    server: Server,
    spans: watch::Sender<Vec<Span>>,
}

/// A span as it was told.
#[derive(Debug, Clone)]
pub struct Span {
    /// The service whose it is.
    pub service: String,
    pub name: String,
    pub trace: String,
    pub id: String,
    /// Empty for the first of a trace.
    pub parent: String,
    pub attributes: BTreeMap<String, String>,
}

impl Collector {
    pub async fn start() -> Self {
        let spans = watch::Sender::default();
        let routes = Router::new().route("/v1/traces", post(receive)).with_state(spans.clone());
        Self { server: Server::start(routes).await, spans }
    }

    pub fn url(&self) -> String {
        self.server.url()
    }

    /// The spans, once there are so many of this name.
    pub async fn spans(&self, name: &str, count: usize) -> Vec<Span> {
        let mut spans = self.spans.subscribe();
        let enough = spans.wait_for(|spans| spans.iter().filter(|span| span.name == name).count() >= count);
        let spans = timeout(PATIENCE, enough).await.unwrap_or_else(|_| panic!("{count} spans {name:?} do not come"));
        spans.unwrap().clone()
    }
}

async fn receive(State(spans): State<watch::Sender<Vec<Span>>>, body: Bytes) -> impl axum::response::IntoResponse {
    let request = ExportTraceServiceRequest::decode(body).unwrap();
    for resource in request.resource_spans {
        let about = resource.resource.unwrap_or_default();
        let service = about.attributes.iter().find(|attribute| attribute.key == "service.name");
        let service = service.map_or_else(String::new, |attribute| text(attribute.value.clone()));
        let told = resource.scope_spans.into_iter().flat_map(|scope| scope.spans);
        let told: Vec<_> = told.map(|span| Span::new(service.clone(), span)).collect();
        spans.send_modify(|spans| spans.extend(told));
    }
    ([(header::CONTENT_TYPE, "application/x-protobuf")], ExportTraceServiceResponse::default().encode_to_vec())
}

impl Span {
    fn new(service: String, span: v1::Span) -> Self {
        let hex = |bytes: &[u8]| bytes.iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"));
        Self {
            service,
            trace: hex(&span.trace_id),
            id: hex(&span.span_id),
            parent: hex(&span.parent_span_id),
            attributes: span.attributes.into_iter().map(|attribute| (attribute.key, text(attribute.value))).collect(),
            name: span.name,
        }
    }
}

fn text(value: Option<AnyValue>) -> String {
    match value.and_then(|value| value.value) {
        Some(Value::StringValue(text)) => text,
        Some(Value::IntValue(number)) => number.to_string(),
        other => format!("{other:?}"),
    }
}
