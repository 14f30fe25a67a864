"""The peer's worker: a Celery task that does nothing but say that it began and that it ended."""

import os
from datetime import UTC, datetime

from celery import Celery
from redis import Redis

REDIS_URL = os.environ["REDIS_URL"]

celery = Celery("tasks", broker=REDIS_URL)
celery.conf.update(
    # The job's record holds what became of it, so Celery's own results would be kept for nobody.
    task_ignore_result=True,
    # A task whose worker dies comes again, as the contract has it.
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    broker_connection_retry_on_startup=True,
)

redis = Redis.from_url(REDIS_URL, decode_responses=True)


def now() -> str:
    return datetime.now(UTC).isoformat()


@celery.task(name="run")
def run(job_id: str) -> None:
    key = f"job:{job_id}"
    redis.hset(key, mapping={"status": "running", "started_at": now()})
    redis.hset(key, mapping={"status": "completed", "completed_at": now(), "decision": "HOLD"})
