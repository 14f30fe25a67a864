//! What another version stored: it is shown and ends, and holds up nothing else.

use redb::{Database, ReadableTable, TableDefinition};
use serde_json::{Value, json};
use tradingagents::jobs::{EmbeddedStore, EventKind, Job, JobId, Listing, Scope, Store, transition::Transition};

use super::stage::{LONG, SHORT, apply, claim, eventually, failure, list_all, open, running, stored, submit, worker};
use crate::support::{program::Sandbox, redis::Redis, service::Service};

/// A request of a version that knows another provider.
fn foreign() -> String {
    json!({"ticker": "AAPL", "date": "2012-09-19", "config": {"llm_provider": "skynet"}}).to_string()
}

async fn rewrite(redis: &Redis, job: &str, request: &str) {
    redis.cli(&["HSET", &format!("{{ta:0}}:job:{job}"), "request", request]).await;
}

#[tokio::test]
async fn a_job_of_another_version_is_listed_and_fails_with_a_reason_and_the_others_go_on() {
    let redis = Redis::start(&[]).await;
    let sandbox = Sandbox::new()
        .set("REDIS_URL", redis.url())
        .set("API_LISTEN", "127.0.0.1:0")
        .set("LLM_PROVIDER", "rules")
        .set("JOB_LEASE", 1);
    let api = sandbox.start(&["api"]);
    let service = Service::at(&api.url().await);
    let mut jobs = Vec::new();
    for _ in 0..4 {
        jobs.push(service.submit("AAPL", "2012-09-19", json!({})).await);
    }
    let [torn, strange, later, usual] = &jobs[..] else { unreachable!() };
    rewrite(&redis, torn, "no JSON").await;
    rewrite(&redis, strange, &foreign()).await;
    let setting = json!({"ticker": "AAPL", "date": "2012-09-19", "config": {"later": true}, "later": 1});
    rewrite(&redis, later, &setting.to_string()).await;

    let (status, page) = service.get("/jobs").await;
    let listed: Vec<_> = page["jobs"].as_array().unwrap().iter().map(|job| job["job_id"].clone()).collect();
    assert_eq!((status, listed), (200, vec![json!(usual), json!(later), json!(strange)]));

    let _worker = sandbox.start(&["worker"]);
    for job in [later, usual] {
        assert_eq!(service.ended(job).await["status"], "completed");
    }
    let failed = service.ended(strange).await;
    let error = failed["error"].as_str().unwrap();
    assert_eq!((&failed["status"], &failed["error_type"]), (&json!("failed"), &json!("unknown")));
    assert!(error.contains("another version") && error.contains("skynet"), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_record_that_can_not_be_read_keeps_no_other_from_its_turn() {
    let redis = Redis::start(&[]).await;
    let store = open(&redis, SHORT, LONG).await;
    let (torn, other) = (running(&*store).await.job, running(&*store).await.job);
    rewrite(&redis, &torn.id.to_string(), "no JSON").await;
    let expired = eventually(async || store.expired().await.unwrap().pop()).await;
    assert_eq!(expired.id, other.id);
    eventually(async || {
        store.expired().await.unwrap();
        (store.stats().await.unwrap().failed == 1).then_some(())
    })
    .await;

    let (torn, next) = (submit(&*store).await, submit(&*store).await);
    rewrite(&redis, &torn.id.to_string(), "no JSON").await;
    assert_eq!(claim(&*store).await.job.id, next.id);
    let end = stored(&*store, Scope::Job(torn.id)).await.pop().unwrap().kind;
    assert!(matches!(&end, EventKind::Failed { error, .. } if error.contains("another version")), "{end:?}");
    let key = format!("{{ta:0}}:job:{}", torn.id);
    assert_eq!(redis.cli(&["HGET", &key, "status"]).await.trim(), "failed");
}

#[tokio::test]
async fn a_file_of_another_version_is_opened_and_its_jobs_are_shown_and_end() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("jobs.redb");
    let store = EmbeddedStore::open(&file, LONG, LONG).unwrap();
    let ran = running(&store).await.job;
    let (torn, usual) = (submit(&store).await, submit(&store).await);
    drop(store);
    change(&file, &ran, |row| row["job"]["request"]["config"] = json!({"llm_provider": "skynet", "later": 1}));
    change(&file, &torn, |row| row["job"]["request"]["ticker"] = json!("no ticker at all"));

    let store = EmbeddedStore::open(&file, LONG, LONG).unwrap();
    let listed = list_all(&store, Listing { limit: 1, ..Listing::default() }).await;
    assert_eq!(listed.iter().map(|job| job.id).collect::<Vec<_>>(), [usual.id, ran.id]);
    assert_eq!(claim(&store).await.job.id, usual.id);
    let strange = claim(&store).await;
    assert_eq!(strange.job.id, ran.id);
    assert!(strange.job.request.unreadable.as_ref().unwrap().contains("skynet"));
    assert_eq!(store.claim(&worker()).await.unwrap(), None);
    apply(&store, &Transition::fail(&strange.lease(), &failure())).await;
}

/// Changes the row of a job in a file that no store uses.
fn change(file: &std::path::Path, job: &Job, change: impl FnOnce(&mut Value)) {
    const JOBS: TableDefinition<u128, &[u8]> = TableDefinition::new("jobs");
    let id: JobId = job.id;
    let database = Database::open(file).unwrap();
    let transaction = database.begin_write().unwrap();
    {
        let mut jobs = transaction.open_table(JOBS).unwrap();
        let key = id.to_string().replace('-', "");
        let key = u128::from_str_radix(&key, 16).unwrap();
        let mut row: Value = serde_json::from_slice(jobs.get(key).unwrap().unwrap().value()).unwrap();
        change(&mut row);
        jobs.insert(key, row.to_string().as_bytes()).unwrap();
    }
    transaction.commit().unwrap();
}
