//! Processes that are measured: each bound to a core, and ended with the part that started it.

use std::{
    fs::{self, File},
    io::{self, Read, Write},
    net::{SocketAddr, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};

use crate::machine;

/// The core of whatever is measured.
pub const MEASURED: usize = 0;

/// The core of all else: Redis, and who asks.
pub const OTHERS: usize = 1;

/// The longest wait for a process to be ready.
const PATIENCE: Duration = Duration::from_mins(1);

/// The time that a process gets to end by itself.
const FAREWELL: Duration = Duration::from_secs(10);

/// Our program, as it was built for the bench.
pub const PROGRAM: &str = env!("CARGO_BIN_EXE_tradingagents");

/// A running process. It is ended when dropped.
pub struct Process {
    child: Child,
    name: &'static str,
}

impl Process {
    /// Starts a program on a core, or on any; what it says goes into `target/bench/NAME.log`.
    pub fn start(
        name: &'static str,
        core: Option<usize>,
        program: impl AsRef<Path>,
        adapt: impl Fn(&mut Command),
    ) -> Self {
        let mut command = match core {
            Some(core) => {
                let mut command = Command::new("taskset");
                command.args(["-c", &core.to_string()]).arg(program.as_ref());
                command
            }
            None => Command::new(program.as_ref()),
        };
        let log = File::create(log(name)).unwrap();
        command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
        adapt(&mut command);
        Self { child: command.spawn().unwrap_or_else(|error| panic!("{name} can't start: {error}")), name }
    }

    /// Starts our program with these settings.
    pub fn ours(
        name: &'static str,
        core: Option<usize>,
        folder: &Path,
        command: &str,
        settings: &[(&str, &str)],
    ) -> Self {
        Self::start(name, core, PROGRAM, |program| {
            program.arg(command).current_dir(folder).env_clear().envs(settings.iter().copied());
        })
    }

    /// Waits until it accepts connections.
    pub fn listens(&mut self, port: u16) -> SocketAddr {
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        self.wait(|| TcpStream::connect(address).is_ok());
        address
    }

    /// Waits until it says that it is well, at this path.
    pub fn is_well(&mut self, port: u16, path: &str) -> SocketAddr {
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        self.wait(|| looks_well(address, path).unwrap_or(false));
        address
    }

    /// Waits until it has said this.
    pub fn says(&mut self, text: &str) {
        let log = log(self.name);
        self.wait(|| fs::read_to_string(&log).unwrap().contains(text));
    }

    fn wait(&mut self, is_there: impl Fn() -> bool) {
        let began = Instant::now();
        while !is_there() {
            let ended = self.child.try_wait().unwrap();
            let late = began.elapsed() > PATIENCE;
            assert!(ended.is_none() && !late, "{} is not ready; see {}", self.name, log(self.name).display());
            sleep(Duration::from_millis(1));
        }
    }

    /// How long it has run on a core until now, in its own code and for it in the kernel's (`proc_pid_stat(5)`).
    pub fn on_core(&self) -> Duration {
        /// What the kernel counts its times in, for programs on x86-64 and aarch64 (`USER_HZ`).
        const TICK: Duration = Duration::from_millis(10);
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap();
        // The second field is a name in brackets, which may have blanks.
        let fields: Vec<_> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
        TICK * fields[11..13].iter().map(|ticks| ticks.parse::<u32>().unwrap()).sum()
    }

    /// Its resident memory now, in bytes.
    pub fn resident(&self) -> u64 {
        self.memory("VmRSS:")
    }

    /// The most resident memory that it ever had, in bytes.
    pub fn peak(&self) -> u64 {
        self.memory("VmHWM:")
    }

    fn memory(&self, name: &str) -> u64 {
        kilobytes(&format!("/proc/{}/status", self.child.id()), name) << 10
    }

    /// The memory of this process and its children, in bytes; what they share is counted once.
    pub fn family(&self) -> u64 {
        let id = self.child.id();
        let children = fs::read_to_string(format!("/proc/{id}/task/{id}/children")).unwrap();
        let ids = children.split_whitespace().map(str::to_owned).chain([id.to_string()]);
        ids.map(|id| kilobytes(&format!("/proc/{id}/smaps_rollup"), "Pss:") << 10).sum()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // One that has ended already is not there to be told.
        let _ = kill_process(Pid::from_child(&self.child), Signal::TERM);
        let began = Instant::now();
        while began.elapsed() < FAREWELL {
            if self.child.try_wait().is_ok_and(|ended| ended.is_some()) {
                return;
            }
            sleep(Duration::from_millis(10));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Binds this process to a core, and with it what it starts from now on; to all of them if none is named.
pub fn bind(core: Option<usize>) {
    let last = fs::read_to_string("/sys/devices/system/cpu/online").unwrap();
    let cores = core.map_or(last.trim().to_owned(), |core| core.to_string());
    let bound = Command::new("taskset").args(["-acp", &cores, &std::process::id().to_string()]).output().unwrap();
    assert!(bound.status.success(), "{}", String::from_utf8_lossy(&bound.stderr));
}

/// Whether a server answers a question with 200.
fn looks_well(address: SocketAddr, path: &str) -> io::Result<bool> {
    let mut stream = TcpStream::connect(address)?;
    write!(stream, "GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer.starts_with("HTTP/1.1 200"))
}

fn log(name: &str) -> std::path::PathBuf {
    machine::folder().join(format!("{name}.log"))
}

fn kilobytes(file: &str, name: &str) -> u64 {
    let text = fs::read_to_string(file).unwrap();
    let line = text.lines().find(|line| line.starts_with(name)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}
