//! Webhook messages on their way: written with the end of their job, claimed for a time, and concluded.

use std::time::Duration;

use redb::ReadableTable;

use super::{
    failure::refused,
    step::{Step, from_json, later, millis, to_json},
    tables::{WEBHOOKS, WEBHOOKS_DUE, Waiting, event_id},
};
use crate::jobs::{
    Attempted, DUE_LOOKED_AT, Delivery, EventId, EventKind, Job, StoreError, Webhook, WebhookStatus, message_id,
    stored::readable,
};

impl Step {
    /// Writes the message of a job that ended by this event, if somebody wants to be told, due at once.
    pub fn post(&mut self, job: &mut Job, event: EventId, end: &EventKind) -> Result<(), StoreError> {
        if job.request.webhook_url.is_none() {
            return Ok(());
        }
        let id = message_id(job.id, event);
        job.webhook = Some(Webhook { id, status: WebhookStatus::Pending, attempts: 0, error: None });
        let delivery = Delivery {
            job: job.id,
            request: job.request.clone(),
            batch: job.batch,
            created_at: job.created_at,
            event,
            end: end.clone(),
            attempt: 0,
        };
        self.put(&Waiting { delivery, due: millis(self.now) })
    }

    /// Claims the message that has been due for longest, of those for other receivers than the busy ones.
    pub fn claim_message(&mut self, lease: Duration, busy: &[String]) -> Result<Option<Delivery>, StoreError> {
        let Some(event) = self.first_due(busy)? else { return Ok(None) };
        let Some(mut waiting) = self.take(event)? else { return Ok(None) };
        waiting.delivery.attempt += 1;
        waiting.due = later(self.now, lease);
        self.put(&waiting)?;
        Ok(Some(waiting.delivery))
    }

    /// One that can't be read waits for a version that can, and holds up none of the others.
    fn first_due(&self, busy: &[String]) -> Result<Option<(u64, u64)>, StoreError> {
        let due = self.transaction.open_table(WEBHOOKS_DUE).map_err(refused)?;
        let webhooks = self.transaction.open_table(WEBHOOKS).map_err(refused)?;
        let until = (millis(self.now), (u64::MAX, u64::MAX));
        for entry in due.range(..=until).map_err(refused)?.take(DUE_LOOKED_AT) {
            let (_, event) = entry.map_err(refused)?.0.value();
            let Some(message) = webhooks.get(event).map_err(refused)? else { continue };
            let Some(waiting) = readable(event_id(event), from_json::<Waiting>(message.value())) else { continue };
            if !waiting.delivery.receiver().is_some_and(|receiver| busy.iter().any(|name| name == receiver)) {
                return Ok(Some(event));
            }
        }
        Ok(None)
    }

    /// Writes what became of an attempt; returns whether it was the last that began.
    pub fn conclude_message(&mut self, delivery: &Delivery, attempted: &Attempted) -> Result<bool, StoreError> {
        let waiting = self.take((delivery.event.ms, delivery.event.seq))?;
        let Some(mut waiting) = waiting.filter(|waiting| waiting.delivery.attempt == delivery.attempt) else {
            return Ok(false);
        };
        if let Attempted::Retry { delay, .. } = attempted {
            waiting.due = later(self.now, *delay);
            self.put(&waiting)?;
        }
        // The job may be forgotten, or have been tried again and ended anew.
        if let Some(mut row) = self.row(delivery.job)?
            && let Some(webhook) = row.job.webhook.as_mut().filter(|webhook| webhook.id == delivery.id())
        {
            webhook.status = attempted.status();
            webhook.attempts = delivery.attempt;
            webhook.error = attempted.error().map(str::to_owned);
            self.write(&row)?;
        }
        Ok(true)
    }

    fn put(&mut self, waiting: &Waiting) -> Result<(), StoreError> {
        let event = (waiting.delivery.event.ms, waiting.delivery.event.seq);
        let mut webhooks = self.transaction.open_table(WEBHOOKS).map_err(refused)?;
        webhooks.insert(event, to_json(waiting).as_slice()).map_err(refused)?;
        self.transaction
            .open_table(WEBHOOKS_DUE)
            .map_err(refused)?
            .insert((waiting.due, event), ())
            .map_err(refused)?;
        Ok(())
    }

    fn take(&mut self, event: (u64, u64)) -> Result<Option<Waiting>, StoreError> {
        let mut webhooks = self.transaction.open_table(WEBHOOKS).map_err(refused)?;
        let Some(waiting) = webhooks.remove(event).map_err(refused)? else { return Ok(None) };
        let waiting: Waiting = from_json(waiting.value())?;
        self.transaction.open_table(WEBHOOKS_DUE).map_err(refused)?.remove((waiting.due, event)).map_err(refused)?;
        Ok(Some(waiting))
    }
}
