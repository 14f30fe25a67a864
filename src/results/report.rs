//! The whole report as Markdown.

use std::fmt::Write;

use super::JobResult;
use crate::llm::Usage;

/// The report that people read: the decision first, then every agent's part.
pub fn markdown(result: &JobResult) -> String {
    let mut text = String::new();
    // Writing to a String can't fail.
    let _ = write_report(&mut text, result);
    text
}

fn write_report(out: &mut String, result: &JobResult) -> std::fmt::Result {
    let JobResult { ticker, date, decision, rating, reports, .. } = result;
    writeln!(out, "# Trading Analysis Report: {ticker}\n")?;
    writeln!(out, "**Decision:** {} (rating: {})  ", decision.as_str(), rating.as_str())?;
    writeln!(out, "**Analysis date:** {date}  ")?;
    writeln!(out, "**Job:** {}\n", result.job_id)?;
    writeln!(out, "> Made by software for research. It is no investment advice.\n")?;
    if !result.warnings.is_empty() {
        writeln!(out, "**Warnings**\n")?;
        for warning in &result.warnings {
            writeln!(out, "- {warning}")?;
        }
        writeln!(out)?;
    }
    section(
        out,
        "I. Analysts",
        &[
            ("Market Analyst", &reports.market),
            ("Sentiment Analyst", &reports.sentiment),
            ("News Analyst", &reports.news),
            ("Fundamentals Analyst", &reports.fundamentals),
        ],
    )?;
    section(
        out,
        "II. Research",
        &[
            ("Bull Researcher", &reports.bull),
            ("Bear Researcher", &reports.bear),
            ("Research Manager", &reports.research_manager),
        ],
    )?;
    section(out, "III. Trading", &[("Trader", &reports.trader)])?;
    section(
        out,
        "IV. Risk",
        &[
            ("Aggressive Analyst", &reports.aggressive),
            ("Conservative Analyst", &reports.conservative),
            ("Neutral Analyst", &reports.neutral),
        ],
    )?;
    section(out, "V. Portfolio", &[("Portfolio Manager", &reports.portfolio_manager)])?;
    write_costs(out, result)
}

/// A section with those agents who spoke.
fn section(out: &mut String, title: &str, parts: &[(&str, &String)]) -> std::fmt::Result {
    writeln!(out, "## {title}\n")?;
    for (agent, text) in parts.iter().filter(|(_, text)| !text.is_empty()) {
        writeln!(out, "### {agent}\n\n{}\n", text.trim())?;
    }
    Ok(())
}

fn write_costs(out: &mut String, result: &JobResult) -> std::fmt::Result {
    writeln!(out, "## Turns\n\n| Agent | Model | Seconds | Calls | Tokens in | of them cached | Tokens out | US$ |")?;
    writeln!(out, "|---|---|---:|---:|---:|---:|---:|---:|")?;
    for step in &result.steps {
        write!(out, "| {} | {} | {:.1} ", step.agent, step.model, step.seconds)?;
        write_usage(out, &step.usage)?;
    }
    write!(out, "| **Total** | | ")?;
    write_usage(out, &result.usage)
}

fn write_usage(out: &mut String, usage: &Usage) -> std::fmt::Result {
    let Usage { calls, tokens_in, tokens_cached, tokens_out, cost_usd } = usage;
    let cost = cost_usd.map(|cost| format!("{cost:.4}")).unwrap_or_default();
    writeln!(out, "| {calls} | {tokens_in} | {tokens_cached} | {tokens_out} | {cost} |")
}
