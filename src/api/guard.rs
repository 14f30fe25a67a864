//! Whether a request is let through to the routes: by the page that asks, its length, its address and its key; and what it
//! may take there. One layer for all, for axum copies each one for each request.

use std::{sync::Arc, time::Duration};

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use tracing::Span;

use super::{
    Problem, auth, browsers, client,
    intake::{self, Bodies},
    pages,
    rate::{self, Account},
};
use crate::config::{ApiKeys, Config, Networks, Origins};

/// By what requests are let through.
pub struct Guard {
    origins: Origins,
    keys: ApiKeys,
    proxies: Networks,
    limits: Arc<rate::Limits>,
    bodies: Bodies,
}

impl Guard {
    /// As the settings say.
    pub fn new(config: &Config) -> Self {
        Self {
            origins: config.cors_origins.clone(),
            keys: config.api_keys.clone(),
            proxies: config.trusted_proxies.clone(),
            limits: Arc::new(rate::Limits::new(config)),
            bodies: Bodies::new(Duration::from_secs(config.client_timeout)),
        }
    }

    /// On whose account a request goes, or the answer to one that goes no further.
    fn check(&self, request: &Request) -> Result<Account, Box<Response>> {
        let answer = |problem: Problem| Box::new(problem.into_response());
        let address = client::network(client::address(request, &self.proxies));
        let refused = browsers::refuse_stranger(request, &self.origins)
            .or_else(|| intake::refuse_uri(request.uri()))
            .or_else(|| self.limits.refuse_address(request, address));
        if let Some(problem) = refused {
            return Err(answer(problem));
        }
        let key = auth::check(request, &self.keys)
            .map_err(|refusal| self.limits.refuse_guess(request, address, &refusal).map_or(refusal, answer))?;
        match self.limits.refuse_key(request, key.as_ref()) {
            Some(problem) => Err(answer(problem)),
            None => Ok(Account::new(self.limits.clone(), address, key)),
        }
    }
}

/// Lets a request through that may be asked, and writes the name of its key into its span.
pub async fn admit(State(guard): State<Arc<Guard>>, mut request: Request, next: Next) -> Response {
    match guard.check(&request) {
        Ok(account) => {
            if let Some(key) = account.key() {
                Span::current().record("key", key);
            }
            request.extensions_mut().insert(account);
            guard.bodies.bounded(request, |request| pages::for_people(request, next)).await
        }
        Err(refusal) => *refusal,
    }
}
