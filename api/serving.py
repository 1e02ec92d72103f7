"""The running service: bound, keyed, with the process that does its jobs, and ended in order."""

import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import FrameType
from typing import Final

import uvicorn
from sqlalchemy import Connection, select

from api.admin_key import ensure_key, has_active_key, renew_key
from api.app import Gated, create_app
from api.conditions import forget_old_answers
from api.i18n import Language, text
from api.jobs.process import SupervisorProcess
from api.security import HEADERS_KB, LOOPBACK_HOSTS, is_loopback
from api.settings import Settings
from api.store import Store, open_store
from api.store.tables import JOBS
from api.stream import Streams
from api.upload import UPLOADS, sweep
from geo.errors import OptionInvalid

GRACE: Final = 3
"""Seconds that open requests have when the service ends."""

BACKLOG: Final = 256

SETTLED: Final = 5.0
"""Seconds after the start when the heavy parts are loaded, if no request did so before."""

_LATER: Final = ("api.store.venues", "api.store.calendar", "api.imports.account")
"""Heavy parts, which the start does not wait for: they bring numba and the readers of files."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """How to serve.

    Attributes
    ----------
    host : str
    port : int
        0 takes any free one.
    needs_key : bool
        False is for loopback alone.
    renews_key : bool
        Make a new admin key first.
    runs_jobs : bool
        Run jobs beside the service.
    """

    host: str = "127.0.0.1"
    port: int = 8000
    needs_key: bool = True
    renews_key: bool = False
    runs_jobs: bool = True


class Server(uvicorn.Server):
    """uvicorn, ending open streams as soon as it is told to end."""

    def __init__(self, config: uvicorn.Config, streams: Streams) -> None:
        super().__init__(config)
        self._streams = streams

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Take a signal."""
        self._streams.closing.set()
        super().handle_exit(sig, frame)


def serve(
    settings: Settings,
    wish: Wish,
    *,
    lang: Language,
    tell: Callable[[str, Path | None], None],
) -> None:
    """Serve until a signal.

    Parameters
    ----------
    settings : Settings
    wish : Wish
    lang : "zh" or "en"
        Of refusals.
    tell : callable
        Told the address, and the file of a key that was made just now.

    Raises
    ------
    OptionInvalid
        An address that cannot be bound, or one beyond this machine without a key.
    """
    if not wish.needs_key and not is_loopback(wish.host):
        raise OptionInvalid(
            option="--no-key", value=wish.host, expected=text("cli.serve.need_loopback", lang)
        )
    with (
        _orderly_end(),
        _bind(wish) as listener,
        open_store(settings.store, create=True) as store,
    ):
        made = _prepare(settings, store, wish, lang)
        with _jobs(settings, is_wanted=wish.runs_jobs) as workers:
            hosts = LOOPBACK_HOSTS if is_loopback(wish.host) else ()
            app = create_app(
                settings, store, workers=workers, needs_key=wish.needs_key, hosts=hosts
            )
            server = Server(_config(app), app.state.service.streams)
            tell(_address(listener), made)
            loading = threading.Timer(SETTLED, _load_later)
            loading.daemon = True
            loading.start()
            server.run(sockets=[listener])


def _bind(wish: Wish) -> socket.socket:
    family = socket.AF_INET6 if ":" in wish.host else socket.AF_INET
    # asyncio turns Nagle's algorithm off (40 ms an answer) only where the protocol is stated
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if sys.platform != "win32":  # there it would let two services share a port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((wish.host.strip("[]"), wish.port))
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise OptionInvalid(
            option="--host, --port",
            value=f"{wish.host}:{wish.port}",
            expected="an address of this machine and a port that is free",
        ) from error
    return listener


def _prepare(settings: Settings, store: Store, wish: Wish, lang: Language) -> Path | None:
    """Make the key where there is none yet, clear up after a crash; return the new key's file."""
    folder = settings.service_folder
    made = None
    if wish.renews_key:
        made = renew_key(store, folder)
    elif wish.needs_key:
        made = ensure_key(store, folder)
    with store.read() as connection:
        if wish.needs_key and not has_active_key(connection):
            raise OptionInvalid(
                option="--host", value=wish.host, expected=text("cli.serve.need_key", lang)
            )
        needed = _awaited(connection)
    sweep(folder / UPLOADS, needed=needed)
    store.write(forget_old_answers)
    return made


def _awaited(connection: Connection) -> frozenset[str]:
    """Return the folders of uploads that a job has still to read."""
    waiting = select(JOBS.c.request).where(
        JOBS.c.kind == "import", JOBS.c.state.in_(("queued", "running"))
    )
    paths = [Path(str(request.get("file", ""))) for request in connection.scalars(waiting)]
    return frozenset(path.parent.name for path in paths)


@contextmanager
def _jobs(settings: Settings, *, is_wanted: bool) -> Iterator[SupervisorProcess | None]:
    """Run jobs while the service runs."""
    if not is_wanted:
        yield None
        return
    process = SupervisorProcess(settings.store, settings)
    process.start()
    try:
        yield process
    finally:
        process.stop()


@contextmanager
def _orderly_end() -> Iterator[None]:
    """Let a signal unwind what was opened: uvicorn raises it again once requests are done."""

    def leave(_signal: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, leave)
    try:
        yield
    except KeyboardInterrupt:
        pass
    finally:
        signal.signal(signal.SIGTERM, before)


def _config(app: Gated) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http="h11",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=GRACE,
        h11_max_incomplete_event_size=4 * HEADERS_KB << 10,
    )


def _address(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _load_later() -> None:
    """Load what the first request of its kind would wait for."""
    for name in _LATER:
        import_module(name)
