#!/usr/bin/env python3
"""Takes the pictures of the pages in docs/pictures from the running program.

    apt-get install fonts-inter fonts-noto-core   # the fonts that the pages look best in
    tests/browser/run                             # installs the browser and what drives it, and builds the program
    target/browser/tools/bin/python docs/pictures.py
"""

import json
import time
import urllib.request
from pathlib import Path

from scripted import Team  # first: it says where the stage is
from playwright.sync_api import expect
from stage import browser, ended, post, service, slow, window

FOLDER = Path(__file__).resolve().parent / "pictures"
DESK, PHONE = 1180, 390

# Jobs that are over, as (ticker, date): by the rules, which need no model.
OVER = [("IBM", "2012-03-14"), ("GOOG", "2011-08-19"), ("MSFT", "2009-03-10"), ("NOBODY", "2012-09-19"), ("IBM", "2008-10-10"),
        ("AAPL", "2012-11-15"), ("IBM", "2013-01-23")]


def take(page, name, height, width=DESK):
    page.set_viewport_size({"width": width, "height": height})
    page.screenshot(path=FOLDER / f"{name}.png")


def get(url, path):
    return json.load(urllib.request.urlopen(urllib.request.Request(url + path, headers={"accept": "application/json"})))


def submit(url, ticker, date, **config):
    return post(url, "/jobs", {"ticker": ticker, "date": date, "config": config})["job_id"]


def until(holds):
    """Waits for what no event of a job tells, such as the next heartbeat of a worker."""
    for _ in range(600):
        if holds():
            return
        time.sleep(0.1)
    raise AssertionError("it never came to that")


def main():
    FOLDER.mkdir(exist_ok=True)
    team = Team(held=["AAPL Bear Researcher 2", "MSFT News Analyst 1"])
    with browser() as chromium, service(**slow(team), WORKER_CONCURRENCY=2, LLM_CONCURRENCY=8) as url, window(chromium, url) as seen:
        for ticker, date in OVER:
            ended(url, submit(url, ticker, date, llm_provider="rules"))
        debated = submit(url, "AAPL", "2012-09-19", max_debate_rounds=2)
        begun = submit(url, "MSFT", "2012-09-19")
        waiting = [submit(url, ticker, "2012-09-19") for ticker in ("GOOG", "IBM", "MSFT")]
        urllib.request.urlopen(urllib.request.Request(f"{url}/jobs/{waiting[-1]}", method="DELETE"))

        page = seen.open(f"/dashboard/jobs/{debated}")
        expect(page.locator("#research .conversation > li")).to_have_count(3, timeout=60_000)
        expect(page.locator("[data-agent=BearResearcher]")).to_have_attribute("data-state", "working")
        until(lambda: {debated, begun} == {job for worker in get(url, "/workers")["workers"] for job in worker["running"]})
        page = seen.open("/")
        expect(page.locator("#link")).to_have_attribute("data-state", "live")
        take(page, "dashboard", 760)
        page = seen.open(f"/dashboard/jobs/{debated}")
        expect(page.locator("#link")).to_have_attribute("data-state", "live")
        for report in page.locator("#analysts summary").all():
            report.click()  # folded, so that the debate is in the picture
        take(page, "job", 1180)
        take(page, "phone", 844, PHONE)

        team.release()
        ended(url, debated)
        take(seen.open(f"/jobs/{debated}/report"), "report", 2000)


main()
