//! What every agent of an analysis has at hand.

use super::{
    AgentError, Analysis, Firm, Observer, StepRecord,
    evidence::Evidence,
    journal::Journal,
    structured::Structured,
    turn::{Filled, Turn},
};
use crate::{
    domain::{Agent, Analyst, AssetType},
    jobs::JobId,
    llm::ChatModel,
    market::Identity,
};

/// An analysis that is worked on.
pub struct Case<'a> {
    pub firm: &'a Firm,
    pub observer: &'a dyn Observer,
    pub evidence: Evidence,
    journal: Journal<'a>,
    /// What every prompt begins with.
    context: String,
}

impl<'a> Case<'a> {
    /// Gets the prices, and writes down what all agents are told.
    pub async fn open(firm: &'a Firm, analysis: &Analysis, observer: &'a dyn Observer) -> Result<Self, AgentError> {
        let brief = &analysis.brief;
        let evidence = Evidence::gather(&firm.market, &firm.reading, &brief.ticker, brief.date).await?;
        let identity = firm.market.identity(&brief.ticker, brief.date).await;
        let context = format!(
            include_str!("prompts/context.md"),
            ticker = brief.ticker,
            date = brief.date,
            instrument = instrument(identity.as_ref(), brief.asset),
            currency = evidence.currency(),
            language = brief.output_language,
            snapshot = evidence.snapshot(),
        );
        let journal = Journal::new(analysis.clone(), observer);
        Ok(Self { firm, observer, evidence, journal, context })
    }

    /// Begins an agent's turn, with the model of its tier.
    pub async fn turn(&self, agent: Agent) -> Turn<'_> {
        Turn::begin(agent, None, self.model(agent), &self.context, &self.journal).await
    }

    /// Begins a reflector's turn about an earlier decision; he is told something else than the others.
    pub async fn look_back(&self, decision: JobId, context: &str) -> Turn<'_> {
        let agent = Agent::Reflector;
        Turn::begin(agent, Some(decision), self.model(agent), context, &self.journal).await
    }

    /// An agent's answer to a task, as a text.
    pub async fn answer(&self, agent: Agent, task: String) -> Result<(String, StepRecord), AgentError> {
        let mut turn = self.turn(agent).await;
        let text = turn.answer(task).await?;
        Ok((text, turn.end().await))
    }

    /// An agent's answer to a task, in a form.
    pub async fn fill_in<T: Structured>(
        &self,
        agent: Agent,
        task: String,
    ) -> Result<(Filled<T>, StepRecord), AgentError> {
        let mut turn = self.turn(agent).await;
        let filled = turn.fill_in(task).await?;
        Ok((filled, turn.end().await))
    }

    /// The model of an agent.
    pub fn model(&self, agent: Agent) -> &dyn ChatModel {
        match agent {
            Agent::ResearchManager | Agent::PortfolioManager => &*self.firm.models.deep,
            _ => &*self.firm.models.quick,
        }
    }

    /// Keeps what was found out without a turn; it is stored with the next answer.
    pub async fn note(&self, analysis: &Analysis) {
        self.journal.note(analysis).await;
    }

    /// Keeps what a turn brought, and stores the state.
    pub async fn keep(&self, analysis: &mut Analysis, step: StepRecord) {
        self.journal.keep(analysis, step).await;
    }
}

/// Who the instrument is, as all agents are told.
fn instrument(identity: Option<&Identity>, asset: AssetType) -> String {
    let who = match identity {
        Some(identity) => format!("It is {identity}. Never take it for another one."),
        None => "Its name is not known here; go by the symbol, and never guess.".into(),
    };
    match asset {
        AssetType::Stock => who,
        AssetType::Crypto => {
            format!("{who} It is a crypto-currency: no company, no earnings and no filings are behind it.")
        }
    }
}

/// The analysts' reports as prompts show them, in the order of the analysts.
pub fn reports(analysis: &Analysis) -> String {
    let shown = Analyst::ALL.into_iter().filter_map(|analyst| {
        let report = analysis.reports.get(&analyst)?;
        Some(format!("# Report of the {}\n\n{report}", Agent::from(analyst)))
    });
    shown.collect::<Vec<_>>().join("\n\n")
}

/// The turns of a debate as prompts show them.
pub fn debate(turns: &[(Agent, String)]) -> String {
    if turns.is_empty() {
        return "Nobody has spoken yet: you open the debate.".into();
    }
    let said: Vec<_> = turns.iter().map(|(_, text)| text.as_str()).collect();
    format!("## The debate so far\n\n{}", said.join("\n\n"))
}
