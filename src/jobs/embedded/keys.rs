//! Idempotency keys: what was submitted with each, for as long as it is remembered.

use redb::ReadableTable;

use super::{
    failure::refused,
    step::{Step, from_json, millis, to_json},
    tables::{KEYS, KEYS_ENDS, Remembered},
};
use crate::jobs::{IdempotencyKey, JobId, KEY_LIFETIME, StoreError};

impl Step {
    /// What was submitted with this key, while it is remembered.
    pub fn remembered(&self, key: &IdempotencyKey) -> Result<Option<Remembered>, StoreError> {
        let keys = self.transaction.open_table(KEYS).map_err(refused)?;
        let found = keys.get(key.as_str()).map_err(refused)?.map(|found| from_json::<Remembered>(found.value()));
        Ok(found.transpose()?.filter(|found| found.until > millis(self.now)))
    }

    /// Remembers what was submitted with a key, in place of what was before.
    pub fn remember(&mut self, key: &IdempotencyKey, fingerprint: String, jobs: Vec<JobId>) -> Result<(), StoreError> {
        let mut keys = self.transaction.open_table(KEYS).map_err(refused)?;
        let mut ends = self.transaction.open_table(KEYS_ENDS).map_err(refused)?;
        let until = millis(self.now + KEY_LIFETIME);
        let found = to_json(&Remembered { fingerprint, jobs, until });
        if let Some(before) = keys.insert(key.as_str(), found.as_slice()).map_err(refused)? {
            let before: Remembered = from_json(before.value())?;
            ends.remove((before.until, key.as_str())).map_err(refused)?;
        }
        ends.insert((until, key.as_str()), ()).map_err(refused)?;
        Ok(())
    }

    /// Whether the time of a key is over.
    pub fn has_old_keys(&self) -> Result<bool, StoreError> {
        let ends = self.transaction.open_table(KEYS_ENDS).map_err(refused)?;
        Ok(ends.first().map_err(refused)?.is_some_and(|(end, _)| end.value().0 <= millis(self.now)))
    }

    /// Forgets idempotency keys whose time is over, at most `limit`.
    pub fn forget_keys(&mut self, limit: usize) -> Result<(), StoreError> {
        let mut keys = self.transaction.open_table(KEYS).map_err(refused)?;
        let mut ends = self.transaction.open_table(KEYS_ENDS).map_err(refused)?;
        for _ in 0..limit {
            let Some((end, _)) = ends.first().map_err(refused)? else { break };
            let (until, key) = end.value();
            if until > millis(self.now) {
                break;
            }
            let key = key.to_owned();
            drop(end);
            keys.remove(key.as_str()).map_err(refused)?;
            ends.remove((until, key.as_str())).map_err(refused)?;
        }
        Ok(())
    }
}
