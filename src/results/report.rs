//! The whole report as Markdown.

use std::fmt::{Result, Write};

use super::{
    JobResult, evidence,
    facts::facts,
    sections::{self, Section, Words},
};
use crate::llm::Usage;

/// The report that people read: the decision first, then every agent's part, then what it was made from.
pub fn markdown(result: &JobResult) -> String {
    let mut text = String::new();
    // Writing to a String can't fail.
    let _ = write_report(&mut text, result);
    text
}

fn write_report(out: &mut String, result: &JobResult) -> Result {
    let sections = sections::of_result(result);
    let earlier = &result.final_state.past_context;
    write_head(out, result)?;
    write_contents(out, &sections, !earlier.is_empty())?;
    for section in &sections {
        writeln!(out, "## {}\n", section.title)?;
        for words in section.words() {
            writeln!(out, "### {}\n\n{}\n", heading(words), nested(words.text))?;
        }
    }
    if !earlier.is_empty() {
        writeln!(out, "## Earlier decisions\n\n{}\n", nested(earlier))?;
    }
    write_evidence(out, result)?;
    write_costs(out, result)
}

fn write_head(out: &mut String, result: &JobResult) -> Result {
    let JobResult { ticker, date, decision, rating, warnings, .. } = result;
    writeln!(out, "# Trading Analysis Report: {ticker}\n")?;
    writeln!(out, "**Decision:** {} (rating: {})  ", decision.as_str(), rating.as_str())?;
    write!(out, "**Analysis date:** {date}")?;
    for (name, value) in facts(result) {
        write!(out, "  \n**{name}:** {value}")?;
    }
    writeln!(out, "\n\n> Made by software for research. It is no investment advice.\n")?;
    if !warnings.is_empty() {
        writeln!(out, "**Warnings**\n")?;
        for warning in warnings {
            writeln!(out, "- {warning}")?;
        }
        writeln!(out)?;
    }
    Ok(())
}

fn write_contents(out: &mut String, sections: &[Section<'_>], has_earlier: bool) -> Result {
    writeln!(out, "## Contents\n")?;
    for section in sections {
        writeln!(out, "- [{}](#{})", section.title, slug(section.title))?;
        for words in section.agents() {
            writeln!(out, "  - [{}](#{})", words.agent, slug(words.agent.label()))?;
        }
    }
    let earlier = has_earlier.then_some("Earlier decisions");
    for title in earlier.into_iter().chain(["Evidence", "Models and costs"]) {
        writeln!(out, "- [{title}](#{})", slug(title))?;
    }
    writeln!(out)
}

/// The anchor that readers of Markdown, such as GitHub, give to a heading.
fn slug(title: &str) -> String {
    title.to_lowercase().replace(' ', "-")
}

fn heading(words: &Words<'_>) -> String {
    let Words { agent, turn, .. } = words;
    if *turn == 1 { agent.to_string() } else { format!("{agent}, turn {turn}") }
}

/// A text with its headings below the report's own, which are of three levels.
fn nested(text: &str) -> String {
    let mut is_code = false;
    let lines = text.trim().lines().map(|line| {
        is_code ^= line.trim_start().starts_with("```");
        let level = line.len() - line.trim_start_matches('#').len();
        let is_heading = (1..=6).contains(&level) && line[level..].starts_with(' ') && !is_code;
        if is_heading { format!("{}{}", "#".repeat((level + 3).min(6)), &line[level..]) } else { line.to_owned() }
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn write_evidence(out: &mut String, result: &JobResult) -> Result {
    writeln!(out, "## Evidence\n")?;
    if let Some(prices) = evidence::prices(result) {
        writeln!(out, "{prices}\n")?;
    }
    let mut calls = evidence::calls(result).peekable();
    if calls.peek().is_some() {
        writeln!(out, "| Agent | Asked for | Window and more | Source | Seconds |\n|---|---|---|---|---:|")?;
    } else {
        writeln!(out, "The agents called no tool.")?;
    }
    for (agent, call) in calls {
        let source = call.error.clone().unwrap_or_else(|| evidence::sources(call).join("; "));
        let (asked, source) = (cell(&evidence::arguments(&call.arguments)), cell(&source));
        writeln!(out, "| {agent} | {} | {asked} | {source} | {:.2} |", cell(&call.tool), call.seconds)?;
    }
    writeln!(out, "\nNothing from after {} was shown to the agents.\n", result.date)
}

/// A text within a row.
fn cell(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|")
}

fn write_costs(out: &mut String, result: &JobResult) -> Result {
    writeln!(out, "## Models and costs\n")?;
    writeln!(out, "| Agent | Model | Seconds | Calls | Tokens in | of them cached | Tokens out | US$ |")?;
    writeln!(out, "|---|---|---:|---:|---:|---:|---:|---:|")?;
    for step in &result.steps {
        write!(out, "| {} | {} | {:.1} ", step.agent, step.model, step.seconds)?;
        write_usage(out, &step.usage)?;
    }
    let seconds: f64 = result.steps.iter().map(|step| step.seconds).sum();
    write!(out, "| **Total** | | {seconds:.1} ")?;
    write_usage(out, &result.usage)?;
    result.prices.iter().try_for_each(|prices| writeln!(out, "\nUS dollars by the {prices}."))
}

fn write_usage(out: &mut String, usage: &Usage) -> Result {
    let Usage { calls, tokens_in, tokens_cached, tokens_out, cost_usd } = usage;
    let cost = cost_usd.map(|cost| format!("{cost:.4}")).unwrap_or_default();
    writeln!(out, "| {calls} | {tokens_in} | {tokens_cached} | {tokens_out} | {cost} |")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_of_agents_come_below_those_of_the_report() {
        let text = "# Report\n\n#hashtag\n\n```sh\n# a comment\n```\n\n##### Deep";
        assert_eq!(nested(text), "#### Report\n\n#hashtag\n\n```sh\n# a comment\n```\n\n###### Deep");
    }

    #[test]
    fn words_of_a_model_stay_in_their_cell() {
        assert_eq!(cell("a | b\nc"), "a \\| b c");
    }
}
