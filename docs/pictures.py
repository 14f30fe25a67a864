#!/usr/bin/env python3
"""Takes the pictures of the pages in docs/pictures from the running program.

    tests/browser/run          # installs the browser and what drives it, and builds the program
    target/browser/tools/bin/python docs/pictures.py
"""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "browser"))

from playwright.sync_api import expect  # noqa: E402
from stage import Model, browser, ended, post, service, slow, window  # noqa: E402

FOLDER = ROOT / "docs" / "pictures"


def take(page, name, height):
    page.set_viewport_size({"width": 1180, "height": height})
    page.screenshot(path=FOLDER / f"{name}.png")


def main():
    FOLDER.mkdir(exist_ok=True)
    model = Model(permits=0)
    with browser() as chromium, service(**slow(model)) as url, window(chromium, url) as seen:
        rules = {"llm_provider": "rules"}
        for ticker, date in [("IBM", "2012-03-14"), ("GOOG", "2011-08-19"), ("MSFT", "2009-03-10"), ("NOBODY", "2012-09-19"),
                             ("AAPL", "2012-09-19"), ("AAPL", "2012-11-15"), ("IBM", "2013-01-23")]:
            job = post(url, "/jobs", {"ticker": ticker, "date": date, "config": rules})["job_id"]
            ended(url, job)
            if (ticker, date) == ("AAPL", "2012-09-19"):
                shown = job
        running = post(url, "/jobs", {"ticker": "MSFT", "date": "2012-09-19"})["job_id"]
        post(url, "/jobs", {"ticker": "GOOG", "date": "2012-09-19"})
        post(url, "/jobs", {"ticker": "AAPL", "date": "2013-01-25"})
        model.allow(6)
        page = seen.open(f"/dashboard/jobs/{running}")
        expect(page.locator("[data-agent=MarketAnalyst]")).to_have_attribute("data-state", "working")
        page = seen.open("/")
        expect(page.locator("#link")).to_have_attribute("data-state", "live")
        take(page, "dashboard", 620)
        take(seen.open(f"/dashboard/jobs/{shown}"), "job", 1180)
        take(seen.open(f"/jobs/{shown}/report"), "report", 1000)


main()
