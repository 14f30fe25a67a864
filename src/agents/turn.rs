//! One agent turn: the conversation with a model, reported to the observer and recorded.
//!
//! A response with a flaw ([`Flaw`]) is asked for once more. On resume, responses journaled by an earlier attempt are
//! replayed instead of calling the model; identical responses lead to identical requests.

use std::{
    mem,
    pin::pin,
    time::{Duration, Instant},
};

use futures_util::{FutureExt, StreamExt, stream};
use serde_json::Value;
use tokio::time::{MissedTickBehavior, interval};

use super::{
    AgentError, Answered, CallRecord, Step, StepRecord, ToolAnswer, ToolRecord, Unfinished,
    evidence::Evidence,
    flaw::Flaw,
    journal::Journal,
    structured::Structured,
    tools::{self, Found, Tool},
};
use crate::{
    domain::{Agent, DecisionSource},
    jobs::JobId,
    llm::{ChatModel, ChatRequest, ChatResponse, Draft, LlmError, Message, OutputSchema, Usage},
    telemetry::{Span, SpanKind},
};

/// How often a response is asked for that has a flaw.
const ATTEMPTS: usize = 2;
/// How often the text of a response that is coming is reported.
const PREVIEW: Duration = Duration::from_millis(500);
/// How many tools of one response run at the same time.
const TOOLS_AT_ONCE: usize = 4;

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
    /// What the reader of the result has to know.
    warnings: Vec<String>,
    /// Whether the answer lacks its end.
    cut_off: bool,
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
            warnings: Vec::new(),
            cut_off: false,
            span: span(agent),
        }
    }

    /// The answer as a text.
    pub async fn answer(&mut self, task: String) -> Result<String, AgentError> {
        self.say(task);
        let response = self.complete(&[], None).await;
        response.map(|response| response.text).map_err(|error| self.failed(error))
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
            let response = match self.complete(offered, None).await {
                Err(LlmError::NoTools { message, .. }) => {
                    tracing::warn!(agent = %self.agent, message, "no tools can be called; the evidence goes into the prompt");
                    self.prefetch(offered, evidence).await;
                    return self
                        .answer("You can't call tools here. What they say follows; write your report from it.".into())
                        .await;
                }
                response => response.map_err(|error| self.failed(error))?,
            };
            if response.tool_calls.is_empty() {
                return Ok(response.text);
            }
            let calls = response.tool_calls.iter().map(|call| (call.name.as_str(), &call.arguments));
            let contents = self.call(calls, offered, evidence).await;
            for (call, content) in response.tool_calls.into_iter().zip(contents) {
                self.messages.push(Message::Tool { id: call.id, name: call.name, content });
            }
        }
        self.answer("That was the last tool call. Write your report now, from what you have.".into()).await
    }

    /// The answer in a form. One repair is asked for; then whatever text there is has to do.
    pub async fn fill_in<T: Structured>(&mut self, task: String) -> Result<Filled<T>, AgentError> {
        self.say(task);
        let response = match self.complete(&[], Some(T::form())).await {
            // The form itself may be what the server refused, without saying so.
            Err(LlmError::Refused { .. }) => self.complete(&[], Some(in_words(T::form()))).await,
            response => response,
        };
        let text = response.map_err(|error| self.failed(error))?.text;
        match T::read(&text) {
            Ok(form) => Ok(Filled::new(form, DecisionSource::Structured)),
            Err(wrong) => Ok(self.repair(text, &wrong).await),
        }
    }

    /// Another try at the form, with its schema in words. If it brings none, the text that is there is kept.
    async fn repair<T: Structured>(&mut self, text: String, wrong: &str) -> Filled<T> {
        let before = self.messages.len();
        self.say(format!("That answer can't be read: {wrong}."));
        match self.complete(&[], Some(in_words(T::form()))).await {
            Ok(response) => match T::read(&response.text) {
                Ok(form) => {
                    if !text.contains('{') {
                        self.model.prefer_schema_in_words();
                    }
                    Filled::new(form, DecisionSource::Repaired)
                }
                Err(wrong) => Filled::formless(response.text, format!("{wrong}, even after a repair")),
            },
            Err(error) => {
                // The answer comes last in the record.
                self.messages.truncate(before);
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
            cut_off: self.cut_off,
            warnings: self.warnings,
        }
    }

    /// How long the turn has taken, that of an earlier attempt included.
    fn took(&self) -> Duration {
        self.before + self.began.elapsed()
    }

    fn say(&mut self, content: String) {
        self.messages.push(Message::User { content, evidence: mem::take(&mut self.evidence) });
    }

    /// A response without a flaw, or the best that there is, with a warning; an error if there is no text at all.
    async fn complete(&mut self, offered: &[Tool], schema: Option<OutputSchema>) -> Result<ChatResponse, LlmError> {
        let mut best: Option<(ChatResponse, Flaw)> = None;
        for attempt in 1..=ATTEMPTS {
            let response = self.next(offered, schema.clone()).await?;
            let Some(flaw) = Flaw::of(&response, !offered.is_empty()) else {
                return Ok(self.accept(response));
            };
            tracing::warn!(agent = %self.agent, attempt, ?flaw, "the response can't stand as it is");
            if let Some(instruction) = flaw.instruction().filter(|_| attempt < ATTEMPTS) {
                self.say(instruction.into());
            }
            if best.is_none() || !response.text.trim().is_empty() {
                best = Some((response, flaw));
            }
        }
        let (response, flaw) = best.expect("there was an attempt");
        if let (Flaw::BadCall(reason), false) = (&flaw, offered.is_empty()) {
            return Err(LlmError::no_tools(self.model.provider(), reason.clone()));
        }
        if response.text.trim().is_empty() {
            return Err(flaw.error(self.model.provider()));
        }
        self.cut_off |= flaw == Flaw::CutOff;
        self.warnings.push(flaw.warning(self.agent));
        Ok(self.accept(ChatResponse { tool_calls: Vec::new(), thoughts: Value::Null, ..response }))
    }

    /// Makes a response part of the conversation.
    fn accept(&mut self, response: ChatResponse) -> ChatResponse {
        self.messages.push(Message::Assistant {
            content: response.text.clone(),
            tool_calls: response.tool_calls.clone(),
            thoughts: response.thoughts.clone(),
        });
        response
    }

    /// The next response: one that an earlier attempt journaled, or else the model's.
    async fn next(&mut self, offered: &[Tool], schema: Option<OutputSchema>) -> Result<ChatResponse, LlmError> {
        if self.answers == self.heard.answers.len() {
            self.ask(offered, schema).await?;
        }
        let response = self.heard.answers[self.answers].response.clone();
        self.answers += 1;
        Ok(response)
    }

    /// Asks the model, and journals its response.
    async fn ask(&mut self, offered: &[Tool], schema: Option<OutputSchema>) -> Result<(), LlmError> {
        let tools = offered.iter().map(|tool| tool.spec()).collect();
        let request = ChatRequest { agent: self.agent, messages: self.messages.clone(), tools, schema };
        let asked = Instant::now();
        let response = self.watched(&request).await?;
        self.journal.count(response.size())?;
        let (took, usage) = (asked.elapsed(), response.usage);
        self.heard.answers.push(Answered { response, seconds: took.as_secs_f64() });
        self.heard.seconds = self.took().as_secs_f64();
        self.journal.answered(self.agent, &self.heard).await;
        self.journal.tell(Step::Answered { agent: self.agent, took, usage }).await;
        Ok(())
    }

    /// Asks the model, and reports what it writes while it does.
    async fn watched(&self, request: &ChatRequest) -> Result<ChatResponse, LlmError> {
        let draft = Draft::default();
        let mut text = draft.subscribe();
        let mut chatting = pin!(self.span.around(self.model.chat(request, &draft)));
        let mut ticks = interval(PREVIEW);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        ticks.reset();
        // A model that reasons before it writes is reported once, with nothing written yet.
        text.mark_changed();
        loop {
            tokio::select! {
                biased;
                response = &mut chatting => return response,
                _ = ticks.tick() => {
                    if text.has_changed().unwrap_or_default() {
                        text.mark_unchanged();
                        let (text, characters) = draft.shown();
                        self.journal.tell(Step::Writing { agent: self.agent, text, characters }).await;
                    }
                }
            }
        }
    }

    /// Runs tools, some at the same time; their answers, or their errors, in the order of the calls.
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
        let running: Vec<_> = calls[heard..]
            .iter()
            .map(|(name, arguments)| self.run(name, arguments, offered, evidence).boxed())
            .collect();
        let answers: Vec<_> = stream::iter(running).buffered(TOOLS_AT_ONCE).collect().await;
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

/// A form that is asked for in words alone.
fn in_words(form: OutputSchema) -> OutputSchema {
    OutputSchema { in_words: true, ..form }
}

/// An agent's turn as part of a trace.
fn span(agent: Agent) -> Span {
    let span = Span::begin(SpanKind::Internal, || format!("invoke_agent {}", agent.label()));
    span.set("gen_ai.operation.name", "invoke_agent");
    span.set("gen_ai.agent.name", agent.label());
    span
}
