//! What vendors do that their documentation does not say, and what is made of it.

use std::{fmt::Write, fs, path::Path, time::Duration};

use serde_json::{Value, json};
use tradingagents::{
    domain::{Ticker, Vendor},
    market::{Choice, Keys, Market, MarketError, Vendors, WebOptions, Window, calendar::Calendar},
};

use crate::support::{
    program::Sandbox,
    recorded::{self, day, today},
    vendors::{FakeVendors, Reply},
};

fn market(fake: &FakeVendors, vendor: Vendor) -> Market {
    let all = || vec![vendor];
    let keys =
        Keys { contact: Some("someone@example.com".into()), fred: Some("key".to_owned().into()), ..Keys::default() };
    let web = WebOptions { gateway: Some(fake.url().parse().unwrap()), cache: None, beat: Duration::from_millis(20) };
    let choice = Choice {
        prices: all(),
        profile: all(),
        news: all(),
        global_news: all(),
        macros: all(),
        predictions: all(),
        ..Choice::default()
    };
    Vendors::new(web, keys, None).market(&choice)
}

fn ticker(text: &str) -> Ticker {
    text.parse().unwrap()
}

#[tokio::test]
async fn an_error_of_yahoos_cookie_host_does_not_end_the_profile() {
    for reply in [Reply::Status(502, "Bad Gateway"), Reply::Cut, Reply::Limited("3600")] {
        let fake = FakeVendors::start().await;
        fake.answers("fc.yahoo.com", reply)
            .answers("query1.finance.yahoo.com/v1/test/getcrumb", Reply::Text("crumb".into()))
            .answers("query2.finance.yahoo.com/v10/finance/quoteSummary", recorded::yahoo_summary(today()));
        let profile = market(&fake, Vendor::Yahoo).profile(&ticker("AAPL"), today().into()).await;
        assert!(!profile.unwrap().data.figures.is_empty());
    }
}

#[tokio::test]
async fn a_403_of_the_sec_is_a_rate_limit() {
    let fake = FakeVendors::start().await;
    fake.answers("www.sec.gov", Reply::Status(403, "Request Rate Threshold Exceeded"));
    let error = market(&fake, Vendor::SecEdgar).profile(&ticker("AAPL"), day("2024-05-10").into()).await.unwrap_err();
    assert!(matches!(error, MarketError::RateLimited { .. }) && error.is_transient(), "{error}");
    assert!(error.to_string().contains("rate limit"), "{error}");
    assert_eq!(fake.asked("www.sec.gov").len(), 4, "it is asked again after a while");
}

#[tokio::test]
async fn articles_are_not_unpacked_without_end() {
    let fake = FakeVendors::start().await;
    fake.answers("news.google.com", Reply::Packed(Value::String("x".repeat(17 << 20))));
    let window = Window::up_to(Calendar::new_york(), day("2024-05-10").into(), 7);
    let error = market(&fake, Vendor::GoogleNews).global_news(window, &[]).await.unwrap_err();
    assert!(error.to_string().contains("more than 16 MiB"), "{error}");
}

#[tokio::test]
async fn news_on_the_markets_is_searched_by_the_queries_of_the_job() {
    let fake = FakeVendors::start().await;
    let window = Window::up_to(Calendar::new_york(), day("2024-05-10").into(), 7);
    let queries = ["oil price", "OPEC"].map(str::to_owned);
    let _ = market(&fake, Vendor::GoogleNews).global_news(window, &queries).await;
    let asked = fake.asked("news.google.com");
    assert!(asked[0].what.contains("%22oil+price%22+OR+%22OPEC%22"), "{}", asked[0].what);
}

