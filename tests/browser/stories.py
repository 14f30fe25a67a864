"""What people do with the pages. Run by tests/browser/run; arguments name the stories to run."""

import sys
import time
from tempfile import TemporaryDirectory

from playwright.sync_api import expect

from stage import HOSTILE, PICTURES, Model, backtest, browser, ended, post, service, slow, window

KEY = "people-0123456789abcdef"


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
        expect(page.locator("#outcome")).to_contain_text("NOBODY")


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
        page.get_by_role("searchbox", name="Ticker").fill("msft")
        page.get_by_role("button", name="Filter").click()
        expect(rows).to_have_count(1)
        expect(rows).to_contain_text("MSFT")
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
        page.get_by_text("Settings of the job").click()
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
        seen.check("batch-desktop")


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
    a_job_is_submitted_in_the_form_and_seen_to_its_end,
    another_is_cancelled_and_a_third_tried_again,
    the_table_follows_what_happens_and_can_be_filtered,
    what_is_wrong_in_the_form_is_told_beside_the_field,
    several_tickers_are_a_batch,
    everything_can_be_done_by_keyboard,
    whoever_has_a_key_enters_it_once,
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
            try:
                story(chromium)
                print(f"ok {story.__name__} ({time.monotonic() - began:.1f} s)", flush=True)
            except Exception as error:
                failed += 1
                print(f"FAILED {story.__name__}: {error!r}"[:1000], flush=True)
    print(f"{len(chosen) - failed} of {len(chosen)} stories passed")
    return bool(failed)


sys.exit(main())
