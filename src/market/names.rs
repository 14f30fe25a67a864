//! The names of instruments, each resolved once in a process.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use chrono::NaiveDate;

use super::{Identity, source::IdentitySource};
use crate::domain::Ticker;

/// So many names are remembered; then all are forgotten.
const REMEMBERED: usize = 1000;

/// Who knows names, and what they said.
pub struct Names {
    sources: Vec<Arc<dyn IdentitySource>>,
    known: Mutex<HashMap<Ticker, Identity>>,
}

impl Names {
    pub fn new(sources: Vec<Arc<dyn IdentitySource>>) -> Self {
        Self { sources, known: Mutex::default() }
    }

    /// Who the instrument is, under the name that it had on that day, if a source knows; nothing depends on it.
    pub async fn of(&self, ticker: &Ticker, day: NaiveDate) -> Option<Identity> {
        let identity = self.today(ticker).await?;
        for source in &self.sources {
            if let Some(name) = source.former_name(ticker, day).await {
                return Some(Identity { name, ..identity });
            }
        }
        Some(identity)
    }

    async fn today(&self, ticker: &Ticker) -> Option<Identity> {
        if let Some(known) = self.remembered().get(ticker) {
            return Some(known.clone());
        }
        for source in &self.sources {
            match source.identity(ticker).await {
                Ok(found) => {
                    let mut remembered = self.remembered();
                    if remembered.len() >= REMEMBERED {
                        remembered.clear();
                    }
                    remembered.insert(ticker.clone(), found.data.clone());
                    return Some(found.data);
                }
                Err(error) => tracing::debug!(%ticker, vendor = source.name(), %error, "no name"),
            }
        }
        None
    }

    fn remembered(&self) -> std::sync::MutexGuard<'_, HashMap<Ticker, Identity>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
