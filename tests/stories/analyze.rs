//! `analyze`: one job in the foreground.

use std::fs;

use rustix::process::Signal;
use serde_json::Value;

use crate::{
    service::shared_data,
    support::{llm::FakeLlm, program::Sandbox},
};

#[tokio::test]
async fn one_command_ends_with_a_decision_and_a_report() {
    let sandbox = Sandbox::new();
    let run = sandbox.run(&["analyze", "AAPL", "--date", "2012-09-19", "--offline"]).await;
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    assert!(run.stdout.contains("AAPL 2012-09-19: BUY"), "{}", run.stdout);
    let report = run.stdout.lines().find_map(|line| line.strip_prefix("report: ")).unwrap();
    assert!(fs::read_to_string(sandbox.path().join(report)).unwrap().contains("# Trading Analysis Report: AAPL"));
    for agent in ["Market Analyst", "Bear Researcher", "Trader", "Portfolio Manager"] {
        assert!(run.stderr.contains(&format!("{agent} done")), "{}", run.stderr);
    }
}

#[tokio::test]
async fn ones_own_bars_are_analysed_with_the_same_command() {
    let Some(data) = shared_data() else { return };
    let data = data.to_str().unwrap();
    let run = Sandbox::new().run(&["analyze", "NVDA", "--date", "2024-05-10", "--offline", "--data", data]).await;
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    assert!(run.stdout.contains("NVDA 2024-05-10: BUY"), "{}", run.stdout);
}

#[tokio::test]
async fn what_the_data_lacks_is_told_with_what_it_has() {
    let sandbox = Sandbox::new();
    for (ticker, date, told) in
        [("NVDA", "2012-09-19", "AAPL, GOOG, IBM, MSFT"), ("MSFT", "2024-05-10", "2000-03-01 to 2013-03-01")]
    {
        let run = sandbox.run(&["analyze", ticker, "--date", date, "--offline"]).await;
        assert_eq!(run.code, Some(1), "{}", run.stdout);
        assert!(run.stderr.contains(told), "{}", run.stderr);
    }
}

#[tokio::test]
async fn wrong_usage_is_told_before_anything_begins() {
    let sandbox = Sandbox::new();
    for (arguments, told) in [
        (&["analyze", "../../etc/passwd", "--date", "2012-09-19"][..], "only letters, digits"),
        (&["analyze", "AAPL", "--date", "2024-13-45"], "not a calendar date"),
        (&["analyze", "AAPL", "--date", "2999-01-01"], "lies in the future"),
        (&["analyze", "AAPL", "--date", "2012-09-19", "--debate-rounds", "9"], "not within 1 to 5"),
    ] {
        let run = sandbox.run(arguments).await;
        assert_eq!(run.code, Some(2), "{}", run.stderr);
        assert!(run.stderr.contains(told), "{}", run.stderr);
    }
}

#[tokio::test]
async fn programs_read_json_lines() {
    let run = Sandbox::new().run(&["analyze", "IBM", "--date", "2008-10-10", "--offline", "--json"]).await;
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let lines: Vec<Value> = run.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(lines.iter().any(|line| line["type"] == "submitted"));
    assert!(lines.last().unwrap().to_string().contains("SELL"), "{}", lines.last().unwrap());
}

#[tokio::test]
async fn an_interrupted_analysis_says_so() {
    let llm = FakeLlm::start().await;
    let sandbox = Sandbox::new().set("OLLAMA_BASE_URL", llm.url());
    llm.answers_only(0);
    let mut analyze = sandbox.start(&["analyze", "AAPL", "--date", "2012-09-19"]);
    llm.was_asked(1).await;
    analyze.signal(Signal::INT);
    assert_eq!(analyze.ended().await, Some(130), "{:?}", analyze.lines());
    assert!(!sandbox.results().exists());
}

#[tokio::test]
async fn the_doctor_names_what_is_missing_with_the_mend() {
    let sandbox = Sandbox::new()
        .set("REDIS_URL", "redis://:canary-password@127.0.0.1:9")
        .set("OLLAMA_BASE_URL", "http://127.0.0.1:9")
        .set("OPENAI_API_KEY", "canary-key");
    let run = sandbox.run(&["doctor"]).await;
    let told = format!("{}{}", run.stdout, run.stderr);
    assert_ne!(run.code, Some(0), "{told}");
    for word in ["REDIS_URL", "ollama serve", "libnvidia-ml.so.1", "RESULTS_DIR"] {
        assert!(told.contains(word), "no {word} in:\n{told}");
    }
    assert!(!told.contains("canary"), "{told}");

    let run = sandbox.run(&["doctor", "--json"]).await;
    assert!(!run.stdout.contains("canary"), "{}", run.stdout);
    let told: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(run.stdout.lines().count(), 1);
    assert_eq!(told["checks"]["redis"]["verdict"], "broken", "{told}");
    assert_eq!(told["settings"]["OLLAMA_BASE_URL"], "http://127.0.0.1:9/", "{told}");
}

#[tokio::test]
async fn a_wrong_setting_stops_the_start_with_one_line() {
    let run = Sandbox::new().set("WORKER_CONCURRENCY", "many").run(&["worker"]).await;
    assert_eq!(run.code, Some(2));
    let line = run.stderr.trim();
    assert_eq!(line.lines().count(), 1, "{line}");
    assert!(line.contains("WORKER_CONCURRENCY=\"many\"") && line.contains("from 1 to 256"), "{line}");
}
