//! What the engine's errors mean to the store's users.

use std::{io::ErrorKind, path::Path};

use crate::jobs::StoreError;

/// An error of a read or write.
pub fn refused(error: impl Into<redb::Error>) -> StoreError {
    match error.into() {
        redb::Error::Io(error) if matches!(error.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded) => {
            StoreError::Full(format!("{error}; free some space on the disk of STATE_DIR"))
        }
        redb::Error::Corrupted(cause) => StoreError::Corrupt(cause),
        redb::Error::PreviousIo => {
            StoreError::Unavailable("an earlier write failed; mend the disk of STATE_DIR and start again".into())
        }
        error => StoreError::Unavailable(error.to_string()),
    }
}

/// An error of opening the file.
pub fn not_opened(path: &Path, error: redb::DatabaseError) -> StoreError {
    let path = path.display();
    match error {
        redb::DatabaseError::DatabaseAlreadyOpen => StoreError::Unavailable(format!(
            "another process uses {path}; only one can at a time, so end it or set STATE_DIR to another folder"
        )),
        error => match refused(error) {
            StoreError::Unavailable(cause) => {
                StoreError::Unavailable(format!("can't open {path}: {cause}; set STATE_DIR to a folder that can be"))
            }
            StoreError::Corrupt(cause) => StoreError::Corrupt(format!("{path}: {cause}")),
            full @ StoreError::Full(_) => full,
        },
    }
}
