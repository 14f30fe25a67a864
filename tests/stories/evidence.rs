//! What reaches the agents: the data of all vendors by their tools, nothing of it from after the analysis date, and an
//! honest word where there is none.

use std::time::Duration;

use chrono::{Days, NaiveDate};
use serde_json::{Value, json};
use tradingagents::{
    agents::{Analysis, Brief, Firm},
    domain::{Agent, Analyst, AssetType, Rating, Vendor},
    market::{Choice, Keys, Market, Vendors, WebOptions},
};

use crate::{
    firm::{Witness, brief, firm},
    support::{
        llm::{FakeLlm, Trouble},
        program::Sandbox,
        recorded::{self, day, today},
        service::Service,
        vendors::{FakeVendors, Reply},
    },
};

const HOSTS: [&str; 8] = [
    "query2.finance.yahoo.com/v1",
    "finance.yahoo.com",
    "news.google.com",
    "api.stlouisfed.org",
    "api.stocktwits.com",
    "www.reddit.com",
    "gamma-api.polymarket.com",
    "data.sec.gov",
];

/// A word that nobody may hear before its time.
const LATER: &str = "canary from the future";

/// Every vendor has something of the days up to `date`, and something of the days after.
pub async fn all_vendors(date: NaiveDate) -> FakeVendors {
    let fake = FakeVendors::start().await;
    let (before, after) = (date - Days::new(1), date + Days::new(1));
    let articles = [(before, "Apple sells more"), (after, LATER)];
    let filed = (date - Days::new(20)).to_string();
    let later = after.to_string();
    let facts =
        [("2011-12-25", "2012-03-31", 11_622.0, filed.as_str()), ("2011-12-25", "2012-03-31", 666.0, later.as_str())];
    fake.answers("query2.finance.yahoo.com/v8/finance/chart", recorded::yahoo_chart(date + Days::new(30), 400, &[]))
        .answers("query2.finance.yahoo.com/v1/finance/search", recorded::yahoo_search(&articles))
        .answers("finance.yahoo.com/xhr/ncp", recorded::yahoo_news(&articles))
        .answers("fc.yahoo.com", Reply::Text(String::new()))
        .answers("query1.finance.yahoo.com/v1/test/getcrumb", Reply::Text("crumb".into()))
        .answers("query2.finance.yahoo.com/v10/finance/quoteSummary", recorded::yahoo_summary(date - Days::new(9)))
        .answers("news.google.com", recorded::google_feed(&articles))
        .answers("api.stlouisfed.org/fred/series", recorded::fred_series())
        .answers(
            "api.stlouisfed.org/fred/series/observations",
            recorded::fred_observations(&[(before, "0.14"), (after, "666")]),
        )
        .answers(
            "api.stocktwits.com",
            recorded::stocktwits(&[(date, "Up we go", Some("Bullish")), (after, LATER, None)]),
        )
        .answers("www.reddit.com", recorded::reddit_feed(&articles))
        .answers("gamma-api.polymarket.com", recorded::polymarket("Will the Fed cut?", after))
        .answers("www.sec.gov/files/company_tickers.json", recorded::sec_tickers())
        .answers("data.sec.gov/api/xbrl/companyfacts", recorded::sec_facts(&facts));
    fake
}

fn market(fake: &FakeVendors) -> Market {
    let keys = Keys { fred: Some("key".to_owned().into()), contact: Some("a@example.com".into()), ..Keys::default() };
    let web = WebOptions { gateway: Some(fake.url().parse().unwrap()), cache: None, beat: Duration::from_millis(20) };
    let fundamentals = vec![Vendor::SecEdgar, Vendor::Yahoo];
    let news = vec![Vendor::Yahoo, Vendor::GoogleNews];
    Vendors::new(web, keys, None).market(&Choice {
        prices: vec![Vendor::Yahoo, Vendor::Sample],
        profile: fundamentals.clone(),
        balance_sheet: fundamentals.clone(),
        cash_flow: fundamentals.clone(),
        income_statement: fundamentals,
        news: news.clone(),
        global_news: news,
        insiders: vec![Vendor::Yahoo],
        social: vec![Vendor::StockTwits, Vendor::Reddit],
        macros: vec![Vendor::Fred],
        predictions: vec![Vendor::Polymarket],
    })
}

