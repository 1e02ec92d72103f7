"""A job of the store done by a command, its progress shown as it comes."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from geo.errors import Stopped

if TYPE_CHECKING:
    from api.cli.session import Session
    from api.store import Store
    from geo.progress import StopToken


def run_here(
    session: "Session",
    store: "Store",
    stop: "StopToken",
    kind: str,
    request: Mapping[str, Any],
) -> Mapping[str, Any]:
    """Run a job in its child process and return its result, or raise what it ended with."""
    from api.jobs import enqueue  # noqa: PLC0415
    from api.jobs.fault import error_of  # noqa: PLC0415
    from api.jobs.run import run_job  # noqa: PLC0415

    job_id = store.write(lambda connection: enqueue(connection, kind=kind, request=request))
    setting, settings = session.settings.store, session.settings
    job = run_job(store, setting, job_id, session.steps, stop, settings=settings)
    error = error_of(job)
    if error is not None:
        raise error
    if job.result is None:
        raise Stopped(step=kind)
    return job.result
