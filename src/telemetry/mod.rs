//! Traces: where the time of a job went, from the request that submitted it through the queue to each call of a model.
//!
//! [`Traces`] sends them to the collector that `OTEL_EXPORTER_OTLP_ENDPOINT` names, by OTLP over HTTP. A [`Span`] is a part
//! of a trace; spans that begin while another goes on are its children. A job keeps the place in its trace where it was
//! submitted ([`current`]), so that its attempts belong to the same trace whichever process runs them.
//!
//! Names follow OpenTelemetry's conventions for HTTP, messaging and generative AI. No attribute holds what somebody wrote:
//! no prompt, answer, key, query or message of an error; only names, counts and kinds. Without the setting there is no
//! tracer, and a span is nothing. OpenTelemetry's layer for the crate tracing is not used: it would send the log's fields.

mod export;

use std::{
    borrow::Cow,
    sync::{Arc, OnceLock},
};

pub use export::Traces;
pub use opentelemetry::trace::SpanKind;
use opentelemetry::{
    Context, KeyValue, SpanId, TraceFlags, TraceId, Value,
    context::FutureExt,
    trace::{SpanContext, Status, TraceContextExt, TraceState, Tracer},
};
use opentelemetry_sdk::trace::SdkTracer;

use crate::domain::TraceParent;

/// What makes spans; none without the setting.
static TRACER: OnceLock<SdkTracer> = OnceLock::new();

/// A part of a trace, until its last clone is dropped. It is nothing if there is no tracer.
#[derive(Clone, Default)]
pub struct Span(Option<Arc<Open>>);

/// A span that goes on.
struct Open(Context);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.span().end();
    }
}

impl Span {
    /// Begins a span of what goes on here.
    pub fn begin<N: Into<Cow<'static, str>>>(kind: SpanKind, name: impl FnOnce() -> N) -> Self {
        Self::new(kind, name, Context::current)
    }

    /// Begins a span of a trace that began elsewhere, or of a new one.
    pub fn follow<N: Into<Cow<'static, str>>>(
        parent: Option<TraceParent>,
        kind: SpanKind,
        name: impl FnOnce() -> N,
    ) -> Self {
        Self::new(kind, name, || parent.map_or_else(Context::new, remote))
    }

    fn new<N: Into<Cow<'static, str>>>(
        kind: SpanKind,
        name: impl FnOnce() -> N,
        parent: impl FnOnce() -> Context,
    ) -> Self {
        Self(TRACER.get().map(|tracer| {
            let parent = parent();
            let span = tracer.span_builder(name()).with_kind(kind).start_with_context(tracer, &parent);
            Arc::new(Open(parent.with_span(span)))
        }))
    }

    /// What `work` begins is part of this span.
    pub async fn around<F: Future>(&self, work: F) -> F::Output {
        match &self.0 {
            Some(open) => work.with_context(open.0.clone()).await,
            None => work.await,
        }
    }

    /// Says something of it.
    pub fn set(&self, name: &'static str, value: impl Into<Value>) {
        if let Some(open) = &self.0 {
            open.0.span().set_attribute(KeyValue::new(name, value));
        }
    }

    /// It failed, of an error of this kind.
    pub fn fail(&self, kind: &'static str) {
        if let Some(open) = &self.0 {
            open.0.span().set_attribute(KeyValue::new("error.type", kind));
            open.0.span().set_status(Status::error(""));
        }
    }

    /// The trace's id, for log lines.
    pub fn trace_id(&self) -> Option<String> {
        self.0.as_ref().map(|open| open.0.span().span_context().trace_id().to_string())
    }
}

/// The span of what goes on here, for another process; none if there is none.
pub fn current() -> Option<TraceParent> {
    TRACER.get()?;
    let context = Context::current();
    let span = context.span().span_context().clone();
    span.is_valid().then(|| TraceParent {
        trace: u128::from_be_bytes(span.trace_id().to_bytes()),
        span: u64::from_be_bytes(span.span_id().to_bytes()),
        flags: span.trace_flags().to_u8(),
    })
}

fn remote(parent: TraceParent) -> Context {
    let (trace, span) = (TraceId::from(parent.trace), SpanId::from(parent.span));
    let flags = TraceFlags::new(parent.flags);
    Context::new().with_remote_span_context(SpanContext::new(trace, span, flags, true, TraceState::NONE))
}
