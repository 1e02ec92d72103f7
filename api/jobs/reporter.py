"""Progress from the work to the job table, a few times a second, without holding the work up."""

import logging
import math
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Final

from api.jobs.lease import report
from api.store import Store
from geo.errors import StoreError
from geo.progress import Progress

LOG = logging.getLogger("patrolgrid.api.jobs")

EVERY: Final = 0.4
"""Seconds between two reports of the same step."""


class Reporter:
    """Steps of a job as durable rows; a thread of its own does the writing.

    Every step that begins is told, and so is the first best; in between the newest figures are.
    It is the `geo.progress.Steps` of a job.

    Parameters
    ----------
    store : Store
    job_id, worker_id : str
    lost : function
        Called when the job was taken away from this worker.
    """

    def __init__(
        self, store: Store, job_id: str, worker_id: str, *, lost: Callable[[], None]
    ) -> None:
        self._store = store
        self._job = (job_id, worker_id)
        self._lost = lost
        self._pending: list[dict[str, Any]] = []
        self._step: str | None = None
        self._best: float | None = None
        self._is_urgent = self._is_closing = False
        self._news = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="job-reporter", daemon=True)
        self._thread.start()

    def step(self, code: str) -> AbstractContextManager[Progress]:
        """Open the step whose message code is ``step.<code>``."""
        return self._open(code)

    def close(self) -> None:
        """Write what is still to be told, and end the thread."""
        with self._news:
            self._is_closing = True
            self._news.notify()
        self._thread.join()

    @contextmanager
    def _open(self, code: str) -> Iterator[Progress]:
        def told(done: int, total: int, best: float | None = None) -> None:
            self._tell(code, done, total, best)

        self._tell(code, 0, 0, None)
        yield told

    def _tell(self, step: str, done: int, total: int, best: float | None) -> None:
        with self._news:
            is_new = step != self._step
            self._is_urgent |= is_new or (best is not None and self._best is None)
            self._step, self._best = step, self._best if best is None else best
            if self._pending and not is_new:
                self._pending.pop()
            self._pending.append({"step": step, "done": done, "total": total, "best": self._best})
            self._news.notify()

    def _run(self) -> None:
        written = -math.inf
        while True:
            with self._news:
                self._news.wait_for(lambda: self._pending or self._is_closing)
                due = written + EVERY
                self._news.wait_for(self._is_pressing, timeout=max(0.0, due - time.monotonic()))
                news, self._pending, self._is_urgent = self._pending, [], False
                is_last = self._is_closing
            if news:
                self._write(news)
                written = time.monotonic()
            if is_last:
                return

    def _is_pressing(self) -> bool:
        return self._is_urgent or self._is_closing

    def _write(self, news: list[dict[str, Any]]) -> None:
        try:
            is_ours = self._store.write(lambda c: report(c, *self._job, news))
        except StoreError as error:
            LOG.warning("progress not stored: %s", error.code)  # the next report tells it all
            return
        if not is_ours:
            self._lost()
