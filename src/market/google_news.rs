//! Google News: the search's feed. Without a key, and it takes a past window, so it is the source for backtests. It has
//! titles only.

use std::sync::Arc;

use async_trait::async_trait;
use chrono::TimeDelta;

use super::{
    Article, MarketError, Names, NewsSource, Question, Web, Window, feed,
    source::{Answered, Source},
    symbol,
    web::{MAX_TEXTS, lifetime},
};
use crate::domain::{Ticker, Vendor};

const VENDOR: Vendor = Vendor::GoogleNews;
const NAME: &str = "google_news";

/// What is searched for the markets as a whole.
const MARKETS: &str = "\"stock market\" OR \"Federal Reserve\" OR inflation OR \"Wall Street\"";

/// The search of Google News.
pub struct GoogleNews {
    web: Arc<Web>,
    /// Knows the name of a company, by which the press calls it.
    names: Arc<Names>,
}

impl GoogleNews {
    pub fn new(web: Arc<Web>, names: Arc<Names>) -> Self {
        Self { web, names }
    }

    async fn search(&self, words: &str, window: Window) -> Answered<Vec<Article>> {
        // "before" leaves its day out. Its days are whole ones, so the market drops what appeared after the close.
        let last = (window.end() - TimeDelta::seconds(1)).date_naive();
        let before = last.succ_opt().unwrap_or(last);
        let query = format!("{words} after:{} before:{before}", window.begin().date_naive());
        let question = Question::new(VENDOR, "https://news.google.com/rss/search")
            .query([("q", query), ("hl", "en-US".into()), ("gl", "US".into()), ("ceid", "US:en".into())])
            .max_body(MAX_TEXTS)
            .keep(lifetime(window.last));
        self.web
            .ask(&question, |answer| {
                let entries = feed::read(answer.success(VENDOR)?, NAME)?;
                let articles: Vec<_> = entries.into_iter().map(article).collect();
                let nothing = || MarketError::NoData { vendor: NAME, what: format!("articles on {words} of {window}") };
                if articles.is_empty() { Err(nothing()) } else { Ok(articles) }
            })
            .await
    }
}

impl Source for GoogleNews {
    fn name(&self) -> &'static str {
        NAME
    }
}

#[async_trait]
impl NewsSource for GoogleNews {
    async fn ticker_news(&self, ticker: &Ticker, window: Window) -> Answered<Vec<Article>> {
        let symbol = symbol::canonical(ticker);
        // Without its name a company is found by its symbol, if less well.
        let words = match self.names.of(ticker, window.last).await {
            Some(identity) => format!("\"{}\" OR \"{symbol}\" stock", short(&identity.name)),
            None => format!("\"{symbol}\" stock"),
        };
        self.search(&words, window).await
    }

    async fn global_news(&self, window: Window, queries: &[String]) -> Answered<Vec<Article>> {
        let quoted = queries.iter().map(|query| format!("\"{}\"", query.replace('"', ""))).collect::<Vec<_>>();
        let words = if quoted.is_empty() { MARKETS.into() } else { quoted.join(" OR ") };
        self.search(&words, window).await
    }
}

/// A company's name as the press writes it, without its legal form.
fn short(name: &str) -> String {
    let forms = ["inc", "corp", "corporation", "company", "co", "ltd", "limited", "plc", "ag", "se", "sa", "nv"];
    let is_form = |word: &str| forms.contains(&word.trim_matches(['.', ',']).to_lowercase().as_str());
    let words: Vec<_> = name.split_whitespace().take_while(|word| !is_form(word)).collect();
    words.join(" ").trim_end_matches(',').replace('"', "")
}

/// Google writes the title as "Title - Publisher".
fn article(entry: feed::Entry) -> Article {
    let (title, publisher) = match entry.title.rsplit_once(" - ") {
        Some((title, publisher)) => (title.to_owned(), publisher.to_owned()),
        None => (entry.title, entry.source.unwrap_or_default()),
    };
    Article { published: entry.published, title, publisher, summary: String::new(), link: entry.link, tone: None }
}
