//! What strangers may send, made up: real examples that are bent out of shape. Nothing breaks of it, and what is read is
//! written as it was read. The fuzzers in `fuzz` do the same, for as long as one likes.

#[path = "../../fuzz/src/lib.rs"]
mod fuzz;

use std::{fs, path::Path};

use proptest::{collection::vec, prelude::*, sample::Index, test_runner::TestRunner};

/// What may stand where something else was.
const ODD: [&str; 18] = [
    "",
    "null",
    "true",
    "-1",
    "1e999",
    "18446744073709551616",
    "0.1e-400",
    "\"\"",
    "\"\\ud800\"",
    "\"N/A\"",
    "[]",
    "{}",
    "[[[[[[[[",
    "\n\n",
    "\r\n",
    "\u{0}",
    "é",
    "9999-99-99",
];

/// A change: what is taken out, from where and how much, and what stands there then.
type Change = (Index, usize, &'static str);

/// A real example after some changes, some hundreds of times for each kind.
fn bent(kind: &str, cases: u32, run: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds").join(kind);
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    let seeds: Vec<_> = files.iter().map(|file| fs::read(file).unwrap()).collect();
    for seed in &seeds {
        run(seed);
    }
    let change = (any::<Index>(), 0..40_usize, proptest::sample::select(&ODD[..]));
    let strategy = (any::<Index>(), vec(change, 1..4));
    let mut runner = TestRunner::new(ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() });
    let outcome = runner.run(&strategy, |(seed, changes)| {
        let mut bytes = seed.get(&seeds).clone();
        for change in &changes {
            apply(change, &mut bytes);
        }
        run(&bytes);
        Ok(())
    });
    outcome.unwrap();
}

fn apply((place, length, odd): &Change, bytes: &mut Vec<u8>) {
    let from = place.index(bytes.len() + 1);
    let to = (from + length).min(bytes.len());
    bytes.splice(from..to, odd.bytes());
}

#[test]
fn requests() {
    bent("api", 500, fuzz::api::run);
}

#[test]
fn answers_to_the_command_line() {
    bent("client", 300, fuzz::client::run);
}

#[test]
fn answers_of_models() {
    bent("models", 500, fuzz::models::run);
}

#[test]
fn answers_of_vendors() {
    bent("vendors", 500, fuzz::vendors::run);
}

#[test]
fn settings() {
    bent("settings", 200, fuzz::settings::run);
}

#[test]
fn ids_and_documents() {
    bent("texts", 2000, fuzz::texts::run);
}
