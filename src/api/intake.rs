//! What a request may take: a URI of bounded length, a body of bounded size within a bounded time, as long as there is room
//! for it beside those of others, and a bounded time until it is answered.

use std::{sync::Arc, time::Duration};

use axum::{
    body::{Body, HttpBody},
    extract::Request,
    http::{StatusCode, Uri},
    response::{IntoResponse, Response},
};
use futures_util::StreamExt;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};

use super::Problem;

/// The largest request body, bytes.
pub const MAX_BODY: usize = 1 << 20;

/// The bytes of all bodies that are under way; the usual one has a few hundred.
const MAX_BODIES: usize = 32 << 20;

/// The longest path and query, bytes. RFC 9110, 4.1 asks for 8000 at least.
const MAX_URI: usize = 8 << 10;

/// The longest time until an answer begins. Event streams go on after that.
const ANSWER_TIME: Duration = Duration::from_secs(30);

/// How bodies are read.
pub struct Bodies {
    /// How long a client may take.
    patience: Duration,
    /// The bytes for which there is room.
    room: Arc<Semaphore>,
}

impl Bodies {
    pub fn new(patience: Duration) -> Self {
        Self { patience, room: Arc::new(Semaphore::new(MAX_BODIES)) }
    }

    /// Reads the whole body, and has the request answered in time.
    pub async fn bounded<A: Future<Output = Response>>(
        &self,
        request: Request,
        answer: impl FnOnce(Request) -> A,
    ) -> Response {
        match self.whole(request).await {
            Ok((request, _room)) => {
                timeout(ANSWER_TIME, answer(request)).await.unwrap_or_else(|_| Problem::too_slow().into_response())
            }
            Err(problem) => problem.into_response(),
        }
    }

    /// A request with its whole body, which came as fast as it has to, and the room of that for as long as it is kept.
    async fn whole(&self, request: Request) -> Result<(Request, Option<OwnedSemaphorePermit>), Problem> {
        if request.body().is_end_stream() {
            return Ok((request, None));
        }
        let (parts, body) = request.into_parts();
        let read = timeout(self.patience, read(body, &self.room)).await;
        let (body, room) = read.map_err(|_| too_slow(self.patience))??;
        Ok((Request::from_parts(parts, body.into()), Some(room)))
    }
}

/// Refuses a URI that is too long.
pub fn refuse_uri(uri: &Uri) -> Option<Problem> {
    let length = uri.path_and_query().map_or(0, |uri| uri.as_str().len());
    let detail = || format!("The path and query have {length} bytes, and at most {MAX_URI} are read");
    (length > MAX_URI).then(|| Problem::new(StatusCode::URI_TOO_LONG, detail()))
}

/// A body, and the room that it takes: of what has come, for what is only announced costs nothing.
async fn read(body: Body, room: &Arc<Semaphore>) -> Result<(Vec<u8>, OwnedSemaphorePermit), Problem> {
    if body.size_hint().lower() > MAX_BODY as u64 {
        return Err(too_large());
    }
    let full = |_| Problem::full("bodies of requests").closing();
    let mut taken = room.clone().try_acquire_many_owned(0).map_err(full)?;
    let mut chunks = body.into_data_stream();
    let mut bytes = Vec::new();
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|error| broken(&error))?;
        if bytes.len() + chunk.len() > MAX_BODY {
            return Err(too_large());
        }
        let size = u32::try_from(chunk.len()).unwrap_or(u32::MAX);
        taken.merge(room.clone().try_acquire_many_owned(size).map_err(full)?);
        bytes.extend_from_slice(&chunk);
    }
    Ok((bytes, taken))
}

fn broken(error: &axum::Error) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, format!("The body can't be read: {error}"))
}

fn too_large() -> Problem {
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "The body is larger than 1 MiB, the most that is read").closing()
}

fn too_slow(patience: Duration) -> Problem {
    let detail = format!("The body did not come within {} s (CLIENT_TIMEOUT)", patience.as_secs());
    Problem::new(StatusCode::REQUEST_TIMEOUT, detail).closing()
}
