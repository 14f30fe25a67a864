//! `backtest`: jobs over past days, and how their decisions would have done beside simple rules.

use std::{fs, path::Path};

use rustix::process::Signal;
use serde_json::Value;

use crate::{
    service::shared_data,
    support::{
        llm::FakeLlm,
        program::{Run, Sandbox},
    },
};

fn json(run: &Run) -> Value {
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    serde_json::from_str(&run.stdout).unwrap()
}

fn strategy<'a>(backtest: &'a Value, name: &str) -> &'a Value {
    backtest["strategies"].as_array().unwrap().iter().find(|strategy| strategy["name"] == name).unwrap()
}

fn numbers(values: &Value) -> Vec<f64> {
    values.as_array().unwrap().iter().map(|value| value.as_f64().unwrap()).collect()
}

#[tokio::test]
async fn one_command_compares_the_firm_with_simple_rules() {
    let sandbox = Sandbox::new();
    let run = sandbox.run(&["backtest", "AAPL", "--from", "2012-01-01", "--to", "2012-03-03", "--offline"]).await;
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    assert!(run.stdout.contains("AAPL, 2012-01-03 to 2012-03-02, a decision every 5 trading days"), "{}", run.stdout);
    for name in ["TradingAgents", "Buy & Hold", "MACD", "KDJ & RSI", "ZMR", "SMA"] {
        assert!(run.stdout.lines().any(|line| line.starts_with(&format!("| {name} "))), "{}", run.stdout);
    }
    assert!(run.stderr.contains("1/9  AAPL 2012-01-03: "), "{}", run.stderr);
    assert!(run.stderr.contains("9/9  AAPL 2012-03-01: "), "{}", run.stderr);

    let report = run.stdout.lines().find_map(|line| line.strip_prefix("report: ")).unwrap();
    let folder = sandbox.path().join(report).parent().unwrap().to_owned();
    assert!(folder.starts_with(sandbox.results().join("backtests")), "{}", folder.display());
    assert!(fs::read_to_string(folder.join("report.md")).unwrap().contains("| 2012-01-03 | "));
    let chart = fs::read_to_string(folder.join("chart.svg")).unwrap();
    assert!(chart.starts_with("<svg ") && chart.matches("<polyline ").count() == 6 && chart.contains("Buy &amp; Hold"));
    let document: Value = serde_json::from_slice(&fs::read(folder.join("backtest.json")).unwrap()).unwrap();
    let job = &document["decisions"][0];
    let state = format!("jobs/AAPL/2012-01-03/{}/state.json", job["job_id"].as_str().unwrap());
    let result: Value = serde_json::from_slice(&fs::read(folder.join(state)).unwrap()).unwrap();
    assert_eq!(result["decision"], job["decision"]);
}

/// The bars beside the repository with their closes as they were quoted, dividends not taken off.
fn quoted(data: &Path, ticker: &str, folder: &Path) {
    let text = fs::read_to_string(data.join(format!("{ticker}.csv"))).unwrap();
    let column = text.lines().next().unwrap().split(',').position(|name| name == "adj_close").unwrap();
    let rows = text.lines().map(|row| {
        let cells: Vec<_> = row.split(',').enumerate().filter(|(at, _)| *at != column).map(|(_, cell)| cell).collect();
        cells.join(",")
    });
    fs::write(folder.join(format!("{ticker}.csv")), rows.collect::<Vec<_>>().join("\n")).unwrap();
}

#[tokio::test]
async fn the_baselines_do_as_a_computation_elsewhere_says() {
    let Some(data) = shared_data() else { return };
    let bars = tempfile::tempdir().unwrap();
    // Cumulative returns, percent: buy and hold, MACD, SMA, KDJ with RSI, ZMR.
    for (ticker, expected) in [
        ("AAPL", [-7.63, -4.98, -4.78, -2.87, -1.26]),
        ("GOOGL", [9.24, 4.95, 6.14, 7.35, -2.99]),
        ("AMZN", [20.31, 4.61, 12.49, 0.0, 7.34]),
    ] {
        quoted(&data, ticker, bars.path());
        let span = ["--from", "2024-01-02", "--to", "2024-03-28", "--every", "60d"];
        let source = ["--offline", "--data", bars.path().to_str().unwrap(), "--json"];
        let run = Sandbox::new().run(&[&["backtest", ticker][..], &span, &source].concat()).await;
        let backtest = json(&run);
        for (name, percent) in ["Buy & Hold", "MACD", "SMA", "KDJ & RSI", "ZMR"].into_iter().zip(expected) {
            let found = strategy(&backtest, name)["cumulative_return"].as_f64().unwrap();
            assert!((found - percent).abs() < 0.006, "{ticker} {name}: {found}, not {percent}");
        }
    }
}

