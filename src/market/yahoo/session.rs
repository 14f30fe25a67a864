//! The cookie and the crumb, without which Yahoo gives no company figures.

use reqwest::header::COOKIE;

use super::{NAME, VENDOR, Yahoo, question};
use crate::market::{Answer, MarketError, Question, source::Answered};

/// What lets in, until Yahoo wants another one.
#[derive(Clone)]
pub struct Session {
    cookie: String,
    crumb: String,
}

impl Yahoo {
    /// Asks with a crumb; with a new one if the old one is no longer good.
    pub(super) async fn ask_with_crumb<T>(
        &self,
        ask: impl Fn() -> Question,
        read: impl Fn(&Answer) -> Result<T, MarketError>,
    ) -> Answered<T> {
        let session = self.session(None).await?;
        match self.web.ask(&session.on(ask()), &read).await {
            Err(MarketError::Unavailable { transient: false, .. }) => {
                let renewed = self.session(Some(&session)).await?;
                self.web.ask(&renewed.on(ask()), read).await
            }
            answer => answer,
        }
    }

    /// The session; another one than `stale`.
    async fn session(&self, stale: Option<&Session>) -> Result<Session, MarketError> {
        let mut current = self.session.lock().await;
        if let Some(session) = current.as_ref().filter(|session| stale.is_none_or(|old| old.crumb != session.crumb)) {
            return Ok(session.clone());
        }
        let cookie = self.cookie().await;
        let question = question("https://query1.finance.yahoo.com/v1/test/getcrumb").header(COOKIE, &cookie);
        let crumb = self.web.ask(&question, crumb).await?.data;
        let session = Session { cookie, crumb };
        *current = Some(session.clone());
        Ok(session)
    }

    /// The cookie. The page that sets it always answers with some error, which is not looked at. Where its host can't be
    /// reached, as behind some filters, there is none, and the next request tells whether Yahoo wants one.
    async fn cookie(&self) -> String {
        let page = question("https://fc.yahoo.com/").any_status();
        let cookies = self.web.ask(&page, |answer| Ok(answer.cookies.join("; "))).await;
        match cookies {
            Ok(cookies) => cookies.data,
            Err(error) => {
                tracing::debug!(%error, "no cookie of Yahoo");
                String::new()
            }
        }
    }
}

impl Session {
    fn on(&self, question: Question) -> Question {
        // As a secret it is no part of the cache's key: the figures are the same with any crumb.
        question.header(COOKIE, &self.cookie).secret("crumb", &self.crumb.clone().into())
    }
}

/// A crumb is a word; whatever else comes is a refusal in disguise.
fn crumb(answer: &Answer) -> Result<String, MarketError> {
    let text = String::from_utf8_lossy(answer.success(VENDOR)?).trim().to_owned();
    if text.starts_with("Too Many") {
        Err(MarketError::RateLimited { vendor: NAME, retry_after: None })
    } else if text.is_empty() || text.contains(['<', ' ', '{']) {
        Err(MarketError::Unavailable { vendor: NAME, cause: "it gives no crumb".into(), transient: true })
    } else {
        Ok(text)
    }
}
