"""Submits a job, waits for its end and prints the decision: python analyze.py AAPL 2012-09-19"""

import datetime
import os
import sys
import time

from tradingagents_client import AuthenticatedClient
from tradingagents_client.api.jobs import get_job, get_result, submit_job
from tradingagents_client.models import JobRequest, Problem, Status

url = os.environ.get("TRADINGAGENTS_URL", "http://localhost:8000").rstrip("/")
ticker, date = sys.argv[1], datetime.date.fromisoformat(sys.argv[2])

with AuthenticatedClient(url, os.environ.get("TRADINGAGENTS_KEY", "none")) as client:
    job = submit_job.sync(client=client, body=JobRequest(ticker=ticker, date=date))
    if isinstance(job, Problem):
        sys.exit(job.detail)
    while (state := get_job.sync(job.job_id, client=client)).status in (Status.PENDING, Status.RUNNING):
        time.sleep(2)
    if state.status != Status.COMPLETED:
        sys.exit(f"{ticker} {date} is {state.status}: {state.error}")
    result = get_result.sync(job.job_id, client=client)
    print(f"{result.ticker} {result.date}: {result.decision} (rating {result.rating})")
