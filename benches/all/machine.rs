//! The machine and the command, and the file that has all tables.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{process::PROGRAM, table::Table};

/// A folder under the target folder, for what a run leaves.
pub fn folder() -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).parent().unwrap().join("bench");
    fs::create_dir_all(&folder).unwrap();
    folder
}

/// Writes the tables with the machine and the command, and says where.
pub fn write(parts: &[&str], tables: &[Table]) -> String {
    let tables: Vec<_> = tables.iter().map(Table::markdown).collect();
    let command = if *parts == crate::USUAL { String::new() } else { format!(" -- {}", parts.join(" ")) };
    let text = format!(
        "Machine: {}.\n\nCommand: `cargo bench --profile {} --bench all{command}`.\n\n{}",
        describe(),
        profile(),
        tables.join("\n"),
    );
    let file = folder().join("table.md");
    fs::write(&file, text).unwrap();
    format!("The tables are in {}.", file.display())
}

/// What the program was built by; its folder is named after that.
fn profile() -> &'static str {
    Path::new(PROGRAM).parent().unwrap().file_name().unwrap().to_str().unwrap()
}

fn describe() -> String {
    let processor = field("/proc/cpuinfo", "model name").unwrap_or_else(|| "unknown processor".into());
    let cores = std::thread::available_parallelism().unwrap();
    let memory = field("/proc/meminfo", "MemTotal").unwrap();
    let memory: f64 = memory.split(' ').next().unwrap().parse().unwrap();
    let system = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap();
    format!(
        "{processor}, {cores} cores, {:.0} GiB, Linux {}; {}; {}; {}",
        memory / f64::from(1 << 20),
        system.trim(),
        said("redis-server", &["--version"]).split(" sha").next().unwrap(),
        said("rustc", &["--version"]),
        said("python3", &["--version"]),
    )
}

/// The value of the first line of a file that begins with this name.
fn field(file: &str, name: &str) -> Option<String> {
    let text = fs::read_to_string(file).ok()?;
    let line = text.lines().find(|line| line.starts_with(name))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

/// The first line that a program says, or that it is not there.
fn said(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output();
    let first = |text: Vec<u8>| String::from_utf8_lossy(&text).lines().next().unwrap_or_default().to_owned();
    output.map_or_else(|_| format!("no {program}"), |output| first(output.stdout))
}
