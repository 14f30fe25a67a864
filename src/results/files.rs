//! The files of a result.

use super::{JobResult, html, report};

/// The result as the API answers it.
pub const STATE: &str = "state.json";

/// The whole report.
pub const REPORT: &str = "report.md";

/// The result as the API answers it.
pub fn state(result: &JobResult) -> String {
    serde_json::to_string_pretty(result).expect("a result has no map with keys that are no texts")
}

/// What people read, by their paths beside `state.json`; an agent that did not speak has none.
pub fn texts(result: &JobResult) -> Vec<(&'static str, String)> {
    let reports = &result.reports;
    let mut files = vec![
        ("decision.txt", format!("{}\n", result.decision.as_str())),
        (REPORT, report::markdown(result)),
        ("report.html", html::report(result)),
    ];
    let agents = [
        ("1_analysts/market.md", &reports.market),
        ("1_analysts/sentiment.md", &reports.sentiment),
        ("1_analysts/news.md", &reports.news),
        ("1_analysts/fundamentals.md", &reports.fundamentals),
        ("2_research/bull.md", &reports.bull),
        ("2_research/bear.md", &reports.bear),
        ("2_research/manager.md", &reports.research_manager),
        ("3_trading/trader.md", &reports.trader),
        ("4_risk/aggressive.md", &reports.aggressive),
        ("4_risk/conservative.md", &reports.conservative),
        ("4_risk/neutral.md", &reports.neutral),
        ("5_portfolio/decision.md", &reports.portfolio_manager),
    ];
    files.extend(
        agents.into_iter().filter(|(_, text)| !text.is_empty()).map(|(path, text)| (path, format!("{text}\n"))),
    );
    files
}