async fn analyse(llm: &FakeLlm, fake: &FakeVendors, brief: Brief) -> Analysis {
    let firm = Firm { market: market(fake), ..firm(llm) };
    firm.run(Analysis::new(brief), &Witness::default()).await.unwrap()
}

fn brief_of(date: NaiveDate) -> Brief {
    Brief { date: date.into(), ..brief() }
}

/// All that was said to the models.
fn said(llm: &FakeLlm) -> String {
    llm.requests().iter().map(|request| request.body.to_string()).collect()
}

#[tokio::test]
async fn nothing_from_after_the_analysis_date_reaches_an_agent_from_any_vendor() {
    for date in [day("2012-09-19"), today()] {
        let fake = all_vendors(date).await;
        let llm = FakeLlm::start().await;
        // Without tools of its own a model gets everything in its prompt.
        llm.knows_no_tools();
        analyse(&llm, &fake, brief_of(date)).await;
        let said = said(&llm);
        for known in ["Apple sells more", "0.1400", "11622", "Row of ", "COOK TIMOTHY"] {
            assert!(said.contains(known), "{date}: {known} is missing");
        }
        for unknown in [LATER, "666", &format!("\\n{},", date + Days::new(1))] {
            assert!(!said.contains(unknown), "{date}: {unknown} was told");
        }
        let live = said.contains("Up we go") && said.contains("Will the Fed cut?");
        assert_eq!(live, date == today(), "what only the present has is of the present");
    }
}

#[tokio::test]
async fn models_call_tools_several_at_once_and_a_tools_error_is_an_answer() {
    let fake = all_vendors(day("2012-09-19")).await;
    let llm = FakeLlm::start().await;
    fake.closes();
    llm.will([Trouble::Says(
        r#"[{"name": "get_macro_indicators", "arguments": {"indicator": "cpi"}},
            {"name": "get_global_news", "arguments": {"look_back_days": 5, "limit": 3}},
            {"name": "get_prediction_markets", "arguments": {"topic": "Fed"}},
            {"name": "get_news", "arguments": {"start_date": "soon"}}]"#,
    )]);
    // Prices and name are there before the analysts begin.
    let brief = Brief { analysts: vec![Analyst::News], ..brief_of(day("2012-09-19")) };
    let both_are_asked_before_one_is_answered = async {
        fake.was_asked("query2.finance.yahoo.com/v8", 1).await;
        fake.opens();
        fake.was_asked("query2.finance.yahoo.com/v1/finance/search", 1).await;
        llm.was_asked(1).await;
        fake.was_asked("api.stlouisfed.org", 1).await;
        fake.was_asked("news.google.com", 1).await;
    };
    let (analysis, ()) = tokio::join!(analyse(&llm, &fake, brief), both_are_asked_before_one_is_answered);
    let news = &analysis.steps[0];
    let names: Vec<_> = news.tools.iter().map(|tool| (tool.tool.as_str(), tool.error.is_some())).collect();
    let expected = [
        ("get_macro_indicators", false),
        ("get_global_news", false),
        ("get_prediction_markets", true),
        ("get_news", true),
    ];
    assert_eq!(names, expected);
    let answers = serde_json::to_string(&news.messages).unwrap();
    assert!(
        answers.contains("NO_DATA_AVAILABLE: Prediction markets on Fed: polymarket knows only the present"),
        "{answers}"
    );
    assert!(answers.contains("can't be used"), "{answers}");
    let report = &analysis.reports[&Analyst::News];
    assert!(
        report.contains("*Macro series CPIAUCSL: vendor fred, 2011-09-20 to 2012-09-19, retrieved at "),
        "{report}"
    );
    assert!(report.contains("*News on the markets: vendor google_news, 2012-09-14 to 2012-09-19"), "{report}");
    assert!(!report.contains("polymarket"), "{report}");
}

