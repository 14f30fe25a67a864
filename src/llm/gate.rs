//! The gate before a model server, which all jobs of the process share, with what is known of the server's models.
//!
//! It lets so many calls through at once; the others wait before they ask, and their waiting is no part of the time for
//! an answer. After some failures in a row it shuts for a while, so that a server that is down, or over its limit, is not
//! hammered by every agent of every job (the circuit breaker of Nygard, "Release It!"). When the rest is over a single
//! call tries; its success opens the gate, its failure shuts it for twice as long. Calls that were under way when it shut
//! fail of what is known already, and count no more.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use tokio::sync::Semaphore;

use super::{LlmError, capabilities::Capabilities};
use crate::domain::Provider;

/// Failures in a row that shut the gate: more than one call has tries.
const FAILURES: u32 = 5;
/// The first rest; it doubles up to the longest.
const REST: Duration = Duration::from_secs(5);
const LONGEST_REST: Duration = Duration::from_mins(1);
/// Gates that are kept. A job may name any server, so there is no end to them.
const MAX_GATES: usize = 1000;
/// Models of one server whose capabilities are kept; a job may name any model.
const MAX_MODELS: usize = 1000;

/// The gates of a process.
#[derive(Debug)]
pub struct Gates {
    limit: Option<usize>,
    gates: Mutex<HashMap<String, Arc<Gate>>>,
}

/// The gate before one server.
#[derive(Debug)]
pub struct Gate {
    slots: Semaphore,
    circuit: Mutex<Circuit>,
    /// What the server's models are known to accept, by their names.
    capabilities: Mutex<HashMap<String, Arc<Capabilities>>>,
}

#[derive(Debug, Default)]
struct Circuit {
    /// Failures since the last success.
    failures: u32,
    /// Until when nobody gets through, and why.
    rest: Option<(Instant, LlmError)>,
    /// How long the last rest was.
    length: Duration,
    /// How often it has shut.
    shut: u64,
}

impl Gates {
    /// Gates that let `limit` calls through at once, or as many as each provider usually takes.
    pub fn new(limit: Option<usize>) -> Self {
        Self { limit, gates: Mutex::default() }
    }

    /// The gate before a provider's server, at the given URL if it is not the provider's own.
    pub fn before(&self, provider: Provider, url: Option<&url::Url>) -> Arc<Gate> {
        let name = format!("{} {}", provider.as_str(), url.map(url::Url::as_str).unwrap_or_default());
        let mut gates = locked(&self.gates);
        if gates.len() >= MAX_GATES {
            gates.retain(|_, gate| Arc::strong_count(gate) > 1);
        }
        gates.entry(name).or_insert_with(|| Arc::new(Gate::new(self.limit.or(usual_limit(provider))))).clone()
    }
}

impl Default for Gate {
    fn default() -> Self {
        Self::new(None)
    }
}

impl Gate {
    /// A gate that lets `limit` calls through at once, or any number.
    pub fn new(limit: Option<usize>) -> Self {
        let slots = limit.unwrap_or(Semaphore::MAX_PERMITS).min(Semaphore::MAX_PERMITS);
        Self { slots: Semaphore::new(slots), circuit: Mutex::default(), capabilities: Mutex::default() }
    }

    /// What a model of the server is known to accept; every job of the process learns it once.
    pub(super) fn capabilities(&self, model: &str) -> Arc<Capabilities> {
        let mut capabilities = locked(&self.capabilities);
        if capabilities.len() >= MAX_MODELS {
            capabilities.retain(|_, known| Arc::strong_count(known) > 1);
        }
        capabilities.entry(model.into()).or_default().clone()
    }

    /// Makes a call once there is a slot for it; an error at once while the gate is shut.
    pub(super) async fn pass<T>(&self, call: impl Future<Output = Result<T, LlmError>>) -> Result<T, LlmError> {
        let _slot = self.slots.acquire().await.expect("nobody closes it");
        let admitted = locked(&self.circuit).admit(Instant::now())?;
        let result = call.await;
        locked(&self.circuit).learn(admitted, result.as_ref().err(), Instant::now());
        result
    }
}

impl Circuit {
    /// Lets a call through; how often the gate had shut by then goes back to [`learn`](Self::learn).
    fn admit(&mut self, now: Instant) -> Result<u64, LlmError> {
        let Some((end, cause)) = &mut self.rest else { return Ok(self.shut) };
        if let Some(wait) = end.checked_duration_since(now).filter(|wait| !wait.is_zero()) {
            return Err(LlmError::Resting { failures: self.failures, wait, cause: Box::new(cause.clone()) });
        }
        // This call tries. If it is dropped without an end, another may after as long again.
        *end = now + self.length;
        Ok(self.shut)
    }

