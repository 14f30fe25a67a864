//! The folder of a result: written whole or not at all.
//!
//! The files are written and synced in a hidden folder beside the place where they belong, which is then renamed. So a
//! reader sees all of them or none, also after a crash or on a full disk.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
};

use super::{JobResult, report};
use crate::{
    domain::{Ticker, TradeDate},
    jobs::{Job, JobId},
};

/// The folder under which results are kept.
#[derive(Debug, Clone)]
pub struct Results {
    root: PathBuf,
    /// Whether a result is on the disk, and not only on its way there, when it is written.
    synced: bool,
}

/// Why a result could not be written or read.
#[derive(Debug, thiserror::Error)]
pub enum ResultsError {
    /// The disk is full, or the quota used up.
    #[error("no room for the result in {}: {source}; free some space or set RESULTS_DIR to another disk", path.display())]
    Full { path: PathBuf, source: io::Error },
    #[error("can't write the result to {}: {source}; the folder has to be writable by the worker's user", path.display())]
    Write { path: PathBuf, source: io::Error },
    #[error("can't read the result in {}: {source}", path.display())]
    Read { path: PathBuf, source: io::Error },
}

impl Results {
    /// Results under `root`, which is made on the first write.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into(), synced: true }
    }

    /// The same for results that a crash of the machine may take, because nothing could go on from them.
    pub fn unsynced(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into(), synced: false }
    }

    /// Writes the result's files and returns their folder, which appears at once with all of them. A result that is
    /// there already, from an attempt that wrote it and died before it could say so, is replaced.
    pub fn write(&self, result: &JobResult) -> Result<PathBuf, ResultsError> {
        let folder = self.folder(&result.ticker, result.date, result.job_id);
        write_folder(&folder, &files(result), self.synced).map_err(|source| ResultsError::of_write(&folder, source))?;
        Ok(folder)
    }

    /// The result of a completed job as its JSON text; none if its folder is not there (any more).
    pub fn read(&self, job: &Job) -> Result<Option<String>, ResultsError> {
        self.read_file(job, "state.json")
    }

    /// The report of a completed job as Markdown; none if its folder is not there (any more).
    pub fn read_report(&self, job: &Job) -> Result<Option<String>, ResultsError> {
        self.read_file(job, "report.md")
    }

    fn read_file(&self, job: &Job, name: &str) -> Result<Option<String>, ResultsError> {
        let path = self.folder(&job.request.ticker, job.request.date, job.id).join(name);
        match fs::read_to_string(&path) {
            Ok(text) => Ok(Some(text)),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(ResultsError::Read { path, source }),
        }
    }

    /// Where the result of a job is, or will be.
    pub fn folder(&self, ticker: &Ticker, date: TradeDate, id: JobId) -> PathBuf {
        self.root.join(ticker.as_str()).join(date.to_string()).join(id.to_string())
    }

    /// Whether a result could be written now: makes the root and writes a file there.
    pub fn check(&self) -> Result<(), ResultsError> {
        fs::create_dir_all(&self.root)
            .and_then(|()| tempfile::tempfile_in(&self.root))
            .and_then(|mut probe| probe.write_all(b"probe"))
            .map_err(|source| ResultsError::of_write(&self.root, source))
    }

    /// The folder that holds all results.
    pub fn root(&self) -> &Path {
        &self.root
    }
}

impl ResultsError {
    fn of_write(path: &Path, source: io::Error) -> Self {
        let path = path.to_owned();
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::Full { path, source },
            _ => Self::Write { path, source },
        }
    }
}

/// The files of a result by their paths in its folder; an agent that did not speak has none.
fn files(result: &JobResult) -> Vec<(&'static str, String)> {
    let reports = &result.reports;
    let mut files = vec![
        ("state.json", serde_json::to_string_pretty(result).expect("a result has no map with keys that are no texts")),
        ("decision.txt", format!("{}\n", result.decision.as_str())),
        ("report.md", report::markdown(result)),
    ];
    let agents = [
        ("1_analysts/market.md", &reports.market),
        ("1_analysts/sentiment.md", &reports.sentiment),
        ("1_analysts/news.md", &reports.news),
        ("1_analysts/fundamentals.md", &reports.fundamentals),
        ("2_research/bull.md", &reports.bull),
        ("2_research/bear.md", &reports.bear),
        ("2_research/manager.md", &reports.research_manager),
        ("3_trading/trader.md", &reports.trader),
        ("4_risk/aggressive.md", &reports.aggressive),
        ("4_risk/conservative.md", &reports.conservative),
        ("4_risk/neutral.md", &reports.neutral),
        ("5_portfolio/decision.md", &reports.portfolio_manager),
    ];
    files.extend(
        agents.into_iter().filter(|(_, text)| !text.is_empty()).map(|(path, text)| (path, format!("{text}\n"))),
    );
    files
}

fn write_folder(folder: &Path, files: &[(&str, String)], synced: bool) -> io::Result<()> {
    let parent = folder.parent().expect("a result's folder lies under its date");
    fs::create_dir_all(parent)?;
    let hidden = tempfile::Builder::new().prefix(".partial-").tempdir_in(parent)?;
    for (path, text) in files {
        write_file(&hidden.path().join(path), text, synced)?;
    }
    if synced {
        File::open(hidden.path())?.sync_all()?;
    }
    put_in_place(hidden.path(), folder)?;
    // It is renamed, so there is nothing left to remove.
    let _ = hidden.keep();
    if synced { File::open(parent)?.sync_all() } else { Ok(()) }
}

fn write_file(path: &Path, text: &str, synced: bool) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut file = File::create(path)?;
    file.write_all(text.as_bytes())?;
    if synced { file.sync_all() } else { Ok(()) }
}

/// Renames `new` to `folder`. A folder that is there already is first moved aside, for rename(2) replaces only an
/// empty one.
fn put_in_place(new: &Path, folder: &Path) -> io::Result<()> {
    // Readable by the group and others, as the umask has it; a temporary folder is its owner's alone.
    fs::set_permissions(new, fs::metadata(folder.parent().unwrap_or(folder))?.permissions())?;
    match fs::rename(new, folder) {
        Err(e) if matches!(e.kind(), io::ErrorKind::DirectoryNotEmpty | io::ErrorKind::AlreadyExists) => {
            let old = tempfile::Builder::new().prefix(".replaced-").tempdir_in(folder.parent().unwrap_or(folder))?;
            fs::rename(folder, old.path().join("result"))?;
            fs::rename(new, folder)
        }
        renamed => renamed,
    }
}
