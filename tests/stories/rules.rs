//! The rules model on what companies file and the press writes, from the vendors at the wire to the decision.

use chrono::{Days, NaiveDate};
use serde_json::Value;

use crate::{
    evidence::all_vendors,
    support::{
        books::{Books, SOUND, UNSOUND},
        program::Sandbox,
        recorded::{self, day, today},
        vendors::FakeVendors,
    },
};

const GOOD_PRESS: [&str; 3] =
    ["Apple beats estimates, shares surge", "Strong demand lifts growth", "Apple gains, Nokia slumps"];
const BAD_PRESS: [&str; 3] =
    ["Apple misses estimates, shares plunge", "Weak demand, more layoffs", "Lawsuit over recall"];

/// All vendors, with these books at each and these headlines of the day before.
async fn vendors(books: Books, headlines: [&str; 3], date: NaiveDate) -> FakeVendors {
    let fake = all_vendors(date).await;
    let articles = headlines.map(|headline| (date - Days::new(1), headline));
    fake.answers("data.sec.gov/api/xbrl/companyfacts", books.sec())
        .answers("query2.finance.yahoo.com/ws/fundamentals-timeseries", books.yahoo())
        .answers("www.alphavantage.co/query", books.alpha())
        .answers("news.google.com", recorded::google_feed(&articles))
        .answers("finance.yahoo.com/xhr/ncp", recorded::yahoo_news(&articles));
    fake
}

/// What the rules make of it on a day.
async fn analyse(fake: &FakeVendors, date: NaiveDate, fundamentals: &str) -> Value {
    let sandbox = Sandbox::new()
        .set("VENDOR_GATEWAY", fake.url())
        .set("LLM_PROVIDER", "rules")
        .set("FUNDAMENTAL_VENDORS", fundamentals)
        .set("CONTACT_EMAIL", "a@example.com")
        .set("ALPHA_VANTAGE_API_KEY", "key");
    let run = sandbox.run(&["analyze", "AAPL", "--date", &date.to_string(), "--json"]).await;
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    serde_json::from_str(run.stdout.lines().last().unwrap()).unwrap()
}

fn report<'a>(result: &'a Value, agent: &str) -> &'a str {
    result["reports"][agent].as_str().unwrap()
}

/// The mean vote that the portfolio manager names.
fn mean_vote(result: &Value) -> f64 {
    let text = report(result, "portfolio_manager");
    let number = text.split("the weighted mean vote is ").nth(1).unwrap().split(',').next().unwrap();
    number.parse().unwrap()
}

#[tokio::test]
async fn the_same_books_get_the_same_score_from_any_vendor_and_the_score_reaches_the_decision() {
    let date = day("2012-09-19");
    let fake = vendors(SOUND, GOOD_PRESS, date).await;
    for vendor in ["sec_edgar", "yahoo", "alpha_vantage"] {
        let result = analyse(&fake, date, vendor).await;
        for agent in ["fundamentals", "portfolio_manager"] {
            let report = report(&result, agent);
            assert!(report.contains("| F-score | up | 7 of 8 signs in the annual"), "{vendor}: {report}");
            assert!(report.contains("| Gross profitability | none | the gross profit of a year is 38 %"), "{report}");
            assert!(report.contains("want of figures: Price to earnings."), "{report}");
        }
        let provenance = format!("*Income statement: vendor {vendor}, years known by 2012-09-19");
        assert!(report(&result, "fundamentals").contains(&provenance), "{result}");
    }
}

#[tokio::test]
async fn good_books_and_press_speak_for_a_share_and_bad_ones_against_it() {
    let date = day("2012-09-19");
    let good = analyse(&vendors(SOUND, GOOD_PRESS, date).await, date, "sec_edgar").await;
    let bad = analyse(&vendors(UNSOUND, BAD_PRESS, date).await, date, "sec_edgar").await;
    assert!(
        report(&good, "news").contains("| News tone | up | the tone of 6 words in the headlines is +0.67 |"),
        "{good}"
    );
    assert!(
        report(&bad, "news").contains("| News tone | down | the tone of 6 words in the headlines is -1.00 |"),
        "{bad}"
    );
    assert!(report(&bad, "fundamentals").contains("| F-score | down | 0 of 8"), "{bad}");
    assert!(report(&good, "bull").contains("- F-score: 7 of 8") && report(&bad, "bear").contains("- News tone: "));
    // Two for a rise, or three for a fall, beside the same ten on prices, which weigh 8.
    let change = mean_vote(&good) - mean_vote(&bad);
    assert!((change - 5.0 / 11.0).abs() < 0.011, "{change}");
}

#[tokio::test]
async fn of_the_present_there_is_a_multiple_and_the_mood_is_that_of_the_headlines() {
    let fake = vendors(SOUND, GOOD_PRESS, today()).await;
    let result = analyse(&fake, today(), "yahoo").await;
    let fundamentals = report(&result, "fundamentals");
    assert!(
        fundamentals.contains("| Price to earnings | down | the price is 31.5 times the earnings"),
        "{fundamentals}"
    );
    assert!(fundamentals.contains("want of figures: F-score, Gross profitability."), "the last year is that of 2011");
    let sentiment = report(&result, "sentiment");
    assert!(sentiment.contains("**Overall Sentiment:** **Bullish** (Score: 8.3/10)"), "{sentiment}");
    assert!(sentiment.contains("**Confidence:** Low") && sentiment.contains("| News tone | up |"), "{sentiment}");
}

#[tokio::test]
async fn where_figures_lack_the_rules_have_no_vote_and_say_so() {
    let run = Sandbox::new().run(&["analyze", "AAPL", "--date", "2012-09-19", "--offline", "--json"]).await;
    let result: Value = serde_json::from_str(run.stdout.lines().last().unwrap()).unwrap();
    for (agent, silent) in [
        (
            "fundamentals",
            "No rule has a vote here, for want of figures: F-score, Gross profitability, Price to earnings.",
        ),
        ("news", "No rule has a vote here, for want of figures: News tone."),
        ("sentiment", "**Neutral** (Score: 5.0/10)"),
        ("portfolio_manager", "want of figures: F-score, Gross profitability, Price to earnings, News tone."),
    ] {
        assert!(report(&result, agent).contains(silent), "{}", report(&result, agent));
    }
}
