//! Fetching a model that the server lacks, once for all jobs that wait for it.

use std::{
    collections::{BTreeMap, HashMap},
    pin::pin,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::{
    sync::{mpsc::UnboundedSender, watch},
    time::Instant,
};

use super::{super::LlmError, Ollama, Refusal, Reply, lenient, wire};

/// The least step of progress that is told, percent.
const STEP: u8 = 5;
/// The longest wait for a model. No time limit of a job holds meanwhile, and the slot of its worker is taken.
const LONGEST: Duration = Duration::from_hours(24);

/// The most layers of one model; a large one has some ten.
const MAX_LAYERS: usize = 1000;
/// How often a pull may report its progress. Ollama does so some twenty times a second.
const LINES_PER_SECOND: u64 = 200;
/// Lines that may come at once, as when many layers are there already.
const LINES_AT_ONCE: u64 = 20_000;

/// Whether a model that the server lacks is fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum PullPolicy {
    Auto,
    Never,
}

/// The pulls of a process, by server and model.
#[derive(Debug, Default)]
pub struct Pulls(Mutex<HashMap<String, Arc<Pull>>>);

/// The pull of one model.
#[derive(Debug, Default)]
struct Pull {
    /// Held by the job that pulls. If that job ends, the next goes on; the server keeps what it has.
    turn: tokio::sync::Mutex<()>,
    /// How far it has come, for the jobs that wait.
    percent: watch::Sender<u8>,
}

impl Pulls {
    fn of(&self, server: &str, model: &str) -> Arc<Pull> {
        let mut pulls = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        pulls.retain(|_, pull| Arc::strong_count(pull) > 1);
        pulls.entry(format!("{server} {model}")).or_default().clone()
    }
}

impl Ollama {
    /// Fetches the model, or waits for another job that does.
    pub(super) async fn fetch(&self, progress: &UnboundedSender<u8>) -> Result<(), LlmError> {
        let fetched = tokio::time::timeout(LONGEST, self.fetch_in_turn(progress)).await;
        fetched.unwrap_or_else(|_| {
            let hours = LONGEST.as_secs() / 3600;
            Err(self.unknown_model(format!("pulling it was not done after {hours} hours")))
        })
    }

    async fn fetch_in_turn(&self, progress: &UnboundedSender<u8>) -> Result<(), LlmError> {
        let pull = self.options.pulls.of(&self.endpoint.shown, &self.model);
        let mut percent = pull.percent.subscribe();
        let mut turn = pin!(pull.turn.lock());
        let _turn = loop {
            tokio::select! {
                biased;
                turn = &mut turn => break turn,
                // The sender is there for as long as the pull is.
                _ = percent.changed() => tell(progress, *percent.borrow_and_update()),
            }
        };
        if self.details().await.is_ok() {
            return Ok(());
        }
        tracing::info!(model = self.model, server = self.endpoint.shown, "the server lacks the model; fetching it");
        self.pull(|percent| {
            pull.percent.send_replace(percent);
            tell(progress, percent);
        })
        .await?;
        self.details().await.map(drop)
    }

    async fn pull(&self, mut tell: impl FnMut(u8)) -> Result<(), LlmError> {
        let mut body = match self.endpoint.within(self.endpoint.post("api/pull", &wire::pull(&self.model))).await? {
            Reply::Success(body) => body,
            Reply::Refusal(refusal) => return Err(self.not_pulled(refusal)),
        };
        let (mut layers, mut reported, mut pace) = (Layers::default(), 0, Pace::begin());
        tell(reported);
        while let Some(line) = body.progress().await? {
            let line: wire::PullLine = lenient(&line).map_err(|e| self.endpoint.not_understood(&e))?;
            if let Some(error) = line.error {
                return Err(self.not_pulled(Refusal::disguised(&json!({"error": error}))));
            }
            if line.status.as_deref() == Some("success") {
                tell(100);
                return Ok(());
            }
            let came_further =
                layers.add(line).ok_or_else(|| self.endpoint.unusable("with more layers than a model has"))?;
            pace.check(came_further, self.endpoint.timeout()).map_err(|what| self.endpoint.broken_off(&what))?;
            let percent = layers.percent();
            if percent >= reported + STEP {
                reported = percent;
                tell(percent);
            }
        }
        Err(self.endpoint.broken_off("the connection was closed before the model was there"))
    }

