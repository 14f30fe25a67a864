//! The events of a streamed response, as server-sent events or as one JSON value a line.
//!
//! A server that does not stream answers with one JSON value, which is then the only event. What a body is shows in its
//! first byte, for proxies change content types.

use serde_json::Value;

use super::{super::response::lenient, Body, LlmError};

/// The events of one response.
pub(in crate::llm) struct Events<'a> {
    body: Body<'a>,
    form: Option<Form>,
    ended: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    /// Server-sent events (<https://html.spec.whatwg.org/multipage/server-sent-events.html>).
    ServerSent,
    /// One JSON value, however many lines it takes.
    Whole,
}

/// One event.
pub(in crate::llm) enum Event {
    /// A part of a streamed response.
    Part(Value),
    /// The whole response of a server that did not stream it.
    Whole(Value),
}

impl<'a> Events<'a> {
    pub fn new(body: Body<'a>) -> Self {
        Self { body, form: None, ended: false }
    }

    /// See [`Body::begin`].
    pub fn begin(&mut self) {
        self.body.begin();
    }

    /// Whether the server said that the stream ends.
    pub fn ended(&self) -> bool {
        self.ended
    }

    /// See [`Endpoint::unusable`](super::Endpoint::unusable).
    pub fn unusable(&self, what: &str) -> LlmError {
        self.body.endpoint.unusable(what)
    }

    /// See [`Endpoint::broken_off`](super::Endpoint::broken_off).
    pub fn broken_off(&self, cause: &str) -> LlmError {
        self.body.endpoint.broken_off(cause)
    }

    /// The next event; none at the end.
    pub async fn next(&mut self) -> Result<Option<Event>, LlmError> {
        let form = match self.form {
            Some(form) => form,
            None => match self.body.first_byte().await? {
                None => return Ok(None),
                Some(b'{' | b'[') => Form::Whole,
                Some(_) => Form::ServerSent,
            },
        };
        let began = self.form.replace(form).is_none();
        match form {
            Form::ServerSent => Ok(self.server_sent().await?.map(Event::Part)),
            Form::Whole if began => self.whole().await.map(Some),
            Form::Whole => Ok(None),
        }
    }

    async fn whole(&mut self) -> Result<Event, LlmError> {
        let mut text = Vec::new();
        while let Some(line) = self.body.line().await? {
            text.extend_from_slice(&line);
        }
        self.ended = true;
        lenient(&text).map(Event::Whole).map_err(|e| self.body.endpoint.not_understood(&e))
    }

    /// The JSON of the next server-sent event. Names and ids of events don't matter: each value says what it is.
    async fn server_sent(&mut self) -> Result<Option<Value>, LlmError> {
        let mut data = Vec::new();
        while !self.ended {
            let line = self.body.line().await?;
            let line = line.as_deref().map(<[u8]>::trim_ascii);
            match line {
                Some(line) if line.starts_with(b"data:") => data.extend_from_slice(line[b"data:".len()..].trim_ascii()),
                // Comments keep the connection alive; other fields don't matter.
                Some(line) if !line.is_empty() => {
                    let is_field =
                        [&b":"[..], b"event:", b"id:", b"retry:"].iter().any(|field| line.starts_with(field));
                    if !is_field {
                        let text = String::from_utf8_lossy(&line[..line.len().min(80)]).into_owned();
                        return Err(self.body.endpoint.unusable(format!("not in the form of its API: {text:?}")));
                    }
                }
                _ if data == b"[DONE]" => self.ended = true,
                _ if !data.is_empty() => {
                    return lenient(&data).map(Some).map_err(|e| self.body.endpoint.not_understood(&e));
                }
                Some(_) => {}
                None => return Ok(None),
            }
        }
        Ok(None)
    }
}
