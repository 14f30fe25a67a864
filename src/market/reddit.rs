//! Reddit: the feeds of its search. The search takes no past window, so past dates are left out.

use std::sync::Arc;

use async_trait::async_trait;
use reqwest::header::USER_AGENT;

use super::{
    MarketError, Post, Question, Retrieved, SocialSource, Web, Window, feed,
    source::{Answered, Source},
    symbol, web,
};
use crate::{
    domain::{Ticker, TradeDate, Vendor},
    http_client::PROGRAM,
};

const VENDOR: Vendor = Vendor::Reddit;
const NAME: &str = "reddit";

/// Where investors talk.
const PLACES: [&str; 3] = ["wallstreetbets", "stocks", "investing"];

/// Posts of a place.
const COUNT: u32 = 10;

/// How much of a post is kept, characters.
const LENGTH: usize = 240;

/// Reddit.
pub struct Reddit {
    web: Arc<Web>,
}

impl Reddit {
    pub fn new(web: Arc<Web>) -> Self {
        Self { web }
    }

    async fn place(&self, place: &str, symbol: &str, window: Window) -> Answered<Vec<Post>> {
        let question = Question::new(VENDOR, "https://www.reddit.com/r")
            .path(place)
            .path("search.rss")
            .query([
                ("q", symbol.into()),
                ("restrict_sr", "on".into()),
                ("sort", "new".into()),
                ("t", "week".into()),
                ("limit", COUNT.to_string()),
            ])
            // It refuses the names of browsers and of plain clients, and wants one of this form.
            .header(USER_AGENT, &format!("linux:{}", PROGRAM.replace('/', ":")))
            .max_body(web::MAX_TEXTS)
            .keep(web::lifetime(window.last));
        self.web
            .ask(&question, |answer| {
                let entries = feed::read(answer.success(VENDOR)?, NAME)?;
                Ok(entries.into_iter().map(|entry| post(place, entry)).collect())
            })
            .await
    }
}

impl Source for Reddit {
    fn name(&self) -> &'static str {
        NAME
    }
}

#[async_trait]
impl SocialSource for Reddit {
    /// What the places that answer have; an error only if none does.
    async fn posts(&self, ticker: &Ticker, window: Window) -> Answered<Vec<Post>> {
        if !TradeDate::from(window.last).is_now() {
            return Err(MarketError::LiveOnly { vendor: NAME });
        }
        let foreign = || MarketError::NoData {
            vendor: NAME,
            what: format!("posts on {ticker}; it is searched for symbols of the United States and coins only"),
        };
        let words = symbol::without_exchange(ticker).ok_or_else(foreign)?;
        let (mut posts, mut trouble) = (Vec::new(), None);
        for place in PLACES {
            match self.place(place, &words, window).await {
                Ok(found) => posts.extend(found.data),
                Err(error) => trouble = Some(error),
            }
        }
        if posts.is_empty() {
            let what = format!("posts on {words} of this week");
            return Err(trouble.unwrap_or(MarketError::NoData { vendor: NAME, what }));
        }
        Ok(Retrieved::now(posts))
    }
}

fn post(place: &str, entry: feed::Entry) -> Post {
    let text = if entry.text.is_empty() { entry.title } else { format!("{}: {}", entry.title, entry.text) };
    Post {
        written: entry.published,
        place: format!("r/{place}"),
        text: text.chars().take(LENGTH).collect(),
        mood: None,
    }
}
