//! Events as they happen: Server-Sent Events (HTML Living Standard, section 9.2) that resume.

use std::{convert::Infallible, sync::Arc, time::Duration};

use aide::{generate::in_context, transform::TransformOperation};
use axum::{
    extract::State,
    response::{
        IntoResponse, Response, Sse,
        sse::{Event as Block, KeepAlive},
    },
};
use futures_util::{Stream, StreamExt, stream};
use serde_json::json;
use tokio::sync::OwnedSemaphorePermit;

use super::{
    Api, Problem,
    document::{as_event_stream, example_of, unknown_job},
    extract::{JobPath, LastEventId},
    jobs::find,
};
use crate::{
    jobs::{
        Scope, Writing,
        feed::{Followed, Follower},
    },
    metrics::{METRICS, OneMore},
};

/// An event as it is sent.
const EXAMPLE: &str = r#"id: 1715372100000-0
event: step_started
data: {"id":"1715372100000-0","job_id":"018f6478-2b20-7c53-9d2a-5f3e8a1b7c44","at":"2024-05-10T20:15:00Z","type":"step_started","data":{"agent":"trader"}}

event: writing
data: {"type":"writing","job_id":"018f6478-2b20-7c53-9d2a-5f3e8a1b7c44","data":{"agent":"trader","text":"I propose to buy","characters":16}}
"#;

/// After so much silence a comment is sent, which keeps proxies from closing the connection.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// `GET /jobs/{job_id}/events`
pub async fn of_job(
    State(api): State<Arc<Api>>,
    JobPath(id): JobPath,
    LastEventId(after): LastEventId,
) -> Result<Response, Problem> {
    let seat = take_seat(&api).ok_or_else(|| Problem::full("listeners"))?;
    find(&api, id).await?;
    let follower = api.queue.follow_with_drafts(id, after).await?;
    Ok(stream_of(follower, seat, &api))
}

pub fn of_job_docs(docs: TransformOperation<'_>) -> TransformOperation<'_> {
    docs.id("followJob")
        .tag("events")
        .summary("Follow a job")
        .description(
            "Every event of the job from its first, as Server-Sent Events: `id`, the event's `type` as `event`, and the \
             event as JSON in `data`. The stream ends after the job's last event. \
             A client that sends the last id that it saw as `Last-Event-ID` goes on from there, with nothing lost and \
             nothing twice.\n\n\
             Between them come events `writing` without an id, a `Writing` each: what an agent's model has written so \
             far. They are not stored. Each replaces the previous one of its agent, a slow client skips some, and one that \
             comes back gets none of those that it missed.",
        )
        .with(list_schemas)
        .response_with::<200, String, _>(|r| example_of(as_event_stream(r), &json!(EXAMPLE), "The events."))
        .with(unknown_job)
        .response_with::<422, Problem, _>(|r| r.description("`Last-Event-ID` is no event id."))
        .with(unavailable_or_full)
}

/// `GET /events`
pub async fn of_all(State(api): State<Arc<Api>>, LastEventId(after): LastEventId) -> Result<Response, Problem> {
    let seat = take_seat(&api).ok_or_else(|| Problem::full("listeners"))?;
    let follower = api.queue.follow(Scope::All, after).await?;
    Ok(stream_of(follower, seat, &api))
}

pub fn of_all_docs(docs: TransformOperation<'_>) -> TransformOperation<'_> {
    docs.id("followAll")
        .tag("events")
        .summary("Follow all jobs")
        .description(
            "The events of all jobs from now on, or after `Last-Event-ID`, as `/jobs/{job_id}/events` has them. If \
             events after that id are no longer kept, an event `gap` without an id says so first. What models are writing \
             is only in the stream of each job.",
        )
        .response_with::<200, String, _>(|r| example_of(as_event_stream(r), &json!(EXAMPLE), "The events."))
        .response_with::<422, Problem, _>(|r| r.description("`Last-Event-ID` is no event id."))
        .with(unavailable_or_full)
}

/// Has the document list the schema of drafts, to which a text of another media type can't refer. That of stored events is
/// left out: generators of clients give its variants the same names.
fn list_schemas(docs: TransformOperation<'_>) -> TransformOperation<'_> {
    in_context(|context| {
        context.schema.subschema_for::<Writing>();
    });
    docs
}

fn unavailable_or_full(docs: TransformOperation<'_>) -> TransformOperation<'_> {
    docs.response_with::<503, Problem, _>(|r| {
        r.description(
            "The job store does not answer, or there are as many listeners as there may be; try again after \
             `Retry-After` seconds.",
        )
    })
}

/// A listener's place among `MAX_LISTENERS`, if one is free.
fn take_seat(api: &Api) -> Option<OwnedSemaphorePermit> {
    api.listeners.clone().try_acquire_owned().ok()
}

fn stream_of(follower: Follower, seat: OwnedSemaphorePermit, api: &Api) -> Response {
    let place = (seat, OneMore::of(&METRICS.listeners));
    let blocks = blocks(follower, place).take_until(api.stop.clone().cancelled_owned());
    Sse::new(blocks).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)).into_response()
}

/// The blocks of a stream. It ends too when the store fails: the client comes back with the last id.
fn blocks(follower: Follower, place: (OwnedSemaphorePermit, OneMore)) -> impl Stream<Item = Result<Block, Infallible>> {
    stream::unfold((follower, place), async |(mut follower, place)| {
        let followed = follower.next().await.ok()??;
        let block = match followed {
            Followed::Event(event) => Block::default()
                .id(event.id.to_string())
                .event(event.kind.name())
                .data(serde_json::to_string(&*event).expect("an event has no map with keys that are no texts")),
            // Without an id: a client that comes back names the last stored event.
            Followed::Writing(writing) => Block::default()
                .event(Writing::NAME)
                .data(serde_json::to_string(&*writing).expect("a draft has no map with keys that are no texts")),
            Followed::Gap => Block::default().event("gap").data("{}"),
        };
        Some((Ok(block), (follower, place)))
    })
}
