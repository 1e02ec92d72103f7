"""Which running jobs have lost their worker, by this supervisor's own clock alone."""

import time
from collections.abc import Callable, Iterable, Iterator

from api.jobs.lease import LEASE, Held
from api.jobs.owner import Owner


class Watch:
    """Looks at other supervisors' heartbeats.

    A job is lost when its owner's process is gone from this host, or when an owner elsewhere said
    nothing for `LEASE` seconds of the monotonic clock here. Wall clocks, theirs or ours, decide
    nothing: one that is set back or forward neither loses a job nor doubles it.

    Parameters
    ----------
    clock : function
        Seconds that only ever grow.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._seen: dict[str, tuple[str, int, float]] = {}

    def lost(self, held: Iterable[Held]) -> Iterator[Held]:
        """Yield the jobs to be taken over, of all those that others hold now."""
        now, seen = self._clock(), self._seen
        self._seen = {}
        for job in held:
            worker_id, heartbeat, since = seen.get(job.job_id, ("", -1, now))
            if (worker_id, heartbeat) != (job.worker_id, job.heartbeat):
                since = now
            self._seen[job.job_id] = (job.worker_id, job.heartbeat, since)
            owner = Owner.of(job.worker_id)
            if owner.is_gone or (not owner.is_here and now - since >= LEASE):
                yield job
