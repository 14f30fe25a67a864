//! One turn of one agent: its conversation with a model, told to the observer and kept for the record.

use std::time::Instant;

use futures_util::future::join_all;
use serde_json::Value;

use super::{
    AgentError, Observer, Step, StepRecord, ToolRecord,
    evidence::Evidence,
    structured::Structured,
    tools::{self, Tool},
};
use crate::{
    domain::{Agent, DecisionSource},
    llm::{ChatModel, ChatRequest, ChatResponse, LlmError, Message, OutputSchema, Usage},
};

/// A turn that goes on.
pub struct Turn<'a> {
    agent: Agent,
    model: &'a dyn ChatModel,
    observer: &'a dyn Observer,
    began: Instant,
    messages: Vec<Message>,
    tools: Vec<ToolRecord>,
    sources: Vec<String>,
    usage: Usage,
}

/// An answer that should have a form.
pub struct Filled<T> {
    /// The answer as Markdown.
    pub text: String,
    /// What was read; none if the answer is a plain text.
    pub form: Option<T>,
    pub source: DecisionSource,
}

impl<'a> Turn<'a> {
    /// Begins a turn. `context` is the same for all agents of an analysis, so that a model server can keep what it
    /// computed for it.
    pub async fn begin(agent: Agent, model: &'a dyn ChatModel, context: &str, observer: &'a dyn Observer) -> Self {
        observer.step(Step::Started { agent }).await;
        Self {
            agent,
            model,
            observer,
            began: Instant::now(),
            messages: vec![Message::System { content: context.into() }],
            tools: Vec::new(),
            sources: Vec::new(),
            usage: Usage::default(),
        }
    }

    /// The answer as a text.
    pub async fn answer(&mut self, task: String) -> Result<String, AgentError> {
        self.say(task);
        let answer = self.chat(&[], None).await;
        answer.map(|answer| answer.text).map_err(|error| self.failed(error))
    }

    /// The answer as a text, after at most `max_rounds` rounds of tool calls.
    pub async fn research(
        &mut self,
        task: String,
        offered: &[Tool],
        evidence: &Evidence,
        max_rounds: u32,
    ) -> Result<String, AgentError> {
        self.say(task);
        for _ in 0..max_rounds {
            let answer = self.chat(offered, None).await.map_err(|error| self.failed(error))?;
            if answer.tool_calls.is_empty() {
                return Ok(answer.text);
            }
            let calls = answer.tool_calls.iter().map(|call| (call.name.as_str(), &call.arguments));
            let contents = self.call(calls, offered, evidence).await;
            for (call, content) in answer.tool_calls.into_iter().zip(contents) {
                self.messages.push(Message::Tool { id: call.id, name: call.name, content });
            }
        }
        self.say("That was the last tool call. Write your report now, from what you have.".into());
        let answer = self.chat(&[], None).await;
        answer.map(|answer| answer.text).map_err(|error| self.failed(error))
    }

    /// The answer in a form. One repair is asked for; then whatever text there is has to do.
    pub async fn fill_in<T: Structured>(&mut self, task: String) -> Result<Filled<T>, AgentError> {
        self.say(task);
        let mut source = DecisionSource::Structured;
        loop {
            let text = match self.chat(&[], Some(T::form())).await {
                Ok(answer) => answer.text,
                // Not every server takes schemas.
                Err(LlmError::Refused { .. }) => self.chat(&[], None).await.map_err(|error| self.failed(error))?.text,
                Err(error) => return Err(self.failed(error)),
            };
            match T::read(&text) {
                Ok(form) => return Ok(Filled { text: form.render(), form: Some(form), source }),
                Err(_) if source == DecisionSource::Repaired => {
                    return Ok(Filled { text, form: None, source: DecisionSource::Text });
                }
                Err(wrong) => self.say(format!(
                    "That answer can't be read: {wrong}. Answer again with one JSON object in the form that was asked \
                     for, and with nothing else."
                )),
            }
            source = DecisionSource::Repaired;
        }
    }

    /// Runs tools for an agent that calls none itself; the answers are for the prompt.
    pub async fn prefetch(&mut self, tools: &[Tool], evidence: &Evidence) -> String {
        let calls: Vec<_> = tools
            .iter()
            .flat_map(|tool| tool.prefetched(evidence).into_iter().map(|arguments| (tool.name(), arguments)))
            .collect();
        let asked = calls.iter().map(|(name, arguments)| (*name, arguments));
        let contents = self.call(asked, tools, evidence).await;
        format!("# Evidence\n\n{}", contents.join("\n\n"))
    }

    /// Where the answers of the tools came from, a line for each source, none twice.
    pub fn sources(&self) -> &[String] {
        &self.sources
    }

    /// Ends the turn.
    pub async fn end(self) -> StepRecord {
        let took = self.began.elapsed();
        self.observer.step(Step::Finished { agent: self.agent, took, usage: self.usage }).await;
        StepRecord {
            agent: self.agent,
            model: format!("{}/{}", self.model.provider().as_str(), self.model.model()),
            seconds: took.as_secs_f64(),
            usage: self.usage,
            messages: self.messages,
            tools: self.tools,
        }
    }

    fn say(&mut self, content: String) {
        self.messages.push(Message::User { content });
    }

    async fn chat(&mut self, offered: &[Tool], schema: Option<OutputSchema>) -> Result<ChatResponse, LlmError> {
        let tools = offered.iter().map(|tool| tool.spec()).collect();
        let request = ChatRequest { agent: self.agent, messages: self.messages.clone(), tools, schema };
        let answer = self.model.chat(&request).await?;
        self.usage += answer.usage;
        let (content, tool_calls) = (answer.text.clone(), answer.tool_calls.clone());
        self.messages.push(Message::Assistant { content, tool_calls });
        Ok(answer)
    }

    /// Runs tools at the same time; their answers, or their errors, in the order of the calls.
    async fn call<'c>(
        &mut self,
        calls: impl Iterator<Item = (&'c str, &'c Value)>,
        offered: &[Tool],
        evidence: &Evidence,
    ) -> Vec<String> {
        let (agent, observer) = (self.agent, self.observer);
        let running = calls.map(|(name, arguments)| async move {
            let began = Instant::now();
            let answer = tools::call(name, arguments, offered, evidence).await;
            let (tool, took, error) = (name.to_owned(), began.elapsed(), answer.as_ref().err().cloned());
            observer.step(Step::ToolCalled { agent, tool: tool.clone(), took, error: error.clone() }).await;
            let record = ToolRecord { tool, arguments: arguments.clone(), seconds: took.as_secs_f64(), error };
            (record, answer)
        });
        let mut contents = Vec::new();
        for (record, answer) in join_all(running).await {
            self.tools.push(record);
            contents.push(match answer {
                Ok(found) => {
                    let new = found.sources.into_iter().filter(|source| !self.sources.contains(source));
                    let new: Vec<_> = new.collect();
                    self.sources.extend(new);
                    found.text
                }
                Err(error) => error,
            });
        }
        contents
    }

    fn failed(&self, source: LlmError) -> AgentError {
        AgentError::Model { agent: self.agent, source }
    }
}
