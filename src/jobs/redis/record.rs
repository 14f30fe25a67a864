//! From Redis's texts to jobs, events and workers.

use std::{fmt::Display, str::FromStr};

use chrono::{DateTime, Utc};
use fred::{
    bytes_utils::Str,
    error::Error,
    types::{FromValue, Resp3Frame, Value},
};
use serde::{
    Serialize,
    de::{DeserializeOwned, value::StrDeserializer},
};

use crate::jobs::{
    Delivery, Event, EventId, Job, JobRequest, StoreError, Submission, Webhook, WorkerId, WorkerInfo, Writing,
    message_id,
    stored::{self, readable},
};

/// A hash: names and values, each a part of what Redis sent. They are so few that looking through them is quicker than a
/// table.
pub struct Fields(Vec<(Str, Str)>);

impl Fields {
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| **known == *name).map(|(_, value)| &**value)
    }

    /// As is one that Redis does not have.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromValue for Fields {
    /// From names and values in turn.
    fn from_value(value: Value) -> Result<Self, Error> {
        pairs(value.convert::<Vec<Str>>()?.into_iter().map(Ok))
    }
}

impl TryFrom<Resp3Frame> for Fields {
    type Error = Error;

    /// As [`FromValue`] does, from Redis' own answer.
    fn try_from(answer: Resp3Frame) -> Result<Self, Error> {
        match answer {
            Resp3Frame::Array { data, .. } => pairs(data.into_iter().map(text)),
            other => Value::try_from(other)?.convert(),
        }
    }
}

fn pairs(mut texts: impl ExactSizeIterator<Item = Result<Str, Error>>) -> Result<Fields, Error> {
    let mut pairs = Vec::with_capacity(texts.len() / 2);
    while let (Some(name), Some(value)) = (texts.next(), texts.next()) {
        pairs.push((name?, value?));
    }
    Ok(Fields(pairs))
}

fn text(part: Resp3Frame) -> Result<Str, Error> {
    match part {
        Resp3Frame::BlobString { data, .. } => Ok(Str::from_inner(data)?),
        other => Value::try_from(other)?.convert(),
    }
}

/// The job of a record.
pub fn job_of(fields: &Fields) -> Result<Job, StoreError> {
    Ok(Job {
        id: number(fields, "id")?,
        request: request(fields)?,
        batch: fields.get("batch").map(|id| id.parse().map_err(unexpected)).transpose()?,
        status: from_word(field(fields, "status")?)?,
        created_at: time_of(number(fields, "created_at")?)?,
        started_at: time(fields, "started_at")?,
        completed_at: time(fields, "completed_at")?,
        error: fields.get("error").map(ToOwned::to_owned),
        error_type: fields.get("error_type").map(from_word).transpose()?,
        attempt: number(fields, "attempt")?,
        retry_count: number(fields, "retry_count")?,
        worker: fields.get("worker").map(|id| WorkerId(id.to_owned())),
        decision: fields.get("decision").map(from_word).transpose()?,
        webhook: webhook(fields)?,
    })
}

/// The jobs of those records that can be read.
pub fn jobs_of(records: &[Fields]) -> Vec<Job> {
    let name = |record: &Fields| record.get("id").unwrap_or_default().to_owned();
    records.iter().filter_map(|record| readable(name(record), job_of(record))).collect()
}

fn request(fields: &Fields) -> Result<JobRequest, StoreError> {
    stored::request_of(field(fields, "request")?).map_err(unexpected)
}

/// The job at this place of a submission, stored at this time.
pub fn submitted(submission: &Submission, place: usize, created_at: i64) -> Result<Job, StoreError> {
    let (id, request) =
        submission.jobs.get(place).ok_or_else(|| unexpected("more jobs are stored than were submitted"))?;
    let created_at = time_of(u64::try_from(created_at).map_err(unexpected)?)?;
    Ok(Job::new(*id, request.clone(), submission.batch, created_at))
}