#[tokio::test]
async fn each_analyst_is_offered_its_tools_and_none_without_a_vendor_behind_it() {
    let fake = all_vendors(day("2012-09-19")).await;
    let llm = FakeLlm::start().await;
    analyse(&llm, &fake, brief()).await;
    let offered: Vec<Vec<_>> = llm
        .requests()
        .iter()
        .filter_map(|request| request.body["tools"].as_array().cloned())
        .map(|tools| tools.iter().map(|tool| tool["function"]["name"].as_str().unwrap().to_owned()).collect())
        .collect();
    let news =
        ["get_news", "get_global_news", "get_insider_transactions", "get_macro_indicators", "get_prediction_markets"];
    let fundamentals = ["get_fundamentals", "get_balance_sheet", "get_cashflow", "get_income_statement"];
    assert!(
        offered.contains(&news.map(str::to_owned).into()) && offered.contains(&fundamentals.map(str::to_owned).into())
    );

    let alone = FakeLlm::start().await;
    firm(&alone).run(Analysis::new(brief()), &Witness::default()).await.unwrap();
    assert!(!said(&alone).contains("get_news"), "the sample has prices alone");
}

#[tokio::test]
async fn every_agent_is_told_who_the_instrument_is() {
    let fake = all_vendors(day("2012-09-19")).await;
    let llm = FakeLlm::start().await;
    analyse(&llm, &fake, brief()).await;
    for request in llm.requests() {
        let context = request.body["messages"][0]["content"].as_str().unwrap();
        assert!(context.contains("It is Apple Inc. (equity, NASDAQ, Technology, Consumer Electronics)."), "{context}");
    }
    assert_eq!(
        fake.asked("query2.finance.yahoo.com/v1/finance/search").iter().filter(|a| a.what.contains("q=AAPL&")).count(),
        1
    );

    let coin = FakeLlm::start().await;
    analyse(&coin, &fake, Brief { asset: AssetType::Crypto, ticker: "BTC-USD".parse().unwrap(), ..brief() }).await;
    assert!(said(&coin).contains("It is a crypto-currency"));
}

#[tokio::test]
async fn with_any_vendor_down_the_job_ends_with_a_decision_and_says_what_was_missing() {
    let down: [(&str, Reply); 4] = [
        ("answers that it is down", Reply::Status(503, "")),
        ("wants no more requests", Reply::Limited("3600")),
        ("breaks off", Reply::Cut),
        ("talks nonsense", Reply::Text("<html>Sorry".into())),
    ];
    for (place, (how, reply)) in HOSTS.into_iter().zip(down.into_iter().cycle()) {
        let fake = all_vendors(today()).await;
        for deeper in ["", "/"] {
            fake.will(&format!("{place}{deeper}"), std::iter::repeat_n(reply.clone(), 50));
        }
        let llm = FakeLlm::start().await;
        llm.knows_no_tools();
        let analysis = analyse(&llm, &fake, brief_of(today())).await;
        assert_eq!(analysis.outcome.unwrap().rating, Rating::Buy, "{place} {how}");
        assert_eq!(analysis.reports.len(), 4, "{place} {how}");
    }
}

#[tokio::test]
async fn with_all_of_them_down_but_prices_the_reader_is_warned() {
    let fake = FakeVendors::start().await;
    fake.answers("", Reply::Status(503, ""));
    let llm = FakeLlm::start().await;
    llm.knows_no_tools();
    let analysis = analyse(&llm, &fake, brief()).await;
    assert!(analysis.reports[&Analyst::Market].contains("*Prices: vendor sample"), "{:?}", analysis.reports);
    assert!(said(&llm).contains("DATA_UNAVAILABLE: "));
    for agent in [Agent::SentimentAnalyst, Agent::NewsAnalyst, Agent::FundamentalsAnalyst] {
        let warned = analysis.warnings.iter().any(|warning| warning.starts_with(&format!("{agent}: no vendor had ")));
        assert!(warned, "{agent}: {:?}", analysis.warnings);
    }
}

