"""What people do with the pages. Run by tests/browser/run; arguments name the stories to run."""

import faulthandler
import sys
import time
from tempfile import TemporaryDirectory

from playwright.sync_api import expect

from stage import HOSTILE, PICTURES, Model, backtest, browser, ended, get, post, service, slow, window

KEY = "people-0123456789abcdef"

# A story that takes so many seconds hangs. Then it is said where, and the run ends.
LONG = 90


def submit(page, ticker, date="2012-09-19"):
    page.get_by_label("Ticker, or several").fill(ticker)
    page.get_by_label("Date of analysis").fill(date)
    page.get_by_role("button", name="Analyse").click()


def a_job_is_submitted_in_the_form_and_seen_to_its_end(chromium):
    model = Model(permits=0)
    with service(**slow(model)) as url, window(chromium, url) as seen:
        page = seen.open("/")
        submit(page, "AAPL")
        page.wait_for_url("**/dashboard/jobs/*")
        expect(page.locator("#link")).to_have_attribute("data-state", "live")
        expect(page.locator("[data-agent=MarketAnalyst]")).to_have_attribute("data-state", "working")
        expect(page.locator("[data-agent=Trader]")).to_have_attribute("data-state", "waiting")
        seen.check("job-running-desktop")
        model.allow(4)
        expect(page.locator("[data-agent=BullResearcher]")).to_have_attribute("data-state", "working")
        expect(page.locator("[data-agent=MarketAnalyst]")).to_have_attribute("data-state", "done")
        expect(page.locator("#said-MarketAnalyst strong")).to_have_text("momentum")
        page.locator("#said-MarketAnalyst summary").click()
        model.allow(1)
        expect(page.locator("#research .side-0")).to_contain_text("support holds")
        expect(page.locator("#said-MarketAnalyst strong")).to_be_hidden()
        seen.check("job-debating-desktop")
        model.allow(100)
        expect(page.locator("[data-agent=PortfolioManager]")).to_have_attribute("data-state", "done")
        expect(page.locator("#status")).to_contain_text("completed")
        expect(page.locator("#outcome .decision")).to_have_text("▲BUY")
        expect(page.locator("#chart svg")).to_be_visible()
        page.get_by_role("link", name="Report").click()
        expect(page.get_by_role("heading", name="AAPL 2012-09-19")).to_be_visible()
        expect(page.get_by_text("It is no investment advice").first).to_be_visible()
        page.get_by_role("navigation", name="Contents").get_by_role("link", name="Evidence").click()
        expect(page.locator("#evidence")).to_be_in_viewport()


def a_phone_submits_a_job_too(chromium):
    with service() as url, window(chromium, url, width=390) as seen:
        page = seen.open("/")
        order = page.locator(".columns > *").evaluate_all("all => all.map(part => part.getBoundingClientRect().top)")
        assert order == sorted(order), f"what is read first stands first: {order}"
        expect(page.get_by_text("live", exact=True)).to_have_text("live")
        submit(page, "AAPL")
        page.wait_for_url("**/dashboard/jobs/*")
        expect(page.locator("#status")).to_contain_text("completed")


def two_clicks_and_a_lost_answer_are_one_job(chromium):
    with service() as url, window(chromium, url, silent=["ERR_FAILED"]) as seen:
        page = seen.open("/")
        sent = []

        def lose(route):
            sent.append(route.request)
            route.fetch()
            route.abort()

        page.route("**/jobs", lose)
        page.get_by_label("Ticker, or several").fill("AAPL")
        page.get_by_label("Date of analysis").fill("2012-09-19")
        page.get_by_role("button", name="Analyse").dblclick()
        expect(page.locator("#e-form")).to_contain_text("it is the same job")
        assert len(sent) == 1, f"{len(sent)} requests"
        page.unroute("**/jobs")
        page.get_by_role("button", name="Analyse").click()
        page.wait_for_url("**/dashboard/jobs/*")
        assert len(get(url, "/jobs")["jobs"]) == 1


