//! How long compilation takes: all of it, and once more after a change of one line in the crate.

use std::{
    fs::{File, FileTimes},
    process::Command,
    time::{Instant, SystemTime},
};

use crate::{
    machine,
    table::{Table, time},
};

pub fn measure() -> Table {
    let mut table = Table::new("Compilation", ["", "from nothing", "after a change of one line"]);
    for (name, arguments) in [
        ("`cargo check`", &["check"][..]),
        ("`cargo build`", &["build"]),
        ("`cargo build --release`", &["build", "--release"]),
        ("`cargo build --profile dist`", &["build", "--profile", "dist"]),
    ] {
        let folder = tempfile::tempdir_in(machine::folder()).unwrap();
        let cold = cargo(folder.path(), arguments);
        // To cargo, a file with a new time is a changed file.
        let line = File::options().append(true).open("src/lib.rs").unwrap();
        line.set_times(FileTimes::new().set_modified(SystemTime::now())).unwrap();
        table.row([name, &cold, &cargo(folder.path(), arguments)]);
    }
    table
}

fn cargo(folder: &std::path::Path, arguments: &[&str]) -> String {
    let began = Instant::now();
    let done = Command::new(env!("CARGO"))
        .args(arguments)
        .args(["--locked", "--quiet", "--target-dir"])
        .arg(folder)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .status()
        .unwrap();
    assert!(done.success());
    time(began.elapsed())
}
