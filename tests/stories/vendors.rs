//! The vendors of market data at the wire: what is asked, what is made of each answer, and what of each failure.

use std::{fs, path::Path, time::Duration};

use serde_json::json;
use tradingagents::{
    domain::{Ticker, TradeDate, Vendor},
    market::{
        Choice, Frequency, Keys, Market, MarketError, Mood, StatementKind, Vendors, WebOptions, Window,
        calendar::Calendar,
    },
};

use crate::support::{
    recorded::{self, day, today},
    vendors::{FakeVendors, Reply},
};

const CHART: &str = "query2.finance.yahoo.com/v8/finance/chart/AAPL";
const SEARCH: &str = "query2.finance.yahoo.com/v1/finance/search";
const GOOGLE: &str = "news.google.com/rss/search";
const ALPHA: &str = "www.alphavantage.co/query?function=";

/// The stock that all these stories are about.
fn aapl() -> &'static Ticker {
    static AAPL: std::sync::LazyLock<Ticker> = std::sync::LazyLock::new(|| "AAPL".parse().unwrap());
    &AAPL
}

fn date(text: &str) -> TradeDate {
    text.parse().unwrap()
}

fn web(fake: &FakeVendors, cache: Option<&Path>) -> WebOptions {
    let gateway = Some(fake.url().parse().unwrap());
    WebOptions { gateway, cache: cache.map(Into::into), beat: Duration::from_millis(50) }
}

fn keys() -> Keys {
    Keys {
        alpha_vantage: Some("canary-alpha".to_owned().into()),
        tiingo: Some("canary-tiingo".to_owned().into()),
        fred: Some("canary-fred".to_owned().into()),
        contact: Some("someone@example.com".into()),
    }
}

/// A market that asks only this vendor.
fn market_of(fake: &FakeVendors, vendor: Vendor) -> Market {
    market_with_cache(fake, vendor, None)
}

fn market_with_cache(fake: &FakeVendors, vendor: Vendor, cache: Option<&Path>) -> Market {
    Vendors::new(web(fake, cache), keys(), None).market(&all(&[vendor]))
}

/// The choice of these vendors for everything that they have.
fn all(vendors: &[Vendor]) -> Choice {
    let vendors = vendors.to_vec();
    Choice {
        prices: vendors.clone(),
        profile: vendors.clone(),
        balance_sheet: vendors.clone(),
        cash_flow: vendors.clone(),
        income_statement: vendors.clone(),
        news: vendors.clone(),
        global_news: vendors.clone(),
        insiders: vendors.clone(),
        social: vendors.clone(),
        macros: vendors.clone(),
        predictions: vendors,
    }
}

fn week_of(text: &str) -> Window {
    Window::up_to(Calendar::new_york(), date(text), 7)
}

fn this_week() -> Window {
    Window::up_to(Calendar::new_york(), today().into(), 7)
}

#[tokio::test]
async fn yahoos_bars_are_those_that_were_traded_before_a_later_split() {
    let fake = FakeVendors::start().await;
    let splits = [(day("2024-06-10"), 10), (day("2024-03-01"), 2)];
    fake.answers(CHART, recorded::yahoo_chart(day("2024-06-28"), 170, &splits));
    let history = market_of(&fake, Vendor::Yahoo).price_history(aapl(), date("2024-05-10")).await.unwrap();
    let last = history.bars.last().unwrap();
    // 121 days after the first bar, whose close is 100; ten of today's shares were one.
    assert_eq!((last.date, last.close, last.volume), (day("2024-05-10"), 2200.0, 100.0));
    assert_eq!(history.vendor, "yahoo");
    let steps = history.bars.windows(2).map(|pair| (pair[1].close / pair[0].close - 1.0).abs());
    assert!(steps.fold(0.0, f64::max) < 0.02, "the split of March shows as no fall");
    let asked = &fake.asked(CHART)[0];
    assert!(asked.headers["user-agent"].to_str().unwrap().starts_with("Mozilla/5.0"), "it refuses programs");
}

