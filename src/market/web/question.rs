//! What a vendor is asked, and what it answers.

use std::time::Duration;

use chrono::{NaiveDate, Utc};
use reqwest::{
    Client, RequestBuilder,
    header::{ACCEPT_ENCODING, HeaderMap, HeaderName, SET_COOKIE, USER_AGENT},
};
use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;
use serde_json::Value;
use url::Url;

use crate::{domain::Vendor, http_client::PROGRAM, market::MarketError, redact::redacted_bytes};

/// The largest answer: all the facts of a big company are some 20 MB.
const MAX_BODY: usize = 64 << 20;
/// The largest answer of a vendor of articles or posts, some hundred texts.
pub const MAX_TEXTS: usize = 16 << 20;

/// What is true of a past day stays true; but vendors mend their data.
const LONGEST: Duration = Duration::from_hours(30 * 24);
/// How long the present lasts.
const PRESENT: Duration = Duration::from_mins(15);

/// How long an answer on days up to `last` may be kept. An answer that was got before that day was over lacks the rest
/// of it, so it is kept no longer than that could have been.
pub fn lifetime(last: NaiveDate) -> Duration {
    let days_since = (Utc::now().date_naive() - last).num_days() - 1;
    let days = u64::try_from(days_since).unwrap_or(0);
    if days == 0 { PRESENT } else { LONGEST.min(Duration::from_hours(24 * days)) }
}

/// A question to a vendor.
pub struct Question {
    pub vendor: Vendor,
    url: Url,
    headers: Vec<(HeaderName, String)>,
    /// What is posted; none asks by GET.
    body: Option<Value>,
    /// A key as a parameter of the query; it is no part of the cache's key.
    secret: Option<(&'static str, SecretString)>,
    /// How long the answer may be kept; zero never keeps it.
    pub keep: Duration,
    /// Whether an answer counts whatever its status is.
    pub(super) any_status: bool,
    /// The largest answer, bytes once unpacked.
    pub(super) max_body: usize,
}

impl Question {
    /// A question by GET, whose answer is not kept.
    pub fn new(vendor: Vendor, url: &str) -> Self {
        let url = Url::parse(url).expect("vendors' URLs are written in the program");
        let headers = vec![(USER_AGENT, PROGRAM.into()), (ACCEPT_ENCODING, "gzip".into())];
        Self {
            vendor,
            url,
            headers,
            body: None,
            secret: None,
            keep: Duration::ZERO,
            any_status: false,
            max_body: MAX_BODY,
        }
    }

    /// With parameters in the query.
    pub fn query<'a>(mut self, pairs: impl IntoIterator<Item = (&'a str, String)>) -> Self {
        self.url.query_pairs_mut().extend_pairs(pairs);
        self
    }

    /// With a further segment of the path, whatever characters are in it.
    pub fn path(mut self, segment: &str) -> Self {
        self.url.path_segments_mut().expect("http URLs have paths").pop_if_empty().push(segment);
        self
    }

    /// With a header, in place of one of that name.
    pub fn header(mut self, name: HeaderName, value: &str) -> Self {
        self.headers.retain(|(known, _)| *known != name);
        self.headers.push((name, value.into()));
        self
    }

    /// With a body, by POST.
    pub fn post(self, body: Value) -> Self {
        Self { body: Some(body), ..self }
    }

    pub fn secret(self, parameter: &'static str, key: &SecretString) -> Self {
        Self { secret: Some((parameter, key.clone())), ..self }
    }

    /// With an answer that counts whatever its status is: it is not asked for again after a 5xx.
    pub fn any_status(self) -> Self {
        Self { any_status: true, ..self }
    }

    /// With an answer of so many bytes at most, once it is unpacked.
    pub fn max_body(self, max_body: usize) -> Self {
        Self { max_body, ..self }
    }

    /// With an answer that is kept for this time.
    pub fn keep(self, keep: Duration) -> Self {
        Self { keep, ..self }
    }

    pub(super) fn host(&self) -> &str {
        self.url.host_str().expect("http URLs have a host")
    }

    /// What tells this question from all others.
    pub(super) fn key(&self) -> String {
        let body = self.body.as_ref().map_or(String::new(), |body| format!(" {body}"));
        format!("{} {}{body}", self.vendor.as_str(), self.url)
    }

    /// An answer to it, without the key in it that it was asked with.
    pub(super) fn redacted(&self, answer: Vec<u8>) -> Vec<u8> {
        redacted_bytes(answer, self.secret.as_ref().map(|(_, key)| key))
    }

    pub(super) fn request(&self, client: &Client, gateway: Option<&Url>) -> RequestBuilder {
        let mut url = gateway.map_or_else(|| self.url.clone(), |gateway| self.through(gateway));
        if let Some((parameter, key)) = &self.secret {
            url.query_pairs_mut().append_pair(parameter, key.expose_secret());
        }
        let request = match &self.body {
            Some(body) => client.post(url).json(body),
            None => client.get(url),
        };
        self.headers.iter().fold(request, |request, (name, value)| request.header(name, value))
    }

    fn through(&self, gateway: &Url) -> Url {
        let mut url = gateway.clone();
        url.set_path(&format!("{}/{}{}", gateway.path().trim_end_matches('/'), self.host(), self.url.path()));
        url.set_query(self.url.query());
        url
    }
}

/// An answer with a status below 500 that is not 429, unless the question takes any.
pub struct Answer {
    pub status: u16,
    pub body: Vec<u8>,
    /// `name=value` of each cookie that was set.
    pub cookies: Vec<String>,
}

impl Answer {
    pub(super) fn new(status: u16, headers: &HeaderMap, body: Vec<u8>) -> Self {
        let set = headers.get_all(SET_COOKIE).iter().filter_map(|value| value.to_str().ok());
        let cookies = set.filter_map(|value| value.split(';').next()).map(str::to_owned).collect();
        Self { status, body, cookies }
    }

    /// An answer from the cache, which keeps only good ones.
    pub(in crate::market) fn kept(body: Vec<u8>) -> Self {
        Self { status: 200, body, cookies: Vec::new() }
    }

    /// The body of a success.
    pub fn success(&self, vendor: Vendor) -> Result<&[u8], MarketError> {
        let vendor = vendor.as_str();
        match self.status {
            200..=299 => Ok(&self.body),
            404 => Err(MarketError::NoData { vendor, what: "such data (404)".into() }),
            status => {
                let cause = format!("it refuses the request with {status}");
                Err(MarketError::Unavailable { vendor, cause, transient: false })
            }
        }
    }

    /// The body of a success as JSON.
    pub fn json<T: DeserializeOwned>(&self, vendor: Vendor) -> Result<T, MarketError> {
        let body = self.success(vendor)?;
        serde_json::from_slice(body)
            .map_err(|error| MarketError::Malformed { vendor: vendor.as_str(), cause: error.to_string() })
    }
}