#[tokio::test]
async fn a_job_chooses_its_vendors_and_a_wrong_name_is_refused_with_those_that_there_are() {
    let fake = all_vendors(day("2012-09-19")).await;
    let sandbox = Sandbox::new()
        .set("VENDOR_GATEWAY", fake.url())
        .set("API_LISTEN", "127.0.0.1:0")
        .set("LLM_PROVIDER", "rules")
        .set("CACHE_DIR", "cache");
    let serve = sandbox.start(&["serve"]);
    let service = Service::at(&serve.url().await);
    let vendors = json!({
        "core_stock_apis": "yfinance,alpha_vantage", "technical_indicators": "yfinance", "fundamental_data": "yfinance",
        "news_data": "google_news", "macro_data": "fred", "prediction_markets": "polymarket"
    });
    let config = json!({"data_vendors": vendors, "tool_vendors": {"get_global_news": "google_news"}});
    let id = service.submit("AAPL", "2012-09-19", config).await;
    let job = service.ended(&id).await;
    assert_eq!(job["status"], "completed", "{job}");
    let reports = service.get(&format!("/jobs/{id}/result")).await.1["reports"].clone();
    assert!(reports["market"].as_str().unwrap().contains("*Prices: vendor yahoo"), "{reports}");
    assert!(reports["news"].as_str().unwrap().contains("vendor google_news"), "{reports}");
    assert!(sandbox.path().join("cache/yahoo").is_dir());

    for (config, told) in [
        (json!({"data_vendors": {"news_data": "bloomberg"}}), "\"bloomberg\" is not a news vendor; there are yahoo"),
        (json!({"data_vendors": {"weather": "yahoo"}}), "weather"),
        (json!({"tool_vendors": {"get_news": "fred"}}), "\"fred\" is not a news vendor"),
        (json!({"asset_type": "bond"}), "asset_type"),
    ] {
        let body = json!({"ticker": "AAPL", "date": "2012-09-19", "config": config});
        let answer = service.http.post(format!("{}/jobs", service.url)).json(&body).send().await.unwrap();
        assert_eq!(answer.status(), 422);
        let problem = answer.text().await.unwrap().replace("\\\"", "\"");
        assert!(problem.contains(told), "{problem}");
    }
}

/// The names of an object's members.
fn names(object: &Value) -> Vec<&str> {
    object.as_object().unwrap().keys().map(String::as_str).collect()
}

#[tokio::test]
async fn a_job_may_set_every_key_of_its_config() {
    let (llm, fake) = (FakeLlm::start().await, all_vendors(day("2012-09-19")).await);
    let sandbox = Sandbox::new()
        .set("VENDOR_GATEWAY", fake.url())
        .set("API_LISTEN", "127.0.0.1:0")
        .set("LLM_PROVIDER", "rules")
        .set("ALLOW_PRIVATE_URLS", true);
    let serve = sandbox.start(&["serve"]);
    let service = Service::at(&serve.url().await);
    let config = json!({
        "llm_provider": "openai_compatible", "deep_think_provider": "openai_compatible",
        "quick_think_provider": "openai_compatible", "backend_url": format!("{}/v1", llm.url()),
        "deep_think_llm": "deep", "quick_think_llm": "quick", "temperature": 0.5, "reasoning_effort": "low",
        "max_debate_rounds": 2, "max_risk_discuss_rounds": 2, "selected_analysts": ["market", "news", "fundamentals"],
        "asset_type": "stock", "output_language": "German", "benchmark_ticker": "^GSPC",
        "news_article_limit": 5, "global_news_article_limit": 5, "news_lookback_days": 3, "global_news_lookback_days": 4,
        "global_news_queries": ["oil price", "OPEC"],
        "data_vendors": {
            "core_stock_apis": "sample", "technical_indicators": "sample", "fundamental_data": "yahoo",
            "news_data": "yahoo", "social_data": "reddit", "macro_data": "fred", "prediction_markets": "polymarket",
        },
        "tool_vendors": {
            "get_stock_data": "yahoo", "get_indicators": "yahoo", "get_fundamentals": "sec_edgar",
            "get_balance_sheet": "sec_edgar", "get_cashflow": "sec_edgar", "get_income_statement": "sec_edgar",
            "get_news": "google_news", "get_global_news": "google_news", "get_insider_transactions": "yahoo",
            "get_macro_indicators": "fred", "get_prediction_markets": "polymarket",
        },
    });
    let (_, document) = service.get("/openapi.json").await;
    for (set, schema) in
        [(&config, "JobConfig"), (&config["data_vendors"], "DataVendors"), (&config["tool_vendors"], "ToolVendors")]
    {
        assert_eq!(names(set), names(&document["components"]["schemas"][schema]["properties"]), "{schema}");
    }

    let id = service.submit("AAPL", "2012-09-19", config).await;
    let job = service.ended(&id).await;
    assert_eq!(job["status"], "completed", "{job}");
    let result = service.get(&format!("/jobs/{id}/result")).await.1;
    assert!(result["reports"]["market"].as_str().unwrap().contains("*Prices: vendor yahoo"), "{result}");
    assert_eq!(result["reports"]["sentiment"], "");
    assert_eq!(result["currency"], "USD");
    let turns = |agent: &str| result["steps"].as_array().unwrap().iter().filter(|step| step["agent"] == agent).count();
    assert_eq!((turns("bull_researcher"), turns("neutral_analyst")), (2, 2));
    for request in llm.requests() {
        assert_eq!((&request.body["temperature"], &request.body["reasoning_effort"]), (&json!(0.5), &json!("low")));
        assert!(request.body["messages"].to_string().contains("German"), "{}", request.body);
    }
    let mut models: Vec<_> = llm.requests().iter().map(|request| request.body["model"].clone()).collect();
    models.sort_by_key(Value::to_string);
    models.dedup();
    assert_eq!(models, ["deep", "quick"]);
}

