"""Who holds a running job, written so that another process can tell whether it still lives.

A worker id is ``host/pid/start/number``: the machine as this boot and this process namespace see
it, the supervisor's process and when it began (a pid alone is soon somebody else's), and a number
that this supervisor uses once.
"""

import hashlib
import os
import platform
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import count
from pathlib import Path
from typing import Final

import psutil

_HOST_FACTS: Final = ("/proc/sys/kernel/random/boot_id", "/etc/machine-id")
_NAMESPACE: Final = Path("/proc/self/ns/pid")


@dataclass(frozen=True, slots=True)
class Owner:
    """A supervisor as its worker ids name it."""

    host: str
    pid: int
    start: str

    @classmethod
    def of(cls, worker_id: str) -> "Owner":
        """Return the owner that a worker id names."""
        host, pid, start, *_ = worker_id.split("/")
        return cls(host, int(pid), start)

    @property
    def is_here(self) -> bool:
        """Whether it runs, or ran, where its process can be looked at."""
        return self.host == this_host()

    @property
    def is_gone(self) -> bool:
        """Whether it is known to have died: only somebody on the same host can know."""
        return self.is_here and start_of(self.pid) != self.start

    def worker_ids(self) -> Iterator[str]:
        """Yield ids for workers, each once; two supervisors of one process differ as well."""
        token = secrets.token_hex(4)
        for number in count(1):
            yield f"{self.host}/{self.pid}/{self.start}/{token}-{number}"


def this_process() -> Owner:
    """Return the owner that this process is."""
    return Owner(this_host(), os.getpid(), start_of(os.getpid()))


@cache
def this_host() -> str:
    """Return a name for this boot of this machine, as far as process ids are shared."""
    facts = [Path(path) for path in _HOST_FACTS if Path(path).exists()]
    seen = [platform.node(), *(path.read_text(encoding="ascii").strip() for path in facts)]
    if _NAMESPACE.exists():
        seen.append(str(_NAMESPACE.stat().st_ino))
    return hashlib.sha256("\n".join(seen).encode()).hexdigest()[:16]


def start_of(pid: int) -> str:
    """Return when a process began, "" when there is none that still works.

    On Linux in ticks since the boot, as setting the clock moves what psutil tells.
    """
    try:
        if psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
            return ""
        stat = Path(f"/proc/{pid}/stat")
        if stat.exists():
            after_name = stat.read_text(encoding="utf-8").rpartition(")")[2]
            return after_name.split()[19]  # proc(5), field 22: starttime
        return str(round(psutil.Process(pid).create_time(), 3))
    except (psutil.Error, OSError):
        return ""
