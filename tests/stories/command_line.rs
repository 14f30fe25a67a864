//! What the command line itself does for people: lists of tickers, colours, completions, manual pages, errors that help.

use std::fs;

use serde_json::Value;

use crate::support::program::{Program, Run, Sandbox};

/// A service that works offline, and a sandbox for the commands that ask it.
async fn service() -> (Sandbox, Program, Sandbox) {
    let place = Sandbox::new().set("API_LISTEN", "127.0.0.1:0");
    let serve = place.start(&["serve", "--offline"]);
    let commands = Sandbox::new().set("TRADINGAGENTS_URL", serve.url().await);
    (place, serve, commands)
}

/// The decisions that were printed, by ticker: jobs end in any order.
fn decisions(run: &Run) -> Vec<&str> {
    let mut lines: Vec<_> = run.stdout.lines().collect();
    lines.sort_unstable();
    lines
}

#[tokio::test]
async fn tickers_come_from_arguments_and_a_file_and_count_once() {
    let (_place, _serve, commands) = service().await;
    fs::write(commands.path().join("tickers.txt"), "# the watch list\nIBM, msft\n\nAAPL # named too\n").unwrap();
    let run = commands.run(&["submit", "AAPL", "--file", "tickers.txt", "--date", "2012-09-19", "--wait"]).await;
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let decisions: Vec<_> = decisions(&run).into_iter().map(|line| line.split(' ').next().unwrap()).collect();
    assert_eq!(decisions, ["AAPL", "IBM", "MSFT"]);
}

#[tokio::test]
async fn tickers_come_from_another_program() {
    let (_place, _serve, commands) = service().await;
    let run = commands.run_reading(&["submit", "--file", "-", "--date", "2012-09-19"], "AAPL\nIBM\n").await;
    assert_eq!((run.code, run.stdout.lines().count()), (Some(0), 2), "{}", run.stderr);
}

#[tokio::test]
async fn a_list_that_cannot_be_used_is_told_with_its_place_and_nothing_is_submitted() {
    let (_place, _serve, commands) = service().await;
    fs::write(commands.path().join("bad.txt"), "AAPL\nNV!DA\n").unwrap();
    fs::write(commands.path().join("empty.txt"), "# none yet\n").unwrap();
    for (file, told) in [
        ("bad.txt", r#"bad.txt, line 2: "NV!DA": a ticker has only letters, digits"#),
        ("empty.txt", "empty.txt has no ticker in it"),
        ("missing.txt", "can't read missing.txt"),
    ] {
        let run = commands.run(&["submit", "--file", file, "--date", "2012-09-19"]).await;
        assert_eq!(run.code, Some(2));
        assert!(run.stderr.contains(told), "{}", run.stderr);
    }
    let run = commands.run(&["submit", "--date", "2012-09-19"]).await;
    assert_eq!(run.code, Some(2), "no ticker at all");
    assert_eq!(commands.run(&["jobs", "--json"]).await.stdout, "");
}

#[tokio::test]
async fn colours_are_for_terminals_unless_they_are_asked_for() {
    let analyze = ["analyze", "AAPL", "--date", "2012-09-19", "--offline"];
    let plain = Sandbox::new().run(&analyze).await;
    assert!(!plain.stdout.contains('\u{1b}') && !plain.stderr.contains('\u{1b}'), "{plain:?}");
    let forced = Sandbox::new().set("CLICOLOR_FORCE", "1").run(&analyze).await;
    assert!(forced.stdout.contains("\u{1b}[32m"), "BUY is green: {}", forced.stdout);
    assert!(forced.stderr.contains("\u{1b}[32m"), "what is done is green: {}", forced.stderr);
}

#[tokio::test]
async fn statuses_decisions_verdicts_and_errors_have_their_colours() {
    let (_place, _serve, commands) = service().await;
    for ticker in ["AAPL", "NOBODY"] {
        commands.run(&["submit", ticker, "--date", "2012-09-19", "--wait"]).await;
    }
    let plain = commands.run(&["jobs"]).await;
    let commands = commands.set("CLICOLOR_FORCE", "1");
    let jobs = commands.run(&["jobs"]).await;
    for painted in ["\u{1b}[32mcompleted", "\u{1b}[31mfailed", "\u{1b}[32m\u{1b}[1mBUY"] {
        assert!(jobs.stdout.contains(painted), "{painted:?} in {}", jobs.stdout);
    }
    assert!(!plain.stdout.contains('\u{1b}') && plain.stdout.contains("completed"), "{}", plain.stdout);
    let doctor = commands.run(&["doctor", "--offline"]).await;
    assert!(doctor.stdout.contains("\u{1b}[32mok"), "{}", doctor.stdout);
    let refused = commands.run(&["result", "018f6478-2b20-7c53-9d2a-5f3e8a1b7c44"]).await;
    assert!(refused.stderr.starts_with("\u{1b}[31m\u{1b}[1merror:"), "{}", refused.stderr);
}

#[tokio::test]
async fn the_help_of_a_client_names_where_it_finds_the_api() {
    let sandbox = Sandbox::new();
    for command in ["submit", "watch", "result", "jobs", "cancel", "retry"] {
        let help = sandbox.run(&[command, "--help"]).await.stdout;
        assert!(help.contains("TRADINGAGENTS_URL") && help.contains("TRADINGAGENTS_KEY"), "{help}");
        assert!(help.contains("Exit codes"), "{help}");
    }
    assert!(!sandbox.run(&["serve", "--help"]).await.stdout.contains("TRADINGAGENTS_URL"));
}

#[tokio::test]
async fn mistakes_are_answered_with_what_was_meant() {
    let sandbox = Sandbox::new();
    for (arguments, told) in [
        (&["sumbit", "AAPL"][..], "'submit'"),
        (&["submit", "AAPL", "--dtae", "2012-09-19"], "'--date'"),
        (&["submit", "AAPL", "--date", "2012-09-19", "--provider", "opneai"], "'openai'"),
        (&["watch", "AAPL"], "`tradingagents jobs` lists the jobs with their ids"),
    ] {
        let run = sandbox.run(arguments).await;
        assert_eq!(run.code, Some(2), "{}", run.stderr);
        assert!(run.stderr.contains(told), "{}", run.stderr);
    }
}

#[tokio::test]
async fn shells_complete_the_commands() {
    // Settings that can't be used keep nobody from it.
    let sandbox = Sandbox::new().set("WORKER_CONCURRENCY", "many");
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let run = sandbox.run(&["completions", shell]).await;
        assert_eq!(run.code, Some(0), "{}", run.stderr);
        assert!(run.stdout.contains("submit") && run.stdout.contains("idempotency-key"), "{shell}");
    }
}

