//! Reading the stored events.

use fred::types::Value;

use super::{
    connection::Connection,
    record::{event_of_message, unexpected},
    scripts::{LAST_EVENT, REPLAY},
};
use crate::jobs::{EventId, Replay, Scope, StoreError};

/// Events of `scope` after `after`, oldest first, at most `limit`.
pub async fn read(connection: &Connection, scope: Scope, after: EventId, limit: usize) -> Result<Replay, StoreError> {
    if after == EventId::MAX {
        // Redis takes no range that would begin after it.
        return Ok(Replay::default());
    }
    let job = if let Scope::Job(id) = scope { id.to_string() } else { String::new() };
    let args = [job, after.to_string(), limit.to_string()].map(Value::from);
    let (messages, gap): (Vec<String>, bool) = connection.run(&REPLAY, args.into()).await?;
    let events = messages.iter().map(|message| event_of_message(message)).collect::<Result<_, _>>()?;
    Ok(Replay { events, gap })
}

/// The id of the last event of all.
pub async fn last(connection: &Connection) -> Result<EventId, StoreError> {
    let id: String = connection.run(&LAST_EVENT, Vec::new()).await?;
    id.parse().map_err(unexpected)
}
