//! What is wrong with a response that can't stand as an agent's answer.
//!
//! An agent's text is never empty, cut off, blocked, or machinery such as a printed tool call, without the model being
//! asked again. What a second response is like is then reported: as a warning if there is a text, as an error if not.

use crate::{
    domain::{Agent, Provider},
    llm::{ChatResponse, Finish, LlmError},
};

/// What is wrong with a response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Flaw {
    /// There is nothing in it.
    Empty,
    /// Its end is missing, because the output limit or the context was used up.
    CutOff,
    /// A filter blocked it, or the model refused; in the provider's words.
    Blocked(String),
    /// The server stopped in the middle; in the provider's words.
    Interrupted(String),
    /// It calls a tool in a way that can't be carried out.
    BadCall(String),
}

impl Flaw {
    /// What is wrong with a response to a request that offered tools, or none.
    pub fn of(response: &ChatResponse, offers_tools: bool) -> Option<Self> {
        let calls = !response.tool_calls.is_empty();
        match &response.finish {
            Finish::Blocked(reason) => Some(Self::Blocked(reason.clone())),
            Finish::Interrupted(reason) => Some(Self::Interrupted(reason.clone())),
            Finish::BadCall(reason) => Some(Self::BadCall(reason.clone())),
            Finish::Stop | Finish::Length if calls && offers_tools => None,
            Finish::Stop | Finish::Length if calls => {
                Some(Self::BadCall("it called a tool where none was offered".into()))
            }
            Finish::Length => Some(Self::CutOff),
            Finish::Stop => response.text.trim().is_empty().then_some(Self::Empty),
        }
    }

    /// What the model is told before it is asked again; nothing where the same request may simply succeed.
    pub fn instruction(&self) -> Option<&'static str> {
        match self {
            Self::Empty => Some("Your answer was empty. Write it now, as text."),
            Self::CutOff => {
                Some("Your answer was cut off before its end. Write it again, shorter, so that it is complete.")
            }
            Self::BadCall(_) => Some(
                "That was not a valid tool call. If you can't call tools, write your answer now, as text, from what you have.",
            ),
            Self::Blocked(_) | Self::Interrupted(_) => None,
        }
    }

    /// What the reader of the result has to know about the text that stands all the same.
    pub fn warning(&self, agent: Agent) -> String {
        match self {
            Self::Empty => format!("{agent}: the model answered with nothing"),
            Self::CutOff => format!(
                "{agent}: the model ran out of tokens, so the end of its answer is missing; give it more (of Ollama, \
                 OLLAMA_NUM_CTX), or use one that writes or reasons less"
            ),
            Self::Blocked(reason) => {
                format!(
                    "{agent}: the provider blocked the answer or the model refused ({reason}), so it may be incomplete"
                )
            }
            Self::Interrupted(reason) => {
                format!("{agent}: the model server stopped early ({reason}), so the answer may be incomplete")
            }
            Self::BadCall(reason) => {
                format!(
                    "{agent}: the model tried to call a tool instead of answering ({reason}), so the answer may be incomplete"
                )
            }
        }
    }

    /// The error where there is no text at all.
    pub fn error(self, provider: Provider) -> LlmError {
        match self {
            Self::Empty => LlmError::unusable(provider, "with nothing, even when asked again"),
            Self::CutOff => LlmError::ran_out(provider),
            Self::Blocked(reason) => LlmError::declined(provider, reason),
            Self::Interrupted(reason) => LlmError::unusable(provider, format!("stopped early: {reason}")),
            Self::BadCall(reason) => LlmError::unusable(provider, format!("only tried to call a tool: {reason}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::llm::{ToolCall, Usage};

    fn response(text: &str, calls: usize, finish: Finish) -> ChatResponse {
        let call = ToolCall { id: "c".into(), name: "x".into(), arguments: json!({}) };
        ChatResponse {
            text: text.into(),
            tool_calls: vec![call; calls],
            thoughts: Value::Null,
            usage: Usage::default(),
            finish,
            left_out: 0,
        }
    }

    #[test]
    fn only_a_complete_text_or_a_call_of_an_offered_tool_is_without_flaw() {
        let flaw = |text, calls, finish, offers| Flaw::of(&response(text, calls, finish), offers);
        assert_eq!(flaw("Buy.", 0, Finish::Stop, true), None);
        assert_eq!(flaw("", 2, Finish::Stop, true), None);
        assert_eq!(flaw(" \n", 0, Finish::Stop, true), Some(Flaw::Empty));
        assert_eq!(flaw("Buy", 0, Finish::Length, false), Some(Flaw::CutOff));
        assert!(matches!(flaw("Buy.", 1, Finish::Stop, false), Some(Flaw::BadCall(_))));
        let blocked = Finish::Blocked("SAFETY".into());
        assert_eq!(flaw("Buy", 1, blocked, true), Some(Flaw::Blocked("SAFETY".into())));
    }
}