#[tokio::test]
async fn failures_of_prices_are_told_apart() {
    let empty = json!({"chart": {"error": null, "result": [{"meta": {}, "indicators": {"quote": [{}]}}]}});
    let unknown = Reply::Json(recorded::yahoo_unknown());
    for (reply, is_expected, is_transient) in [
        (unknown, (|e| matches!(e, MarketError::UnknownSymbol { .. })) as fn(&MarketError) -> bool, false),
        (Reply::Status(404, "not json"), |e| matches!(e, MarketError::UnknownSymbol { .. }), false),
        (Reply::Json(empty), |e| matches!(e, MarketError::NoData { .. }), false),
        (Reply::Text("<html>Will be right back".into()), |e| matches!(e, MarketError::Malformed { .. }), false),
        (Reply::Limited("0"), |e| matches!(e, MarketError::RateLimited { retry_after: Some(_), .. }), true),
        (Reply::Limited(""), |e| matches!(e, MarketError::RateLimited { retry_after: None, .. }), true),
        (Reply::Status(503, "busy"), |e| matches!(e, MarketError::Unavailable { .. }), true),
        (Reply::Status(403, "no"), |e| matches!(e, MarketError::Unavailable { .. }), false),
        (Reply::Cut, |e| matches!(e, MarketError::Unavailable { .. }), true),
        (Reply::Silence, |e| matches!(e, MarketError::Unavailable { .. }), true),
    ] {
        let fake = FakeVendors::start().await;
        fake.answers(CHART, reply.clone());
        let error = market_of(&fake, Vendor::Yahoo).price_history(aapl(), date("2024-05-10")).await.unwrap_err();
        assert!(is_expected(&error), "{reply:?} became {error:?}");
        assert_eq!(error.is_transient(), is_transient, "{error}");
    }
}

#[tokio::test]
async fn what_passes_is_waited_out() {
    let fake = FakeVendors::start().await;
    fake.answers(CHART, recorded::yahoo_chart(day("2024-05-10"), 30, &[]));
    let market = market_of(&fake, Vendor::Yahoo);
    fake.will(CHART, [Reply::Limited(""), Reply::Limited("0"), Reply::Limited("0")]);
    market.price_history(aapl(), date("2024-05-10")).await.unwrap();
    assert_eq!(fake.asked(CHART).len(), 4);
    for passes in [Reply::Status(502, "bad gateway"), Reply::Cut] {
        fake.will(CHART, [passes]);
        market.price_history(aapl(), date("2024-05-10")).await.unwrap();
    }
    assert_eq!(fake.asked(CHART).len(), 8);
}

#[tokio::test]
async fn who_asks_for_a_long_wait_is_left_alone() {
    let fake = FakeVendors::start().await;
    fake.answers(CHART, Reply::Limited("3600"));
    let market = market_of(&fake, Vendor::Yahoo);
    for _ in 0..3 {
        let error = market.price_history(aapl(), date("2024-05-10")).await.unwrap_err();
        assert_eq!(error.retry_after(), Some(Duration::from_hours(1)));
    }
    assert_eq!(fake.asked(CHART).len(), 1);
}

#[tokio::test]
async fn a_vendor_out_of_reach_costs_one_attempt_and_the_next_one_is_asked() {
    let options = WebOptions { gateway: Some("http://127.0.0.1:9".parse().unwrap()), ..WebOptions::default() };
    let market =
        Vendors::new(options, keys(), None).market(&all(&[Vendor::Yahoo, Vendor::AlphaVantage, Vendor::Sample]));
    let history = market.price_history(aapl(), date("2012-09-19")).await.unwrap();
    assert_eq!(history.vendor, "sample");
    let error = market.price_history(aapl(), date("2020-01-02")).await.unwrap_err().to_string();
    assert!(error.contains("yahoo is unavailable") && error.contains("alpha_vantage is unavailable"), "{error}");
    assert!(error.contains("sample has no bars of AAPL for 2020-01-02"), "{error}");
}

