//! Results in a folder: written whole or not at all, and never over those of a later attempt.
//!
//! The files are written and synced in a hidden folder beside the place where they belong, which is then renamed. So a
//! reader sees all of them or none, also after a crash or on a full disk. Who wrote what is there already is looked up
//! under a lock of the date's folder, which works on a shared one (NFS) too.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
};

use tempfile::TempDir;
use tokio::task::spawn_blocking;

use super::{JobResult, ResultsError, attempt_of, files};
use crate::{
    domain::{Ticker, TradeDate},
    file_lock::lock,
    jobs::{Job, JobId},
};

/// The file of a date's folder that is locked. It stays: whoever removed it could leave two with a lock each.
const LOCK: &str = ".lock";

/// The folder under which results are kept. It is made on the first write.
#[derive(Debug, Clone)]
pub struct Folder {
    root: PathBuf,
    /// Whether a result is on the disk, and not only on its way there, when it is written.
    synced: bool,
}

impl Folder {
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into(), synced: true }
    }

    pub fn unsynced(root: impl Into<PathBuf>) -> Self {
        Self { synced: false, ..Self::new(root) }
    }

    /// Writes the files, whose folder appears at once with all of them.
    pub async fn write(&self, result: &JobResult) -> Result<String, ResultsError> {
        let folder = self.place(&result.ticker, result.date, result.job_id);
        let (attempt, synced) = (result.attempt, self.synced);
        let mut all = files::texts(result);
        all.push((files::STATE, files::state(result)));
        let writing = folder.clone();
        match unblocked(move || write_folder(&writing, &all, attempt, synced)).await {
            Ok(None) => Ok(folder.display().to_string()),
            Ok(Some(by)) => Err(ResultsError::Superseded { place: folder.display().to_string(), by }),
            Err(error) => Err(ResultsError::of_write(&folder, &error)),
        }
    }

    /// A file of a job's result; none if it is not there (any more).
    pub async fn read(&self, job: &Job, name: &str) -> Result<Option<String>, ResultsError> {
        let path = self.of(job).join(name);
        let reading = path.clone();
        match unblocked(move || fs::read_to_string(&reading)).await {
            Ok(text) => Ok(Some(text)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(ResultsError::of_read(&path, &error)),
        }
    }

    /// Where the result of a job is, or will be.
    pub fn of(&self, job: &Job) -> PathBuf {
        self.place(&job.request.ticker, job.request.date, job.id)
    }

    fn place(&self, ticker: &Ticker, date: TradeDate, id: JobId) -> PathBuf {
        self.root.join(ticker.as_str()).join(date.to_string()).join(id.to_string())
    }

    /// Whether a result could be written now: makes the root and writes a file there.
    pub fn check(&self) -> Result<&Path, ResultsError> {
        fs::create_dir_all(&self.root)
            .and_then(|()| tempfile::tempfile_in(&self.root))
            .and_then(|mut probe| probe.write_all(b"probe"))
            .map_err(|error| ResultsError::of_write(&self.root, &error))?;
        Ok(&self.root)
    }
}

/// Runs what waits for a disk where it holds up nobody.
async fn unblocked<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    spawn_blocking(work).await.unwrap_or_else(|error| Err(io::Error::other(error)))
}

/// Writes a result's folder; returns the later attempt whose result was there, and was left alone.
fn write_folder(folder: &Path, files: &[(&str, String)], attempt: u32, synced: bool) -> io::Result<Option<u32>> {
    let parent = folder.parent().expect("a result's folder lies under its date");
    fs::create_dir_all(parent)?;
    let hidden = write_hidden(parent, files, synced)?;
    let lock = lock(&parent.join(LOCK))?;
    if let Some(by) = written_by(folder)?.filter(|by| *by > attempt) {
        return Ok(Some(by));
    }
    put_in_place(hidden.path(), folder)?;
    drop(lock);
    // It is renamed, so there is nothing left to remove.
    let _ = hidden.keep();
    if synced {
        File::open(parent)?.sync_all()?;
    }
    Ok(None)
}

/// The files in a folder that nobody looks into, and that goes with its handle.
fn write_hidden(parent: &Path, files: &[(&str, String)], synced: bool) -> io::Result<TempDir> {
    let hidden = tempfile::Builder::new().prefix(".partial-").tempdir_in(parent)?;
    for (path, text) in files {
        write_file(&hidden.path().join(path), text, synced)?;
    }
    if synced {
        File::open(hidden.path())?.sync_all()?;
    }
    Ok(hidden)
}

fn write_file(path: &Path, text: &str, synced: bool) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut file = File::create(path)?;
    file.write_all(text.as_bytes())?;
    if synced { file.sync_all() } else { Ok(()) }
}

/// The attempt that wrote the result that is there.
fn written_by(folder: &Path) -> io::Result<Option<u32>> {
    match fs::read(folder.join(files::STATE)) {
        Ok(state) => Ok(Some(attempt_of(&state))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
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