def what_can_not_be_done_is_said_by_the_buttons(chromium):
    model = Model(permits=0)
    with service(**slow(model)) as url, window(chromium, url, silent=["409", "ERR_FAILED"]) as seen:
        job = post(url, "/jobs", {"ticker": "AAPL", "date": "2012-09-19"})["job_id"]
        page = seen.open(f"/dashboard/jobs/{job}")
        page.on("dialog", lambda dialog: dialog.accept())
        cancel = page.get_by_role("button", name="Cancel")
        page.route(f"**/jobs/{job}", lambda route: route.abort() if route.request.method == "DELETE" else route.continue_())
        cancel.click()
        expect(page.get_by_role("alert").filter(has_text="can't be reached")).to_be_visible()
        expect(cancel).to_be_enabled()
        page.unroute(f"**/jobs/{job}")
        refused = '{"detail": "Job has already ended"}'
        page.route(f"**/jobs/{job}", lambda route: route.fulfill(status=409, body=refused))
        cancel.click()
        expect(page.get_by_role("alert").filter(has_text="Job has already ended")).to_be_visible()
        expect(cancel).to_be_enabled()


def the_focus_stays_where_it_is_when_the_page_changes(chromium):
    with service() as url, window(chromium, url) as seen:
        page = seen.open("/")
        expect(page.locator("#link")).to_have_attribute("data-state", "live")
        # One that has an id, and one that has none.
        for focused, changed in (("#tab-failed", "AAPL"), ("#workers-title a", "MSFT")):
            page.locator(focused).focus()
            page.locator(focused).evaluate("link => { link.closest('[data-live]').dataset.seen = 'old' }")
            # What it is within is made anew, whether the service says so in time or not.
            page.evaluate("known.clear()")
            post(url, "/jobs", {"ticker": changed, "date": "2012-09-19"})
            expect(page.locator(".jobs tbody tr").filter(has_text=changed)).to_contain_text("completed")
            expect(page.locator("[data-seen]")).to_have_count(0)
            expect(page.locator(focused)).to_be_focused()


def a_tab_that_nobody_sees_holds_no_stream(chromium):
    with service() as url, window(chromium, url) as seen:
        page = seen.open("/")
        link = page.locator("#link")
        expect(link).to_have_attribute("data-state", "live")
        with page.expect_event("requestfailed", lambda request: request.url.endswith("/events")):
            show(page, hidden=True)
        job = post(url, "/jobs", {"ticker": "AAPL", "date": "2012-09-19"})["job_id"]
        ended(url, job)
        with page.expect_request("**/events"):
            show(page, hidden=False)
        expect(page.locator(".jobs tbody tr")).to_contain_text("completed")
        expect(link).to_have_attribute("data-state", "live")


def show(page, hidden):
    """Tells the page that its tab is seen, or that it is not."""
    page.evaluate("""hidden => {
        Object.defineProperty(document, "hidden", {value: hidden, configurable: true});
        document.dispatchEvent(new Event("visibilitychange"));
    }""", hidden)


def a_look_that_failed_is_repeated(chromium):
    model = Model(permits=0)
    with service(**slow(model)) as url, window(chromium, url, silent=["503"]) as seen:
        batch = post(url, "/batches", {"tickers": ["AAPL"], "date": "2012-09-19"})["batch_id"]
        page = seen.open(f"/dashboard/batches/{batch}")
        expect(page.locator("#link")).to_have_attribute("data-state", "live")
        page.route(f"**/batches/{batch}", lambda route: route.fulfill(status=503))
        model.allow(100)
        expect(page.locator("#news")).to_contain_text("completed")
        # Nothing happens any more, so nothing but its failure asks for another look.
        page.wait_for_event("response", lambda answer: answer.status == 503)
        page.unroute(f"**/batches/{batch}")
        expect(page.locator("table.jobs tbody tr").filter(has_text="completed")).to_have_count(1)