#[tokio::test]
async fn a_decision_earns_from_its_close_until_another_changes_it() {
    let span = ["--from", "2008-06-02", "--to", "2009-06-01", "--every", "10d"];
    let run = Sandbox::new().run(&[&["backtest", "IBM"][..], &span, &["--offline", "--json"]].concat()).await;
    let backtest = json(&run);
    let (firm, market) = (strategy(&backtest, "TradingAgents"), strategy(&backtest, "Buy & Hold"));
    let (firm, market) = (numbers(&firm["equity"]), numbers(&market["equity"]));
    let decisions = backtest["decisions"].as_array().unwrap();
    let (mut held, mut changes) = (false, 0);
    for (day, date) in backtest["dates"].as_array().unwrap().iter().enumerate().take(firm.len() - 1) {
        let before = held;
        held = match decisions.iter().find(|decision| decision["date"] == *date).map(|it| it["decision"].as_str()) {
            Some(Some("BUY")) => true,
            Some(Some("SELL")) => false,
            _ => held,
        };
        changes += usize::from(before != held);
        let expected = if held { market[day + 1] / market[day] } else { 1.0 };
        assert!((firm[day + 1] / firm[day] - expected).abs() < 1e-9, "{date}");
    }
    assert!(changes > 1, "the year of the crisis has both decisions: {decisions:?}");
    assert_eq!(strategy(&backtest, "TradingAgents")["trades"], changes);
}

#[tokio::test]
async fn changes_of_position_cost_what_was_asked_for() {
    let span = ["--from", "2012-01-03", "--to", "2012-02-03", "--every", "252d", "--offline", "--json"];
    let backtest = json(&Sandbox::new().run(&[&["backtest", "MSFT", "--cost", "50"][..], &span].concat()).await);
    let free = json(&Sandbox::new().run(&[&["backtest", "MSFT"][..], &span].concat()).await);
    let end = |backtest: &Value| numbers(&strategy(backtest, "Buy & Hold")["equity"]).pop().unwrap();
    assert!((end(&backtest) / end(&free) - 0.995).abs() < 1e-9);
}

#[tokio::test]
async fn what_cannot_be_tested_is_told_before_a_job_runs() {
    let sandbox = Sandbox::new();
    fs::write(sandbox.path().join("mine.txt"), "mine").unwrap();
    for (arguments, code, told) in [
        (&["NVDA", "--from", "2012-01-03", "--to", "2012-03-01"][..], 4, "AAPL, GOOG, IBM, MSFT"),
        (&["AAPL", "--from", "2012-03-01", "--to", "2012-03-01"], 4, "less than two trading days"),
        (&["AAPL", "--from", "2013-01-03", "--to", "2013-08-01"], 4, "2000-03-01 to 2013-03-01"),
        (&["AAPL", "--from", "2012-01-03", "--to", "2012-03-01", "--output", "."], 4, "is not empty"),
        (&["AAPL", "--from", "2012-01-03", "--to", "2012-03-01", "--every", "0d"], 2, "is not from 1d to 252d"),
        (&["AAPL", "--from", "2012-01-03", "--to", "2999-03-01"], 2, "lies in the future"),
    ] {
        let run = sandbox.run(&[&["backtest"], arguments, &["--offline"]].concat()).await;
        assert_eq!(run.code, Some(code), "{}", run.stderr);
        assert!(run.stderr.contains(told), "{}", run.stderr);
    }
    assert!(!sandbox.results().exists());
}

#[tokio::test]
async fn an_interrupted_backtest_says_where_its_results_are() {
    let llm = FakeLlm::start().await;
    let sandbox = Sandbox::new().set("OLLAMA_BASE_URL", llm.url());
    llm.answers_only(0);
    let span = ["--from", "2012-01-03", "--to", "2012-02-03", "--output", "out"];
    let mut backtest = sandbox.start(&[&["backtest", "AAPL"][..], &span].concat());
    llm.was_asked(1).await;
    backtest.signal(Signal::INT);
    assert_eq!(backtest.ended().await, Some(130), "{:?}", backtest.lines());
    backtest.line("is in out/jobs").await;
}

#[tokio::test]
async fn a_day_that_fails_leaves_the_position_as_it_was() {
    let llm = FakeLlm::start().await;
    let sandbox = Sandbox::new().set("OLLAMA_BASE_URL", llm.url()).set("JOB_MAX_RETRIES", "0");
    let refusal = serde_json::json!({"error": "model not found"});
    // The one analyst of the second day.
    let span = ["--from", "2012-01-03", "--to", "2012-02-03", "--every", "10d", "--analysts", "news", "--json"];
    let first = json(&sandbox.run(&[&["backtest", "AAPL", "--output", "one"][..], &span].concat()).await);
    assert_eq!(first["decisions"][0]["decision"], "BUY");
    llm.will([crate::support::llm::Trouble::Status(404, refusal, "")]);
    let second = json(&sandbox.run(&[&["backtest", "AAPL", "--output", "two"][..], &span].concat()).await);
    assert_eq!(second["decisions"][0]["decision"], Value::Null);
    assert!(second["decisions"][0]["error"].as_str().unwrap().contains("model"), "{second}");
    let held = |backtest: &Value| strategy(backtest, "TradingAgents")["days_held"].as_u64().unwrap();
    assert_eq!(held(&first) - held(&second), 10);
}