#[tokio::test]
async fn alpha_vantages_errors_in_successful_answers_are_understood() {
    let fake = FakeVendors::start().await;
    let market = market_of(&fake, Vendor::AlphaVantage);
    let place = format!("{ALPHA}TIME_SERIES_DAILY_ADJUSTED");
    fake.answers(&place, recorded::alpha_daily(day("2024-05-10"), 20));
    assert_eq!(market.price_history(aapl(), date("2024-05-10")).await.unwrap().bars.len(), 20);
    assert!(fake.asked(&place)[0].what.ends_with("apikey=canary-alpha"));
    for (body, is_expected) in [
        (
            json!({"Information": "Our standard API rate limit is 25 requests per day. Subscribe to premium."}),
            (|e| matches!(e, MarketError::RateLimited { .. })) as fn(&MarketError) -> bool,
        ),
        (json!({"Note": "Please consider optimizing your API call frequency."}), |e| {
            matches!(e, MarketError::RateLimited { .. })
        }),
        (json!({"Error Message": "Invalid API call."}), |e| matches!(e, MarketError::NoData { .. })),
        (json!({}), |e| matches!(e, MarketError::NoData { .. })),
        (json!({"Information": "The parameter apikey is invalid or missing."}), |e| {
            matches!(e, MarketError::NotConfigured { .. })
        }),
        (json!({"Time Series (Daily)": {"2024-05-10": {"1. open": "x"}}}), |e| {
            matches!(e, MarketError::Malformed { .. })
        }),
    ] {
        fake.answers(&place, Reply::Json(body.clone()));
        let error = market.price_history(aapl(), date("2024-05-10")).await.unwrap_err();
        assert!(is_expected(&error), "{body} became {error:?}");
    }
}

#[tokio::test]
async fn without_its_key_a_vendor_is_not_asked_and_the_setting_is_named() {
    let fake = FakeVendors::start().await;
    let vendors = Vendors::new(web(&fake, None), Keys::default(), None);
    let market = vendors.market(&all(&[Vendor::AlphaVantage, Vendor::SecEdgar, Vendor::Fred]));
    let prices = market.price_history(aapl(), date("2024-05-10")).await.unwrap_err();
    assert!(prices.to_string().contains("ALPHA_VANTAGE_API_KEY"), "{prices}");
    let statement = market.statement(aapl(), StatementKind::Income, Frequency::Quarterly, date("2024-05-10")).await;
    assert!(statement.unwrap_err().to_string().contains("CONTACT_EMAIL"));
    let series = market.series("cpi", week_of("2024-05-10")).await.unwrap_err();
    assert!(series.to_string().contains("FRED_API_KEY") && series.for_agents("it").starts_with("DATA_UNAVAILABLE: "));
    assert_eq!(fake.asked("").len(), 0);
}

#[tokio::test]
async fn google_has_the_articles_of_a_past_week_and_no_later_one_passes() {
    let fake = FakeVendors::start().await;
    fake.answers(SEARCH, recorded::yahoo_search(&[]));
    let feed = [
        (day("2024-05-09"), "Before"),
        (day("2024-05-10"), "On the day"),
        (day("2024-05-11"), "After"),
        (day("2024-04-01"), "Long ago"),
    ];
    fake.answers(GOOGLE, recorded::google_feed(&feed));
    let news = market_of(&fake, Vendor::GoogleNews).news(aapl(), week_of("2024-05-10")).await.unwrap();
    let titles: Vec<_> = news.data.iter().map(|article| article.title.as_str()).collect();
    assert_eq!(titles, ["On the day", "Before"]);
    assert_eq!(news.data[0].publisher, "The Wall Street Journal");
    let asked = &fake.asked(GOOGLE)[0].what;
    assert!(asked.contains("after%3A2024-05-03+before%3A2024-05-11"), "{asked}");
    assert!(asked.contains("%22Apple%22"), "it is searched by name: {asked}");

    fake.answers(GOOGLE, recorded::google_feed(&feed[2..]));
    let nothing = market_of(&fake, Vendor::GoogleNews).news(aapl(), week_of("2024-05-10")).await.unwrap_err();
    assert!(nothing.for_agents("it").starts_with("NO_DATA_AVAILABLE: "), "{nothing}");
    fake.answers(GOOGLE, Reply::Text("<html><body>consent".into()));
    let unreadable = market_of(&fake, Vendor::GoogleNews).global_news(week_of("2024-05-10"), &[]).await.unwrap_err();
    assert!(matches!(unreadable, MarketError::Malformed { .. }), "{unreadable:?}");
}

