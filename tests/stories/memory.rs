//! Memory: what was decided is remembered, and what came of it teaches later jobs, never earlier ones.

use std::{fs, path::Path, time::Duration};

use rustix::process::Signal;
use serde_json::{Value, json};
use tradingagents::{
    agents::{Analysis, Brief, Firm},
    domain::{Agent, Analyst, Rating},
    jobs::JobId,
    memory::{Decision, DecisionLog, Entry, Settlement, lessons},
};

use crate::{
    firm::{Witness, brief, firm},
    support::{
        llm::{FakeLlm, Trouble},
        program::Sandbox,
        service::Service,
    },
};

/// The results of all jobs under a folder, oldest analysis first.
fn results(folder: &Path) -> Vec<Value> {
    let mut found = Vec::new();
    for ticker in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        // The log lies beside the tickers.
        for date in fs::read_dir(ticker).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()) {
            // So does the lock of a date beside its jobs.
            for job in fs::read_dir(date).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()) {
                found.push(serde_json::from_slice::<Value>(&fs::read(job.join("state.json")).unwrap()).unwrap());
            }
        }
    }
    found.sort_by_key(|result| result["date"].as_str().unwrap().to_owned());
    found
}

/// What a job's portfolio manager was told of earlier decisions.
fn told(result: &Value) -> &str {
    result["final_state"]["past_context"].as_str().unwrap()
}

