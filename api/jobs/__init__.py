"""Durable jobs: put in with the write they belong to, done once, whoever is killed meanwhile."""

from api.jobs.job import Context, Event, Job, Outcome
from api.jobs.table import ask_cancel, enqueue, events_after, jobs_page, read_job

__all__ = [
    "Context",
    "Event",
    "Job",
    "Outcome",
    "ask_cancel",
    "enqueue",
    "events_after",
    "jobs_page",
    "read_job",
]
