//! The real binary as a process of its own.

use std::{
    io,
    path::{Path, PathBuf},
    process::{self, Stdio},
    sync::{Arc, Mutex},
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncWriteExt, BufReader},
    process::{Child, Command},
    sync::Notify,
    time::timeout,
};

/// The longest wait for anything that a test awaits; far more than a slow machine needs.
pub const PATIENCE: Duration = Duration::from_mins(1);

/// A folder of its own in which a program runs, with nothing in its environment but what the test says.
pub struct Sandbox {
    folder: tempfile::TempDir,
    variables: Vec<(String, String)>,
}

impl Sandbox {
    /// A sandbox from which no vendor of market data can be reached.
    pub fn new() -> Self {
        let nowhere = ("VENDOR_GATEWAY".into(), "http://127.0.0.1:9".into());
        Self { folder: tempfile::tempdir().unwrap(), variables: vec![nowhere] }
    }

    /// Sets a variable for all programs that start after this.
    pub fn set(mut self, name: &str, value: impl ToString) -> Self {
        self.variables.push((name.into(), value.to_string()));
        self
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    pub fn results(&self) -> PathBuf {
        self.path().join("results")
    }

    /// Starts `tradingagents` with these arguments.
    pub fn start(&self, arguments: &[&str]) -> Program {
        let mut child = self.command(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let output = Arc::new(Output::default());
        tokio::spawn(collect(child.stdout.take().unwrap(), output.clone()));
        tokio::spawn(collect(child.stderr.take().unwrap(), output.clone()));
        Program { child, output }
    }

    /// Runs `tradingagents` with these arguments to its end.
    pub async fn run(&self, arguments: &[&str]) -> Run {
        ended(self.command(arguments).output()).await
    }

    /// The same of a program that reads this text from its standard input.
    pub async fn run_reading(&self, arguments: &[&str], text: &str) -> Run {
        let mut command = self.command(arguments);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(text.as_bytes()).await.unwrap();
        ended(child.wait_with_output()).await
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tradingagents"));
        command
            .args(arguments)
            .current_dir(self.path())
            .env_clear()
            .env("RUST_BACKTRACE", "1")
            .envs(self.variables.clone())
            .stdin(Stdio::null())
            .kill_on_drop(true);
        command
    }
}

async fn ended(output: impl Future<Output = io::Result<process::Output>>) -> Run {
    let output = timeout(PATIENCE, output).await.expect("the program ends in time").unwrap();
    Run {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// How a program ended.
#[derive(Debug)]
pub struct Run {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

/// A running program. It is killed when dropped.
pub struct Program {
    child: Child,
    output: Arc<Output>,
}

#[derive(Default)]
struct Output {
    lines: Mutex<Vec<String>>,
    more: Notify,
}

impl Program {
    /// The first line, past or to come, that contains `text`.
    pub async fn line(&self, text: &str) -> String {
        let find = async {
            loop {
                let more = self.output.more.notified();
                if let Some(line) = self.lines().into_iter().find(|line| line.contains(text)) {
                    return line;
                }
                more.await;
            }
        };
        timeout(PATIENCE, find)
            .await
            .unwrap_or_else(|_| panic!("no line with {text:?} in:\n{}", self.lines().join("\n")))
    }

    /// What it wrote so far.
    pub fn lines(&self) -> Vec<String> {
        self.output.lines.lock().unwrap().clone()
    }

    /// The base URL of an API that said where it listens.
    pub async fn url(&self) -> String {
        let line = self.line("listens on http://").await;
        let url = line.split("listens on ").nth(1).unwrap();
        url.split([',', ' ']).next().unwrap().to_owned()
    }

    /// SIGKILL: no chance to clean up.
    pub async fn kill(&mut self) {
        self.child.kill().await.unwrap();
    }

    /// The process id.
    pub fn id(&self) -> u32 {
        self.child.id().expect("it still runs")
    }

    pub fn signal(&self, signal: Signal) {
        let id = i32::try_from(self.id()).unwrap();
        kill_process(Pid::from_raw(id).unwrap(), signal).unwrap();
    }

    /// The exit code once it has ended by itself.
    pub async fn ended(&mut self) -> Option<i32> {
        let status = timeout(PATIENCE, self.child.wait()).await;
        status.unwrap_or_else(|_| panic!("it does not end:\n{}", self.lines().join("\n"))).unwrap().code()
    }
}

async fn collect(from: impl AsyncRead + Unpin, output: Arc<Output>) {
    let mut lines = BufReader::new(from).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        output.lines.lock().unwrap().push(line);
        output.more.notify_waiters();
    }
}