#[tokio::test]
async fn of_a_coin_nobody_reads_filings() {
    let fake = all_vendors(day("2012-09-19")).await;
    let sandbox =
        Sandbox::new().set("VENDOR_GATEWAY", fake.url()).set("API_LISTEN", "127.0.0.1:0").set("LLM_PROVIDER", "rules");
    let serve = sandbox.start(&["serve"]);
    let service = Service::at(&serve.url().await);
    let id = service.submit("btcusdt", "2012-09-19", json!({})).await;
    assert_eq!(service.ended(&id).await["status"], "completed");
    let reports = service.get(&format!("/jobs/{id}/result")).await.1["reports"].clone();
    assert!(reports["news"].is_string() && reports["fundamentals"].as_str().is_none_or(str::is_empty), "{reports}");
    assert_eq!(fake.asked("query2.finance.yahoo.com/v8/finance/chart/BTC-USD").len(), 1);

    let id = service.submit("BTC-USD", "2012-09-19", json!({"selected_analysts": ["fundamentals"]})).await;
    let job = service.ended(&id).await;
    assert_eq!(job["error_type"], "invalid_config", "{job}");
    assert!(job["error"].as_str().unwrap().contains("asset_type"), "{job}");
}

#[tokio::test]
async fn offline_nobody_on_the_network_is_asked() {
    let fake = all_vendors(day("2012-09-19")).await;
    let sandbox = Sandbox::new().set("VENDOR_GATEWAY", fake.url()).set("FRED_API_KEY", "key");
    let run = sandbox.run(&["analyze", "AAPL", "--date", "2012-09-19", "--offline", "--json"]).await;
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    assert!(run.stdout.contains("there was no source of filings, so none was considered"), "{}", run.stdout);
    assert_eq!(fake.asked("").len(), 0);
}

#[tokio::test]
async fn the_doctor_says_who_is_asked_and_what_is_missing_to_ask_more() {
    let run = Sandbox::new().set("CONTACT_EMAIL", "a@example.com").run(&["doctor"]).await;
    let told = run.stdout;
    assert!(told.contains("prices yahoo,sample; profile sec_edgar,yahoo;"), "{told}");
    assert!(
        told.contains("nobody for macro series; set FRED_API_KEY, ALPHA_VANTAGE_API_KEY, TIINGO_API_KEY for more"),
        "{told}"
    );
    assert!(told.contains("no CACHE_DIR"), "{told}");
}
