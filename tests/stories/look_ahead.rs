//! The promise that no datum unknown at the close reaches an agent, for every vendor, exchange and time: the stories make up
//! data on both sides of the close and check that the market returns the data known by then and nothing else.

use std::{sync::LazyLock, time::Duration};

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use proptest::{collection::vec, prelude::*, sample::select, test_runner::RngSeed};
use serde_json::{Value, json};
use tokio::runtime::Runtime;
use tradingagents::{
    domain::{Ticker, Vendor},
    market::{
        Choice, Keys, Market, Vendors, WebOptions, Window,
        calendar::{self, Calendar},
    },
};

use crate::support::vendors::{FakeVendors, Reply};

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().unwrap());

/// Days before the analysis date that the windows hold.
const DAYS: u64 = 5;

/// An instrument and an analysis date: exchanges east and west, summer and winter, half days, holidays, weekends.
fn moments() -> impl Strategy<Value = (Ticker, NaiveDate)> {
    let tickers = ["NVDA", "6758.T", "VOD.L", "BHP.AX", "M&M.NS", "SAP.DE", "2222.SR", "BTC-USD", "EURUSD=X", "GC=F"];
    let dates = ["2024-01-10", "2024-03-11", "2024-05-22", "2024-07-04", "2024-11-29", "2024-12-24", "2024-06-15"];
    (select(tickers.to_vec()), select(dates.to_vec()))
        .prop_map(|(ticker, date)| (ticker.parse().unwrap(), date.parse().unwrap()))
}

/// Seconds from the close: some days, some minutes, or nothing.
fn distances() -> impl Strategy<Value = Vec<i64>> {
    vec(prop_oneof![-400_000..400_000_i64, -900..900_i64, Just(0), Just(1)], 1..12)
}

fn settled() -> ProptestConfig {
    ProptestConfig { cases: 40, rng_seed: RngSeed::Fixed(1600), failure_persistence: None, ..ProptestConfig::default() }
}

fn market(fake: &FakeVendors, vendor: Vendor) -> Market {
    let key = || Some("key".to_owned().into());
    let keys = Keys { alpha_vantage: key(), fred: key(), tiingo: None, contact: None };
    let web = WebOptions { gateway: Some(fake.url().parse().unwrap()), cache: None, beat: Duration::from_millis(5) };
    let all = || vec![vendor];
    let choice =
        Choice { prices: all(), news: all(), global_news: all(), insiders: all(), macros: all(), ..Choice::default() };
    Vendors::new(web, keys, None).market(&choice)
}

fn google(times: &[DateTime<Utc>]) -> Reply {
    let item = |time: &DateTime<Utc>| {
        format!("<item><title>x - y</title><link>https://x</link><pubDate>{}</pubDate></item>", time.to_rfc2822())
    };
    let items: String = times.iter().map(item).collect();
    Reply::Text(format!("<rss version=\"2.0\"><channel><title>x</title>{items}</channel></rss>"))
}

fn alpha(times: &[DateTime<Utc>]) -> Reply {
    let item = |time: &DateTime<Utc>| json!({"title": "x", "time_published": time.format("%Y%m%dT%H%M%S").to_string()});
    Reply::Json(json!({"feed": times.iter().map(item).collect::<Vec<_>>()}))
}

/// Observations that are published on the days of these times, by the clock of St. Louis.
fn fred(times: &[DateTime<Utc>]) -> Reply {
    let day = |time: &DateTime<Utc>| time.with_timezone(&chrono_tz::America::Chicago).date_naive();
    let value = |time: &DateTime<Utc>| json!({"date": "2024-01-01", "realtime_start": day(time), "value": "1"});
    Reply::Json(json!({"observations": times.iter().map(value).collect::<Vec<_>>()}))
}

fn series() -> Reply {
    Reply::Json(json!({"seriess": [{"title": "x", "units": "x", "frequency": "x"}]}))
}

fn yahoo_insiders(times: &[DateTime<Utc>]) -> Reply {
    let trade = |time: &DateTime<Utc>| json!({"filerName": "x", "startDate": time.timestamp()});
    let trades: Vec<_> = times.iter().map(trade).collect();
    Reply::Json(json!({"quoteSummary": {"result": [{"insiderTransactions": {"transactions": trades}}]}}))
}

/// A chart with a bar at each of these times, by the exchange's time zone.
fn chart(times: &[DateTime<Utc>], zone: &str) -> Reply {
    let mut stamps: Vec<_> = times.iter().map(DateTime::timestamp).collect();
    stamps.sort_unstable();
    let column: Vec<Value> = stamps.iter().map(|_| json!(10.0)).collect();
    Reply::Json(json!({"chart": {"result": [{
        "meta": {"exchangeTimezoneName": zone, "gmtoffset": 50_400},
        "timestamp": stamps,
        "indicators": {"quote": [{"open": column, "high": column, "low": column, "close": column, "volume": column}]}
    }]}}))
}

