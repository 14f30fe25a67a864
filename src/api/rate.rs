//! How often clients may submit, and guess keys: so many a minute for each key and each address.

use std::{hash::Hash, sync::Arc, time::Duration};

use axum::{
    extract::Request,
    http::{Method, StatusCode, header},
    response::Response,
};
use ipnet::IpNet;

use super::{Problem, auth, bucket::Buckets, problem::FieldError};
use crate::config::Config;

/// The limits of all clients.
pub struct Limits {
    keys: Option<Buckets<Arc<str>>>,
    addresses: Option<Buckets<IpNet>>,
    /// Wrong keys. Apart from submissions, for who has submitted all that it may can still ask.
    guesses: Option<Buckets<IpNet>>,
}

impl Limits {
    /// As the settings say.
    pub fn new(config: &Config) -> Self {
        Self {
            keys: config.rate_limit_key.map(Buckets::new),
            addresses: config.rate_limit_address.map(Buckets::new),
            guesses: config.rate_limit_address.map(Buckets::new),
        }
    }

    /// Counts a submission by its address, before it is known who sends it; the problem of an address that has submitted, or
    /// guessed keys, as often as it may.
    pub fn refuse_address(&self, request: &Request, address: IpNet) -> Option<Problem> {
        if let Some(limit) = self.guesses.as_ref().filter(|_| is_tried(request))
            && let Err(wait) = limit.wait(&address)
        {
            return Some(too_many_guesses(limit, wait));
        }
        let limit = self.addresses.as_ref().filter(|_| request.method() == Method::POST)?;
        Some(too_many_jobs("address", limit, limit.take(address, 1).err()?))
    }

    /// Counts a wrong key, whatever it was shown for; the problem of an address that has shown too many.
    pub fn refuse_guess(&self, request: &Request, address: IpNet, refusal: &Response) -> Option<Problem> {
        let is_guess = is_tried(request) && refusal.status() == StatusCode::UNAUTHORIZED;
        let limit = self.guesses.as_ref().filter(|_| is_guess)?;
        Some(too_many_guesses(limit, limit.take(address, 1).err()?))
    }

    /// Counts a submission by its key; the problem of a key that has submitted as often as it may.
    pub fn refuse_key(&self, request: &Request, key: Option<&Arc<str>>) -> Option<Problem> {
        let limit = self.keys.as_ref().filter(|_| request.method() == Method::POST)?;
        Some(too_many_jobs("key", limit, limit.take(key?.clone(), 1).err()?))
    }
}

/// On whose account a request goes.
#[derive(Clone)]
pub struct Account {
    limits: Arc<Limits>,
    address: IpNet,
    key: Option<Arc<str>>,
}

impl Account {
    pub fn new(limits: Arc<Limits>, address: IpNet, key: Option<Arc<str>>) -> Self {
        Self { limits, address, key }
    }

    /// The name of the key that was shown.
    pub fn key(&self) -> Option<&str> {
        self.key.as_deref()
    }

    /// Counts a batch of so many jobs, of which its request has counted as one; the problem if these are too many.
    pub fn refuse_batch(&self, jobs: usize) -> Option<Problem> {
        let jobs = u32::try_from(jobs).unwrap_or(u32::MAX);
        let by_address = |limit| refuse_batch("address", "RATE_LIMIT_ADDRESS", limit, &self.address, jobs);
        let by_key = |(limit, key)| refuse_batch("key", "RATE_LIMIT_KEY", limit, key, jobs);
        let Limits { addresses, keys, .. } = &*self.limits;
        addresses.as_ref().and_then(by_address).or_else(|| keys.as_ref().zip(self.key.as_ref()).and_then(by_key))
    }
}

fn refuse_batch<C: Hash + Eq + Clone>(
    whose: &str,
    setting: &str,
    limit: &Buckets<C>,
    client: &C,
    jobs: u32,
) -> Option<Problem> {
    let most = limit.quota();
    if jobs > most {
        let message = format!(
            "each {whose} may submit {most} jobs a minute ({setting}), and these are {jobs}; send batches of {most} at most"
        );
        return Some(Problem::bad_fields(vec![FieldError { field: "tickers".into(), message }]));
    }
    Some(too_many_jobs(whose, limit, limit.take(client.clone(), jobs - 1).err()?))
}

/// Whether a request shows a key where one is wanted.
fn is_tried(request: &Request) -> bool {
    request.headers().contains_key(header::AUTHORIZATION) && !auth::is_open(request.uri().path())
}

fn too_many_jobs<C: Hash + Eq>(whose: &str, limit: &Buckets<C>, wait: Duration) -> Problem {
    Problem::too_often(format!("Each {whose} may submit {} jobs a minute", limit.quota()), wait)
}

fn too_many_guesses(limit: &Buckets<IpNet>, wait: Duration) -> Problem {
    Problem::too_often(format!("Each address may show {} wrong keys a minute", limit.quota()), wait)
}
