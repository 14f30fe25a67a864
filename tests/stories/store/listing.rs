//! Lists of jobs.

use std::collections::HashSet;

use tradingagents::jobs::{Job, JobId, Listing, Status, Store, transition::Transition};

use super::stage::{Stage, apply, claim, completion, get, list_all, request, submit, submit_for, worker};

for_both! {
    jobs_are_listed_newest_first_by_status_and_ticker,
    an_empty_store_lists_nothing,
    pages_miss_no_job_and_show_none_twice_while_others_are_submitted,
    a_page_that_ends_with_the_last_job_is_the_last_one,
    a_cursor_whose_job_has_left_the_listing_still_works,
}

async fn jobs_are_listed_newest_first_by_status_and_ticker(stage: Stage) {
    let store = stage.store().await;
    let mut jobs = Vec::new();
    for number in 0..60 {
        jobs.push(submit_for(&*store, ["NVDA", "^GSPC", "BRK.B"][number % 3]).await.id);
    }
    for number in 0..20 {
        let claimed = claim(&*store).await;
        match number % 4 {
            0 => drop(apply(&*store, &completion(&claimed.lease())).await),
            1 => drop(apply(&*store, &Transition::cancel(claimed.job.id)).await),
            2 => drop(apply(&*store, &Transition::release(&claimed.lease(), worker())).await),
            _ => {}
        }
    }
    jobs.reverse();
    let mut all = Vec::new();
    for id in jobs {
        all.push(get(&*store, id).await);
    }

    let statuses = Status::ALL.map(Some).into_iter().chain([None]);
    for status in statuses {
        for ticker in [None, Some("NVDA"), Some("^GSPC"), Some("AAPL")] {
            let ticker = ticker.map(|ticker| request(ticker).ticker);
            let matches = |job: &&Job| {
                status.is_none_or(|status| job.status == status)
                    && ticker.as_ref().is_none_or(|ticker| job.request.ticker == *ticker)
            };
            let expected: Vec<_> = all.iter().filter(matches).cloned().collect();
            for limit in [1, 7, 100] {
                let listing = Listing { status, ticker: ticker.clone(), cursor: None, limit };
                assert_eq!(list_all(&*store, listing.clone()).await, expected, "{listing:?}");
            }
        }
    }
}

async fn an_empty_store_lists_nothing(stage: Stage) {
    let store = stage.store().await;
    let listing = Listing { limit: 10, ..Listing::default() };
    let page = store.list(&listing).await.unwrap();
    assert_eq!((page.jobs, page.next), (vec![], None));
    let page = store.list(&Listing { cursor: Some(JobId::new()), ..listing }).await.unwrap();
    assert_eq!((page.jobs, page.next), (vec![], None));
}

async fn pages_miss_no_job_and_show_none_twice_while_others_are_submitted(stage: Stage) {
    let store = stage.store().await;
    for (status, ticker) in [(None, None), (Some(Status::Pending), None), (None, Some("NVDA"))] {
        let before: Vec<_> = list_ids(&*store).await;
        let mut fresh = Vec::new();
        for _ in 0..40 {
            fresh.push(submit(&*store).await.id);
        }
        let expected: HashSet<_> = before.into_iter().chain(fresh).collect();
        let ticker = ticker.map(|ticker| request(ticker).ticker);
        let mut listing = Listing { status, ticker, cursor: None, limit: 7 };
        let mut seen = Vec::new();
        loop {
            let page = store.list(&listing).await.unwrap();
            seen.extend(page.jobs.iter().map(|job| job.id));
            submit(&*store).await;
            listing.cursor = page.next;
            if listing.cursor.is_none() {
                break;
            }
        }
        assert_eq!(seen.len(), expected.len());
        assert_eq!(seen.into_iter().collect::<HashSet<_>>(), expected);
    }
}

async fn a_page_that_ends_with_the_last_job_is_the_last_one(stage: Stage) {
    let store = stage.store().await;
    for _ in 0..10 {
        submit(&*store).await;
    }
    for (limit, more) in [(9, true), (10, false), (11, false)] {
        let page = store.list(&Listing { limit, ..Listing::default() }).await.unwrap();
        assert_eq!((page.jobs.len(), page.next.is_some()), (limit.min(10), more));
    }
}

async fn a_cursor_whose_job_has_left_the_listing_still_works(stage: Stage) {
    let store = stage.store().await;
    let (first, second) = (submit(&*store).await, submit(&*store).await);
    let pending = Listing { status: Some(Status::Pending), limit: 1, ..Listing::default() };
    let page = store.list(&pending).await.unwrap();
    assert_eq!((page.jobs[0].id, page.next), (second.id, Some(second.id)));
    apply(&*store, &Transition::cancel(second.id)).await;
    let page = store.list(&Listing { cursor: page.next, ..pending }).await.unwrap();
    assert_eq!((page.jobs[0].id, page.next), (first.id, None));
}

async fn list_ids(store: &dyn Store) -> Vec<JobId> {
    let jobs = list_all(store, Listing { limit: 50, ..Listing::default() }).await;
    jobs.into_iter().map(|job| job.id).collect()
}
