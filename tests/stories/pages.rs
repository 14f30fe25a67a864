//! What people see of the service in a browser, as far as it can be told without one; `tests/browser` has the rest.

use reqwest::{
    Response, StatusCode,
    header::{self, HeaderValue},
};
use serde_json::{Value, json};

use crate::{
    store::stage,
    support::{
        llm::{FakeLlm, Trouble},
        program::{Program, Sandbox},
        redis::Redis,
        service::Service,
    },
};

/// What Chromium says that it takes.
const BROWSER: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8";

const HTML: HeaderValue = HeaderValue::from_static("text/html; charset=utf-8");

const PROBLEM: HeaderValue = HeaderValue::from_static("application/problem+json");

const KEY: &str = "people-0123456789abcdef";

/// A service on the bundled bars.
struct Desk {
    service: Service,
    _serve: Program,
    sandbox: Sandbox,
}

impl Desk {
    async fn start(settings: &[(&str, &str)]) -> Self {
        Self::run(&["serve", "--offline"], settings).await
    }

    async fn run(command: &[&str], settings: &[(&str, &str)]) -> Self {
        let sandbox = Sandbox::new().set("API_LISTEN", "127.0.0.1:0");
        let sandbox = settings.iter().fold(sandbox, |sandbox, (name, value)| sandbox.set(name, value));
        let serve = sandbox.start(command);
        Self { service: Service::at(&serve.url().await), _serve: serve, sandbox }
    }

    /// What a browser gets at a path.
    async fn open(&self, path: &str) -> Response {
        let asked = self.service.http.get(format!("{}{path}", self.service.url)).header(header::ACCEPT, BROWSER);
        asked.send().await.unwrap()
    }

    async fn page(&self, path: &str) -> String {
        let answer = self.open(path).await;
        assert_eq!(answer.status(), StatusCode::OK, "{path}");
        assert_eq!(answer.headers()[header::CONTENT_TYPE], "text/html; charset=utf-8", "{path}");
        let policy = answer.headers()[header::CONTENT_SECURITY_POLICY].to_str().unwrap().to_owned();
        assert!(policy.contains("script-src 'self';") && !policy.contains("unsafe"), "{path}: {policy}");
        answer.text().await.unwrap()
    }
}

#[tokio::test]
async fn a_browser_finds_the_jobs_and_searches_them_without_a_script() {
    let desk = Desk::start(&[]).await;
    let apple = desk.service.submit("AAPL", "2012-09-19", json!({})).await;
    let nobody = desk.service.submit("NOBODY", "2012-09-19", json!({})).await;
    assert_eq!(desk.service.ended(&apple).await["status"], "completed");
    assert_eq!(desk.service.ended(&nobody).await["status"], "failed");

    let all = desk.page("/").await;
    assert!(all.contains(&apple) && all.contains(&nobody) && all.contains("Overweight"), "{all}");
    let failed = desk.page("/?status=failed&ticker=&cursor=").await;
    assert!(!failed.contains(&apple) && failed.contains(&nobody), "{failed}");
    let found = desk.page("/?ticker=aapl").await;
    assert!(found.contains(&apple) && !found.contains(&nobody), "{found}");
    assert!(found.contains("id=\"clear\"") && !found.contains("class=\"count\""), "all jobs are not counted: {found}");
    let begun = desk.page("/?ticker=AA").await;
    assert!(begun.contains("begin so") && begun.contains(&apple) && !begun.contains(&nobody), "{begun}");
    let none = desk.page("/?status=failed&ticker=ibm").await;
    assert!(none.contains("No failed jobs of <strong>IBM</strong>"), "{none}");
    let pasted = desk.open(&format!("/?ticker=%20{apple}")).await;
    assert_eq!(pasted.url().path(), format!("/dashboard/jobs/{apple}"));
    let wrong = desk.page("/?ticker=%3Cscript%3Ealert(1)%3C/script%3E").await;
    assert!(wrong.contains("Can't search") && !wrong.contains("<script>"), "{wrong}");
}

