"""What the command line shows: one line per step, a bar while it runs, and how to stop it."""

import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from types import FrameType

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from api.i18n import Language, text
from geo.progress import Progress as Report
from geo.progress import StopToken


class ConsoleSteps:
    """Steps shown on standard error: a bar while a step runs, its seconds once it is done.

    Parameters
    ----------
    lang : "zh" or "en"
    console : Console
        Where to write; standard output stays free for results.
    """

    def __init__(self, *, lang: Language, console: Console) -> None:
        self.lang = lang
        self._console = console

    def step(self, code: str) -> AbstractContextManager[Report]:
        """Open the step whose message is ``step.<code>``."""
        return self._open(text(f"step.{code}", self.lang))

    @contextmanager
    def _open(self, label: str) -> Iterator[Report]:
        began = time.perf_counter()
        with Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            TextColumn("{task.fields[best]}"),
            TimeElapsedColumn(),
            console=self._console,
            transient=True,
            disable=not self._console.is_terminal,
        ) as bar:
            yield _report_to(bar, bar.add_task(label, total=None, best=""))
        self._console.print(f"  ✓ {label}  {time.perf_counter() - began:.1f} s", highlight=False)


def _report_to(bar: Progress, task: TaskID) -> Report:
    def report(done: int, total: int, best: float | None = None) -> None:
        shown = "" if best is None else f"{best:,.0f}"
        bar.update(task, completed=done, total=total, best=shown)

    return report


@contextmanager
def unwind_on_signal() -> Iterator[None]:
    """Let a request to end the program unwind it, so that nothing half-done stays behind.

    Python ends at once on SIGTERM (``kill``, ``timeout``, a server that shuts down) and on SIGHUP
    (a terminal that was closed); Ctrl-C unwinds as it is. A signal that is ignored or taken by
    somebody already is left alone. The exit status is that of shells, 128 and the signal.
    """

    def leave(number: int, _frame: FrameType | None) -> None:
        raise SystemExit(128 + number)

    taken = []
    if threading.current_thread() is threading.main_thread():
        known = (getattr(signal, name, None) for name in ("SIGTERM", "SIGHUP"))
        taken = [n for n in known if n is not None and signal.getsignal(n) is signal.SIG_DFL]
    for number in taken:
        signal.signal(number, leave)
    try:
        yield
    finally:
        for number in taken:
            signal.signal(number, signal.SIG_DFL)


@contextmanager
def stop_on_interrupt(message: str) -> Iterator[StopToken]:
    """Turn the first Ctrl-C into a stop token, and let the second one end the program.

    Parameters
    ----------
    message : str
        Said on standard error at the first Ctrl-C.
    """
    token = threading.Event()

    def ask(_signal: int, _frame: FrameType | None) -> None:
        token.set()
        signal.signal(signal.SIGINT, signal.default_int_handler)
        sys.stderr.write(f"\n{message}\n")

    before = signal.signal(signal.SIGINT, ask)
    try:
        yield token
    finally:
        signal.signal(signal.SIGINT, before)
