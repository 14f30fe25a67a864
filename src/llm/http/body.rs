//! The body of a reply, read piece by piece and bounded.

use std::time::Duration;

use reqwest::Response;
use serde::de::DeserializeOwned;

use super::{super::response::lenient, Endpoint, LlmError, cause};
use crate::redact::redacted_bytes;

/// The largest body that is read whole, and the longest line of a stream, bytes.
const MAX_WHOLE: usize = 8 << 20;
/// The most bytes of one streamed response. Each token comes in some 200 bytes of JSON, so 100,000 of them take 20 MB.
const MAX_STREAM: usize = 64 << 20;
/// Once a response has begun, a silence of this share of the time for a whole response means that the server hangs.
const SILENCE: u32 = 5;

/// The body of a reply.
pub(in crate::llm) struct Body<'a> {
    pub(super) endpoint: &'a Endpoint,
    response: Response,
    buffer: Vec<u8>,
    /// How many bytes of the buffer are known to hold no end of a line.
    searched: usize,
    /// Bytes received so far.
    received: usize,
    /// Whether the model has begun to write.
    begun: bool,
}

impl<'a> Body<'a> {
    pub(super) fn new(endpoint: &'a Endpoint, response: Response) -> Self {
        Self { endpoint, response, buffer: Vec::new(), searched: 0, received: 0, begun: false }
    }

    /// The model has begun to write: from now on it may not be silent for long. Before, the server loads the model, reads
    /// the prompt, or reasons without saying so, which may take as long as the whole response may.
    pub fn begin(&mut self) {
        self.begun = true;
    }

    /// The whole body.
    pub async fn all(mut self) -> Result<Vec<u8>, LlmError> {
        while self.more().await? {
            self.check_size(MAX_WHOLE)?;
        }
        Ok(redacted_bytes(self.buffer, self.endpoint.key.as_ref()))
    }

    /// The whole body as JSON.
    pub async fn json<T: DeserializeOwned>(self) -> Result<T, LlmError> {
        let endpoint = self.endpoint;
        lenient(&self.all().await?).map_err(|e| endpoint.not_understood(&e))
    }

    /// The next line of a streamed response; none at its end.
    pub async fn line(&mut self) -> Result<Option<Vec<u8>>, LlmError> {
        loop {
            if let Some(line) = self.take_line() {
                return Ok(Some(line));
            }
            if !self.more_in_time().await? {
                self.searched = 0;
                let rest = std::mem::take(&mut self.buffer);
                let rest = redacted_bytes(rest, self.endpoint.key.as_ref());
                return Ok(Some(rest).filter(|rest| !rest.trim_ascii().is_empty()));
            }
            self.check_size(MAX_WHOLE)?;
            if self.received > MAX_STREAM {
                return Err(self.too_large(MAX_STREAM));
            }
        }
    }

    /// The next line of a stream that reports the progress of some work; none at its end. Lines are not kept, so it may go
    /// on for hours.
    pub async fn progress(&mut self) -> Result<Option<Vec<u8>>, LlmError> {
        self.received = 0;
        self.line().await
    }

    /// The first byte that is not white space; none if the body is empty.
    pub(super) async fn first_byte(&mut self) -> Result<Option<u8>, LlmError> {
        loop {
            if let Some(byte) = self.buffer.iter().find(|byte| !byte.is_ascii_whitespace()) {
                return Ok(Some(*byte));
            }
            if !self.more_in_time().await? {
                return Ok(None);
            }
            self.check_size(MAX_WHOLE)?;
        }
    }

    fn take_line(&mut self) -> Option<Vec<u8>> {
        // Each byte is looked at once, however small the pieces are that it comes in.
        let end = self.buffer[self.searched..].iter().position(|byte| *byte == b'\n').map(|at| self.searched + at);
        let Some(end) = end else {
            self.searched = self.buffer.len();
            return None;
        };
        self.searched = 0;
        let rest = self.buffer.split_off(end + 1);
        let line = std::mem::replace(&mut self.buffer, rest);
        Some(redacted_bytes(line, self.endpoint.key.as_ref()))
    }

    /// Reads on within the time that a server may be silent; false at the end.
    async fn more_in_time(&mut self) -> Result<bool, LlmError> {
        let patience = self.endpoint.timeout / if self.begun { SILENCE } else { 1 };
        let more = tokio::time::timeout(patience, self.more()).await;
        more.unwrap_or_else(|_| Err(self.silent(patience)))
    }

    /// Reads on; false at the end.
    async fn more(&mut self) -> Result<bool, LlmError> {
        let chunk = self.response.chunk().await.map_err(|e| self.endpoint.broken_off(&cause(&e)))?;
        let Some(chunk) = chunk else { return Ok(false) };
        self.received += chunk.len();
        self.buffer.extend_from_slice(&chunk);
        Ok(true)
    }

    fn check_size(&self, limit: usize) -> Result<(), LlmError> {
        if self.buffer.len() > limit { Err(self.too_large(limit)) } else { Ok(()) }
    }

    fn too_large(&self, limit: usize) -> LlmError {
        self.endpoint.unusable(format!("with more than {} MiB", limit >> 20))
    }

    fn silent(&self, patience: Duration) -> LlmError {
        self.endpoint.broken_off(&format!("it said nothing for {} s", patience.as_secs_f64()))
    }
}
