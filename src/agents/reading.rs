//! How much agents read, and how far back.

/// Limits on the data that tools show an agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadingLimits {
    /// Articles on the instrument.
    pub news_articles: usize,
    /// Articles on the markets.
    pub global_news_articles: usize,
    /// Calendar days that articles and posts on the instrument are looked for, unless the agent names others.
    pub news_days: u64,
    /// The same for articles on the markets.
    pub global_news_days: u64,
    /// Calendar days of insiders' trades.
    pub insider_days: u64,
    /// Calendar days of a macro series, unless the agent names others.
    pub macro_days: u64,
    /// What news on the markets is searched for; empty leaves it to the vendor.
    pub global_news_queries: Vec<String>,
}

impl Default for ReadingLimits {
    fn default() -> Self {
        Self {
            news_articles: 20,
            global_news_articles: 10,
            news_days: 7,
            global_news_days: 7,
            insider_days: 180,
            macro_days: 365,
            global_news_queries: Vec::new(),
        }
    }
}
