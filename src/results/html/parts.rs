//! What the agents of a job said, section by section; debates as conversations.

use maud::{Markup, html};

use super::markdown;
use crate::{
    agents::Analysis,
    domain::Agent,
    results::{
        JobResult, Reports,
        sections::{self, Section, Words},
    },
};

/// All of it, the decision first; and what the portfolio manager was told of earlier ones.
pub fn parts(result: &JobResult) -> Markup {
    html! {
        @for part in sections::of_result(result) { (section(&part, false)) }
        (earlier(result))
    }
}

/// What a team that is still at work has said so far, for a page that goes on to follow it.
pub fn parts_so_far(analysis: &Analysis) -> Markup {
    let reports = Reports::of(analysis);
    html! { @for part in sections::of_analysis(&reports, analysis) { (section(&part, true)) } }
}

/// Where in the document an agent's words are.
pub fn anchor(words: &Words<'_>) -> String {
    let Words { agent, turn, .. } = words;
    if *turn == 1 { format!("said-{agent:?}") } else { format!("said-{agent:?}-{turn}") }
}

fn section(section: &Section<'_>, live: bool) -> Markup {
    let Section { anchor: name, title, reports, turns, conclusion } = section;
    html! {
        section.panel id=(name) data-live[live] aria-labelledby={ (name) "-title" } {
            h2 id={ (name) "-title" } { (title) }
            @for words in reports {
                details.said id=(anchor(words)) open { summary { h3 { (words.agent) } } (prose(words.text)) }
            }
            @if !turns.is_empty() {
                ol.conversation {
                    @for words in turns {
                        li id=(anchor(words)) class={ "side-" (side(words.agent)) } { h3 { (words.agent) } (prose(words.text)) }
                    }
                }
            }
            @if let Some(words) = conclusion { div.said id=(anchor(words)) { h3 { (words.agent) } (prose(words.text)) } }
        }
    }
}

fn earlier(result: &JobResult) -> Markup {
    let told = &result.final_state.past_context;
    html! {
        @if !told.is_empty() {
            section.panel #earlier aria-labelledby="earlier-title" {
                h2 #earlier-title { "Earlier decisions" }
                p.small { "What the portfolio manager was told of them." }
                div.prose { (markdown(told, 2)) }
            }
        }
    }
}

fn prose(text: &str) -> Markup {
    html! { div.prose { (markdown(text, 3)) } }
}

/// The side on which an agent stands in its debate.
fn side(agent: Agent) -> usize {
    match agent {
        Agent::BullResearcher | Agent::AggressiveAnalyst => 0,
        Agent::BearResearcher | Agent::ConservativeAnalyst => 1,
        _ => 2,
    }
}