#[tokio::test]
async fn yahoos_articles_are_of_this_week_only() {
    let fake = FakeVendors::start().await;
    let tomorrow = today() + chrono::Days::new(1);
    fake.answers("finance.yahoo.com/xhr/ncp", recorded::yahoo_news(&[(today(), "Today"), (tomorrow, "Tomorrow")]));
    fake.answers(SEARCH, recorded::yahoo_search(&[(today(), "Markets rise")]));
    let market = market_of(&fake, Vendor::Yahoo);
    let news = market.news(aapl(), this_week()).await.unwrap();
    assert_eq!((news.data.len(), news.data[0].title.as_str()), (1, "Today"));
    assert_eq!(market.global_news(this_week(), &[]).await.unwrap().data[0].title, "Markets rise");
    let past = market.news(aapl(), week_of("2024-05-10")).await.unwrap_err();
    assert!(matches!(past, MarketError::LiveOnly { .. }) && past.for_agents("it").starts_with("NO_DATA_AVAILABLE"));
    let identity = market.identity(aapl(), day("2012-09-19").into()).await.unwrap().to_string();
    assert_eq!(identity, "Apple Inc. (equity, NASDAQ, Technology, Consumer Electronics)");
}

#[tokio::test]
async fn yahoos_figures_want_a_cookie_and_a_crumb_which_are_renewed_when_they_are_stale() {
    let fake = FakeVendors::start().await;
    let (crumb, summary) =
        ("query1.finance.yahoo.com/v1/test/getcrumb", "query2.finance.yahoo.com/v10/finance/quoteSummary");
    fake.answers("fc.yahoo.com", Reply::Status(404, "")).answers(crumb, Reply::Text("old".into()));
    fake.answers(summary, recorded::yahoo_summary(today() - chrono::Days::new(10)));
    let market = market_of(&fake, Vendor::Yahoo);
    let profile = market.profile(aapl(), today().into()).await.unwrap();
    assert!(profile.data.figures.contains(&("Price to earnings, trailing", "31.5".into())), "{:?}", profile.data);
    fake.answers(crumb, Reply::Text("new".into())).will(summary, [Reply::Status(401, "Invalid Crumb")]);
    let trades = market.insider_trades(aapl(), Window::up_to(Calendar::new_york(), today().into(), 90)).await.unwrap();
    assert_eq!((trades.data[0].who.as_str(), trades.data[0].shares), ("COOK TIMOTHY D", Some(50_000.0)));
    let crumbs: Vec<_> =
        fake.asked(summary).iter().map(|asked| asked.what.rsplit('=').next().unwrap().to_owned()).collect();
    assert_eq!(crumbs, ["old", "old", "new"]);

    let past = market.profile(aapl(), date("2024-05-10")).await.unwrap_err();
    assert!(matches!(past, MarketError::LiveOnly { .. }), "today's ratios are not those of 2024");
    let yesterday = today() - chrono::Days::new(1);
    fake.answers(summary, recorded::yahoo_summary(yesterday));
    assert!(market.insider_trades(aapl(), this_week()).await.is_err(), "it can't have been filed yet");
}