def a_page_hears_of_its_own_jobs_alone(chromium):
    model = Model(permits=0)
    with service(**slow(model)) as url, window(chromium, url) as seen:
        batch = post(url, "/batches", {"tickers": ["AAPL", "MSFT"], "date": "2012-09-19"})
        failed = """job => {
            const event = {type: "failed", data: {job_id: job}};
            tell(event);
            return [concerns(event), document.getElementById("news").textContent];
        }"""
        page = seen.open(f"/dashboard/batches/{batch['batch_id']}")
        assert page.evaluate(failed, "another") == [False, ""]
        assert page.evaluate(failed, batch["jobs"][1]["job_id"]) == [True, "MSFT failed"]
        page = seen.open("/dashboard/workers")
        assert page.evaluate(failed, "another") == [True, ""]


def another_is_cancelled_and_a_third_tried_again(chromium):
    model = Model(permits=0)
    with service(**slow(model)) as url, window(chromium, url) as seen:
        page = seen.open("/")
        submit(page, "MSFT")
        page.wait_for_url("**/dashboard/jobs/*")
        expect(page.locator("#status")).to_contain_text("running")
        page.once("dialog", lambda dialog: dialog.accept())
        page.get_by_role("button", name="Cancel").click()
        expect(page.locator("#status")).to_contain_text("cancelled")
        expect(page.get_by_role("button", name="Cancel")).to_have_count(0)
        failed = post(url, "/jobs", {"ticker": "NOBODY", "date": "2012-09-19"})["job_id"]
        ended(url, failed)
        page = seen.open(f"/dashboard/jobs/{failed}")
        expect(page.get_by_text("Look at the symbol and the date")).to_be_visible()
        seen.check("job-failed-desktop")
        page.get_by_role("button", name="Try again").click()
        expect(page.locator("#outcome")).to_contain_text("attempt 2")


def the_table_follows_what_happens_and_can_be_filtered(chromium):
    with service() as url, window(chromium, url) as seen:
        page = seen.open("/")
        expect(page.locator("#link")).to_have_attribute("data-state", "live")
        for ticker in ("AAPL", "MSFT", "NOBODY"):
            post(url, "/jobs", {"ticker": ticker, "date": "2012-09-19"})
        rows = page.locator("table.jobs tbody tr")
        expect(rows).to_have_count(3)
        expect(rows.filter(has_text="AAPL")).to_contain_text("completed")
        expect(rows.filter(has_text="AAPL")).to_contain_text("Overweight")
        expect(rows.filter(has_text="NOBODY")).to_contain_text("failed")
        search = page.get_by_role("searchbox", name="Ticker or job id")
        search.fill("msft")
        page.get_by_role("button", name="Filter").click()
        expect(rows).to_have_count(1)
        expect(rows).to_contain_text("MSFT")
        job = rows.get_attribute("data-job")
        page.get_by_role("link", name="Clear").click()
        expect(rows).to_have_count(3)
        search.fill(job)
        page.get_by_role("button", name="Filter").click()
        page.wait_for_url(f"**/dashboard/jobs/{job}")
        page = seen.open("/")
        page.get_by_role("navigation", name="Jobs by status").get_by_role("link", name="failed").click()
        expect(rows).to_have_count(1)
        expect(rows).to_contain_text("NOBODY")


def what_is_wrong_in_the_form_is_told_beside_the_field(chromium):
    with service() as url, window(chromium, url, silent=["422"]) as seen:
        page = seen.open("/")
        page.get_by_role("button", name="Analyse").click()
        expect(page.get_by_label("Ticker, or several")).to_be_focused()
        expect(page.locator("#e-ticker")).not_to_be_empty()
        page.get_by_text("Advanced").click()
        page.get_by_label("URL of the provider").fill("http://u:p@127.0.0.1/")
        submit(page, "AAPL")
        expect(page.locator("#e-backend_url")).to_contain_text("would end up in logs")
        expect(page.get_by_label("URL of the provider")).to_be_focused()
        seen.check("form-desktop")