#[tokio::test]
async fn a_job_has_a_page_with_its_team_its_words_and_its_trouble() {
    let desk = Desk::start(&[]).await;
    let apple = desk.service.submit("AAPL", "2012-09-19", json!({"max_debate_rounds": 2})).await;
    desk.service.ended(&apple).await;
    let page = desk.page(&format!("/dashboard/jobs/{apple}")).await;
    for shown in
        ["data-agent=\"PortfolioManager\" data-state=\"done\"", "2 turns", "Bull Researcher", "Rating: Overweight"]
    {
        assert!(page.contains(shown), "{shown} in {page}");
    }

    let nobody = desk.service.submit("NOBODY", "2012-09-19", json!({})).await;
    desk.service.ended(&nobody).await;
    let page = desk.page(&format!("/dashboard/jobs/{nobody}")).await;
    assert!(page.contains("Look at the symbol and the date") && page.contains("/retry"), "{page}");
    assert!(page.contains("data-agent=\"Trader\" data-state=\"unreached\""), "{page}");

    let some = desk.service.submit("AAPL", "2012-09-19", json!({"selected_analysts": ["market"]})).await;
    desk.service.ended(&some).await;
    let page = desk.page(&format!("/dashboard/jobs/{some}")).await;
    assert!(page.contains("data-agent=\"NewsAnalyst\" data-state=\"unselected\""), "{page}");
    assert!(!page.contains("tokens in,") && !page.contains("&lt; 0.1 s"), "the rules model takes neither: {page}");

    let coin = desk.service.submit("AAPL", "2012-09-19", json!({"asset_type": "crypto"})).await;
    desk.service.ended(&coin).await;
    let coin = desk.page(&format!("/dashboard/jobs/{coin}")).await;
    assert!(coin.contains("data-agent=\"FundamentalsAnalyst\" data-state=\"unselected\""), "{coin}");

    let answer = desk.open("/dashboard/jobs/nobody").await;
    assert_eq!(answer.status(), StatusCode::NOT_FOUND);
    assert!(answer.text().await.unwrap().contains("Job not found: nobody"));
}

#[tokio::test]
async fn what_the_agents_have_said_so_far_is_on_the_page_of_a_job_that_runs() {
    let llm = FakeLlm::start().await;
    llm.will([Trouble::Says("The trend is **up**.<script>alert(1)</script>")]);
    llm.answers_only(2);
    let url = llm.url();
    let models = [("LLM_PROVIDER", "ollama"), ("OLLAMA_BASE_URL", url.as_str()), ("PRICE_VENDORS", "sample")];
    let desk = Desk::run(&["serve"], &models).await;
    let id = desk.service.submit("AAPL", "2012-09-19", json!({"selected_analysts": ["market"]})).await;
    let path = format!("/dashboard/jobs/{id}");
    desk.service.events_until(&id, |event| event["type"] == "checkpoint" && event["data"]["steps"] == 2).await;

    let page = desk.page(&path).await;
    for shown in [
        "id=\"analysts\" data-live",
        "The trend is <strong>up</strong>.",
        "&lt;script&gt;",
        "id=\"research\" data-live",
        "class=\"side-0\"",
    ] {
        assert!(page.contains(shown), "{shown} in {page}");
    }
    for not_yet in ["<script>", "class=\"side-1\"", "id=\"trading\"", "id=\"decision\""] {
        assert!(!page.contains(not_yet), "{not_yet} in {page}");
    }
    llm.answers_all();
    desk.service.ended(&id).await;
    let page = desk.page(&path).await;
    assert!(page.contains("class=\"side-1\"") && page.contains("id=\"decision\""), "{page}");
    assert!(!page.contains("id=\"analysts\" data-live"), "it changes no more: {page}");
}

#[tokio::test]
async fn a_job_whose_checkpoint_is_of_another_version_has_its_page_without_words() {
    let redis = Redis::start(&[]).await;
    let desk = Desk::run(&["api"], &[("REDIS_URL", &redis.url())]).await;
    let id = desk.service.submit("AAPL", "2012-09-19", json!({})).await;
    let store = stage::open(&redis, stage::LONG, stage::LONG).await;
    let lease = stage::claim(&*store).await.lease();
    store.record(&lease, &stage::progress(vec![], Some(b"{\"version\":2}".to_vec()))).await.unwrap();

    let page = desk.page(&format!("/dashboard/jobs/{id}")).await;
    assert!(page.contains("At work for") && !page.contains("id=\"analysts\""), "{page}");
}

