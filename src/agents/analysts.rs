//! The four analysts, who work at the same time.

use futures_util::{StreamExt, stream};

use super::{
    AgentError, Analysis, StepRecord,
    case::Case,
    structured::{SentimentReport, Structured},
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
    let brief = analysis.brief.clone();
    let missing: Vec<_> = brief.analysts.iter().copied().filter(|a| !analysis.reports.contains_key(a)).collect();
    let (ticker, date) = (brief.ticker.as_str(), brief.date.to_string());
    let (ticker, date) = (ticker, date.as_str());
    let working = missing.into_iter().map(|analyst| async move {
        match analyst {
            Analyst::Market => market(case, ticker).await,
            Analyst::Social => sentiment(case, ticker, date).await,
            Analyst::News => {
                let evidence = no_source(analyst);
                let task = format!(include_str!("prompts/news.md"), ticker = ticker, date = date, evidence = evidence);
                unaided(case, analyst, task).await
            }
            Analyst::Fundamentals => {
                let evidence = no_source(analyst);
                let task =
                    format!(include_str!("prompts/fundamentals.md"), ticker = ticker, date = date, evidence = evidence);
                unaided(case, analyst, task).await
            }
        }
    });
    let mut contributions = stream::iter(working).buffer_unordered(case.firm.analyst_concurrency);
    while let Some(contribution) = contributions.next().await {
        let Contribution { analyst, report, step, warnings } = contribution?;
        analysis.reports.insert(analyst, report);
        analysis.warnings.extend(warnings);
        case.keep(analysis, step).await;
    }
    Ok(())
}

/// The market analyst calls tools, or finds what they say in the prompt if the model can't.
async fn market(case: &Case<'_>, ticker: &str) -> Result<Contribution, AgentError> {
    let agent = Agent::MarketAnalyst;
    let calls_tools = case.model(agent).supports_tools().await;
    let calls_tools = calls_tools.map_err(|source| AgentError::Model { agent, source })?;
    let mut turn = case.turn(agent).await;
    let evidence = if calls_tools { String::new() } else { prefetched(case, &mut turn).await };
    let task = format!(include_str!("prompts/market.md"), ticker = ticker, evidence = evidence);
    let report = if calls_tools {
        turn.research(task, &Tool::MARKET, &case.evidence, case.firm.max_tool_rounds).await?
    } else {
        turn.answer(task).await?
    };
    let report = format!("{report}\n\n{}", case.evidence.provenance());
    Ok(Contribution { analyst: Analyst::Market, report, step: turn.end().await, warnings: Vec::new() })
}

async fn prefetched(case: &Case<'_>, turn: &mut Turn<'_>) -> String {
    let mut text = String::from("# Evidence\n");
    for (tool, arguments) in Tool::prefetched(&case.evidence) {
        text.push('\n');
        text.push_str(&turn.prefetch(tool, &arguments, &case.evidence).await);
    }
    text
}

/// The sentiment analyst answers in a form.
async fn sentiment(case: &Case<'_>, ticker: &str, date: &str) -> Result<Contribution, AgentError> {
    let analyst = Analyst::Social;
    let evidence = no_source(analyst);
    let task = format!(include_str!("prompts/sentiment.md"), ticker = ticker, date = date, evidence = evidence);
    let (filled, step): (Filled<SentimentReport>, _) = case.fill_in(analyst.into(), task).await?;
    let report = filled.form.map_or(filled.text, |form| form.render());
    Ok(Contribution { analyst, report, step, warnings: vec![missing_source(analyst)] })
}

/// An analyst who has nothing but the prompt.
async fn unaided(case: &Case<'_>, analyst: Analyst, task: String) -> Result<Contribution, AgentError> {
    let (report, step) = case.answer(analyst.into(), task).await?;
    Ok(Contribution { analyst, report, step, warnings: vec![missing_source(analyst)] })
}

/// What an analyst is told who has no source.
fn no_source(analyst: Analyst) -> String {
    format!(
        "# Evidence\n\nThis service has no source of {}, so there is none. Say so; don't write from memory.",
        data(analyst)
    )
}

/// What the reader of the result is told.
fn missing_source(analyst: Analyst) -> String {
    format!("{}: there was no source of {}, so none was considered", Agent::from(analyst), data(analyst))
}

fn data(analyst: Analyst) -> &'static str {
    match analyst {
        Analyst::Market => "prices",
        Analyst::Social => "social media and news",
        Analyst::News => "news and macro-economic series",
        Analyst::Fundamentals => "filings",
    }
}