def several_tickers_are_a_batch(chromium):
    with service() as url, window(chromium, url) as seen:
        page = seen.open("/")
        submit(page, "aapl, msft ibm")
        page.wait_for_url("**/dashboard/batches/*")
        expect(page.locator("table.jobs tbody tr")).to_have_count(3)
        expect(page.locator("#batch .titled")).to_contain_text("completed")
        expect(page.get_by_role("list", name="Decisions")).to_contain_text("BUY")
        expect(page.get_by_role("button", name="Cancel all")).to_have_count(0)
        seen.check("batch-desktop")


def a_batch_is_cancelled_as_a_whole(chromium):
    model = Model(permits=0)
    with service(**slow(model)) as url, window(chromium, url) as seen:
        batch = post(url, "/batches", {"tickers": ["AAPL", "MSFT", "IBM"], "date": "2012-09-19"})["batch_id"]
        page = seen.open(f"/dashboard/batches/{batch}")
        page.once("dialog", lambda dialog: dialog.accept())
        page.get_by_role("button", name="Cancel all").click()
        expect(page.locator("table.jobs tbody tr").filter(has_text="cancelled")).to_have_count(3)
        expect(page.get_by_role("button", name="Cancel all")).to_have_count(0)


def everything_can_be_done_by_keyboard(chromium):
    with service() as url, window(chromium, url) as seen:
        page = seen.open("/")
        page.keyboard.press("Tab")
        expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
        page.keyboard.press("Enter")
        for _ in range(40):
            page.keyboard.press("Tab")
            if page.evaluate("document.activeElement.id") == "f-ticker":
                break
        page.keyboard.type("AAPL")
        page.keyboard.press("Tab")
        page.keyboard.type("09192012")
        page.keyboard.press("Enter")
        page.wait_for_url("**/dashboard/jobs/*")
        expect(page.locator("#status")).to_contain_text("completed")
        report = page.get_by_role("link", name="Report")
        expect(report).to_be_visible()
        for _ in range(12):
            page.keyboard.press("Tab")
            if report.evaluate("link => link === document.activeElement"):
                break
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name="AAPL 2012-09-19")).to_be_visible()


def whoever_has_a_key_enters_it_once(chromium):
    with service(API_KEYS=f"people={KEY}") as url, window(chromium, url, silent=["401"]) as seen:
        job = post(url, "/jobs", {"ticker": "AAPL", "date": "2012-09-19"}, KEY)["job_id"]
        ended(url, job, KEY)
        page = seen.open("/")
        seen.check("key-desktop")
        page.get_by_label("Key", exact=True).fill("wrong-0123456789abcdef")
        page.get_by_role("button", name="Open").click()
        expect(page.get_by_text("not one of the service's")).to_be_visible()
        page.get_by_label("Key", exact=True).fill(KEY)
        page.get_by_role("button", name="Open").click()
        page.get_by_role("link", name="AAPL").click()
        expect(page.locator("#outcome .decision")).to_have_text("▲BUY")
        page.get_by_role("link", name="Report").click()
        expect(page.locator("#evidence")).to_be_visible()
        assert page.evaluate("getComputedStyle(document.querySelector('nav ol')).listStyleType") == "none"
        page.go_back()
        page.go_back()
        submit(page, "MSFT")
        expect(page.locator("#status")).to_contain_text("completed")


