//! Whether a request is let through to the routes: by the page that asks, its length, its address and its key. One layer for
//! all, for axum copies each one for each request.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use tracing::Span;

use super::{
    Problem, auth, browsers, client, intake,
    rate::{self, Account},
};
use crate::config::{ApiKeys, Config, Networks, Origins};

/// By what requests are let through.
pub struct Guard {
    origins: Origins,
    keys: ApiKeys,
    proxies: Networks,
    limits: Arc<rate::Limits>,
}

impl Guard {
    /// As the settings say.
    pub fn new(config: &Config) -> Self {
        Self {
            origins: config.cors_origins.clone(),
            keys: config.api_keys.clone(),
            proxies: config.trusted_proxies.clone(),
            limits: Arc::new(rate::Limits::new(config)),
        }
    }

    /// On whose account a request goes, or the answer to one that goes no further.
    fn check(&self, request: &Request) -> Result<Account, Box<Response>> {
        browsers::check_origin(request, &self.origins).map_err(answer)?;
        intake::check_uri(request.uri()).map_err(answer)?;
        let address = client::network(client::address(request, &self.proxies));
        self.limits.check_address(request, address).map_err(answer)?;
        let key = auth::check(request, &self.keys).map_err(|refusal| {
            let counted = self.limits.count_guess(request, address, &refusal);
            counted.map_or_else(answer, |()| refusal)
        })?;
        self.limits.check_key(request, key.as_ref()).map_err(answer)?;
        Ok(Account::new(self.limits.clone(), address, key))
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
            next.run(request).await
        }
        Err(refusal) => *refusal,
    }
}

fn answer(problem: Problem) -> Box<Response> {
    Box::new(problem.into_response())
}
