//! What the embedded store does beside what all stores do.

use std::{collections::BTreeMap, fs, path::Path, time::Duration};

use redb::{Database, ReadableDatabase, ReadableTableMetadata, TableHandle};
use tempfile::tempdir;
use tradingagents::jobs::{
    EmbeddedStore, EventKind, Lease, Scope, Stats, Status, Store, StoreError, transition::Transition,
};

use super::stage::{
    LONG, apply, claim, completion, eventually, failure, get, progress, running, steps, stored, submit, worker,
};

#[tokio::test]
async fn a_file_that_is_opened_again_has_everything_and_makes_running_jobs_ready() {
    let folder = tempdir().unwrap();
    let file = folder.path().join("state").join("jobs.redb");
    let store = open(&file);
    let done = running(&store).await;
    let done = apply(&store, &completion(&done.lease())).await;
    let delayed = running(&store).await;
    let delayed = apply(&store, &Transition::retry(&delayed.lease(), &failure(), 1, LONG)).await;
    let ran = running(&store).await;
    store.record(&ran.lease(), &progress(steps(2), Some(b"state".to_vec()))).await.unwrap();
    let pending = submit(&store).await;
    let events = stored(&store, Scope::All).await;
    drop(store);

    let store = open(&file);

    for job in [&done, &delayed, &pending] {
        assert_eq!(get(&store, job.id).await, *job);
    }
    assert_eq!(store.stats().await.unwrap(), Stats { pending: 3, completed: 1, ..Stats::default() });
    let mut after = stored(&store, Scope::All).await;
    assert_eq!(after.pop().unwrap().kind, EventKind::Released { worker: worker() });
    assert_eq!(after, events);
    assert_eq!(claim(&store).await.job.id, pending.id);
    let again = claim(&store).await;
    assert_eq!((again.job.id, again.job.attempt, again.job.retry_count), (ran.job.id, 2, 0));
    assert_eq!(again.checkpoint, Some(b"state".to_vec()));
    assert_eq!(store.claim(&worker()).await.unwrap(), None);
    assert_eq!(apply(&store, &completion(&again.lease())).await.status, Status::Completed);
}

#[tokio::test]
async fn one_file_serves_one_process() {
    let folder = tempdir().unwrap();
    let file = folder.path().join("jobs.redb");
    let first = open(&file);
    let error = EmbeddedStore::open(&file, LONG, LONG).err().expect("it is in use");
    let StoreError::Unavailable(message) = error else { panic!("{error}") };
    assert!(message.contains("another process") && message.contains(&*file.to_string_lossy()), "{message}");
    drop(first);
    open(&file);
}

#[tokio::test]
async fn a_file_that_is_no_store_is_named_and_left_as_it_is() {
    let folder = tempdir().unwrap();
    let file = folder.path().join("jobs.redb");
    for content in ["my shopping list", &"a long letter ".repeat(10_000)] {
        fs::write(&file, content).unwrap();
        let error = EmbeddedStore::open(&file, LONG, LONG).err().expect("it is no store").to_string();
        assert!(error.contains(&*file.to_string_lossy()) && error.contains("STATE_DIR"), "{error}");
        assert_eq!(fs::read_to_string(&file).unwrap(), content);
    }
}

#[tokio::test]
async fn a_folder_that_cannot_be_made_is_named() {
    let folder = tempdir().unwrap();
    fs::write(folder.path().join("state"), "a file").unwrap();
    let file = folder.path().join("state").join("jobs.redb");
    let error = EmbeddedStore::open(&file, LONG, LONG).err().expect("no folder can be there").to_string();
    assert!(error.contains(&*file.to_string_lossy()) && error.contains("STATE_DIR"), "{error}");
}

#[tokio::test]
async fn nothing_is_left_of_jobs_that_ended_but_what_is_shown_and_then_nothing() {
    let folder = tempdir().unwrap();
    let file = folder.path().join("jobs.redb");
    let store = EmbeddedStore::open(&file, LONG, Duration::from_millis(1)).unwrap();
    let ends: [fn(&Lease) -> Transition; 3] =
        [completion, |lease| Transition::fail(lease, &failure()), |lease| Transition::cancel(lease.job)];
    for end in ends {
        let claimed = running(&store).await;
        store.record(&claimed.lease(), &progress(steps(2), Some(b"state".to_vec()))).await.unwrap();
        apply(&store, &end(&claimed.lease())).await;
    }
    drop(store);
    let rows = rows(&file);
    assert_eq!((rows["jobs"], rows["ended"], rows["events"]), (3, 3, 15));
    assert_eq!((rows["checkpoints"], rows["ready"], rows["delayed"]), (0, 0, 0));

    let store = EmbeddedStore::open(&file, LONG, Duration::from_millis(1)).unwrap();
    eventually(async || {
        store.tidy().await.unwrap();
        (store.stats().await.unwrap() == Stats::default()).then_some(())
    })
    .await;
    drop(store);
    let left: Vec<_> = self::rows(&file).into_iter().filter(|(_, rows)| *rows > 0).map(|(name, _)| name).collect();
    assert_eq!(left, ["counts", "numbers"], "the tables whose size does not grow");
}

fn open(file: &Path) -> EmbeddedStore {
    EmbeddedStore::open(file, LONG, LONG).unwrap()
}

/// How many rows each table of a file has that no store uses.
fn rows(file: &Path) -> BTreeMap<String, u64> {
    let database = Database::open(file).unwrap();
    let transaction = database.begin_read().unwrap();
    let tables = transaction.list_tables().unwrap();
    tables
        .map(|table| {
            let name = table.name().to_owned();
            (name, transaction.open_untyped_table(table).unwrap().len().unwrap())
        })
        .collect()
}