def with_a_key_only_pages_are_read_as_pages(chromium):
    model = Model()
    model.says = "<meta http-equiv=refresh content='0;url=/nowhere'><button data-path=/jobs data-method=POST>Press me</button>"
    settings = slow(model) | {"API_KEYS": f"people={KEY}"}
    with service(**settings) as url, window(chromium, url, silent=["401", "404"]) as seen:
        job = post(url, "/jobs", {"ticker": "AAPL", "date": "2012-09-19"}, KEY)["job_id"]
        ended(url, job, KEY)
        page = seen.open(f"/jobs/{job}/result")
        page.get_by_label("Key", exact=True).fill(KEY)
        page.get_by_role("button", name="Open").click()
        expect(page.locator("pre.raw")).to_contain_text("<button data-path=/jobs")
        seen.check("result-with-a-key", picture=False)
        for path in (f"/jobs/{job}/result", "/jobs/%3Cbutton%20data-path=%2Fjobs%20data-method=POST%3EPress%20me%3C%2Fbutton%3E"):
            page = seen.open(path)
            expect(page.locator("main")).to_contain_text("Press me")
            assert page.locator("main button, main meta, main script").count() == 0, path
            assert page.url == url + path, page.url
        page = seen.open("/events")
        expect(page.locator("pre.raw")).to_contain_text("a stream of events")
        page = seen.open("/dashboard")
        expect(page.get_by_role("link", name="AAPL")).to_be_visible()
        assert page.url == f"{url}/", page.url


def who_looks_for_what_is_not_there_finds_the_way_back(chromium):
    with service() as url, window(chromium, url, silent=["404", "400"]) as seen:
        page = seen.open("/nowhere")
        expect(page.get_by_role("heading", name="Not Found")).to_be_visible()
        failed = post(url, "/jobs", {"ticker": "NOBODY", "date": "2012-09-19"})["job_id"]
        ended(url, failed)
        page = seen.open(f"/jobs/{failed}/report")
        expect(page.get_by_text("Job is not completed")).to_be_visible()
        seen.check("no-report-desktop")
        page.get_by_role("link", name="To the job", exact=True).click()
        page.wait_for_url(f"**/dashboard/jobs/{failed}")


def the_words_of_a_model_are_seen_while_it_writes(chromium):
    model = Model(permits=0)
    with service(**slow(model)) as url, window(chromium, url) as seen:
        job = post(url, "/jobs", {"ticker": "AAPL", "date": "2012-09-19"})["job_id"]
        page = seen.open(f"/dashboard/jobs/{job}")
        market, news = (page.locator(f"[data-agent={name}]") for name in ("MarketAnalyst", "NewsAnalyst"))
        expect(market).to_have_attribute("data-state", "working")
        expect(news).to_have_attribute("data-state", "working")
        height = "card => card.getBoundingClientRect().height"
        before = market.evaluate(height)
        writes = "([agent, text, characters]) => takeDraft({data: {data: {agent, text, characters}}})"
        # The agents themselves report once, after half a second, that nothing is written yet.
        page.wait_for_timeout(700)
        page.evaluate(writes, ["news_analyst", "", 0])
        expect(news.locator(".count")).to_have_text("thinking…")
        page.evaluate(writes, ["market_analyst", f"The trend is up.\n\n{HOSTILE} " * 3, 1234])
        expect(market.locator(".draft")).to_contain_text("The trend is up.")
        expect(market.locator(".count")).to_have_text("writing… 1,234 characters")
        assert market.evaluate(height) == before, "nothing moves"
        assert market.locator(".draft *").count() == 3, "the words of a model are a text"
        assert page.evaluate("window.hacked") is None
        seen.check("job-writing-desktop")
        # A card that is made anew gets its draft back.
        market.evaluate("card => card.setAttribute('data-old', '')")
        page.evaluate("known.clear(); outOfDate(0)")
        expect(market).not_to_have_attribute("data-old", "")
        expect(market.locator(".draft")).to_contain_text("The trend is up.")
        page.evaluate("endDrafts({type: 'model_answered', data: {data: {agent: 'market_analyst'}}})")
        expect(market.locator(".draft")).to_have_text("")
        expect(news.locator(".count")).to_have_text("thinking…")
        model.allow(4)
        expect(market).to_have_attribute("data-state", "done")
        expect(market.locator(".draft")).to_have_count(0)
        model.allow(100)


