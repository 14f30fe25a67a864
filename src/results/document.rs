//! The result of a job, as `state.json` holds it and the API answers it.
//!
//! `final_state` has the names that clients of the TradingAgents framework know; the rest says more.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    agents::{Analysis, StepRecord},
    domain::{Agent, Analyst, Decision, DecisionSource, Rating, Ticker, TradeDate},
    jobs::JobId,
    llm::Usage,
    market::bars_csv,
};

/// What came out of a job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct JobResult {
    pub job_id: JobId,
    /// The attempt at the job that it is the result of; 0 if it is older than this field.
    #[serde(default)]
    pub attempt: u32,
    /// When it was made; none if it is older than this field.
    #[serde(default)]
    pub made_at: Option<DateTime<Utc>>,
    pub ticker: Ticker,
    pub date: TradeDate,
    pub decision: Decision,
    /// The portfolio manager's rating, from which the decision follows; `REVIEW` if it could not be read.
    pub rating: Rating,
    pub decision_source: DecisionSource,
    /// What a reader has to know: cut-off debates, fallbacks, missing evidence.
    pub warnings: Vec<String>,
    pub final_state: FinalState,
    pub reports: Reports,
    /// Tokens of all steps.
    pub usage: Usage,
    /// What the costs follow: `prices of 2026-11`, as the program knows them, or `prices of LLM_PRICES`; none if no price is
    /// known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prices: Option<String>,
    /// The daily bars up to the analysis date, adjusted as of it, as CSV: date, open, high, low, close, volume. They are
    /// those of a year and of 200 days before.
    #[serde(default)]
    pub bars: String,
    /// The currency of the bars as the vendor writes it, such as `USD`, or `GBp` for pence; none if the vendor does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
    /// Every turn of every agent: model, seconds, tokens, the whole conversation, and its tool calls.
    #[schemars(with = "Vec<serde_json::Map<String, serde_json::Value>>")]
    pub steps: Vec<StepRecord>,
}

/// The end state by the framework's names.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FinalState {
    pub company_of_interest: Ticker,
    pub trade_date: TradeDate,
    /// Empty if the analyst was not selected, as the next three.
    pub market_report: String,
    pub sentiment_report: String,
    pub news_report: String,
    pub fundamentals_report: String,
    pub investment_debate_state: InvestmentDebateState,
    pub investment_plan: String,
    pub trader_investment_plan: String,
    pub risk_debate_state: RiskDebateState,
    pub final_trade_decision: String,
    /// What the portfolio manager was told of earlier decisions; empty if there was nothing.
    #[serde(default)]
    pub past_context: String,
}

/// The bull and bear debate by the framework's names.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct InvestmentDebateState {
    pub bull_history: String,
    pub bear_history: String,
    pub history: String,
    pub current_response: String,
    pub judge_decision: String,
    /// Turns taken.
    pub count: usize,
}

/// The risk debate by the framework's names.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RiskDebateState {
    pub aggressive_history: String,
    pub conservative_history: String,
    pub neutral_history: String,
    pub history: String,
    pub latest_speaker: String,
    pub current_aggressive_response: String,
    pub current_conservative_response: String,
    pub current_neutral_response: String,
    pub judge_decision: String,
    /// Turns taken.
    pub count: usize,
}

/// The agents' reports as Markdown; empty where an agent did not speak.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Reports {
    pub market: String,
    pub sentiment: String,
    pub news: String,
    pub fundamentals: String,
    pub bull: String,
    pub bear: String,
    pub research_manager: String,
    pub trader: String,
    pub aggressive: String,
    pub conservative: String,
    pub neutral: String,
    pub portfolio_manager: String,
}

