//! Where the turns write down how far they have come.
//!
//! The state is stored after every answer of a model, with what was answered to each agent whose turn goes on. An
//! attempt that goes on from there takes those turns again from their first word, but hears the answers that are written
//! down instead of asking; so only the calls in flight are made twice.

use std::{
    mem,
    sync::atomic::{AtomicUsize, Ordering},
};

use tokio::sync::Mutex;

use super::{Analysis, Observer, Step, StepRecord, Unfinished};
use crate::{domain::Agent, llm::LlmError};

/// The most that the models of one job may write, bytes. A job with all rounds of debate has some 2 MB.
const MAX_WRITTEN: usize = 16 << 20;

/// The journal of one attempt.
pub struct Journal<'a> {
    observer: &'a dyn Observer,
    /// The state as it was last stored. It is held while it is stored, so that no older state replaces a newer one.
    stored: Mutex<Analysis>,
    /// What models wrote in this attempt, bytes.
    written: AtomicUsize,
}

impl<'a> Journal<'a> {
    pub fn new(analysis: Analysis, observer: &'a dyn Observer) -> Self {
        Self { observer, stored: Mutex::new(analysis), written: AtomicUsize::new(0) }
    }

    /// What an earlier attempt heard in the turn of this agent that now begins.
    pub async fn unfinished(&self, agent: Agent) -> Option<Unfinished> {
        self.stored.lock().await.unfinished.get(&agent).cloned()
    }

    /// Counts what a model wrote; an error once all responses together are more than a job may keep.
    pub fn count(&self, bytes: usize) -> Result<(), LlmError> {
        let before = self.written.fetch_add(bytes, Ordering::Relaxed);
        if before + bytes > MAX_WRITTEN { Err(LlmError::TooMuchText { limit: MAX_WRITTEN }) } else { Ok(()) }
    }

    /// A model answered: keeps what was heard so far in a turn that goes on.
    pub async fn answered(&self, agent: Agent, heard: &Unfinished) {
        let mut stored = self.stored.lock().await;
        stored.unfinished.insert(agent, heard.clone());
        self.observer.progress(&stored).await;
    }

    /// Something was found out between two turns: keeps it, so that the state that the next answer is stored with has what
    /// the question was made of.
    pub async fn note(&self, analysis: &Analysis) {
        let mut stored = self.stored.lock().await;
        let unfinished = mem::take(&mut stored.unfinished);
        *stored = Analysis { unfinished, ..analysis.clone() };
    }

    /// A turn is over: keeps it, with what it brought to the analysis.
    pub async fn keep(&self, analysis: &mut Analysis, step: StepRecord) {
        let mut stored = self.stored.lock().await;
        stored.unfinished.remove(&step.agent);
        analysis.unfinished.clone_from(&stored.unfinished);
        if step.left_out > 0 {
            analysis.warnings.push(format!(
                "{}: the conversation outgrew the model's context, so the {} oldest answers of its tools were left out; \
                 raise OLLAMA_NUM_CTX",
                step.agent, step.left_out
            ));
        }
        analysis.warnings.extend(step.warnings.iter().cloned());
        analysis.steps.push(step);
        stored.clone_from(analysis);
        self.observer.checkpoint(&stored).await;
    }

    /// Tells of a step.
    pub async fn tell(&self, step: Step) {
        self.observer.step(step).await;
    }
}

#[cfg(test)]
mod tests {
    use async_trait::async_trait;

    use super::*;
    use crate::{agents::Brief, domain::AssetType};

    struct Nobody;

    #[async_trait]
    impl Observer for Nobody {
        async fn step(&self, _: Step) {}

        async fn checkpoint(&self, _: &Analysis) {}

        async fn progress(&self, _: &Analysis) {}

        fn must_hurry(&self) -> bool {
            false
        }
    }

    #[test]
    fn the_responses_of_a_job_together_are_bounded() {
        let analysis = Analysis::new(Brief {
            ticker: "AAPL".parse().unwrap(),
            date: "2012-09-19".parse().unwrap(),
            asset: AssetType::Stock,
            analysts: Vec::new(),
            max_debate_rounds: 1,
            max_risk_rounds: 1,
            output_language: "English".into(),
        });
        let journal = Journal::new(analysis, &Nobody);
        journal.count(MAX_WRITTEN).unwrap();
        let error = journal.count(1).unwrap_err();
        assert!(!error.is_transient() && error.to_string().contains("more than 16 MiB"), "{error}");
    }
}