def what_models_say_can_do_nothing(chromium):
    model = Model()
    model.says = HOSTILE
    with service(**slow(model)) as url, window(chromium, url) as seen:
        job = post(url, "/jobs", {"ticker": "AAPL", "date": "2012-09-19"})["job_id"]
        ended(url, job)
        for path in (f"/dashboard/jobs/{job}", f"/jobs/{job}/report"):
            page = seen.open(path)
            expect(page.get_by_text("<script>window.hacked = 1</script>").first).to_be_visible()
            assert page.evaluate("window.hacked") is None
            assert page.locator("main img, main script").count() == 0
            links = page.locator("main .prose a").evaluate_all("all => all.map(a => [a.getAttribute('href'), a.rel])")
            assert links and all(link == ["https://example.com/", "noopener nofollow noreferrer"] for link in links), links


def every_page_is_fit_for_all_in_light_and_dark_on_desk_and_phone(chromium):
    with TemporaryDirectory() as results, service(RESULTS_DIR=results) as url:
        name = backtest(results)
        for ticker in ("IBM", "NOBODY", "AAPL"):
            job = post(url, "/jobs", {"ticker": ticker, "date": "2012-09-19", "config": {"max_debate_rounds": 2}})["job_id"]
            ended(url, job)
        batch = post(url, "/batches", {"tickers": ["MSFT", "GOOG", "NOBODY"], "date": "2012-09-19"})
        for part in batch["jobs"]:
            ended(url, part["job_id"])
        pages = {"jobs": "/", "job": f"/dashboard/jobs/{job}", "batch": f"/dashboard/batches/{batch['batch_id']}",
                 "workers": "/dashboard/workers", "backtests": "/dashboard/backtests",
                 "backtest": f"/dashboard/backtests/{name}", "report": f"/jobs/{job}/report"}
        for scheme in ("light", "dark"):
            for device, width in (("desktop", 1280), ("phone", 390)):
                with window(chromium, url, width=width, scheme=scheme) as seen:
                    for name, path in pages.items():
                        seen.open(path)
                        seen.check(f"{name}-{device}-{scheme}")


STORIES = [
    a_page_hears_of_its_own_jobs_alone,
    a_job_is_submitted_in_the_form_and_seen_to_its_end,
    a_phone_submits_a_job_too,
    two_clicks_and_a_lost_answer_are_one_job,
    what_can_not_be_done_is_said_by_the_buttons,
    the_focus_stays_where_it_is_when_the_page_changes,
    a_tab_that_nobody_sees_holds_no_stream,
    a_look_that_failed_is_repeated,
    another_is_cancelled_and_a_third_tried_again,
    the_table_follows_what_happens_and_can_be_filtered,
    what_is_wrong_in_the_form_is_told_beside_the_field,
    several_tickers_are_a_batch,
    a_batch_is_cancelled_as_a_whole,
    everything_can_be_done_by_keyboard,
    whoever_has_a_key_enters_it_once,
    with_a_key_only_pages_are_read_as_pages,
    who_looks_for_what_is_not_there_finds_the_way_back,
    the_words_of_a_model_are_seen_while_it_writes,
    what_models_say_can_do_nothing,
    every_page_is_fit_for_all_in_light_and_dark_on_desk_and_phone,
]


def main():
    chosen = [story for story in STORIES if not sys.argv[1:] or story.__name__ in sys.argv[1:]]
    PICTURES.mkdir(parents=True, exist_ok=True)
    failed = 0
    with browser() as chromium:
        for story in chosen:
            began = time.monotonic()
            faulthandler.dump_traceback_later(LONG, exit=True)
            try:
                story(chromium)
                print(f"ok {story.__name__} ({time.monotonic() - began:.1f} s)", flush=True)
            except Exception as error:
                failed += 1
                print(f"FAILED {story.__name__}: {error!r}"[:1000], flush=True)
    faulthandler.cancel_dump_traceback_later()
    print(f"{len(chosen) - failed} of {len(chosen)} stories passed")
    return bool(failed)


sys.exit(main())
