//! What the agents of a job said, in the order in which they said it; debates as conversations.

use maud::{Markup, html};

use super::markdown;
use crate::{
    agents::{Analysis, StepRecord},
    domain::Agent,
    llm::Message,
    results::{JobResult, Reports},
};

/// The sections of a report, by their anchors and titles.
pub const SECTIONS: [(&str, &str); 5] = [
    ("decision", "Decision"),
    ("analysts", "Analysts"),
    ("research", "Research debate"),
    ("trading", "Trading plan"),
    ("risk", "Risk debate"),
];

/// All of it, the decision first.
pub fn parts(result: &JobResult) -> Markup {
    sections(&result.reports, &result.steps, false)
}

/// What a team that is still at work has said so far, for a page that goes on to follow it.
pub fn parts_so_far(analysis: &Analysis) -> Markup {
    sections(&Reports::of(analysis), &analysis.steps, true)
}

/// The sections in which something is said.
fn sections(reports: &Reports, steps: &[StepRecord], live: bool) -> Markup {
    let bodies = [
        text(Agent::PortfolioManager, &reports.portfolio_manager),
        analysts(reports),
        html! {
            (conversation(steps, &[Agent::BullResearcher, Agent::BearResearcher]))
            (text(Agent::ResearchManager, &reports.research_manager))
        },
        text(Agent::Trader, &reports.trader),
        conversation(steps, &[Agent::AggressiveAnalyst, Agent::ConservativeAnalyst, Agent::NeutralAnalyst]),
    ];
    html! {
        @for ((anchor, title), body) in SECTIONS.iter().zip(bodies).filter(|(_, body)| !body.0.is_empty()) {
            section.panel id=(anchor) data-live[live] aria-labelledby={ (anchor) "-title" } {
                h2 id={ (anchor) "-title" } { (title) }
                (body)
            }
        }
    }
}

fn analysts(reports: &Reports) -> Markup {
    let reports = [
        (Agent::MarketAnalyst, &reports.market),
        (Agent::SentimentAnalyst, &reports.sentiment),
        (Agent::NewsAnalyst, &reports.news),
        (Agent::FundamentalsAnalyst, &reports.fundamentals),
    ];
    html! {
        @for (agent, report) in reports {
            @if !report.is_empty() {
                details.said id={ "said-" (format!("{agent:?}")) } open { summary { h3 { (agent) } } div.prose { (markdown(report, 3)) } }
            }
        }
    }
}

/// What one agent wrote; nothing if it did not.
fn text(agent: Agent, text: &str) -> Markup {
    html! { @if !text.is_empty() { div.said { h3 { (agent) } div.prose { (markdown(text, 3)) } } } }
}

/// The turns of those who debate, each on its side.
fn conversation(steps: &[StepRecord], speakers: &[Agent]) -> Markup {
    let turns = steps.iter().filter(|step| speakers.contains(&step.agent));
    let mut turns = turns.filter_map(|step| Some((step, last_words(step)?))).peekable();
    html! {
        @if turns.peek().is_some() {
            ol.conversation {
                @for (step, words) in turns {
                    li class={ "side-" (speakers.iter().position(|agent| *agent == step.agent).unwrap_or_default()) } {
                        h3 { (step.agent) }
                        div.prose { (markdown(words, 3)) }
                    }
                }
            }
        }
    }
}

/// What an agent ended its turn with.
fn last_words(step: &StepRecord) -> Option<&str> {
    step.messages.iter().rev().find_map(|message| match message {
        Message::Assistant { content, .. } => Some(content.as_str()),
        _ => None,
    })
}