#[tokio::test]
async fn each_command_has_a_manual_page_with_the_exit_codes() {
    let sandbox = Sandbox::new();
    assert_eq!(sandbox.run(&["man", "pages/man1"]).await.code, Some(0));
    let help = sandbox.run(&["help"]).await.stdout;
    let commands = help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    // A long description goes on in lines that are indented further.
    let commands = commands.filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    let mut pages = 0;
    for command in commands.filter_map(|line| line.split_whitespace().next()).filter(|command| *command != "help") {
        let page = fs::read_to_string(sandbox.path().join(format!("pages/man1/tradingagents-{command}.1"))).unwrap();
        assert!(page.contains("a job was cancelled"), "{command} does not tell its exit codes");
        pages += 1;
    }
    assert!(pages > 15, "{help}");
    assert!(sandbox.path().join("pages/man1/tradingagents.1").exists());
}

#[tokio::test]
async fn the_page_of_settings_is_up_to_date() {
    let page = Sandbox::new().run(&["settings"]).await.stdout;
    let written = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/CONFIGURATION.md")).unwrap();
    assert!(page == written, "run: cargo run -- settings > docs/CONFIGURATION.md");
}

#[tokio::test]
async fn the_page_of_the_api_names_every_call() {
    let document = Sandbox::new().run(&["openapi"]).await.stdout;
    let document: Value = serde_json::from_str(&document).unwrap();
    let page = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/API.md")).unwrap();
    let mut calls = 0;
    for (path, methods) in document["paths"].as_object().unwrap() {
        let path = path.replace("{job_id}", "{id}").replace("{batch_id}", "{id}");
        for method in methods.as_object().unwrap().keys() {
            let call = format!("`{} {path}`", method.to_uppercase());
            assert!(page.contains(&call), "docs/API.md does not name {call}");
            calls += 1;
        }
    }
    assert!(calls > 15, "{document}");
}
