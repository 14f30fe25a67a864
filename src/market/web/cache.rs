//! Vendors' answers on disk.
//!
//! An answer is a gzip file `{vendor}/{hash of the key}.gz`: a line of JSON with key and time, then the body. It appears
//! by a rename, so that it is whole or not there, and gzip's checksum tells what a disk has spoilt; so any number of
//! processes may share the folder. What can't be read is not there; what can't be written is asked for again.

use std::{
    collections::HashMap,
    fs,
    hash::{DefaultHasher, Hash, Hasher},
    io::{self, Read, Write},
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError, Weak,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, SystemTime},
};

use chrono::{DateTime, Utc};
use flate2::{Compression, read::GzDecoder, write::GzEncoder};
use serde::{Deserialize, Serialize};
use tempfile::NamedTempFile;
use tokio::{
    sync::{Mutex as AsyncMutex, OwnedMutexGuard},
    task::spawn_blocking,
};

/// What nobody wrote for so long is removed; no answer is kept longer.
const OLDEST: Duration = Duration::from_hours(31 * 24);

/// One in so many writes tidies its folder.
const TIDY: u32 = 100;

/// The folder, and who is about to fill it.
pub struct Cache {
    folder: Option<PathBuf>,
    /// One place for each key that somebody works on, with the answer once it is there.
    flights: Mutex<HashMap<String, Weak<Flight>>>,
    /// Whether the operator was told that nothing can be written.
    told: Arc<AtomicBool>,
}

/// Those who ask the same at the same time wait here for the first of them.
type Flight = AsyncMutex<Option<Kept>>;

/// A kept answer.
#[derive(Clone)]
pub struct Kept {
    pub at: DateTime<Utc>,
    pub body: Vec<u8>,
}

impl Kept {
    /// Whether it is younger than `keep`.
    pub fn is_fresh(&self, keep: Duration) -> bool {
        (Utc::now() - self.at).to_std().is_ok_and(|age| age < keep)
    }
}

/// The first line of a file.
#[derive(Serialize, Deserialize)]
struct Head {
    key: String,
    at: DateTime<Utc>,
}

impl Cache {
    /// A cache in this folder; without one it keeps nothing.
    pub fn new(folder: Option<PathBuf>) -> Self {
        Self { folder, flights: Mutex::default(), told: Arc::default() }
    }

    /// The right to be the only one in this process who works on the key. What the one before got is in it, also where
    /// the disk keeps nothing.
    pub async fn flight(&self, key: &str) -> OwnedMutexGuard<Option<Kept>> {
        let lock = {
            let mut flights = self.flights.lock().unwrap_or_else(PoisonError::into_inner);
            flights.retain(|_, lock| lock.strong_count() > 0);
            let known = flights.get(key).and_then(Weak::upgrade);
            known.unwrap_or_else(|| {
                let lock = Arc::default();
                flights.insert(key.into(), Arc::downgrade(&lock));
                lock
            })
        };
        lock.lock_owned().await
    }

    /// The answer on disk.
    pub async fn get(&self, key: &str) -> Option<Kept> {
        let (path, key) = (self.path(key)?, key.to_owned());
        spawn_blocking(move || read(&path, &key)).await.ok()?
    }

    /// Keeps an answer if it can.
    pub async fn put(&self, key: String, kept: Kept) {
        let Some(path) = self.path(&key) else { return };
        let told = self.told.clone();
        let writing = spawn_blocking(move || {
            if let Err(error) = write(&path, &Head { key, at: kept.at }, &kept.body)
                && !told.swap(true, Ordering::Relaxed)
            {
                tracing::warn!(path = %path.display(), %error, "can't keep market data; going on without (CACHE_DIR)");
            }
        });
        // A panic in there has been logged, and the answer is not kept.
        let _ = writing.await;
    }

    fn path(&self, key: &str) -> Option<PathBuf> {
        let mut hash = DefaultHasher::new();
        key.hash(&mut hash);
        let vendor = key.split(' ').next().unwrap_or_default();
        Some(self.folder.as_ref()?.join(vendor).join(format!("{:016x}.gz", hash.finish())))
    }
}

fn read(path: &Path, key: &str) -> Option<Kept> {
    let mut content = Vec::new();
    // gzip's checksum stands at its end, so all of it is read before any is believed.
    GzDecoder::new(fs::File::open(path).ok()?).read_to_end(&mut content).ok()?;
    let end = content.iter().position(|byte| *byte == b'\n')?;
    let head: Head = serde_json::from_slice(&content[..end]).ok()?;
    // Another key may have the same hash.
    (head.key == key).then(|| Kept { at: head.at, body: content.split_off(end + 1) })
}

fn write(path: &Path, head: &Head, body: &[u8]) -> io::Result<()> {
    let folder = path.parent().expect("it lies in a folder");
    fs::create_dir_all(folder)?;
    if fastrand::u32(..TIDY) == 0 {
        tidy(folder);
    }
    let mut packed = GzEncoder::new(NamedTempFile::new_in(folder)?, Compression::fast());
    serde_json::to_writer(&mut packed, head)?;
    packed.write_all(b"\n")?;
    packed.write_all(body)?;
    packed.finish()?.persist(path)?;
    Ok(())
}

/// Removes what is too old, also what a killed process left half written. What can't be removed stays.
fn tidy(folder: &Path) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let written = entry.metadata().and_then(|about| about.modified()).ok();
        let age = written.and_then(|written| SystemTime::now().duration_since(written).ok());
        if age.is_some_and(|age| age > OLDEST) {
            let _ = fs::remove_file(entry.path());
        }
    }
}