#[tokio::test]
async fn whoever_shows_no_key_gets_a_page_that_asks_for_one_and_holds_nothing() {
    let desk = Desk::start(&[("API_KEYS", &format!("people={KEY}"))]).await;
    let id = Service::with_key(&desk.service.url, KEY).submit("AAPL", "2012-09-19", json!({})).await;
    for path in ["/", "/dashboard/workers", "/nowhere", &format!("/dashboard/jobs/{id}"), &format!("/jobs/{id}/report")]
    {
        let answer = desk.open(path).await;
        assert_eq!(answer.status(), StatusCode::UNAUTHORIZED, "{path}");
        assert_eq!(answer.headers()[header::WWW_AUTHENTICATE], "Bearer");
        let page = answer.text().await.unwrap();
        assert!(page.contains("id=\"key\"") && !page.contains("AAPL") && !page.contains(&id), "{page}");
    }
    let asked = Service::with_key(&desk.service.url, KEY).http.get(&desk.service.url).header(header::ACCEPT, BROWSER);
    assert!(asked.send().await.unwrap().text().await.unwrap().contains(&id));
}

#[tokio::test]
async fn what_is_not_there_is_a_page_for_people_and_a_problem_for_programs() {
    let desk = Desk::start(&[]).await;
    let failed = desk.service.submit("NOBODY", "2012-09-19", json!({})).await;
    desk.service.ended(&failed).await;
    let report = format!("/jobs/{failed}/report");
    for (path, status, words) in [
        ("/nowhere", StatusCode::NOT_FOUND, "There is nothing at /nowhere"),
        ("/jobs/%3Cb%3E/report", StatusCode::NOT_FOUND, "Job not found: &lt;b&gt;"),
        (&report, StatusCode::BAD_REQUEST, "Job is not completed (current status: failed)"),
    ] {
        let answer = desk.open(path).await;
        assert_eq!((answer.status(), &answer.headers()[header::CONTENT_TYPE]), (status, &HTML), "{path}");
        let page = answer.text().await.unwrap();
        assert!(page.contains(words) && page.contains("Back to the jobs"), "{page}");
        for accepted in ["*/*", "application/json", "application/json, text/html;q=0.9"] {
            let asked = desk.service.http.get(format!("{}{path}", desk.service.url)).header(header::ACCEPT, accepted);
            let answer = asked.send().await.unwrap();
            assert_eq!((answer.status(), &answer.headers()[header::CONTENT_TYPE]), (status, &PROBLEM), "{path}");
            assert_eq!(answer.json::<Value>().await.unwrap()["status"], status.as_u16(), "{path}");
        }
    }

    for path in ["/dashboard", "/dashboard/", "/dashboard/jobs", "/dashboard/batches"] {
        assert_eq!(desk.open(path).await.url().path(), "/", "{path}");
        assert_eq!(desk.service.get(path).await.0, StatusCode::NOT_FOUND, "{path}");
    }
}

#[tokio::test]
async fn that_a_worker_is_gone_is_seen_without_an_event() {
    let page = Desk::start(&[]).await.page("/").await;
    for part in ["depth", "workers"] {
        assert!(page.contains(&format!("id=\"{part}\" data-live data-every=\"10\"")), "{part} in {page}");
    }
}

#[tokio::test]
async fn the_form_begins_with_the_last_day_that_there_is_data_of() {
    let page = Desk::start(&[]).await.page("/").await;
    assert!(
        page.contains("name=\"date\" type=\"date\" required value=\"2013-03-01\""),
        "the sample's last day: {page}"
    );
}

#[tokio::test]
async fn what_all_pages_load_is_kept_by_browsers_until_it_changes() {
    let desk = Desk::start(&[("API_KEYS", &format!("people={KEY}"))]).await;
    for path in ["/dashboard/style.css", "/dashboard/script.js", "/dashboard/icon.svg"] {
        let first = desk.open(path).await;
        assert_eq!(
            (first.status(), &first.headers()[header::CACHE_CONTROL]),
            (StatusCode::OK, &"no-cache".parse().unwrap())
        );
        let tag = &first.headers()[header::ETAG];
        let again = desk.service.http.get(format!("{}{path}", desk.service.url)).header(header::IF_NONE_MATCH, tag);
        let again = again.send().await.unwrap();
        assert_eq!((again.status(), &again.headers()[header::ETAG]), (StatusCode::NOT_MODIFIED, tag));
    }
}

