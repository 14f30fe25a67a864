//! The four analysts, who work at the same time.
//!
//! Each has its tools; those without a vendor behind them are not offered. The sentiment analyst, and whoever has a model
//! that can't call tools, finds in the prompt what they say.

use futures_util::{StreamExt, stream};

use super::{
    AgentError, Analysis, StepRecord,
    case::Case,
    structured::SentimentReport,
    tools::Tool,
    turn::{Filled, Turn},
};
use crate::domain::{Agent, Analyst};

/// What an analyst brings.
struct Contribution {
    analyst: Analyst,
    report: String,
    step: StepRecord,
    warnings: Vec<String>,
}

/// Gets the reports that are missing. Each is kept as soon as it is there.
pub async fn report(case: &Case<'_>, analysis: &mut Analysis) -> Result<(), AgentError> {
    let analysts = analysis.brief.analysts.clone();
    let missing: Vec<_> = analysts.into_iter().filter(|a| !analysis.reports.contains_key(a)).collect();
    let working = missing.into_iter().map(|analyst| contribution(case, analyst));
    let mut contributions = stream::iter(working).buffer_unordered(case.firm.analyst_concurrency);
    while let Some(contribution) = contributions.next().await {
        let Contribution { analyst, report, step, warnings } = contribution?;
        analysis.reports.insert(analyst, report);
        analysis.warnings.extend(warnings);
        case.keep(analysis, step).await;
    }
    Ok(())
}

async fn contribution(case: &Case<'_>, analyst: Analyst) -> Result<Contribution, AgentError> {
    let agent = Agent::from(analyst);
    let tools: Vec<_> = tools(analyst).iter().copied().filter(|tool| tool.is_there(&case.evidence)).collect();
    let prefetches = analyst == Analyst::Social || !calls_tools(case, agent).await?;
    let mut turn = case.turn(agent).await;
    let evidence = match (tools.is_empty(), prefetches) {
        (true, _) => no_source(analyst),
        (false, true) => {
            turn.prefetch(&tools, &case.evidence).await;
            "# Evidence".into()
        }
        (false, false) => String::new(),
    };
    let task = task(case, analyst, &evidence);
    let mut warnings = Vec::new();
    let report = if analyst == Analyst::Social {
        let filled: Filled<SentimentReport> = turn.fill_in(task).await?;
        warnings.extend(filled.warning(agent));
        filled.text
    } else if tools.is_empty() || prefetches {
        turn.answer(task).await?
    } else {
        turn.research(task, &tools, &case.evidence, case.firm.max_tool_rounds).await?
    };
    let report = format!("{report}{}", provenance(case, analyst, &turn));
    warnings.extend(warning(analyst, tools.is_empty(), &turn));
    Ok(Contribution { analyst, report, step: turn.end().await, warnings })
}

async fn calls_tools(case: &Case<'_>, agent: Agent) -> Result<bool, AgentError> {
    let supported = case.model(agent).supports_tools().await;
    supported.map_err(|source| AgentError::Model { agent, source })
}

fn tools(analyst: Analyst) -> &'static [Tool] {
    match analyst {
        Analyst::Market => &Tool::MARKET,
        Analyst::Social => &Tool::SENTIMENT,
        Analyst::News => &Tool::NEWS,
        Analyst::Fundamentals => &Tool::FUNDAMENTALS,
    }
}

fn task(case: &Case<'_>, analyst: Analyst, evidence: &str) -> String {
    let (ticker, date) = (case.evidence.ticker(), case.evidence.date);
    match analyst {
        Analyst::Market => format!(include_str!("prompts/market.md"), ticker = ticker, evidence = evidence),
        Analyst::Social => {
            format!(include_str!("prompts/sentiment.md"), ticker = ticker, date = date, evidence = evidence)
        }
        Analyst::News => format!(include_str!("prompts/news.md"), ticker = ticker, date = date, evidence = evidence),
        Analyst::Fundamentals => {
            format!(include_str!("prompts/fundamentals.md"), ticker = ticker, date = date, evidence = evidence)
        }
    }
}

/// The end of a report: where its evidence comes from.
fn provenance(case: &Case<'_>, analyst: Analyst, turn: &Turn<'_>) -> String {
    let prices = (analyst == Analyst::Market).then(|| case.evidence.provenance());
    let lines = prices.iter().chain(turn.sources());
    lines.flat_map(|line| ["\n\n", line]).collect()
}

/// What the reader of the result is told of an analyst who had no evidence.
fn warning(analyst: Analyst, no_tools: bool, turn: &Turn<'_>) -> Option<String> {
    let (agent, data) = (Agent::from(analyst), data(analyst));
    if analyst == Analyst::Market || !turn.sources().is_empty() {
        None
    } else if no_tools {
        Some(format!("{agent}: there was no source of {data}, so none was considered"))
    } else {
        Some(format!("{agent}: no vendor had {data}, or none was asked, so none was considered"))
    }
}

/// What an analyst is told who has no source.
fn no_source(analyst: Analyst) -> String {
    format!(
        "# Evidence\n\nThis service has no source of {}, so there is none. Say so; don't write from memory.",
        data(analyst)
    )
}

fn data(analyst: Analyst) -> &'static str {
    match analyst {
        Analyst::Market => "prices",
        Analyst::Social => "social media and news",
        Analyst::News => "news and macro-economic series",
        Analyst::Fundamentals => "filings",
    }
}
