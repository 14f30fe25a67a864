//! The files of the log.
//!
//! A record is one line, appended and synced under a lock that all writers take, on this host and on those that share
//! the folder. A crash leaves at most a torn last line, which readers pass over and the next writer ends. Readers take
//! no lock. Pruning writes a new file and renames it over the old one; that is why the lock is a file of its own.

use std::{
    cmp::Reverse,
    collections::HashSet,
    fs::{self, File, OpenOptions},
    io::{self, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

use chrono::NaiveDate;

use super::record::{Decision, Entry, Record, Settlement};
use crate::{domain::Ticker, file_lock, jobs::JobId};

/// How many other tickers' files a job reads: a few lessons are wanted, and the newest are there. The log itself grows
/// with every ticker.
const RECENT_FILES: usize = 32;
/// How much of the end of each it reads, bytes; some thirty entries.
const RECENT_BYTES: u64 = 64 << 10;

/// The log in a folder, which is made on the first write.
#[derive(Debug, Clone)]
pub struct DecisionLog {
    folder: PathBuf,
}

/// Which settled entries go. A pending one never does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Prune {
    /// All but so many of each ticker, the newest.
    Keep(usize),
    /// Those decided before that day.
    Before(NaiveDate),
}

impl DecisionLog {
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }

    /// The folder that holds the log.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Adds a decision. One whose job has one already changes nothing, so that a job may say it twice.
    pub fn decide(&self, decision: Decision) -> io::Result<()> {
        let (ticker, id) = (decision.ticker.clone(), decision.job_id);
        let is_there = |record: &Record| matches!(record, Record::Decision(there) if there.job_id == id);
        self.append(&ticker, &Record::Decision(decision), is_there)
    }

    /// Adds what came of a decision on `ticker`. The first to say it is right.
    pub fn settle(&self, ticker: &Ticker, settlement: Settlement) -> io::Result<()> {
        let id = settlement.job_id;
        let is_there = |record: &Record| matches!(record, Record::Settlement(there) if there.job_id == id);
        self.append(ticker, &Record::Settlement(settlement), is_there)
    }

    /// The entries of a ticker, in the order in which they were made.
    pub fn entries(&self, ticker: &Ticker) -> io::Result<Vec<Entry>> {
        Ok(join(self.records(ticker)?))
    }

    /// The last entries of those other tickers that were written to last. What is read does not grow with the log.
    pub fn recent_of_others(&self, ticker: &Ticker) -> io::Result<Vec<Entry>> {
        let mut others = Vec::new();
        for other in self.tickers()?.into_iter().filter(|other| other != ticker) {
            others.push((Reverse(fs::metadata(self.path(&other))?.modified()?), other));
        }
        others.sort();
        let mut entries = Vec::new();
        for (_, other) in others.into_iter().take(RECENT_FILES) {
            entries.extend(join(records(&end(&self.path(&other))?)));
        }
        Ok(entries)
    }

    /// The tickers that have a file, sorted.
    pub fn tickers(&self) -> io::Result<Vec<Ticker>> {
        let files = match fs::read_dir(&self.folder) {
            Ok(files) => files,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let mut tickers = Vec::new();
        for file in files {
            let name = file?.file_name();
            tickers.extend(name.to_str().and_then(|name| name.strip_suffix(".jsonl")?.parse::<Ticker>().ok()));
        }
        tickers.sort();
        Ok(tickers)
    }

    /// Removes settled entries of a ticker, and says how many.
    pub fn prune(&self, ticker: &Ticker, prune: Prune) -> io::Result<usize> {
        let _lock = self.lock()?;
        let records = self.records(ticker)?;
        let gone = superfluous(join(records.clone()), prune);
        if gone.is_empty() {
            return Ok(0);
        }
        let kept = records.iter().filter(|record| !gone.contains(&record.job_id()));
        let text: String = kept.map(line).collect();
        let mut file = tempfile::NamedTempFile::new_in(&self.folder)?;
        file.write_all(text.as_bytes())?;
        file.as_file().sync_all()?;
        let path = self.path(ticker);
        // Readable by the group and others, as the file before it was; a temporary file is its owner's alone.
        fs::set_permissions(file.path(), fs::metadata(&path)?.permissions())?;
        file.persist(path).map_err(|error| error.error)?;
        File::open(&self.folder)?.sync_all()?;
        Ok(gone.len())
    }

    fn append(&self, ticker: &Ticker, record: &Record, is_there: impl Fn(&Record) -> bool) -> io::Result<()> {
        let _lock = self.lock()?;
        if self.records(ticker)?.iter().any(is_there) {
            return Ok(());
        }
        let path = self.path(ticker);
        let content = fs::read(&path);
        let torn = content.as_ref().is_ok_and(|content| content.last().is_some_and(|byte| *byte != b'\n'));
        let mut file = OpenOptions::new().create(true).append(true).open(&path)?;
        let end_of_torn_line = if torn { "\n" } else { "" };
        file.write_all(format!("{end_of_torn_line}{}", line(record)).as_bytes())?;
        file.sync_data()?;
        // A new file's name is synced with its folder.
        if content.is_err() { File::open(&self.folder)?.sync_all() } else { Ok(()) }
    }

    /// Waits for the lock, which is held until it is dropped; not for ever, for whoever holds it may hang.
    fn lock(&self) -> io::Result<File> {
        fs::create_dir_all(&self.folder)?;
        file_lock::lock(&self.folder.join(".lock"))
    }

    /// What is written of a ticker.
    fn records(&self, ticker: &Ticker) -> io::Result<Vec<Record>> {
        match fs::read(self.path(ticker)) {
            Ok(content) => Ok(records(&content)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }

    fn path(&self, ticker: &Ticker) -> PathBuf {
        self.folder.join(format!("{ticker}.jsonl"))
    }
}

impl Record {
    fn job_id(&self) -> JobId {
        match self {
            Self::Decision(decision) => decision.job_id,
            Self::Settlement(settlement) => settlement.job_id,
        }
    }
}

/// The records of a file. A line that can't be read was torn by a crash, is of a later version, or began before the end
/// of the file that was read.
fn records(content: &[u8]) -> Vec<Record> {
    let lines = content.split(|byte| *byte == b'\n');
    lines.filter_map(|line| serde_json::from_slice(line).ok()).collect()
}

/// The end of a file.
fn end(path: &Path) -> io::Result<Vec<u8>> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(RECENT_BYTES)))?;
    let mut content = Vec::new();
    file.take(RECENT_BYTES).read_to_end(&mut content)?;
    Ok(content)
}

