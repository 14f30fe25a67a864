//! What a request may do without. Not every model takes a temperature, an effort or a schema, and no list of those that
//! do stays right. So each is sent until a model refuses it, and then no more.

use std::sync::atomic::{AtomicBool, Ordering};

use super::refusal::Refusal;

/// A part of a request that a model may refuse.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Temperature,
    Effort,
    /// The schema by its own means; in words it always works.
    Schema,
}

impl Part {
    const ALL: [Self; 3] = [Self::Temperature, Self::Effort, Self::Schema];

    /// Words of a refusal that is about it.
    fn words(self) -> &'static [&'static str] {
        match self {
            Self::Temperature => &["temperature"],
            Self::Effort => &["effort", "reasoning", "thinking", "think value"],
            Self::Schema => &["schema", "output_format", "output_config", "response_format", "response mime type"],
        }
    }
}

/// What a model still takes, as far as is known.
#[derive(Debug, Default)]
pub(super) struct Accepted([AtomicBool; 3]);

impl Accepted {
    /// Whether a part may be sent.
    pub fn takes(&self, part: Part) -> bool {
        !self.0[part as usize].load(Ordering::Relaxed)
    }

    /// Learns from a refusal of a request with the parts `sent`; true if the request is worth sending again, without.
    pub fn learn(&self, refusal: &Refusal, sent: &[Part], model: &str) -> bool {
        if !matches!(refusal.status, 400 | 422) {
            return false;
        }
        let about = |part: &Part| sent.contains(part) && self.takes(*part) && refusal.mentions(part.words());
        let Some(part) = Part::ALL.into_iter().find(about) else { return false };
        tracing::warn!(model, ?part, message = refusal.message, "the model does not take a part of the request");
        self.0[part as usize].store(true, Ordering::Relaxed);
        true
    }
}