#[tokio::test]
async fn a_statement_is_known_when_it_had_to_be_filed_if_the_vendor_does_not_say() {
    let fake = FakeVendors::start().await;
    let quarters = [(day("2024-03-30"), 90.8e9), (day("2023-12-30"), 119.6e9)];
    let place = "query2.finance.yahoo.com/ws/fundamentals-timeseries";
    fake.answers(place, recorded::yahoo_timeseries(&quarters));
    let income = [(day("2024-03-30"), "90753000000"), (day("2023-12-30"), "119575000000")];
    fake.answers(&format!("{ALPHA}INCOME_STATEMENT"), recorded::alpha_income(&income));
    for vendor in [Vendor::Yahoo, Vendor::AlphaVantage] {
        let market = market_of(&fake, vendor);
        let ends = async |on: &str| {
            let found = market.statement(aapl(), StatementKind::Income, Frequency::Quarterly, date(on)).await;
            found.unwrap().data.periods.iter().map(|period| period.end.to_string()).collect::<Vec<_>>()
        };
        let none = market.statement(aapl(), StatementKind::Income, Frequency::Quarterly, date("2024-03-28")).await;
        assert!(none.is_err(), "{vendor:?}: a fourth quarter comes with the year, 90 days later");
        assert_eq!(ends("2024-05-10").await, ["2023-12-30"], "{vendor:?}");
        assert_eq!(ends("2024-05-14").await, ["2024-03-30", "2023-12-30"], "{vendor:?}");
    }
}

#[tokio::test]
async fn the_sec_shows_each_figure_as_it_was_filed_by_then() {
    let fake = FakeVendors::start().await;
    fake.answers("www.sec.gov/files/company_tickers.json", recorded::sec_tickers());
    let facts = [
        ("2023-10-01", "2023-12-30", 33.9, "2024-02-02"),
        ("2023-10-01", "2023-12-30", 33.0, "2024-08-02"),
        ("2023-12-31", "2024-03-30", 23.6, "2024-05-03"),
        ("2023-10-01", "2024-03-30", 57.5, "2024-05-03"),
        ("2024-03-31", "2024-06-29", 21.4, "2024-08-02"),
    ];
    fake.answers("data.sec.gov/api/xbrl/companyfacts/CIK0000320193.json", recorded::sec_facts(&facts).packed());
    let market = market_of(&fake, Vendor::SecEdgar);
    let known = async |on: &str| {
        let found = market.statement(aapl(), StatementKind::Income, Frequency::Quarterly, date(on)).await.unwrap();
        let periods = found.data.periods.iter();
        periods.map(|period| (period.end.to_string(), period.figures[0].value)).collect::<Vec<_>>()
    };
    assert_eq!(known("2024-05-10").await, [("2024-03-30".into(), 23.6), ("2023-12-30".into(), 33.9)]);
    assert_eq!(known("2024-08-02").await[1], ("2023-12-30".into(), 33.9), "perhaps filed after the close");
    assert_eq!(known("2024-08-05").await[2], ("2023-12-30".into(), 33.0), "restated, and known from then on");
    let profile = market.profile(aapl(), date("2024-05-10")).await.unwrap();
    assert!(format!("{:?}", profile.data).contains("count: 15441881000.0, on: 2024-01-19"), "{:?}", profile.data);
    let stranger = "NOTTHERE".parse().unwrap();
    let none = market.statement(&stranger, StatementKind::Income, Frequency::Annual, date("2024-05-10"));
    assert!(matches!(none.await.unwrap_err(), MarketError::UnknownSymbol { .. }));
    for asked in fake.asked("") {
        assert!(asked.headers["user-agent"].to_str().unwrap().ends_with(" someone@example.com"));
    }
}

