"""Jobs and what they reported."""

from typing import Final

from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, Text

from api.store.column import Instant, Json, Long, Real
from api.store.tables.meta import one_of, table, unique

JOBS: Final = table(
    "jobs",
    Column("job_id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("unit_code", Text, nullable=False, server_default=""),
    Column("state", Text, nullable=False),
    Column("request", Json, nullable=False),
    Column("seed", Long, nullable=False, server_default="0"),
    Column("input_hash", Text, nullable=False),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("worker_id", Text),
    Column("lease_until", Instant),
    Column("heartbeat", Long, nullable=False, server_default="0"),
    Column("cancel", Text),
    Column("step", Text),
    Column("done", Integer, nullable=False, server_default="0"),
    Column("total", Integer, nullable=False, server_default="0"),
    Column("best", Real),
    Column("result", Json),
    Column("result_hash", Text),
    Column("error", Json),
    Column("created_at", Instant, nullable=False),
    Column("started_at", Instant),
    Column("finished_at", Instant),
    Column("version", Integer, nullable=False, server_default="1"),
    unique("job_id"),
    Index(None, "state", "fid"),
    one_of("state", "queued", "running", "done", "failed", "cancelled"),
    one_of("cancel", "drop", "keep_best"),
)
"""``cancel`` is what was asked for: drop everything, or keep the best plan so far.

``error`` is a code and its parameters, never a sentence; ``heartbeat`` only ever grows, so that a
clock set back cannot make a living worker look dead.
"""

JOB_EVENTS: Final = table(
    "job_events",
    Column("job_id", Text, ForeignKey("jobs.job_id"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("at", Instant, nullable=False),
    Column("event", Text, nullable=False),
    Column("data", Json, nullable=False),
    Column("is_last", Boolean, nullable=False),
    unique("job_id", "number"),
)
"""What a job reported, numbered from 1 without a hole: replayed to whoever asks again."""
