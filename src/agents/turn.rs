//! One turn of one agent: its conversation with a model, told to the observer and kept for the record.
//!
//! What an earlier attempt heard is heard again without asking: the same words lead to the same questions.

use std::{
    mem,
    time::{Duration, Instant},
};

use futures_util::future::join_all;
use serde_json::Value;

use super::{
    AgentError, Answered, CallRecord, Step, StepRecord, ToolAnswer, ToolRecord, Unfinished,
    evidence::Evidence,
    journal::Journal,
    structured::Structured,
    tools::{self, Found, Tool},
};
use crate::{
    domain::{Agent, DecisionSource},
    jobs::JobId,
    llm::{ChatModel, ChatRequest, ChatResponse, Finish, LlmError, Message, OutputSchema, Usage},
    telemetry::{Span, SpanKind},
};

/// A turn that goes on.
pub struct Turn<'a> {
    agent: Agent,
    model: &'a dyn ChatModel,
    journal: &'a Journal<'a>,
    began: Instant,
    messages: Vec<Message>,
    /// What tools told that goes with what the model is told next.
    evidence: Vec<String>,
    /// What was heard, by this attempt or an earlier one.
    heard: Unfinished,
    /// How long the earlier attempt took to hear it.
    before: Duration,
    /// How many answers of the model were used; those after them come from an earlier attempt.
    answers: usize,
    /// How many answers of tools were used.
    tools: usize,
    span: Span,
}

/// An answer that should have a form.
pub struct Filled<T> {
    /// The answer as Markdown.
    pub text: String,
    /// What was read; if the answer is a plain text, why.
    pub form: Result<T, String>,
    pub source: DecisionSource,
}

impl<T: Structured> Filled<T> {
    fn new(form: T, source: DecisionSource) -> Self {
        Self { text: form.render(), form: Ok(form), source }
    }

    fn formless(text: String, why: String) -> Self {
        Self { text, form: Err(why), source: DecisionSource::Text }
    }

    /// What the reader of the result is told if there is no form, so that only the text counts.
    pub fn warning(&self, agent: Agent) -> Option<String> {
        let why = self.form.as_ref().err()?;
        Some(format!(
            "{agent}: the model did not answer in the form that was asked for ({why}); its text is kept as it is"
        ))
    }
}

