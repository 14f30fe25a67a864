//! The state of an analysis: everything that the agents saw, said, called and cost. It is the checkpoint while the
//! analysis goes on, and the source of the result when it is done.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    domain::{Agent, Analyst, AssetType, DecisionSource, Rating, Ticker, TradeDate},
    jobs::JobId,
    llm::{ChatResponse, Message, Usage},
    market::{Bar, PriceCurrency},
    memory::Settlement,
};

/// What is asked of the firm.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Brief {
    pub ticker: Ticker,
    pub date: TradeDate,
    /// What the instrument is.
    #[serde(default)]
    pub asset: AssetType,
    /// Sorted, none twice, at least one.
    pub analysts: Vec<Analyst>,
    pub max_debate_rounds: u32,
    pub max_risk_rounds: u32,
    /// The language of the reports, by its English name.
    pub output_language: String,
}

/// An analysis as far as it has come.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Analysis {
    pub brief: Brief,
    /// The finished reports of the analysts.
    pub reports: BTreeMap<Analyst, String>,
    pub debate: Debate,
    /// The research manager's plan.
    pub investment_plan: Option<String>,
    /// The trader's proposal.
    pub trader_plan: Option<String>,
    pub risk_debate: RiskDebate,
    /// What came of earlier decisions on the ticker, as far as it was reckoned here.
    #[serde(default)]
    pub settlements: Vec<Settlement>,
    /// What the portfolio manager is told of earlier decisions, which may be nothing; none before it was looked up.
    #[serde(default)]
    pub lessons: Option<String>,
    /// The portfolio manager's text and rating; the analysis is done once they are there.
    pub outcome: Option<Outcome>,
    /// Every turn that was taken, in the order in which they ended.
    pub steps: Vec<StepRecord>,
    /// The bars up to the date, as far back as a chart wants them, once the analysis is done. A checkpoint has none: each
    /// attempt gets them anew.
    #[serde(skip)]
    pub bars: Vec<Bar>,
    /// The currency of the bars, if their vendor names it.
    #[serde(skip)]
    pub price_currency: Option<PriceCurrency>,
    /// What was heard in the turns that go on.
    #[serde(default)]
    pub unfinished: BTreeMap<Agent, Unfinished>,
    /// What a reader of the result has to know: cut-off debates, fallbacks, missing evidence.
    pub warnings: Vec<String>,
}

/// The bull and bear debate: turns in order, bull first.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Debate {
    pub turns: Vec<(Agent, String)>,
}

/// The risk debate: turns in order, aggressive, conservative, neutral.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct RiskDebate {
    pub turns: Vec<(Agent, String)>,
}

/// How it ends.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// The portfolio manager's decision as text.
    pub text: String,
    pub rating: Rating,
    pub source: DecisionSource,
}

/// One turn of one agent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StepRecord {
    pub agent: Agent,
    /// `provider/model`.
    pub model: String,
    pub seconds: f64,
    pub usage: Usage,
    /// Each call of the model.
    #[serde(default)]
    pub calls: Vec<CallRecord>,
    /// The whole conversation, the answer last.
    pub messages: Vec<Message>,
    pub tools: Vec<ToolRecord>,
    /// Answers of tools that the model was no longer shown at the end, for its context had no room for them.
    #[serde(default)]
    pub left_out: usize,
    /// Whether the answer lacks its end, because the model ran out of tokens.
    #[serde(default)]
    pub cut_off: bool,
    /// What the reader of the result has to know about the answer.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}

/// One call of a model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CallRecord {
    pub seconds: f64,
    pub usage: Usage,
}

/// What was heard in a turn that goes on.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Unfinished {
    /// The model, as `provider/model`.
    pub model: String,
    /// The job whose decision a reflector looks back at; none for all other agents.
    #[serde(default)]
    pub about: Option<JobId>,
    /// From the model, in order.
    pub answers: Vec<Answered>,
    /// From tools, in order.
    pub tools: Vec<ToolAnswer>,
    /// How long the turn has taken.
    pub seconds: f64,
}

/// An answer of a model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Answered {
    pub response: ChatResponse,
    pub seconds: f64,
}

/// An answer of a tool.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ToolAnswer {
    pub record: ToolRecord,
    /// What the agent was told.
    pub content: String,
    /// Where that comes from, a line for each source.
    pub sources: Vec<String>,
}

/// One call of a tool.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ToolRecord {
    pub tool: String,
    pub arguments: serde_json::Value,
    pub seconds: f64,
    pub error: Option<String>,
    /// Where its answer comes from, a line for each source; none if it was computed from the prices.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sources: Vec<String>,
}

impl Analysis {
    /// An analysis that has not begun.
    pub fn new(brief: Brief) -> Self {
        Self {
            brief,
            reports: BTreeMap::new(),
            debate: Debate::default(),
            investment_plan: None,
            trader_plan: None,
            risk_debate: RiskDebate::default(),
            settlements: Vec::new(),
            lessons: None,
            outcome: None,
            steps: Vec::new(),
            bars: Vec::new(),
            price_currency: None,
            unfinished: BTreeMap::new(),
            warnings: Vec::new(),
        }
    }

    /// Tokens of all steps.
    pub fn usage(&self) -> Usage {
        let mut total = Usage::default();
        for step in &self.steps {
            total += step.usage;
        }
        total
    }
}
