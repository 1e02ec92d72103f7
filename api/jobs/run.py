"""One job on the command line: the same worker process, its progress shown as it comes."""

import time
from contextlib import ExitStack
from typing import Final, Self

from api.jobs.job import PROGRESS, Event, Job
from api.jobs.supervisor import Supervisor
from api.jobs.table import ask_cancel, events_after, read_job
from api.settings import Settings
from api.store import Store
from geo.errors import StateConflict
from geo.progress import Progress, Steps, StopToken, silent

PAUSE: Final = 0.1
"""Seconds between two looks at the job."""


def run_job(
    store: Store,
    setting: str,
    job_id: str,
    steps: Steps,
    stop: StopToken,
    *,
    settings: Settings | None = None,
) -> Job:
    """Run a queued job here and return it once it ended; `api.jobs.fault.error_of` says how.

    A supervisor that took it first is followed instead.

    Parameters
    ----------
    store : Store
    setting : str
        The same store, as `api.store.open_store` takes it.
    job_id : str
    steps : Steps
        Told the job's steps, one after another.
    stop : StopToken
        Set it to cancel the job.
    settings : Settings, optional
        The limits; the defaults else.
    """
    chosen = (settings or Settings.model_construct()).model_copy(update={"workers": 1})
    is_asked = False
    supervisor = Supervisor(setting, chosen, only=job_id, store=store)
    with supervisor, _Shown(steps) as shown:
        while True:
            with store.read() as connection:
                events = events_after(connection, job_id, shown.number)
                job = read_job(connection, job_id)
            shown.show(events)
            if job.has_ended:
                return job
            if stop.is_set() and not is_asked:
                is_asked = True
                if not supervisor.interrupt():  # it waits still, or is done by another supervisor
                    _cancel(store, job_id)
            supervisor.look()
            time.sleep(PAUSE)


def _cancel(store: Store, job_id: str) -> None:
    try:
        store.write(lambda c: ask_cancel(c, job_id))
    except StateConflict:
        return  # it ended in the meantime


class _Shown:
    """A job's events as steps that open and close."""

    def __init__(self, steps: Steps) -> None:
        self.number = 0
        self._steps = steps
        self._step: str | None = None
        self._progress: Progress = silent
        self._opened = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._opened.close()

    def show(self, events: list[Event]) -> None:
        for event in events:
            self.number = event.number
            if event.event == PROGRESS:
                self._tell(event)

    def _tell(self, event: Event) -> None:
        data = event.data
        if data["step"] != self._step:
            self._opened.close()
            self._step = data["step"]
            self._progress = self._opened.enter_context(self._steps.step(data["step"]))
        if data["total"]:
            self._progress(data["done"], data["total"], data["best"])