#[tokio::test]
async fn a_question_of_polymarket_may_lack_its_volume() {
    let fake = FakeVendors::start().await;
    let question = |name: &str, more: Value| {
        let mut question = json!({"question": name, "outcomes": "[\"Yes\"]", "outcomePrices": "[\"0.5\"]"});
        question.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        question
    };
    let markets = [
        question("None?", json!({})),
        question("As a text?", json!({"volume": "20.5"})),
        question("As a number?", json!({"volumeNum": 30.5, "volume": "1"})),
        question("Null?", json!({"volumeNum": null})),
        question("Nonsense?", json!({"outcomePrices": "[\"NaN\"]"})),
    ];
    fake.answers("gamma-api.polymarket.com", Reply::Json(json!({"events": [{"markets": markets}]})));
    let odds = market(&fake, Vendor::Polymarket).odds("Fed", today().into()).await.unwrap().data;
    let volumes: Vec<_> = odds.iter().map(|odds| odds.volume).collect();
    assert_eq!(volumes, [30.5, 20.5, 0.0, 0.0]);
}

#[tokio::test]
async fn the_currency_of_prices_is_yahoos() {
    let fake = FakeVendors::start().await;
    let chart = json!({"chart": {"result": [{
        "meta": {"currency": "GBp", "exchangeTimezoneName": "Europe/London"},
        "timestamp": [day("2024-05-10").and_hms_opt(7, 0, 0).unwrap().and_utc().timestamp()],
        "indicators": {"quote": [{"open": [1.0], "high": [1.0], "low": [1.0], "close": [1.0], "volume": [1]}]}
    }]}});
    fake.answers("query2.finance.yahoo.com/v8/finance/chart/M&M.NS", Reply::Json(chart));
    let history =
        market(&fake, Vendor::Yahoo).price_history(&ticker("M&M.NS"), day("2024-05-10").into()).await.unwrap();
    assert_eq!(history.currency.unwrap().to_string(), "GBp (pence, 100 = 1 GBP)");
}

/// Bars of the weekdays up to 2024-05-10 in pence, with a day in pounds.
fn bars_with_a_glitch() -> String {
    let mut text = String::from("date,open,high,low,close,volume,currency\n");
    let weekdays = day("2024-01-01").iter_days().take_while(|date| *date <= day("2024-05-10"));
    for date in weekdays.filter(|date| Calendar::new_york().is_trading_day(*date)) {
        let close = if date == day("2024-05-02") { 0.76 } else { 76.0 };
        writeln!(text, "{date},{close},{close},{close},{close},1000,GBp").unwrap();
    }
    text
}

/// The result in the only `state.json` below a folder.
fn state(folder: &Path) -> Option<Value> {
    let file = folder.join("state.json");
    if file.is_file() {
        return serde_json::from_slice(&fs::read(file).unwrap()).ok();
    }
    fs::read_dir(folder).ok()?.flatten().find_map(|entry| state(&entry.path()))
}

#[tokio::test]
async fn a_result_names_the_currency_and_repaired_bars_and_has_a_ticker_with_an_ampersand() {
    let bars = tempfile::tempdir().unwrap();
    for name in ["M&M.NS", "NIFTY_FIN_SERVICE.NS", "A+B"] {
        fs::write(bars.path().join(format!("{name}.csv")), bars_with_a_glitch()).unwrap();
        let sandbox = Sandbox::new();
        let data = bars.path().to_str().unwrap();
        let run = sandbox.run(&["analyze", name, "--date", "2024-05-10", "--offline", "--data", data]).await;
        assert_eq!(run.code, Some(0), "{}", run.stderr);
        let result = state(&sandbox.results().join(name).join("2024-05-10")).unwrap();
        assert_eq!(result["currency"], "GBp");
        assert!(!result["bars"].as_str().unwrap().contains(",0.76,"), "{}", result["bars"]);
        assert!(result["warnings"].to_string().contains("prices of 2024-05-02 were off by a factor of 100"));
        let told = result["steps"][0]["messages"].to_string();
        assert!(told.contains("in GBp (pence, 100 = 1 GBP)") && told.contains("off by a factor of 100"), "{told}");
        assert!(!told.contains("NaN"));
    }
}
