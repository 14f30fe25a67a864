//! Locks on files, which hold between processes and, in a shared folder (NFS 4), between hosts.

use std::{
    fs::{File, TryLockError},
    io,
    path::Path,
    thread::sleep,
    time::{Duration, Instant},
};

/// How long another may hold a lock. What is done under one takes a moment; but whoever holds it may have been paused.
const PATIENCE: Duration = Duration::from_secs(20);

/// The wait before a lock that another holds is tried again.
const PAUSE: Duration = Duration::from_millis(10);

/// Waits for the lock of a file, which is made if it is not there; it is held until what is returned is dropped. Blocks,
/// and gives up with `TimedOut`.
pub fn lock(path: &Path) -> io::Result<File> {
    // NFS gives an exclusive lock only to who may write.
    let file = File::options().create(true).append(true).open(path)?;
    let began = Instant::now();
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) if began.elapsed() < PATIENCE => sleep(PAUSE),
            Err(TryLockError::WouldBlock) => {
                let (path, held) = (path.display(), PATIENCE.as_secs());
                let text = format!("another process has held {path} for {held} s; end it if it hangs");
                return Err(io::Error::new(io::ErrorKind::TimedOut, text));
            }
            Err(TryLockError::Error(error)) => return Err(error),
        }
    }
}