#[tokio::test]
async fn macro_series_are_those_that_were_published_by_then() {
    let fake = FakeVendors::start().await;
    let (about, values) = ("api.stlouisfed.org/fred/series?", "api.stlouisfed.org/fred/series/observations");
    fake.answers(about, recorded::fred_series());
    let months = [(day("2024-03-01"), "5.33"), (day("2024-04-01"), "."), (day("2024-06-01"), "5.25")];
    fake.answers(values, recorded::fred_observations(&months));
    let market = market_of(&fake, Vendor::Fred);
    let series = market
        .series("Fed Funds Rate", Window::up_to(Calendar::new_york(), date("2024-05-10"), 365))
        .await
        .unwrap()
        .data;
    assert_eq!((series.id.as_str(), series.observations.len(), series.observations[0].value), ("FEDFUNDS", 1, 5.33));
    let asked = &fake.asked(values)[0].what;
    assert!(asked.contains("realtime_end=2024-05-10") && asked.contains("observation_end=2024-05-10"), "{asked}");
    let guidance = market.series("the mood of consumers in Ohio", week_of("2024-05-10")).await.unwrap_err().to_string();
    assert!(guidance.contains("give a FRED id such as DGS10"), "{guidance}");
    fake.answers(about, Reply::Status(400, r#"{"error_code": 400, "error_message": "The series does not exist."}"#));
    let unknown = market.series("NOTTHERE", week_of("2024-05-10")).await.unwrap_err();
    assert!(matches!(&unknown, MarketError::NoData { what, .. } if what.contains("does not exist")), "{unknown}");
    fake.answers(
        about,
        Reply::Status(400, r#"{"error_message": "The value for variable api_key is not registered."}"#),
    );
    let refused = market.series("GDP", week_of("2024-05-10")).await.unwrap_err();
    assert!(matches!(refused, MarketError::NotConfigured { .. }), "{refused}");
}

#[tokio::test]
async fn social_media_and_odds_are_of_today_and_one_silent_place_does_not_silence_the_others() {
    let fake = FakeVendors::start().await;
    let tomorrow = today() + chrono::Days::new(1);
    let messages =
        [(today(), "To the moon", Some("Bullish")), (tomorrow, "Already up", None), (today(), "So so", None)];
    fake.answers("api.stocktwits.com/api/2/streams/symbol/AAPL.json", recorded::stocktwits(&messages));
    fake.answers("www.reddit.com/r/stocks/search.rss", recorded::reddit_feed(&[(today(), "What of AAPL")]));
    fake.answers("www.reddit.com/r/", Reply::Status(403, "blocked"));
    let posts = market_of(&fake, Vendor::StockTwits).posts(aapl(), this_week()).await.remove(0).unwrap().data;
    assert_eq!((posts.len(), posts[0].mood), (2, Some(Mood::Bullish)));
    let posts = market_of(&fake, Vendor::Reddit).posts(aapl(), this_week()).await.remove(0).unwrap().data;
    assert_eq!(
        (posts.len(), posts[0].text.as_str(), posts[0].place.as_str()),
        (1, "What of AAPL: Calls & puts", "r/stocks")
    );
    fake.answers("gamma-api.polymarket.com/public-search", recorded::polymarket("Fed cut in June?", tomorrow));
    let odds = market_of(&fake, Vendor::Polymarket).odds("Fed", today().into()).await.unwrap().data;
    assert_eq!((odds.len(), odds[0].probability, odds[0].outcome.as_str()), (1, 0.375, "Yes"));

    let count = fake.asked("").len();
    for vendor in [Vendor::StockTwits, Vendor::Reddit] {
        let past = market_of(&fake, vendor).posts(aapl(), week_of("2024-05-10")).await.remove(0).unwrap_err();
        assert!(matches!(past, MarketError::LiveOnly { .. }), "{past}");
    }
    let past = market_of(&fake, Vendor::Polymarket).odds("Fed", date("2024-05-10")).await.unwrap_err();
    assert!(matches!(past, MarketError::LiveOnly { .. }), "{past}");
    assert_eq!(fake.asked("").len(), count, "nobody is asked in vain");
}

#[tokio::test]
async fn symbols_are_spelled_as_each_vendor_wants_them() {
    let fake = FakeVendors::start().await;
    let spelled = async |vendor, symbol: &str| {
        let symbol: Ticker = symbol.parse().unwrap();
        let market = market_of(&fake, vendor);
        let _ = market.price_history(&symbol, today().into()).await;
        let _ = market.posts(&symbol, this_week()).await;
        fake.asked("").pop().unwrap().what
    };
    assert!(spelled(Vendor::Yahoo, "BRK.B").await.contains("/chart/BRK-B?"));
    assert!(spelled(Vendor::Yahoo, "0700.HK").await.contains("/chart/0700.HK?"));
    assert!(spelled(Vendor::Yahoo, "SPX500").await.contains("GSPC?"));
    assert!(spelled(Vendor::Yahoo, "eurusd").await.contains("/chart/EURUSD=X?"));
    assert!(spelled(Vendor::StockTwits, "BTCUSDT").await.ends_with("/BTC.X.json"));
    assert!(spelled(Vendor::StockTwits, "BRK.B").await.ends_with("/BRK.B.json"));
    let foreign = "BA.L".parse().unwrap();
    for vendor in [Vendor::StockTwits, Vendor::Reddit] {
        let count = fake.asked("").len();
        let none = market_of(&fake, vendor).posts(&foreign, this_week()).await.remove(0).unwrap_err();
        assert!(none.to_string().contains("symbols of the United States"), "{none}");
        assert_eq!(fake.asked("").len(), count, "BA is another company in New York");
    }
}

#[tokio::test]
async fn of_several_jobs_that_ask_the_same_one_asks_the_vendor() {
    let cache = tempfile::tempdir().unwrap();
    for folder in [Some(cache.path()), None] {
        let fake = FakeVendors::start().await;
        fake.answers(CHART, recorded::yahoo_chart(day("2024-05-10"), 30, &[]));
        let market = market_with_cache(&fake, Vendor::Yahoo, folder);
        fake.closes();
        let ask = || market.price_history(aapl(), date("2024-05-10"));
        let open = async {
            fake.was_asked(CHART, 1).await;
            fake.opens();
        };
        let ((), one, two, three) = tokio::join!(open, ask(), ask(), ask());
        assert_eq!(one.unwrap().retrieved_at, two.unwrap().retrieved_at);
        three.unwrap();
        assert_eq!(fake.asked(CHART).len(), 1, "{folder:?}");
    }
}

#[tokio::test]
async fn the_cache_survives_a_restart_and_a_spoilt_file_is_asked_for_again() {
    let cache = tempfile::tempdir().unwrap();
    let fake = FakeVendors::start().await;
    let place = format!("{ALPHA}TIME_SERIES_DAILY_ADJUSTED");
    fake.answers(&place, recorded::alpha_daily(day("2024-05-10"), 20));
    let ask = || async {
        let market = market_with_cache(&fake, Vendor::AlphaVantage, Some(cache.path()));
        market.price_history(aapl(), date("2024-05-10")).await.unwrap()
    };
    let first = ask().await;
    assert_eq!(ask().await, first);
    assert_eq!(fake.asked(&place).len(), 1);

    let file = fs::read_dir(cache.path().join("alpha_vantage")).unwrap().next().unwrap().unwrap().path();
    assert!(!file.to_str().unwrap().contains("canary"));
    let whole = fs::read(&file).unwrap();
    let mut unpacked = String::new();
    std::io::Read::read_to_string(&mut flate2::read::GzDecoder::new(&whole[..]), &mut unpacked).unwrap();
    assert!(unpacked.contains("2024-05-10") && !unpacked.contains("canary"), "no key is on the disk");
    let mut flipped = whole.clone();
    let middle = flipped.len() / 2;
    flipped[middle] ^= 1;
    for (count, spoilt) in [(2, &whole[..whole.len() / 2]), (3, &flipped), (4, b"")] {
        fs::write(&file, spoilt).unwrap();
        ask().await;
        assert_eq!(fake.asked(&place).len(), count);
    }
    ask().await;
    assert_eq!(fake.asked(&place).len(), 4, "it was mended");
}

#[tokio::test]
async fn a_cache_that_can_not_be_written_fails_no_job() {
    let folder = tempfile::tempdir().unwrap();
    // A file in the way stops even root, as a full disk would.
    let in_the_way = folder.path().join("file");
    fs::write(&in_the_way, "").unwrap();
    let fake = FakeVendors::start().await;
    fake.answers(CHART, recorded::yahoo_chart(day("2024-05-10"), 30, &[]));
    let market = market_with_cache(&fake, Vendor::Yahoo, Some(&in_the_way.join("cache")));
    for count in [1, 2] {
        market.price_history(aapl(), date("2024-05-10")).await.unwrap();
        assert_eq!(fake.asked(CHART).len(), count);
    }
}

#[tokio::test]
async fn neither_errors_nor_empty_answers_are_kept() {
    let cache = tempfile::tempdir().unwrap();
    let fake = FakeVendors::start().await;
    let market = market_with_cache(&fake, Vendor::GoogleNews, Some(cache.path()));
    for (count, reply) in
        [(1, recorded::google_feed(&[])), (2, Reply::Text("oops".into())), (3, Reply::Status(404, ""))]
    {
        fake.answers(GOOGLE, reply);
        market.global_news(week_of("2024-05-10"), &[]).await.unwrap_err();
        assert_eq!(fake.asked(GOOGLE).len(), count);
    }
    fake.answers(GOOGLE, recorded::google_feed(&[(day("2024-05-09"), "At last")]));
    for _ in 0..2 {
        market.global_news(week_of("2024-05-10"), &[]).await.unwrap();
    }
    assert_eq!(fake.asked(GOOGLE).len(), 4);
}

#[tokio::test]
async fn tiingos_bars_are_as_traded_with_their_splits_and_its_refusals_are_told_apart() {
    let fake = FakeVendors::start().await;
    let place = "api.tiingo.com/tiingo/daily/NVDA/prices";
    let bar = |date: &str, close: f64, adjusted: f64, split: f64| {
        json!({
            "date": format!("{date}T00:00:00.000Z"), "open": close, "high": close, "low": close, "close": close,
            "volume": 1000, "adjOpen": adjusted, "adjHigh": adjusted, "adjLow": adjusted, "adjClose": adjusted,
            "adjVolume": 10_000, "divCash": 0.0, "splitFactor": split,
        })
    };
    let bars = json!([bar("2024-06-07", 1208.88, 120.84, 1.0), bar("2024-06-10", 121.79, 121.75, 10.0)]);
    fake.answers(place, Reply::Json(bars));
    let nvda: Ticker = "NVDA".parse().unwrap();
    let before = market_of(&fake, Vendor::Tiingo).price_history(&nvda, day("2024-06-07").into()).await.unwrap();
    assert!((before.bars[0].close - 1208.88).abs() < 1e-9, "as traded before the split: {:?}", before.bars);
    let after = market_of(&fake, Vendor::Tiingo).price_history(&nvda, day("2024-06-10").into()).await.unwrap();
    assert!((after.bars[0].close - 120.888).abs() < 0.1, "comparable after it: {:?}", after.bars);
    let asked = &fake.asked(place)[0].what;
    assert!(asked.contains("endDate=2024-06-07") && asked.ends_with("token=canary-tiingo"), "{asked}");

    let failed = |error: MarketError| error.to_string();
    let london =
        market_of(&fake, Vendor::Tiingo).price_history(&"BA.L".parse().unwrap(), day("2024-06-10").into()).await;
    assert!(failed(london.unwrap_err()).contains("listed in the United States"));
    fake.answers(place, Reply::Status(403, "{\"detail\": \"Invalid token.\"}"));
    let refused = market_of(&fake, Vendor::Tiingo).price_history(&nvda, day("2024-06-11").into()).await;
    assert!(failed(refused.unwrap_err()).contains("TIINGO_API_KEY"));
    assert_eq!(fake.asked("api.tiingo.com/tiingo/daily/BA").len(), 0);
}

#[tokio::test]
async fn alpha_vantages_articles_have_a_tone() {
    let fake = FakeVendors::start().await;
    let place = format!("{ALPHA}NEWS_SENTIMENT");
    fake.answers(&place, recorded::alpha_news(&[(day("2024-05-09"), "Before"), (day("2024-05-11"), "After")]));
    let market = market_of(&fake, Vendor::AlphaVantage);
    let news = market.news(aapl(), week_of("2024-05-10")).await.unwrap().data;
    assert_eq!((news.len(), news[0].tone.as_deref()), (1, Some("Somewhat-Bullish")));
    let asked = &fake.asked(&place)[0].what;
    assert!(asked.contains("time_from=20240503T0400") && asked.contains("time_to=20240510T2000"), "{asked}");
}