    fn learn(&mut self, admitted: u64, error: Option<&LlmError>, now: Instant) {
        let Some(error) = error.filter(|error| is_down(error)) else {
            *self = Self { shut: self.shut, ..Self::default() };
            return;
        };
        if admitted < self.shut {
            return;
        }
        self.failures += 1;
        if self.failures >= FAILURES {
            self.shut += 1;
            self.length = (self.length * 2).clamp(REST, LONGEST_REST);
            let wait = self.length.max(error.retry_after().unwrap_or_default());
            self.rest = Some((now + wait, error.clone()));
        }
    }
}

/// How many calls at once a provider usually takes; none for any number. Ollama works on one and lets the others wait
/// (its `OLLAMA_NUM_PARALLEL`).
fn usual_limit(provider: Provider) -> Option<usize> {
    (provider == Provider::Ollama).then_some(1)
}

/// Whether an error says that the server has no answer for anybody at the moment.
fn is_down(error: &LlmError) -> bool {
    use LlmError::{RateLimited, Server, Timeout, Unreachable};
    matches!(error, Unreachable { .. } | Timeout { .. } | RateLimited { .. } | Server { .. })
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure() -> LlmError {
        LlmError::Server { provider: "P", url: "u".into(), status: 503, message: "busy".into() }
    }

    #[test]
    fn it_shuts_after_failures_in_a_row_and_lets_a_single_call_try_after_a_rest() {
        let (mut circuit, now) = (Circuit::default(), Instant::now());
        for _ in 0..FAILURES {
            let admitted = circuit.admit(now).unwrap();
            circuit.learn(admitted, Some(&failure()), now);
        }
        let error = circuit.admit(now).unwrap_err();
        assert!(error.is_transient() && error.retry_after() == Some(REST), "{error}");
        assert!(error.to_string().contains("5 times in a row") && error.to_string().contains("busy"), "{error}");

        let later = now + REST;
        let trial = circuit.admit(later).unwrap();
        circuit.admit(later).unwrap_err();
        circuit.learn(trial, Some(&failure()), later);
        assert_eq!(circuit.admit(later).unwrap_err().retry_after(), Some(REST * 2), "the next rest is longer");

        let at_last = later + REST * 2;
        let trial = circuit.admit(at_last).unwrap();
        circuit.learn(trial, None, at_last);
        circuit.admit(at_last).unwrap();
        circuit.admit(at_last).unwrap();
    }

    #[test]
    fn calls_that_were_under_way_when_it_shut_make_no_rest_longer() {
        let (mut circuit, now) = (Circuit::default(), Instant::now());
        let burst: Vec<_> = (0..3 * FAILURES).map(|_| circuit.admit(now).unwrap()).collect();
        for admitted in burst {
            circuit.learn(admitted, Some(&failure()), now);
        }
        assert_eq!(circuit.admit(now).unwrap_err().retry_after(), Some(REST));

        // Two calls try, for the first takes longer than the rest.
        let trials = [now + REST, now + REST * 2].map(|later| circuit.admit(later).unwrap());
        let later = now + REST * 3;
        for trial in trials {
            circuit.learn(trial, Some(&failure()), later);
        }
        assert_eq!(circuit.admit(later).unwrap_err().retry_after(), Some(REST * 2));
    }

    #[test]
    fn a_success_or_a_refusal_begins_the_count_anew() {
        let (mut circuit, now) = (Circuit::default(), Instant::now());
        let refusal = LlmError::Refused { provider: "P", url: "u".into(), status: 400, message: "no".into() };
        for _ in 0..3 {
            for _ in 1..FAILURES {
                circuit.learn(0, Some(&failure()), now);
            }
            circuit.learn(0, Some(&refusal), now);
        }
        circuit.admit(now).unwrap();
    }

    #[test]
    fn jobs_share_a_gate_by_its_server() {
        let gates = Gates::new(Some(2));
        let url = |text: &str| text.parse::<url::Url>().unwrap();
        let own = gates.before(Provider::OpenAi, None);
        assert!(Arc::ptr_eq(&own, &gates.before(Provider::OpenAi, None)));
        assert!(!Arc::ptr_eq(&own, &gates.before(Provider::OpenAi, Some(&url("http://elsewhere")))));
        assert_eq!(own.slots.available_permits(), 2);
    }

    #[test]
    fn ollama_gets_one_call_at_a_time_unless_told_otherwise() {
        let slots = |limit, provider| Gates::new(limit).before(provider, None).slots.available_permits();
        assert_eq!((slots(None, Provider::Ollama), slots(Some(4), Provider::Ollama)), (1, 4));
        assert_eq!(slots(None, Provider::OpenAi), Semaphore::MAX_PERMITS);
    }
}
