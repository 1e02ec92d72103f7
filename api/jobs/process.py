"""The supervisor as a process beside the server: starts and ends with it, stays never dead."""

import logging
import subprocess
import threading
import time
from contextlib import suppress
from typing import IO, Final

from api.jobs.child import COMMAND
from api.settings import Settings

LOG = logging.getLogger("patrolgrid.api.jobs")

FIRST_WAIT, LONGEST_WAIT = 0.2, 30.0
"""Seconds before a supervisor that died is started again: doubled each time, up to the longest."""

LIVED: Final = 60.0
"""Seconds after which a supervisor counts as one that works."""

PATIENCE: Final = 5.0
"""Seconds a supervisor has to hand its jobs back."""


class SupervisorProcess:
    """A supervisor in a process of its own.

    Parameters
    ----------
    setting : str
        The store, as `api.store.open_store` takes it.
    settings : Settings
        Handed down whole, through the process's standard input: a store may hold a password.
    """

    def __init__(self, setting: str, settings: Settings) -> None:
        self._line = settings.model_copy(update={"store": setting}).model_dump_json().encode()
        self._is_ending = threading.Event()
        self._process: subprocess.Popen[bytes] | None = None
        self._keeper = threading.Thread(target=self._keep, name="supervisor", daemon=True)

    @property
    def is_alive(self) -> bool:
        """Whether a supervisor runs now."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int | None:
        """Its process, None while there is none."""
        return self._process.pid if self._process is not None and self.is_alive else None

    def start(self) -> None:
        """Start it, and start it again whenever it dies."""
        self._keeper.start()

    def stop(self) -> None:
        """End it; what it was running is handed back and begun again by the next one."""
        self._is_ending.set()
        self._hang_up()
        if self._keeper.is_alive():
            self._keeper.join()

    def _keep(self) -> None:
        wait = FIRST_WAIT
        while not self._is_ending.is_set():
            began = time.monotonic()
            status = self._run_once()
            if self._is_ending.is_set():
                return
            wait = FIRST_WAIT if time.monotonic() - began > LIVED else min(2 * wait, LONGEST_WAIT)
            LOG.error("the supervisor of jobs died (%s); again in %.1f s", status, wait)
            self._is_ending.wait(wait)

    def _run_once(self) -> int:
        command = [*COMMAND, "api.jobs", "--tied"]
        process = subprocess.Popen(  # noqa: S603 - our own module
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            start_new_session=True,  # a Ctrl-C in the terminal is the server's, which ends us
        )
        self._process = process
        with suppress(OSError), _input_of(process) as pipe:
            pipe.write(self._line + b"\n")
            pipe.flush()
            if not self._is_ending.is_set():
                process.wait()
        return process.wait()

    def _hang_up(self) -> None:
        """Close its standard input, which ends it; kill it when it does not come back."""
        process = self._process
        if process is None:
            return
        with suppress(OSError):
            _input_of(process).close()
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()


def _input_of(process: "subprocess.Popen[bytes]") -> IO[bytes]:
    if process.stdin is None:
        raise AssertionError("a process of ours is started with a pipe")
    return process.stdin
