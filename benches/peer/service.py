"""The peer's API: the contract's first rows as a team that knows Python would write them.

FastAPI reads and answers, the job's record is a hash in Redis, and Celery has the job run.
"""

import re
from datetime import UTC, date, datetime
from typing import Annotated, Literal
from uuid import UUID, uuid4

from fastapi import FastAPI, HTTPException, Response
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator
from redis.asyncio import Redis

from tasks import REDIS_URL, run

TICKER = re.compile(r"^[A-Za-z0-9.^=-]{1,20}$")
JOB_TTL = 7 * 24 * 3600

Status = Literal["pending", "running", "completed", "failed"]
Rounds = Annotated[int, Field(ge=1, le=5)]

app = FastAPI()
redis = Redis.from_url(REDIS_URL, decode_responses=True)


class JobConfig(BaseModel):
    model_config = ConfigDict(extra="forbid")

    llm_provider: str | None = None
    deep_think_llm: str | None = None
    quick_think_llm: str | None = None
    backend_url: str | None = None
    max_debate_rounds: Rounds | None = None
    max_risk_discuss_rounds: Rounds | None = None
    selected_analysts: list[Literal["market", "social", "news", "fundamentals"]] | None = None


class Submission(BaseModel):
    model_config = ConfigDict(extra="forbid")

    ticker: Annotated[str, StringConstraints(pattern=TICKER.pattern, to_upper=True)]
    date: date
    config: JobConfig | None = None

    @field_validator("date")
    @classmethod
    def not_in_future(cls, day: date) -> date:
        if day > datetime.now(UTC).date():
            raise ValueError("is in the future")
        return day


class Accepted(BaseModel):
    job_id: UUID
    status: Status
    created_at: datetime
    ticker: str
    date: date


class Job(Accepted):
    started_at: datetime | None = None
    completed_at: datetime | None = None
    error: str | None = None
    error_type: str | None = None
    retry_count: int = 0


class Result(BaseModel):
    job_id: UUID
    ticker: str
    date: date
    decision: str
    final_state: dict[str, str]
    reports: dict[str, str]


@app.post("/jobs", status_code=202)
async def submit(submission: Submission, response: Response) -> Accepted:
    accepted = Accepted(
        job_id=uuid4(), status="pending", created_at=datetime.now(UTC), ticker=submission.ticker, date=submission.date
    )
    record = accepted.model_dump(mode="json")
    if submission.config:
        record["config"] = submission.config.model_dump_json(exclude_none=True)
    key = f"job:{accepted.job_id}"
    async with redis.pipeline(transaction=True) as pipeline:
        await pipeline.hset(key, mapping=record).expire(key, JOB_TTL).execute()
    # One write to a Redis beside it: a thread for it costs more than it takes.
    run.apply_async((str(accepted.job_id),))
    response.headers["Location"] = f"/jobs/{accepted.job_id}"
    response.headers["Retry-After"] = "5"
    return accepted


async def find(job_id: UUID) -> dict[str, str]:
    record = await redis.hgetall(f"job:{job_id}")
    if not record:
        raise HTTPException(404, {"error": f"Job not found: {job_id}", "job_id": str(job_id)})
    return record


@app.get("/jobs/{job_id}")
async def status(job_id: UUID) -> Job:
    return Job.model_validate(await find(job_id))


@app.get("/jobs/{job_id}/result")
async def result(job_id: UUID) -> Result:
    record = await find(job_id)
    if record["status"] != "completed":
        raise HTTPException(400, f"Job is not completed (current status: {record['status']})")
    return Result.model_validate(record | {"final_state": {}, "reports": {}})


@app.get("/health")
async def health() -> dict[str, str]:
    await redis.ping()
    return {"status": "healthy"}