impl<'a> Turn<'a> {
    /// Begins a turn, `about` an earlier decision if it is a reflector's. `context` is the same for all other agents of
    /// an analysis, so that a model server can keep what it computed for it.
    pub async fn begin(
        agent: Agent,
        about: Option<JobId>,
        model: &'a dyn ChatModel,
        context: &str,
        journal: &'a Journal<'a>,
    ) -> Self {
        journal.tell(Step::Started { agent }).await;
        let name = format!("{}/{}", model.provider().as_str(), model.model());
        // Another model may ask for other tools, and its thoughts are its own. What was said of one decision is no
        // lesson from another, which is due where a job beside this one drew the first meanwhile.
        let heard = journal.unfinished(agent).await.filter(|heard| heard.model == name && heard.about == about);
        let heard = heard.unwrap_or(Unfinished { model: name, about, ..Unfinished::default() });
        Self {
            agent,
            model,
            journal,
            began: Instant::now(),
            messages: vec![Message::System { content: context.into() }],
            evidence: Vec::new(),
            before: Duration::try_from_secs_f64(heard.seconds).unwrap_or_default(),
            heard,
            answers: 0,
            tools: 0,
            span: span(agent),
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
        let answer = match self.chat(&[], Some(T::form())).await {
            // Not every server takes schemas.
            Err(LlmError::Refused { .. }) => self.chat(&[], None).await,
            answer => answer,
        };
        let text = answer.map_err(|error| self.failed(error))?.text;
        match T::read(&text) {
            Ok(form) => Ok(Filled::new(form, DecisionSource::Structured)),
            Err(wrong) => Ok(self.repair(text, &wrong).await),
        }
    }

    /// Another try at the form. If it brings none, the text that is there is kept.
    async fn repair<T: Structured>(&mut self, text: String, wrong: &str) -> Filled<T> {
        self.say(format!(
            "That answer can't be read: {wrong}. Answer again with one JSON object in the form that was asked for, and with \
             nothing else."
        ));
        match self.chat(&[], Some(T::form())).await {
            Ok(answer) => match T::read(&answer.text) {
                Ok(form) => Filled::new(form, DecisionSource::Repaired),
                Err(wrong) => Filled::formless(answer.text, format!("{wrong}, even after a repair")),
            },
            Err(error) => {
                // The answer comes last in the record.
                self.messages.pop();
                Filled::formless(text, format!("{wrong}, and the repair failed: {error}"))
            }
        }
    }

    /// Runs tools for an agent that calls none itself; their answers go with its task.
    pub async fn prefetch(&mut self, tools: &[Tool], evidence: &Evidence) {
        let calls: Vec<_> = tools
            .iter()
            .flat_map(|tool| tool.prefetched(evidence).into_iter().map(|arguments| (tool.name(), arguments)))
            .collect();
        let asked = calls.iter().map(|(name, arguments)| (*name, arguments));
        self.evidence = self.call(asked, tools, evidence).await;
    }

    /// Where the answers of the tools came from, a line for each source, none twice.
    pub fn sources(&self) -> Vec<&String> {
        let mut sources = Vec::new();
        for source in self.heard.tools.iter().flat_map(|answer| &answer.sources) {
            if !sources.contains(&source) {
                sources.push(source);
            }
        }
        sources
    }

    /// Ends the turn.
    pub async fn end(self) -> StepRecord {
        let took = self.took();
        let Unfinished { model, answers, tools, .. } = self.heard;
        let cut_off = answers.last().is_some_and(|last| last.response.finish == Finish::Length);
        let (mut usage, mut calls, mut left_out) = (Usage::default(), Vec::new(), 0);
        for Answered { response, seconds } in answers {
            usage += response.usage;
            left_out = left_out.max(response.left_out);
            calls.push(CallRecord { seconds, usage: response.usage });
        }
        self.journal.tell(Step::Finished { agent: self.agent, took, usage }).await;
        StepRecord {
            agent: self.agent,
            model,
            seconds: took.as_secs_f64(),
            usage,
            calls,
            messages: self.messages,
            tools: tools
                .into_iter()
                .map(|ToolAnswer { record, sources, .. }| ToolRecord { sources, ..record })
                .collect(),
            left_out,
            cut_off,
        }
    }

    /// How long the turn has taken, that of an earlier attempt included.
    fn took(&self) -> Duration {
        self.before + self.began.elapsed()
    }

    fn say(&mut self, content: String) {
        self.messages.push(Message::User { content, evidence: mem::take(&mut self.evidence) });
    }

    async fn chat(&mut self, offered: &[Tool], schema: Option<OutputSchema>) -> Result<ChatResponse, LlmError> {
        if self.answers == self.heard.answers.len() {
            self.ask(offered, schema).await?;
        }
        let answer = self.heard.answers[self.answers].response.clone();
        self.answers += 1;
        self.messages.push(Message::Assistant {
            content: answer.text.clone(),
            tool_calls: answer.tool_calls.clone(),
            thoughts: answer.thoughts.clone(),
        });
        Ok(answer)
    }

    /// Asks the model, and writes its answer down.
    async fn ask(&mut self, offered: &[Tool], schema: Option<OutputSchema>) -> Result<(), LlmError> {
        let tools = offered.iter().map(|tool| tool.spec()).collect();
        let request = ChatRequest { agent: self.agent, messages: self.messages.clone(), tools, schema };
        let asked = Instant::now();
        let response = self.span.around(self.model.chat(&request)).await?;
        let (took, usage) = (asked.elapsed(), response.usage);
        self.heard.answers.push(Answered { response, seconds: took.as_secs_f64() });
        self.heard.seconds = self.took().as_secs_f64();
        self.journal.answered(self.agent, &self.heard).await;
        self.journal.tell(Step::Answered { agent: self.agent, took, usage }).await;
        Ok(())
    }

    /// Runs tools at the same time; their answers, or their errors, in the order of the calls.
    async fn call<'c>(
        &mut self,
        calls: impl Iterator<Item = (&'c str, &'c Value)>,
        offered: &[Tool],
        evidence: &Evidence,
    ) -> Vec<String> {
        let calls: Vec<_> = calls.collect();
        let first = self.tools;
        self.tools += calls.len();
        let heard = (self.heard.tools.len() - first).min(calls.len());
        let running = calls[heard..].iter().map(|(name, arguments)| self.run(name, arguments, offered, evidence));
        let answers = join_all(running).await;
        self.heard.tools.extend(answers);
        self.heard.tools[first..self.tools].iter().map(|answer| answer.content.clone()).collect()
    }

    /// Runs a tool.
    async fn run(&self, name: &str, arguments: &Value, offered: &[Tool], evidence: &Evidence) -> ToolAnswer {
        let began = Instant::now();
        let answer = self.span.around(tools::call(name, arguments, offered, evidence)).await;
        let (took, error) = (began.elapsed(), answer.as_ref().err().cloned());
        let step = Step::ToolCalled { agent: self.agent, tool: name.to_owned(), took, error: error.clone() };
        self.journal.tell(step).await;
        let record = ToolRecord {
            tool: name.to_owned(),
            arguments: arguments.clone(),
            seconds: took.as_secs_f64(),
            error,
            sources: Vec::new(),
        };
        match answer {
            Ok(Found { text, sources }) => ToolAnswer { record, content: text, sources },
            Err(error) => ToolAnswer { record, content: error, sources: Vec::new() },
        }
    }

    fn failed(&self, source: LlmError) -> AgentError {
        AgentError::Model { agent: self.agent, source }
    }
}

/// An agent's turn as part of a trace.
fn span(agent: Agent) -> Span {
    let span = Span::begin(SpanKind::Internal, || format!("invoke_agent {}", agent.label()));
    span.set("gen_ai.operation.name", "invoke_agent");
    span.set("gen_ai.agent.name", agent.label());
    span
}
