//! The team at work: who is done, who speaks, who waits, in the order of the pipeline.

use maud::{Markup, html};

use super::{super::words, Progress, progress::Turns};
use crate::{
    domain::{Agent, Analyst},
    jobs::Job,
};

/// Those who work at the same time or with each other, in the order of the pipeline.
const STAGES: [(&str, &[Agent]); 5] = [
    ("Analysts", &[Agent::MarketAnalyst, Agent::SentimentAnalyst, Agent::NewsAnalyst, Agent::FundamentalsAnalyst]),
    ("Research", &[Agent::BullResearcher, Agent::BearResearcher, Agent::ResearchManager]),
    ("Trading", &[Agent::Trader]),
    ("Risk", &[Agent::AggressiveAnalyst, Agent::ConservativeAnalyst, Agent::NeutralAnalyst]),
    ("Decision", &[Agent::Reflector, Agent::PortfolioManager]),
];

/// The agents as a flow.
pub fn of(job: &Job, progress: &Progress) -> Markup {
    html! {
        ol.flow {
            @for (stage, agents) in STAGES {
                li.stage {
                    h3 { (stage) }
                    @for agent in agents {
                        // The reflector works only where there is something to look back on.
                        @if *agent != Agent::Reflector || progress.turns(*agent).is_some() { (card(job, progress, *agent)) }
                    }
                }
            }
        }
    }
}

fn card(job: &Job, progress: &Progress, agent: Agent) -> Markup {
    let turns = progress.turns(agent);
    let (state, word) = match turns {
        Some(Turns { since: Some(_), .. }) => ("working", "at work"),
        Some(Turns { ended: 1.., .. }) => ("done", "done"),
        Some(_) => ("stopped", "stopped"),
        None if !is_selected(job, progress, agent) => ("unselected", "not selected"),
        None if job.status.is_terminal() => ("unreached", "not reached"),
        None => ("waiting", "waiting"),
    };
    let name = format!("{agent:?}");
    html! {
        div.agent.(state) id={ "agent-" (name) } data-live data-agent=(name) data-state=(state) {
            div.who { span.dot aria-hidden="true" {} strong { (agent) } span.state { (word) } }
            @if let Some(turns) = turns { (figures(turns)) (tools(&name, turns)) }
            @if state == "working" { (draft()) }
        }
    }
}

/// The place of what the agent's model is writing, which the script fills: of one height whatever is in it, so that nothing
/// around it moves. Screen readers are not told of each change; the whole text follows below once it is complete.
fn draft() -> Markup {
    html! {
        div.draft aria-live="off" {
            p.text { span {} }
            p.count {}
        }
    }
}

/// Whether the job asks for this agent, who has had no turn. All but the analysts work on every job. Of those it may have
/// chosen some, and whoever is not through when the research begins is not asked, as of a coin who reads filings.
fn is_selected(job: &Job, progress: &Progress, agent: Agent) -> bool {
    let analyst = match agent {
        Agent::MarketAnalyst => Analyst::Market,
        Agent::SentimentAnalyst => Analyst::Social,
        Agent::NewsAnalyst => Analyst::News,
        Agent::FundamentalsAnalyst => Analyst::Fundamentals,
        _ => return true,
    };
    let chosen = job.request.config.selected_analysts.as_ref();
    chosen.is_none_or(|chosen| chosen.as_slice().contains(&analyst)) && progress.turns(Agent::BullResearcher).is_none()
}

fn figures(turns: &Turns) -> Markup {
    html! {
        p.numbers {
            @match turns.since {
                Some(since) => { span { (words::since(since)) } }
                None => (took(turns.seconds)),
            }
            @if turns.ended > 1 { span { (turns.ended) " turns" } }
            @if turns.tokens_in + turns.tokens_out > 0 {
                span title="tokens in and out" { (words::number(turns.tokens_in)) " → " (words::number(turns.tokens_out)) " tokens" }
            }
            @if let Some(cost) = turns.cost_usd { span { "US$ " (format!("{cost:.4}")) } }
        }
    }
}

/// How long it took, unless that is less than the tenth of a second which can be told, as all is that the rules model does.
fn took(seconds: f64) -> Markup {
    html! { @if seconds >= 0.05 { span.figure { (words::seconds(seconds)) } } }
}

fn tools(name: &str, turns: &Turns) -> Markup {
    let failed = turns.tools.iter().filter(|call| call.error.is_some()).count();
    html! {
        @if !turns.tools.is_empty() {
            details id={ "tools-" (name) } {
                summary {
                    (turns.tools.len()) @if turns.tools.len() == 1 { " tool call" } @else { " tool calls" }
                    @if failed > 0 { ", " (failed) " without data" }
                }
                ul.tools {
                    @for call in &turns.tools {
                        li { code { (call.tool) } " " (took(call.seconds))
                            @if let Some(error) = &call.error { p.wrong { (error) } } }
                    }
                }
            }
        }
    }
}

/// What all of them took together.
pub fn totals(progress: &Progress) -> Markup {
    let all = || progress.agents.values();
    let (tokens_in, tokens_out): (u64, u64) =
        (all().map(|turns| turns.tokens_in).sum(), all().map(|turns| turns.tokens_out).sum());
    let cost: Option<f64> = all().filter(|turns| turns.ended > 0).map(|turns| turns.cost_usd).sum();
    let (turns, calls): (usize, usize) =
        (all().map(|turns| turns.ended).sum(), all().map(|turns| turns.tools.len()).sum());
    html! {
        p.numbers {
            @if turns > 0 { span { (turns) " turns" } }
            @if calls > 0 { span { (calls) " tool calls" } }
            @if tokens_in + tokens_out > 0 {
                span { (words::number(tokens_in)) " tokens in, " (words::number(tokens_out)) " out" }
            }
            @if let Some(cost) = cost.filter(|cost| *cost > 0.0) { span { "US$ " (format!("{cost:.4}")) } }
        }
    }
}
