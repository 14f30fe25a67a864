//! Making room in a conversation that has outgrown the context: the oldest answers of tools are left out first, whether
//! the model asked for them or found them in its prompt.

use std::slice;

use super::{ChatRequest, Message};

/// Bytes of text that are a token at most. English prose has four to five, columns of figures two to three; it is an
/// estimate, and the server has the last word.
const BYTES_PER_TOKEN: usize = 3;
/// Tokens that are kept free for the answer, unless that is more than a quarter of the context.
const ANSWER: usize = 4096;
/// What stands where evidence was.
const LEFT_OUT: &str = "(left out: the conversation has outgrown the model's context)";

/// A request that is likely to fit.
pub(super) struct Fitted {
    pub request: ChatRequest,
    /// Answers of tools that were left out.
    pub left_out: usize,
    /// Answers of tools that are still there.
    pub evidence: usize,
    /// The size of the request, bytes.
    pub size: usize,
}

/// The most bytes of a request for a context of so many tokens.
pub(super) fn room(num_ctx: usize) -> usize {
    (num_ctx - ANSWER.min(num_ctx / 4)) * BYTES_PER_TOKEN
}

/// The request without as many of the oldest answers of tools as it takes to get below `room` bytes.
pub(super) fn fit(request: &ChatRequest, room: usize) -> Fitted {
    let mut fitted = Fitted { request: request.clone(), left_out: 0, evidence: 0, size: size(request) };
    for content in fitted.request.messages.iter_mut().flat_map(evidence) {
        if fitted.size > room && content.len() > LEFT_OUT.len() {
            fitted.size -= content.len() - LEFT_OUT.len();
            *content = LEFT_OUT.into();
            fitted.left_out += 1;
        } else if content.len() > LEFT_OUT.len() {
            fitted.evidence += 1;
        }
    }
    fitted
}

/// The answers of tools in a message.
fn evidence(message: &mut Message) -> &mut [String] {
    match message {
        Message::Tool { content, .. } => slice::from_mut(content),
        Message::User { evidence, .. } => evidence,
        Message::System { .. } | Message::Assistant { .. } => &mut [],
    }
}

fn size(request: &ChatRequest) -> usize {
    let said = request.messages.iter().map(|message| match message {
        Message::System { content } | Message::Tool { content, .. } => content.len(),
        Message::User { content, evidence } => content.len() + evidence.iter().map(String::len).sum::<usize>(),
        Message::Assistant { content, tool_calls, .. } => {
            content.len() + tool_calls.iter().map(|call| call.arguments.to_string().len()).sum::<usize>()
        }
    });
    let tools = request.tools.iter().map(|tool| tool.description.len() + tool.parameters.to_string().len());
    let schema = request.schema.iter().map(|schema| schema.schema.to_string().len());
    said.chain(tools).chain(schema).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Agent;

    #[test]
    fn the_oldest_evidence_goes_first_and_no_more_than_has_to() {
        let tool = |name: &str, size| Message::Tool { id: name.into(), name: name.into(), content: "x".repeat(size) };
        let request = ChatRequest {
            agent: Agent::MarketAnalyst,
            messages: vec![tool("old", 1000), tool("tiny", 3), tool("newer", 1000), tool("newest", 1000)],
            tools: Vec::new(),
            schema: None,
        };
        let lengths = |room| {
            let fitted = fit(&request, room);
            assert_eq!(fitted.size, size(&fitted.request));
            let length =
                |message: &Message| if let Message::Tool { content, .. } = message { content.len() } else { 0 };
            (fitted.left_out, fitted.evidence, fitted.request.messages.iter().map(length).collect::<Vec<_>>())
        };
        let short = LEFT_OUT.len();
        assert_eq!(lengths(4000), (0, 3, vec![1000, 3, 1000, 1000]));
        assert_eq!(lengths(2500), (1, 2, vec![short, 3, 1000, 1000]));
        assert_eq!(lengths(10), (3, 0, vec![short, 3, short, short]));
    }

    #[test]
    fn evidence_in_the_prompt_goes_as_that_of_tool_calls_does_and_the_prompt_stays() {
        let evidence = ["old", "new"].map(|name| name.repeat(300)).to_vec();
        let messages = vec![Message::User { content: "Report.".repeat(100), evidence }];
        let request = ChatRequest { agent: Agent::NewsAnalyst, messages, tools: Vec::new(), schema: None };
        let fitted = fit(&request, 2000);
        assert_eq!((fitted.left_out, fitted.evidence, fitted.size), (1, 1, size(&fitted.request)));
        let kept = vec![LEFT_OUT.to_owned(), "new".repeat(300)];
        assert_eq!(fitted.request.messages, [Message::User { content: "Report.".repeat(100), evidence: kept }]);
        assert_eq!(fit(&request, 10).left_out, 2);
    }
}
