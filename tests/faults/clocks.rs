//! Hosts whose clocks are wrong.

use std::{fs, path::PathBuf};

use chrono::{TimeDelta, Utc};

use crate::{
    audit::report,
    redis::Redis,
    runs::{Run, jobs},
    schedule::{Fault, Part},
};

/// Only the clock of Redis counts: for leases, delays, the order of events and the times that a job shows.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_promise_is_kept_by_hosts_whose_clocks_differ_by_days() {
    let Some(library) = faketime() else {
        report("wrong clocks", 0, &["not run, for there is no libfaketime (apt install faketime)".into()]);
        return;
    };
    let skew = |part| match part {
        Part::Api => "+3h",
        Part::Worker(0) => "-2d",
        Part::Worker(1) => "+2d",
        Part::Worker(_) | Part::Redis => "+0",
    };
    let settings = |part| {
        vec![
            ("LD_PRELOAD", library.display().to_string()),
            ("FAKETIME", skew(part).to_owned()),
            // How long something takes, a host with a wrong clock knows all the same.
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1".to_owned()),
            ("DONT_FAKE_MONOTONIC", "1".to_owned()),
        ]
    };
    let began = Utc::now();
    let redis = Redis::start(&["--appendonly", "yes"]).await;
    let run = Run::start("wrong clocks", redis, jobs() / 20, settings).await;
    let run = run.under_faults(|fault| matches!(fault, Fault::Kill(Part::Worker(_), _) | Fault::Pause(..))).await;
    run.audit.all_ended().await;
    let second = TimeDelta::seconds(1);
    for job in run.audit.jobs().await.into_values() {
        let times =
            [Some(began - second), Some(job.created_at), job.started_at, job.completed_at, Some(Utc::now() + second)];
        let times: Vec<_> = times.into_iter().flatten().collect();
        assert!(times.is_sorted(), "{job:?}");
    }
    run.audit().await;
}

/// The library of Debian's package.
fn faketime() -> Option<PathBuf> {
    let folders = fs::read_dir("/usr/lib").ok()?.filter_map(Result::ok);
    let paths = folders.map(|folder| folder.path().join("faketime/libfaketimeMT.so.1"));
    paths.into_iter().find(|path| path.is_file())
}
