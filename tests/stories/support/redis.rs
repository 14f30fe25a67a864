//! A real Redis as a process of its own; or what `REDIS_SERVER` names instead, such as valkey-server.

use std::{
    env,
    fs::{self, File},
    net::TcpListener,
    process::Stdio,
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines},
    net::TcpStream,
    process::{Child, Command},
    time::timeout,
};

/// The longest wait for Redis to start.
const PATIENCE: Duration = Duration::from_secs(30);

/// A running `redis-server` with a folder and a port of its own. It is killed when dropped.
pub struct Redis {
    server: Child,
    port: u16,
    folder: TempDir,
    options: Vec<String>,
    /// How often a kill left a torn step in the append-only file.
    pub torn: usize,
}

impl Redis {
    /// Starts one with these options, such as `--appendonly yes`; without, it keeps nothing on disk.
    pub async fn start(options: &[&str]) -> Self {
        Self::start_at(free_port(), options).await
    }

    /// Starts one on this port.
    pub async fn start_at(port: u16, options: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let options: Vec<_> = options.iter().map(ToString::to_string).collect();
        let server = serve(port, &folder, &options).await;
        Self { server, port, folder, options, torn: 0 }
    }

    pub fn url(&self) -> String {
        format!("redis://{}", self.address())
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// Host and port.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// SIGKILL: no chance to clean up.
    pub async fn kill(&mut self) {
        self.server.kill().await.unwrap();
    }

    /// Its append-only file, if it did not rewrite it.
    pub fn appended(&self) -> File {
        let file = self.folder.path().join("appendonlydir/appendonly.aof.1.incr.aof");
        File::options().read(true).append(true).open(file).unwrap()
    }

    /// Cuts off the end of the last step in its append-only file, as a kill in the middle of the write does.
    pub fn tear(&self) {
        // It ends with the step's last command, and `EXEC` with its 14 bytes.
        const END: u64 = 30;
        let file = self.appended();
        file.set_len(file.metadata().unwrap().len() - END).unwrap();
    }

    /// Does in its folder what compose.yaml does there before Redis starts. Whether the file was torn.
    pub async fn mend(&self) -> bool {
        let compose = fs::read_to_string("compose.yaml").unwrap();
        let (_, script) = compose.split_once("      - |\n").unwrap();
        let (mending, _) = script.split_once("exec redis-server").unwrap();
        let mut shell = Command::new("sh");
        // A wrapper of redis-server may be all that PATH has of Redis.
        let path = format!("{}:/usr/bin", env::var("PATH").unwrap());
        shell.args(["-euc", &mending.replace("$$", "$")]).current_dir(&self.folder).env("PATH", path);
        let mended = shell.output().await.unwrap();
        assert!(mended.status.success(), "{}", String::from_utf8_lossy(&mended.stderr));
        !mended.stdout.is_empty()
    }

    /// Starts it again where it was, with its options and what it had written; first its file is mended, as in the stack.
    pub async fn restart(&mut self) {
        self.torn += usize::from(self.mend().await);
        self.server = serve(self.port, &self.folder, &self.options).await;
    }

    /// Lets it do nothing until [`thaw`](Self::thaw); its connections stay open.
    pub fn freeze(&self) {
        self.signal(Signal::STOP);
    }

    pub fn thaw(&self) {
        self.signal(Signal::CONT);
    }

    fn signal(&self, signal: Signal) {
        let id = i32::try_from(self.server.id().expect("it still runs")).unwrap();
        kill_process(Pid::from_raw(id).unwrap(), signal).unwrap();
    }

    /// Notes from now on what clients ask.
    pub async fn monitor(&self) -> Monitor {
        let mut stream = TcpStream::connect(self.address()).await.unwrap();
        stream.write_all(b"MONITOR\r\n").await.unwrap();
        let mut lines = BufReader::new(stream).lines();
        assert_eq!(lines.next_line().await.unwrap().as_deref(), Some("+OK"));
        Monitor(lines)
    }

    /// What Redis answers to a command, one value a line.
    pub async fn cli(&self, command: &[&str]) -> String {
        cli(self.port, command).await.unwrap_or_else(|| panic!("{command:?} is refused"))
    }
}

/// What clients ask of a Redis; what its scripts do themselves is none of it.
pub struct Monitor(Lines<BufReader<TcpStream>>);

impl Monitor {
    /// The commands since it was started, in capitals.
    pub async fn commands(mut self, redis: &Redis) -> Vec<String> {
        let end = "the-end";
        redis.cli(&["ECHO", end]).await;
        let mut commands = Vec::new();
        loop {
            let line = timeout(PATIENCE, self.0.next_line()).await.expect("Redis tells in time").unwrap().unwrap();
            if line.contains(end) {
                return commands;
            }
            if !line.contains(" lua] ") {
                commands.extend(line.split('"').nth(1).map(str::to_uppercase));
            }
        }
    }
}

/// What the Redis on this port answers to a command, one value a line; none if it refuses.
pub async fn cli(port: u16, command: &[&str]) -> Option<String> {
    let port = port.to_string();
    let output = Command::new("redis-cli").args(["-e", "--raw", "-p", &port]).args(command).output().await.unwrap();
    if !output.status.success() {
        println!("{command:?}: {}", String::from_utf8_lossy(&output.stderr));
        return None;
    }
    Some(String::from_utf8(output.stdout).unwrap())
}

/// A port that nobody listens on, below those that the system gives to outgoing connections: a Redis that is down for a
/// while does not lose it to one of them.
pub fn free_port() -> u16 {
    let mut ports = std::iter::repeat_with(|| fastrand::u16(10_000..32_000));
    ports.find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok()).unwrap()
}

/// The program of the server.
pub fn program() -> String {
    env::var("REDIS_SERVER").unwrap_or_else(|_| "redis-server".into())
}

async fn serve(port: u16, folder: &TempDir, options: &[String]) -> Child {
    let mut server = Command::new(program())
        .args(["--bind", "127.0.0.1", "--port", &port.to_string(), "--save", "", "--dir"])
        .arg(folder.path())
        .args(options)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("redis-server is installed");
    let mut log = BufReader::new(server.stdout.take().unwrap()).lines();
    let started = async {
        let mut lines = Vec::new();
        while let Some(line) = log.next_line().await.unwrap() {
            if line.contains("Ready to accept connections") {
                return;
            }
            lines.push(line);
        }
        panic!("redis-server ended:\n{}", lines.join("\n"));
    };
    timeout(PATIENCE, started).await.expect("redis-server starts in time");
    // A pipe that nobody reads would hold it up.
    tokio::spawn(async move { while let Ok(Some(_)) = log.next_line().await {} });
    server
}