/// What became of the webhook of a job that has ended.
fn webhook(fields: &Fields) -> Result<Option<Webhook>, StoreError> {
    if fields.get("webhook_event").is_none() {
        return Ok(None);
    }
    Ok(Some(Webhook {
        id: message_id(number(fields, "id")?, number(fields, "webhook_event")?),
        status: from_word(field(fields, "webhook_status")?)?,
        attempts: number(fields, "webhook_attempts")?,
        error: fields.get("webhook_error").map(ToOwned::to_owned),
    }))
}

/// The claimed message about the event that ended a job.
pub fn delivery_of(event: &str, fields: &Fields) -> Result<Delivery, StoreError> {
    let batch = field(fields, "batch")?;
    Ok(Delivery {
        job: number(fields, "job")?,
        request: request(fields)?,
        batch: if batch.is_empty() { None } else { Some(batch.parse().map_err(unexpected)?) },
        created_at: time_of(number(fields, "created_at")?)?,
        event: event.parse().map_err(unexpected)?,
        end: from_json(field(fields, "end")?)?,
        attempt: number(fields, "attempt")?,
    })
}

/// A checkpoint as it is stored, or none.
pub fn checkpoint(state: Value) -> Result<Option<Vec<u8>>, StoreError> {
    state.convert().map_err(unexpected)
}

/// The event of a published message: its id, the job and the kind, a blank between.
pub fn event_of_message(message: &str) -> Result<Event, StoreError> {
    let mut parts = message.splitn(3, ' ');
    let (Some(id), Some(job), Some(kind)) = (parts.next(), parts.next(), parts.next()) else {
        return Err(unexpected(format!("{message:?} is no event")));
    };
    let id: EventId = id.parse().map_err(unexpected)?;
    let job_id = job.parse().map_err(unexpected)?;
    Ok(Event { id, job_id, at: time_of(id.ms)?, kind: from_json(kind)? })
}

/// The draft of a published message: the job and the draft, a blank between.
pub fn writing_of_message(message: &str) -> Result<Writing, StoreError> {
    let (job, draft) = message.split_once(' ').ok_or_else(|| unexpected(format!("{message:?} is not a draft")))?;
    Ok(Writing::new(job.parse().map_err(unexpected)?, from_json(draft)?))
}

/// What a worker said of itself, and when.
pub fn worker_of(info: &str, seen_ms: u64) -> Result<WorkerInfo, StoreError> {
    let info: WorkerInfo = from_json(info)?;
    Ok(WorkerInfo { seen_at: time_of(seen_ms)?, ..info })
}

/// A value that the scripts store.
pub fn to_json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("what is stored has no map with keys that are no texts")
}

/// Something that no version of this program wrote.
pub fn unexpected(cause: impl Display) -> StoreError {
    StoreError::Corrupt(cause.to_string())
}

fn field<'a>(fields: &'a Fields, name: &str) -> Result<&'a str, StoreError> {
    fields.get(name).ok_or_else(|| unexpected(format!("a record has no {name}")))
}

fn number<T: FromStr<Err: Display>>(fields: &Fields, name: &str) -> Result<T, StoreError> {
    field(fields, name)?.parse().map_err(unexpected)
}

fn time(fields: &Fields, name: &str) -> Result<Option<DateTime<Utc>>, StoreError> {
    fields.get(name).map(|ms| time_of(ms.parse().map_err(unexpected)?)).transpose()
}

fn time_of(ms: u64) -> Result<DateTime<Utc>, StoreError> {
    let time = i64::try_from(ms).ok().and_then(DateTime::from_timestamp_millis);
    time.ok_or_else(|| unexpected(format!("{ms} is no time")))
}

fn from_json<T: DeserializeOwned>(text: &str) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(unexpected)
}

/// The variant of an enumeration by its serde name.
fn from_word<T: DeserializeOwned>(word: &str) -> Result<T, StoreError> {
    T::deserialize(StrDeserializer::<serde::de::value::Error>::new(word)).map_err(unexpected)
}