#[tokio::test]
async fn a_report_is_markdown_html_or_json_as_it_is_asked_for() {
    let desk = Desk::start(&[]).await;
    let id = desk.service.submit("AAPL", "2012-09-19", json!({})).await;
    desk.service.ended(&id).await;
    let path = format!("/jobs/{id}/report");
    let ask = async |accepted: &str| {
        let asked = desk.service.http.get(format!("{}{path}", desk.service.url)).header(header::ACCEPT, accepted);
        asked.send().await.unwrap()
    };
    for (accepted, kind) in [
        ("*/*", "text/markdown; charset=utf-8"),
        ("text/markdown", "text/markdown; charset=utf-8"),
        ("application/json, text/html;q=0.9, */*;q=0.8", "text/markdown; charset=utf-8"),
        ("application/json", "application/json"),
        (BROWSER, "text/html; charset=utf-8"),
    ] {
        let answer = ask(accepted).await;
        assert_eq!(
            (answer.status(), &answer.headers()[header::CONTENT_TYPE]),
            (StatusCode::OK, &kind.parse().unwrap())
        );
        assert_eq!(answer.headers()[header::VARY], "accept");
    }

    let answer = ask(BROWSER).await;
    let policy = answer.headers()[header::CONTENT_SECURITY_POLICY].to_str().unwrap().to_owned();
    assert!(policy.starts_with("default-src 'none'; style-src 'sha256-") && !policy.contains("unsafe"), "{policy}");
    let html = answer.text().await.unwrap();
    for shown in [
        "href=\"#evidence\"",
        "<svg role=\"img\"",
        "get_stock_data",
        "vendor sample",
        "no investment advice",
        "resistance",
    ] {
        assert!(html.contains(shown), "{shown}");
    }
    assert!(!html.contains("<script") && !html.contains("<link"), "it stands by itself");
    let kept = desk.sandbox.results().join("AAPL/2012-09-19");
    let files = std::fs::read_dir(kept).unwrap().map(|entry| entry.unwrap().path().join("report.html"));
    assert_eq!(files.filter_map(|file| std::fs::read_to_string(file).ok()).collect::<Vec<_>>(), [html]);
}

#[tokio::test]
async fn the_bars_of_a_result_end_with_the_day_of_the_analysis() {
    let desk = Desk::start(&[]).await;
    let id = desk.service.submit("AAPL", "2010-06-30", json!({})).await;
    desk.service.ended(&id).await;
    let (_, result) = desk.service.get(&format!("/jobs/{id}/result")).await;
    let days: Vec<_> = result["bars"].as_str().unwrap().lines().skip(1).map(|line| &line[..10]).collect();
    assert_eq!((days.len(), days.last()), (452, Some(&"2010-06-30")));
}

#[tokio::test]
async fn backtests_that_were_made_beside_the_service_are_shown_with_their_chart() {
    let desk = Desk::start(&[]).await;
    assert!(desk.page("/dashboard/backtests").await.contains("None yet"));
    let made = ["backtest", "AAPL", "--from", "2012-01-03", "--to", "2012-01-20", "--offline"];
    assert_eq!(desk.sandbox.run(&made).await.code, Some(0));

    let listed = desk.page("/dashboard/backtests").await;
    let link = listed.split("href=\"../").find(|rest| rest.starts_with("dashboard/backtests/AAPL")).unwrap();
    let page = desk.page(&format!("/{}", link.split('"').next().unwrap())).await;
    for shown in ["<polyline", "Buy &amp; Hold", "2012-01-03"] {
        assert!(page.contains(shown), "{shown} in {page}");
    }
    let nowhere = desk.open("/dashboard/backtests/..%2F..%2Fmemory").await;
    assert_eq!(nowhere.status(), StatusCode::NOT_FOUND);
}