impl JobResult {
    /// The result of an analysis that has just ended; none if it has no outcome yet.
    pub fn new(job_id: JobId, attempt: u32, analysis: &Analysis) -> Option<Self> {
        let outcome = analysis.outcome.as_ref()?;
        let reports = Reports::of(analysis);
        Some(Self {
            job_id,
            attempt,
            made_at: Some(Utc::now()),
            ticker: analysis.brief.ticker.clone(),
            date: analysis.brief.date,
            decision: outcome.rating.decision(),
            rating: outcome.rating,
            decision_source: outcome.source,
            warnings: analysis.warnings.clone(),
            final_state: FinalState::new(analysis, &reports),
            reports,
            usage: analysis.usage(),
            prices: None,
            bars: bars_csv::write(&analysis.bars),
            currency: analysis.price_currency.as_ref().map(|currency| currency.code().to_owned()),
            steps: analysis.steps.clone(),
        })
    }
}

impl Reports {
    /// What was written so far.
    pub fn of(analysis: &Analysis) -> Self {
        let report = |analyst| analysis.reports.get(&analyst).cloned().unwrap_or_default();
        let debate = |agent| spoken(&analysis.debate.turns, Some(agent));
        let risk = |agent| spoken(&analysis.risk_debate.turns, Some(agent));
        Self {
            market: report(Analyst::Market),
            sentiment: report(Analyst::Social),
            news: report(Analyst::News),
            fundamentals: report(Analyst::Fundamentals),
            bull: debate(Agent::BullResearcher),
            bear: debate(Agent::BearResearcher),
            research_manager: analysis.investment_plan.clone().unwrap_or_default(),
            trader: analysis.trader_plan.clone().unwrap_or_default(),
            aggressive: risk(Agent::AggressiveAnalyst),
            conservative: risk(Agent::ConservativeAnalyst),
            neutral: risk(Agent::NeutralAnalyst),
            portfolio_manager: analysis.outcome.as_ref().map(|outcome| outcome.text.clone()).unwrap_or_default(),
        }
    }
}

impl FinalState {
    fn new(analysis: &Analysis, reports: &Reports) -> Self {
        let debate = &analysis.debate.turns;
        let risk = &analysis.risk_debate.turns;
        Self {
            company_of_interest: analysis.brief.ticker.clone(),
            trade_date: analysis.brief.date,
            market_report: reports.market.clone(),
            sentiment_report: reports.sentiment.clone(),
            news_report: reports.news.clone(),
            fundamentals_report: reports.fundamentals.clone(),
            investment_debate_state: InvestmentDebateState {
                bull_history: reports.bull.clone(),
                bear_history: reports.bear.clone(),
                history: spoken(debate, None),
                current_response: debate.last().map(|(_, text)| text.clone()).unwrap_or_default(),
                judge_decision: reports.research_manager.clone(),
                count: debate.len(),
            },
            investment_plan: reports.research_manager.clone(),
            trader_investment_plan: reports.trader.clone(),
            risk_debate_state: RiskDebateState {
                aggressive_history: reports.aggressive.clone(),
                conservative_history: reports.conservative.clone(),
                neutral_history: reports.neutral.clone(),
                history: spoken(risk, None),
                latest_speaker: risk.last().map(|(agent, _)| speaker(*agent).to_owned()).unwrap_or_default(),
                current_aggressive_response: last_turn(risk, Agent::AggressiveAnalyst),
                current_conservative_response: last_turn(risk, Agent::ConservativeAnalyst),
                current_neutral_response: last_turn(risk, Agent::NeutralAnalyst),
                judge_decision: reports.portfolio_manager.clone(),
                count: risk.len(),
            },
            final_trade_decision: reports.portfolio_manager.clone(),
            past_context: analysis.lessons.clone().unwrap_or_default(),
        }
    }
}

/// The framework's word for a speaker of the risk debate: `Aggressive`.
fn speaker(agent: Agent) -> &'static str {
    agent.label().split(' ').next().unwrap_or_default()
}

/// All turns, or those of one agent, a blank line between.
fn spoken(turns: &[(Agent, String)], by: Option<Agent>) -> String {
    let texts: Vec<_> = turns.iter().filter(|(a, _)| by.is_none_or(|by| by == *a)).map(|(_, t)| t.as_str()).collect();
    texts.join("\n\n")
}

fn last_turn(turns: &[(Agent, String)], by: Agent) -> String {
    turns.iter().rev().find(|(a, _)| *a == by).map(|(_, text)| text.clone()).unwrap_or_default()
}