/// The lines of `tradingagents memory --json`.
async fn remembered(sandbox: &Sandbox, arguments: &[&str]) -> Vec<Value> {
    let run = sandbox.run(&[&["memory"], arguments, &["--json"]].concat()).await;
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    run.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

async fn analyze(sandbox: &Sandbox, ticker: &str, date: &str) -> Value {
    let run = sandbox.run(&["analyze", ticker, "--date", date, "--offline", "--json"]).await;
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    serde_json::from_str(run.stdout.lines().last().unwrap()).unwrap()
}

#[tokio::test]
async fn a_decision_teaches_the_next_job_once_its_days_are_over() {
    let sandbox = Sandbox::new();
    assert_eq!(told(&analyze(&sandbox, "AAPL", "2012-09-12").await), "");
    let pending = remembered(&sandbox, &["AAPL"]).await;
    assert_eq!((pending.len(), &pending[0]["settlement"]), (1, &Value::Null));

    // Four trading days later it is not settled yet; five trading days later it is.
    assert_eq!(told(&analyze(&sandbox, "AAPL", "2012-09-18").await), "");
    let result = analyze(&sandbox, "AAPL", "2012-09-19").await;
    assert!(told(&result).contains("2012-09-12, "), "{}", told(&result));
    assert!(told(&result).contains("Lesson: By rule"), "{}", told(&result));
    let steps = result["steps"].as_array().unwrap();
    let reflector = steps.iter().find(|step| step["agent"] == "reflector").unwrap();
    assert!(!reflector["messages"].to_string().contains("2012-09-19 7"), "no prices of the day: {reflector}");
    let manager = steps.iter().find(|step| step["agent"] == "portfolio_manager").unwrap();
    assert!(manager["messages"].to_string().contains("Earlier decisions on AAPL"));
    for other in steps.iter().filter(|step| step["agent"] != "portfolio_manager") {
        assert!(!other["messages"].to_string().contains("Earlier decisions on"), "{}", other["agent"]);
    }

    // 669.79 on the 12th (0.38 % less for nothing: no dividend between), 702.10 on the 19th.
    let settled = &remembered(&sandbox, &["AAPL"]).await[0]["settlement"];
    assert!((settled["return_percent"].as_f64().unwrap() - (702.10 / 669.79 - 1.0) * 100.0).abs() < 0.01, "{settled}");
    assert_eq!((&settled["benchmark"], &settled["settled_on"]), (&json!("^GSPC"), &json!("2012-09-19")));
    let beaten = settled["return_percent"].as_f64().unwrap() - settled["alpha_percent"].as_f64().unwrap();
    assert!((beaten - (1461.05 / 1436.56 - 1.0) * 100.0).abs() < 0.01, "{settled}");
}

#[tokio::test]
async fn an_analysis_of_an_earlier_day_learns_nothing_from_later_ones() {
    let sandbox = Sandbox::new();
    analyze(&sandbox, "AAPL", "2012-09-12").await;
    assert_ne!(told(&analyze(&sandbox, "AAPL", "2012-09-28").await), "");
    assert_eq!(told(&analyze(&sandbox, "AAPL", "2012-09-18").await), "");
    assert_eq!(told(&analyze(&sandbox, "MSFT", "2012-09-18").await), "");
    let of_another = analyze(&sandbox, "MSFT", "2012-09-20").await;
    assert!(
        told(&of_another).contains("# Lessons from other instruments\n\n- AAPL 2012-09-12"),
        "{}",
        told(&of_another)
    );
    assert!(!told(&of_another).contains("Earlier decisions on"), "{}", told(&of_another));
}

#[tokio::test]
async fn no_job_of_a_backtest_is_told_of_its_future_and_the_real_log_of_none() {
    let sandbox = Sandbox::new();
    let span = ["--from", "2008-08-01", "--to", "2008-12-01", "--every", "3d", "--offline", "--output", "out"];
    let run = sandbox.run(&[&["backtest", "IBM"][..], &span].concat()).await;
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    assert!(remembered(&sandbox, &[]).await.is_empty());

    let results = results(&sandbox.path().join("out/jobs"));
    assert!(results.len() > 20);
    for (number, result) in results.iter().enumerate() {
        let (date, told) = (result["date"].as_str().unwrap(), told(result));
        let settled: Vec<_> = told.split(" % until ").skip(1).map(|rest| &rest[..10]).collect();
        assert!(settled.iter().all(|settled| *settled <= date), "{date}: {told}");
        // Six trading days lie between a decision and the next but one.
        assert_eq!(settled.len(), number.saturating_sub(1).min(5), "{date}: {told}");
    }
    // A folder of its own: another backtest does not learn from this one.
    let log = DecisionLog::new(sandbox.path().join("out/memory"));
    let entries = log.entries(&"IBM".parse().unwrap()).unwrap();
    assert_eq!(entries.len(), results.len());
    assert_eq!(entries.iter().filter(|entry| entry.settlement.is_none()).count(), 2);
}

#[tokio::test]
async fn without_a_benchmark_there_is_no_lesson_and_no_failure() {
    let sandbox = Sandbox::new();
    let days = (1..=28).map(|day| format!("2024-05-{day:02},1,2,1,{}.5,100\n", day % 2 + 1));
    let bars = format!("Date,Open,High,Low,Close,Volume\n{}", days.collect::<String>());
    fs::create_dir(sandbox.path().join("bars")).unwrap();
    fs::write(sandbox.path().join("bars/ACME.csv"), &bars).unwrap();
    let job = async |date| {
        let run = sandbox.run(&["analyze", "ACME", "--date", date, "--offline", "--data", "bars", "--json"]).await;
        assert_eq!(run.code, Some(0), "{}", run.stderr);
        serde_json::from_str::<Value>(run.stdout.lines().last().unwrap()).unwrap()
    };
    job("2024-05-10").await;
    assert_eq!(told(&job("2024-05-20").await), "");
    assert!(remembered(&sandbox, &[]).await.iter().all(|entry| entry["settlement"].is_null()));

    fs::write(sandbox.path().join("bars/SPY.csv"), &bars).unwrap();
    assert!(told(&job("2024-05-21").await).contains("+0.00 against SPY"));
}

#[tokio::test]
async fn a_log_that_cannot_be_used_costs_lessons_but_no_job() {
    let sandbox = Sandbox::new().set("MEMORY_DIR", "file");
    fs::write(sandbox.path().join("file"), "no folder").unwrap();
    let run = sandbox.run(&["analyze", "AAPL", "--date", "2012-09-19", "--offline"]).await;
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let run = sandbox.run(&["memory"]).await;
    assert_eq!(run.code, Some(4), "{}", run.stdout);
    assert!(run.stderr.contains("can't read the decision log in file"), "{}", run.stderr);
}

#[tokio::test]
async fn jobs_of_the_service_are_remembered_once_whatever_dies() {
    let llm = FakeLlm::start().await;
    let sandbox = Sandbox::new().set("API_LISTEN", "127.0.0.1:0").set("OLLAMA_BASE_URL", llm.url());
    let mut serve = sandbox.start(&["serve"]);
    let service = Service::at(&serve.url().await);
    let id = service.submit("AAPL", "2012-09-12", json!({"selected_analysts": ["news"]})).await;
    service.ended(&id).await;
    // The next job is killed while the reflector is asked; the four before it are done.
    llm.answers_only(llm.requests().len() + 8);
    let id = service.submit("AAPL", "2012-09-19", json!({"selected_analysts": ["news"]})).await;
    service.events_until(&id, |event| event["data"]["agent"] == "reflector").await;
    serve.kill().await;
    llm.answers_all();

    let mut serve = sandbox.start(&["serve"]);
    let service = Service::at(&serve.url().await);
    assert_eq!(service.ended(&id).await["status"], "completed");
    let (_, result) = service.get(&format!("/jobs/{id}/result")).await;
    assert!(told(&result).contains("2012-09-12, Buy: "), "{}", told(&result));
    serve.signal(Signal::TERM);
    serve.ended().await;
    let entries = remembered(&sandbox, &["AAPL"]).await;
    assert_eq!(entries.iter().map(|entry| entry["settlement"].is_null()).collect::<Vec<_>>(), [false, true]);
}

/// A firm with one earlier decision, and the log that it is in.
fn firm_with_a_past(llm: &FakeLlm) -> (tempfile::TempDir, Firm) {
    let folder = tempfile::tempdir().unwrap();
    let memory = DecisionLog::new(folder.path());
    let (ticker, date) = ("AAPL".parse().unwrap(), "2012-09-05".parse().unwrap());
    memory
        .decide(Decision::new(JobId::new(), ticker, date, Rating::Sell, "Rating: Sell, for the phone is late."))
        .unwrap();
    (folder, Firm { memory, ..firm(llm) })
}

fn news_only() -> Brief {
    Brief { analysts: vec![Analyst::News], ..brief() }
}

fn entries(firm: &Firm) -> Vec<Entry> {
    firm.memory.entries(&"AAPL".parse().unwrap()).unwrap()
}

#[tokio::test]
async fn a_lesson_is_drawn_once_and_kept() {
    let llm = FakeLlm::start().await;
    let (_folder, firm) = firm_with_a_past(&llm);
    let witness = Witness::default();
    firm.run(Analysis::new(news_only()), &witness).await.unwrap();
    assert!(witness.finished().contains(&Agent::Reflector));
    let asked = llm.requests().into_iter().find(|request| request.body.to_string().contains("draw a lesson")).unwrap();
    let prompt = asked.body["messages"].to_string();
    assert!(prompt.contains("for the phone is late") && prompt.contains("| return_percent | "), "{prompt}");
    assert!(!prompt.contains("2012-09-19") && !prompt.contains("snapshot"), "it knows no later prices: {prompt}");
    assert_eq!(lessons::lesson(&entries(&firm)[0]), Some("The evidence is mixed, but the trend holds."));

    let witness = Witness::default();
    let again = firm.run(Analysis::new(news_only()), &witness).await.unwrap();
    assert!(!witness.finished().contains(&Agent::Reflector));
    assert!(again.lessons.unwrap().contains("2012-09-05, Sell: "));
}

#[tokio::test]
async fn a_job_that_goes_on_from_any_checkpoint_asks_no_reflector_twice() {
    let llm = FakeLlm::start().await;
    let (_folder, firm) = firm_with_a_past(&llm);
    let decided = entries(&firm).remove(0).decision;
    let witness = Witness::default();
    let whole = firm.run(Analysis::new(news_only()), &witness).await.unwrap();
    for checkpoint in witness.checkpoints.into_inner().unwrap() {
        // As if it had died before it could write to the log.
        let folder = tempfile::tempdir().unwrap();
        let firm = Firm { memory: DecisionLog::new(folder.path()), ..self::firm(&llm) };
        firm.memory.decide(decided.clone()).unwrap();
        let rest = Witness::default();
        let resumed = firm.run(checkpoint.clone(), &rest).await.unwrap();
        let looked_back = checkpoint.steps.iter().any(|step| step.agent == Agent::Reflector);
        assert_eq!(rest.finished().contains(&Agent::Reflector), !looked_back);
        assert_eq!((&resumed.lessons, &resumed.settlements), (&whole.lessons, &whole.settlements));
        let done = checkpoint.outcome.is_some();
        assert!(done || entries(&firm)[0].settlement.as_ref() == whole.settlements.first());
    }
}

#[tokio::test]
async fn a_job_that_was_cut_in_the_middle_of_a_lesson_asks_for_it_once_and_gives_it_to_no_other_decision() {
    let llm = FakeLlm::start().await;
    let whole = firm(&llm).run(Analysis::new(news_only()), &Witness::default()).await.unwrap();
    let before = Analysis { outcome: None, lessons: None, ..whole };
    let (_folder, firm) = firm_with_a_past(&llm);
    let ticker = brief().ticker;
    let later = "2012-09-06".parse().unwrap();
    firm.memory.decide(Decision::new(JobId::new(), ticker.clone(), later, Rating::Buy, "Rating: Buy")).unwrap();
    let decided: Vec<_> = entries(&firm).into_iter().map(|entry| entry.decision).collect();

    llm.will([Trouble::Says("The phone was late.")]);
    let witness = Witness::default();
    firm.run(before, &witness).await.unwrap();
    let drawn = entries(&firm);
    let lesson =
        |entries: &[Entry]| entries.iter().map(|it| lessons::lesson(it).map(str::to_owned)).collect::<Vec<_>>();
    let by_default = Some("The evidence is mixed, but the trend holds.".to_owned());
    assert_eq!(lesson(&drawn), [Some("The phone was late.".into()), by_default.clone()]);
    let states = witness.progress.into_inner().unwrap();
    let deciding = states.iter().find(|state| state.unfinished.contains_key(&Agent::PortfolioManager)).unwrap();
    assert!(deciding.lessons.is_some(), "what the manager was told is stored with what it answered");

    // Cut after the first lesson was heard and before it was kept.
    let goes_on = async |settled: Option<Settlement>| {
        let folder = tempfile::tempdir().unwrap();
        let firm = Firm { memory: DecisionLog::new(folder.path()), ..self::firm(&llm) };
        for decision in &decided {
            firm.memory.decide(decision.clone()).unwrap();
        }
        if let Some(settlement) = settled {
            firm.memory.settle(&ticker, settlement).unwrap();
        }
        let asked = llm.requests().len();
        firm.run(states[0].clone(), &Witness::default()).await.unwrap();
        let reflections =
            llm.requests()[asked..].iter().filter(|it| it.body.to_string().contains("draw a lesson")).count();
        (reflections, lesson(&entries(&firm)))
    };
    assert_eq!(goes_on(None).await, (1, lesson(&drawn)));
    let by_another_job = Settlement { reflection: Some("Mine.".into()), ..drawn[0].settlement.clone().unwrap() };
    assert_eq!(goes_on(Some(by_another_job)).await, (1, vec![Some("Mine.".into()), by_default]));
}

#[tokio::test]
async fn a_reflector_that_fails_leaves_the_decision_pending_and_the_job_whole() {
    let llm = FakeLlm::start().await;
    let (_folder, firm) = firm_with_a_past(&llm);
    let whole = firm.run(Analysis::new(news_only()), &Witness::default()).await.unwrap();
    let (_folder, firm) = firm_with_a_past(&llm);
    let before = Analysis { outcome: None, lessons: None, settlements: Vec::new(), ..whole };
    llm.will([Trouble::Status(404, json!({"error": "model not found"}), "")]);
    let done = firm.run(before, &Witness::default()).await.unwrap();
    assert!(done.outcome.is_some() && done.lessons.as_deref() == Some(""));
    assert!(
        done.warnings.iter().any(|warning| warning.starts_with("no lesson from 2012-09-05")),
        "{:?}",
        done.warnings
    );
    assert_eq!(entries(&firm)[0].settlement, None);
}

#[tokio::test]
async fn old_lessons_are_pruned_and_pending_decisions_never() {
    let sandbox = Sandbox::new();
    for date in ["2012-09-05", "2012-09-12", "2012-09-19"] {
        analyze(&sandbox, "AAPL", date).await;
    }
    analyze(&sandbox, "IBM", "2012-09-05").await;
    let table = sandbox.run(&["memory"]).await.stdout;
    assert_eq!(table.lines().filter(|line| line.contains("pending")).count(), 2, "{table}");
    assert!(table.lines().nth(1).unwrap().starts_with("2012-09-05  AAPL      "), "{table}");
    assert_eq!(remembered(&sandbox, &["IBM"]).await.len(), 1);

    let run = sandbox.run(&["memory", "prune"]).await;
    assert_eq!(run.code, Some(2), "{}", run.stderr);
    assert_eq!(sandbox.run(&["memory", "prune", "--before", "2012-09-12"]).await.stdout, "1 removed\n");
    assert_eq!(sandbox.run(&["memory", "prune", "AAPL", "--keep", "0"]).await.stdout, "1 removed\n");
    let left: Vec<_> = remembered(&sandbox, &[]).await.iter().map(|entry| entry["date"].clone()).collect();
    assert_eq!(left, ["2012-09-05", "2012-09-19"]);
}

/// The lock of the log, held by somebody who hangs.
fn held_lock(sandbox: &Sandbox) -> fs::File {
    let folder = sandbox.results().join("memory");
    fs::create_dir_all(&folder).unwrap();
    let lock = fs::File::create(folder.join(".lock")).unwrap();
    lock.lock().unwrap();
    lock
}

#[tokio::test]
async fn a_log_that_somebody_holds_for_ever_keeps_no_job_from_its_end() {
    let sandbox = Sandbox::new().set("API_LISTEN", "127.0.0.1:0");
    let _lock = held_lock(&sandbox);
    let serve = sandbox.start(&["serve", "--offline"]);
    let service = Service::at(&serve.url().await);
    let id = service.submit("AAPL", "2012-09-19", json!({})).await;
    assert_eq!(service.ended(&id).await["status"], "completed");
    let line = serve.line("can't add the decision to the log").await;
    assert!(line.contains("another process has held") && line.contains("memory/.lock"), "{line}");
}

#[tokio::test]
async fn a_log_that_somebody_holds_for_ever_keeps_no_worker_from_its_end() {
    let sandbox = Sandbox::new().set("API_LISTEN", "127.0.0.1:0").set("SHUTDOWN_GRACE", 1);
    let _lock = held_lock(&sandbox);
    let mut serve = sandbox.start(&["serve", "--offline"]);
    let service = Service::at(&serve.url().await);
    let id = service.submit("AAPL", "2012-09-19", json!({})).await;
    let result = sandbox.results().join("AAPL/2012-09-19").join(id).join("state.json");
    while !result.exists() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    serve.signal(Signal::TERM);
    assert_eq!(serve.ended().await, Some(0));
}
