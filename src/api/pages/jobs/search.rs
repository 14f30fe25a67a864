//! Which jobs the page shows: those of a status, of a ticker, or of both, a page of them at a time.

use futures_util::future::join_all;
use serde::Deserialize;

use super::{super::layout::Page, table::rating};
use crate::{
    api::{Api, Problem},
    domain::{Rating, Ticker},
    jobs::{Job, JobId, Listing, Status, StoreError},
};

/// Jobs in a page.
const LIMIT: usize = 25;

/// So many of the newest jobs are looked through for a ticker of which only the beginning is known.
const NEWEST: usize = 200;

/// What the form for the search sends. Fields that are left empty come too.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Filter {
    pub status: String,
    ticker: String,
    pub cursor: String,
}

/// What was found.
pub struct Found {
    /// The jobs, those that are completed with their rating.
    pub rows: Vec<(Job, Option<Rating>)>,
    /// The cursor of the next page.
    pub next: Option<JobId>,
    /// Whether no job has this ticker, and these are of tickers that begin so.
    pub is_by_prefix: bool,
}

impl Filter {
    /// What is searched for.
    pub fn ticker(&self) -> &str {
        self.ticker.trim()
    }

    /// The job whose id was entered in place of a ticker.
    pub fn job(&self) -> Option<JobId> {
        self.ticker().parse().ok()
    }

    /// The address of the jobs of this status that are searched for, after `cursor`.
    pub fn address(&self, page: &Page<'_>, status: &str, cursor: Option<JobId>) -> String {
        address(page, status, self.ticker(), cursor)
    }

    /// The jobs, or what is wrong with the filter.
    pub async fn find(&self, api: &Api) -> Result<Result<Found, String>, Problem> {
        let listing = match self.listing() {
            Ok(listing) => listing,
            Err(wrong) => return Ok(Err(wrong)),
        };
        let found = api.queue.list(&listing).await?;
        let (jobs, next, is_by_prefix) = match &listing.ticker {
            Some(prefix) if found.jobs.is_empty() && listing.cursor.is_none() => {
                let jobs = beginning(api, &listing, prefix).await?;
                let is_any = !jobs.is_empty();
                (jobs, None, is_any)
            }
            _ => (found.jobs, found.next, false),
        };
        let rated = jobs.into_iter().map(async |job| {
            let rating = rating(api, &job).await;
            (job, rating)
        });
        Ok(Ok(Found { rows: join_all(rated).await, next, is_by_prefix }))
    }

    fn listing(&self) -> Result<Listing, String> {
        let status = match self.status.as_str() {
            "" => None,
            word => {
                Some(Status::ALL.into_iter().find(|status| status.as_str() == word).ok_or("There is no such status.")?)
            }
        };
        let ticker = match self.ticker() {
            "" => None,
            text => Some(text.parse::<Ticker>().map_err(|error| format!("Can't search: {error}."))?),
        };
        let cursor = match self.cursor.as_str() {
            "" => None,
            text => Some(text.parse().map_err(|_| "There is no such page.")?),
        };
        Ok(Listing { status, ticker, cursor, limit: LIMIT })
    }
}

/// The address of a part of the jobs.
pub fn address(page: &Page<'_>, status: &str, ticker: &str, cursor: Option<JobId>) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    let cursor = cursor.map(|id| id.to_string()).unwrap_or_default();
    for (name, value) in [("status", status), ("ticker", ticker), ("cursor", &cursor)] {
        if !value.is_empty() {
            query.append_pair(name, value);
        }
    }
    match query.finish() {
        query if query.is_empty() => page.to(""),
        query => page.to(&format!("?{query}")),
    }
}

/// Of the newest jobs, those whose ticker begins so. The store finds whole tickers alone, and is not searched from end to end.
async fn beginning(api: &Api, listing: &Listing, prefix: &Ticker) -> Result<Vec<Job>, StoreError> {
    let newest = Listing { ticker: None, limit: NEWEST, ..listing.clone() };
    let begins = |job: &Job| job.request.ticker.as_str().starts_with(prefix.as_str());
    Ok(api.queue.list(&newest).await?.jobs.into_iter().filter(begins).take(LIMIT).collect())
}