fn line(record: &Record) -> String {
    let json = serde_json::to_string(record).expect("a record has no map with keys that are no texts");
    format!("{json}\n")
}

/// Decisions with their settlements.
fn join(records: Vec<Record>) -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::new();
    for record in records {
        match record {
            Record::Decision(decision) => entries.push(Entry { decision, settlement: None }),
            Record::Settlement(settlement) => {
                if let Some(entry) = entries.iter_mut().find(|entry| entry.decision.job_id == settlement.job_id) {
                    entry.settlement = Some(settlement);
                }
            }
        }
    }
    entries
}

/// The jobs whose entries go.
fn superfluous(mut entries: Vec<Entry>, prune: Prune) -> HashSet<JobId> {
    entries.retain(|entry| entry.settlement.is_some());
    match prune {
        Prune::Keep(count) => {
            entries.sort_by_key(|entry| (entry.decision.date, entry.decision.made_at));
            entries.truncate(entries.len().saturating_sub(count));
        }
        Prune::Before(day) => entries.retain(|entry| entry.decision.date.day() < day),
    }
    entries.into_iter().map(|entry| entry.decision.job_id).collect()
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::*;
    use crate::domain::Rating;

    fn ticker() -> Ticker {
        "NVDA".parse().unwrap()
    }

    fn decision(date: &str) -> Decision {
        Decision::new(JobId::new(), ticker(), date.parse().unwrap(), Rating::Buy, "Rating: Buy")
    }

    fn settlement(of: &Decision) -> Settlement {
        Settlement {
            job_id: of.job_id,
            settled_on: of.date.day() + chrono::Days::new(7),
            return_percent: 1.5,
            alpha_percent: -0.5,
            benchmark: "SPY".parse().unwrap(),
            reflection: Some("Patience pays.".into()),
        }
    }

    fn log() -> (tempfile::TempDir, DecisionLog) {
        let folder = tempfile::tempdir().unwrap();
        let log = DecisionLog::new(folder.path().join("memory"));
        (folder, log)
    }

    #[test]
    fn what_is_said_twice_is_there_once() {
        let (_folder, log) = log();
        let decided = decision("2024-05-10");
        for _ in 0..2 {
            log.decide(decided.clone()).unwrap();
            log.settle(&ticker(), settlement(&decided)).unwrap();
        }
        log.settle(&ticker(), Settlement { reflection: None, ..settlement(&decided) }).unwrap();
        let entries = log.entries(&ticker()).unwrap();
        assert_eq!(entries, [Entry { settlement: Some(settlement(&decided)), decision: decided }]);
        assert_eq!(log.tickers().unwrap(), [ticker()]);
    }

    #[test]
    fn of_other_tickers_the_newest_are_read_and_of_each_its_end() {
        let (_folder, log) = log();
        let name = |number| format!("T{number}").parse::<Ticker>().unwrap();
        for number in 0..40 {
            log.decide(Decision { ticker: name(number), ..decision("2024-05-10") }).unwrap();
            let file = File::options().append(true).open(log.path(&name(number))).unwrap();
            file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(number)).unwrap();
        }
        let newest_first = |from: u64, to: u64| (to..=from).rev().map(name).collect::<Vec<_>>();
        let read = |own| -> Vec<Ticker> {
            log.recent_of_others(&own).unwrap().into_iter().map(|entry| entry.decision.ticker).collect()
        };
        assert_eq!(read(ticker()), newest_first(39, 8));
        assert_eq!(read(name(39)), newest_first(38, 7));

        let long = |_| Decision { summary: "why ".repeat(250), ..decision("2024-05-13") };
        let decisions: Vec<_> = (0..100).map(long).collect();
        let lines = decisions.iter().map(|decision| line(&Record::Decision(decision.clone())));
        fs::write(log.path(&name(39)), lines.collect::<String>()).unwrap();
        let entries = log.recent_of_others(&name(38)).unwrap();
        let of_the_long_file: Vec<_> =
            entries.into_iter().map(|entry| entry.decision).take_while(|it| it.ticker == ticker()).collect();
        assert!((30..100).contains(&of_the_long_file.len()), "{}", of_the_long_file.len());
        assert!(decisions.ends_with(&of_the_long_file));
    }

    #[test]
    fn a_line_that_a_crash_tore_costs_that_line_alone() {
        let (_folder, log) = log();
        log.decide(decision("2024-05-10")).unwrap();
        let mut file = OpenOptions::new().append(true).open(log.path(&ticker())).unwrap();
        file.write_all(br#"{"record":"decision","job_id":"01"#).unwrap();
        assert_eq!(log.entries(&ticker()).unwrap().len(), 1);
        log.decide(decision("2024-05-13")).unwrap();
        assert_eq!(log.entries(&ticker()).unwrap().len(), 2);
    }

    #[test]
    fn writers_at_the_same_time_lose_nothing() {
        let (_folder, log) = log();
        let decisions: Vec<_> = (0..40).map(|_| decision("2024-05-10")).collect();
        std::thread::scope(|scope| {
            // Each decision by two writers, one of them pruning as well.
            for half in [0, 1, 0, 1] {
                let (log, decisions) = (log.clone(), &decisions);
                scope.spawn(move || {
                    for decided in &decisions[half * 20..half * 20 + 20] {
                        log.decide(decided.clone()).unwrap();
                        log.prune(&ticker(), Prune::Keep(0)).unwrap();
                    }
                });
            }
        });
        assert_eq!(log.entries(&ticker()).unwrap().len(), 40);
    }

    #[test]
    fn pruning_never_takes_a_pending_decision() {
        let (_folder, log) = log();
        let decisions = ["2024-05-10", "2024-05-13", "2024-05-14", "2024-05-01"].map(decision);
        for decided in &decisions {
            log.decide(decided.clone()).unwrap();
        }
        for decided in &decisions[..3] {
            log.settle(&ticker(), settlement(decided)).unwrap();
        }
        let left = || -> Vec<String> {
            log.entries(&ticker()).unwrap().iter().map(|entry| entry.decision.date.to_string()).collect()
        };
        assert_eq!(log.prune(&ticker(), Prune::Before("2024-05-13".parse().unwrap())).unwrap(), 1);
        assert_eq!(left(), ["2024-05-13", "2024-05-14", "2024-05-01"]);
        assert_eq!(log.prune(&ticker(), Prune::Keep(1)).unwrap(), 1);
        assert_eq!(left(), ["2024-05-14", "2024-05-01"]);
        assert_eq!(log.prune(&ticker(), Prune::Keep(0)).unwrap(), 1);
        assert_eq!(left(), ["2024-05-01"]);
    }
}
