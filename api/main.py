"""The service as a module-level app, for servers that want one: ``uvicorn api.main:app``.

The settings are read here, when the app is first asked for, and handed down. `patrolgrid serve` is
the usual way: it also makes the admin key, runs jobs, and refuses what is not safe.
"""

from functools import cache
from typing import TYPE_CHECKING

from api.settings import read_settings

if TYPE_CHECKING:
    from api.app import Gated

    app: Gated


@cache
def _make() -> "Gated":
    from api.app import create_app  # noqa: PLC0415
    from api.security import LOOPBACK_HOSTS  # noqa: PLC0415
    from api.store import open_store  # noqa: PLC0415

    settings = read_settings()
    return create_app(settings, open_store(settings.store), hosts=LOOPBACK_HOSTS)


def __getattr__(name: str) -> object:
    """Return the app; a module that is only looked at opens no store."""
    if name == "app":
        return _make()
    raise AttributeError(name)