    /// That there is no such model does not pass; that its registry can't be reached may.
    fn not_pulled(&self, refusal: Refusal) -> LlmError {
        if refusal.mentions(&["file does not exist", "not found", "invalid model name"]) {
            return LlmError::UnknownModel {
                provider: self.endpoint.service.name,
                model: self.model.clone(),
                message: format!("it can't be pulled: {}", refusal.message),
                hint: "look for its name at https://ollama.com/library".into(),
            };
        }
        self.refused(refusal)
    }
}

fn tell(progress: &UnboundedSender<u8>, percent: u8) {
    // Whoever listened may have gone.
    let _ = progress.send(percent);
}

/// The layers of a model: bytes received and bytes in all, by their digests.
#[derive(Default)]
struct Layers(BTreeMap<String, (u64, u64)>);

impl Layers {
    /// Adds what a line reports: whether more of the model is there than before; none if there are too many layers.
    fn add(&mut self, line: wire::PullLine) -> Option<bool> {
        let (Some(digest), Some(total)) = (line.digest, line.total) else { return Some(false) };
        let completed = line.completed.unwrap_or_default();
        let before = self.0.insert(digest, (completed, total));
        (self.0.len() <= MAX_LAYERS).then(|| completed > before.map_or(0, |(before, _)| before))
    }

    /// How much of what is known is here.
    fn percent(&self) -> u8 {
        let sum = |part: fn(&(u64, u64)) -> u64| self.0.values().map(part).fold(0, u64::saturating_add);
        let (received, all) = (sum(|layer| layer.0), sum(|layer| layer.1));
        u8::try_from(u128::from(received) * 100 / u128::from(all.max(1))).unwrap_or(100).min(99)
    }
}

/// How fast a pull reports, and when it last came further.
struct Pace {
    began: Instant,
    lines: u64,
    last_progress: Instant,
}

impl Pace {
    fn begin() -> Self {
        Self { began: Instant::now(), lines: 0, last_progress: Instant::now() }
    }

    /// Counts a line; an error if there are too many, or none that reports progress for `patience`.
    fn check(&mut self, came_further: bool, patience: Duration) -> Result<(), String> {
        self.lines += 1;
        if self.lines > LINES_AT_ONCE + LINES_PER_SECOND * self.began.elapsed().as_secs() {
            return Err(format!("it reports its progress more than {LINES_PER_SECOND} times a second"));
        }
        if came_further {
            self.last_progress = Instant::now();
        } else if self.last_progress.elapsed() > patience {
            return Err(format!("nothing more of the model came for {} s", patience.as_secs()));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{
        domain::Provider,
        llm::{Backend, bedrock, ollama::Options},
    };

    #[tokio::test(start_paused = true)]
    async fn nobody_waits_for_a_model_for_ever() {
        let pulls = Arc::new(Pulls::default());
        let options = Options { num_ctx: 4096, keep_alive: "30m".into(), pull: PullPolicy::Auto, pulls: pulls.clone() };
        let backend = Backend {
            provider: Provider::Ollama,
            base_url: Some("http://127.0.0.1:9".parse().unwrap()),
            reach: crate::egress::Reach::Anywhere,
            api_key: None,
            timeout: Duration::from_mins(10),
            temperature: None,
            reasoning_effort: None,
            ollama: options,
            azure_api_version: String::new(),
            bedrock: bedrock::Options::default(),
            gate: Arc::default(),
            prices: crate::llm::Prices::default(),
        };
        let ollama = Ollama::new(&backend, "m").unwrap();
        let pull = pulls.of(&ollama.endpoint.shown, "m");
        let _of_another_job = pull.turn.lock().await;
        let error = ollama.fetch(&tokio::sync::mpsc::unbounded_channel().0).await.unwrap_err();
        assert!(!error.is_transient() && error.to_string().contains("24 hours"), "{error}");
    }
}