proptest! {
    #![proptest_config(settled())]

    #[test]
    fn no_article_from_after_the_close_comes_out((ticker, date) in moments(), distances in distances()) {
        let calendar = Calendar::of(&ticker);
        let close = calendar.close(date);
        let times: Vec<_> = distances.iter().map(|seconds| close + TimeDelta::seconds(*seconds)).collect();
        let window = Window::up_to(calendar, date.into(), DAYS);
        let known = times.iter().filter(|time| (window.begin()..=close).contains(time)).count();
        RUNTIME.block_on(async {
            let fake = FakeVendors::start().await;
            fake.answers("news.google.com", google(&times)).answers("www.alphavantage.co", alpha(&times));
            for vendor in [Vendor::GoogleNews, Vendor::AlphaVantage] {
                let market = market(&fake, vendor);
                for found in [market.news(&ticker, window).await, market.global_news(window, &[]).await] {
                    let articles = found.map(|found| found.data).unwrap_or_default();
                    prop_assert!(articles.iter().all(|article| article.published <= close), "{ticker} {date}: {articles:?}");
                    prop_assert_eq!(articles.len(), known, "{} {} by {}: known articles are missing", ticker, date, vendor.as_str());
                }
            }
            Ok(())
        })?;
    }

    #[test]
    fn no_macro_value_and_no_insider_trade_comes_out_early((ticker, date) in moments(), distances in distances()) {
        let calendar = Calendar::of(&ticker);
        let close = calendar.close(date);
        let times: Vec<_> = distances.iter().map(|seconds| close + TimeDelta::seconds(*seconds)).collect();
        RUNTIME.block_on(async {
            let fake = FakeVendors::start().await;
            fake.answers("api.stlouisfed.org/fred/series", series())
                .answers("api.stlouisfed.org/fred/series/observations", fred(&times))
                .answers("query1.finance.yahoo.com/v1/test/getcrumb", Reply::Text("crumb".into()))
                .answers("query2.finance.yahoo.com/v10/finance/quoteSummary", yahoo_insiders(&times));
            let window = Window::up_to(calendar, date.into(), 365);
            let values = market(&fake, Vendor::Fred).series("cpi", window).await;
            let observations = values.map(|found| found.data.observations).unwrap_or_default();
            prop_assert!(observations.iter().all(|value| value.published.is_some_and(|at| at <= close)), "{observations:?}");
            let trades = market(&fake, Vendor::Yahoo).insider_trades(&ticker, window).await;
            for trade in trades.map(|found| found.data).unwrap_or_default() {
                prop_assert!(calendar::public_after_business_days(trade.date, 2) <= date, "{trade:?} on {date}");
            }
            Ok(())
        })?;
    }

    #[test]
    fn no_bar_from_after_the_close_comes_out((ticker, date) in moments(), distances in distances()) {
        let calendar = Calendar::of(&ticker);
        // Bars begin at midnight, which is where an hour of daylight saving time makes another day of them.
        let begins = |seconds: &i64| calendar.midnight(calendar.day_of(calendar.close(date) + TimeDelta::seconds(*seconds)));
        let times: Vec<_> = distances.iter().map(begins).collect();
        let known: Vec<_> = times.iter().map(|time| calendar.day_of(*time)).filter(|day| *day <= date).collect();
        RUNTIME.block_on(async {
            let fake = FakeVendors::start().await;
            fake.answers("query2.finance.yahoo.com/v8/finance/chart", chart(&times, calendar.zone().name()));
            let history = market(&fake, Vendor::Yahoo).price_history(&ticker, date.into()).await;
            let last = history.ok().map(|history| history.bars.last().unwrap().date);
            prop_assert_eq!(last, known.into_iter().max(), "{} {}", ticker, date);
            Ok(())
        })?;
    }
}

#[tokio::test]
async fn a_vendor_of_the_present_says_nothing_of_a_past_date() {
    let fake = FakeVendors::start().await;
    let ticker = "NVDA".parse().unwrap();
    let date: NaiveDate = "2024-05-10".parse().unwrap();
    let all = vec![Vendor::StockTwits, Vendor::Reddit, Vendor::Polymarket, Vendor::Yahoo, Vendor::AlphaVantage];
    let choice = Choice {
        profile: all.clone(),
        news: vec![Vendor::Yahoo],
        social: all.clone(),
        predictions: all,
        ..Choice::default()
    };
    let keys = Keys { alpha_vantage: Some("key".to_owned().into()), ..Keys::default() };
    let web = WebOptions { gateway: Some(fake.url().parse().unwrap()), cache: None, beat: Duration::from_millis(5) };
    let market = Vendors::new(web, keys, None).market(&choice);
    let window = Window::up_to(Calendar::of(&ticker), date.into(), 7);
    assert!(market.posts(&ticker, window).await.iter().all(Result::is_err));
    assert!(market.odds("Fed", date.into()).await.is_err());
    assert!(market.profile(&ticker, date.into()).await.is_err());
    assert!(market.news(&ticker, window).await.is_err());
    assert_eq!(fake.asked("").len(), 0, "no request is sent");
}
