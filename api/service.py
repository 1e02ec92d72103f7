"""What every request of the service shares."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from fastapi import Request
from sqlalchemy import Connection, select

from api.i18n import Language
from api.probe import Probe
from api.roads import Roads
from api.store import Scope, Store
from api.store.tables import BOUNDARIES, CITY, WITHDRAWN
from api.stream import Streams
from geo.errors import NotFound
from geo.frames import Col


class Workers(Protocol):
    """The process that runs jobs, as the service sees it."""

    @property
    def is_alive(self) -> bool:
        """Whether it runs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A running service.

    Attributes
    ----------
    store : Store
    folder : Path
        Of the key and of uploads.
    language : "zh" or "en"
        Spoken to whoever asks for neither.
    workers : Workers, optional
        None where jobs are run by somebody else.
    streams : Streams
    probe : Probe
    roads : Roads
        Travel times over the streets of the store.
    """

    store: Store
    probe: Probe
    roads: Roads
    folder: Path
    language: Language = "zh"
    workers: Workers | None = None
    streams: Streams = field(default_factory=Streams)


def service_of(request: Request) -> Service:
    """Return the service a request came to."""
    service: Service = request.app.state.service
    return service


def narrowed(connection: Connection, scope: Scope, unit_code: str) -> Scope:
    """Return the part of a scope under a unit; the scope itself for "".

    Raises
    ------
    NotFound
        No such unit in the scope.
    """
    if not unit_code or unit_code == scope.unit_code:
        return scope
    current = select(CITY.c[Col.BOUNDARY_VERSION]).scalar_subquery()
    unit = select(BOUNDARIES.c[Col.CODE]).where(
        BOUNDARIES.c[Col.CODE] == unit_code,
        BOUNDARIES.c[Col.BOUNDARY_VERSION] == current,
        BOUNDARIES.c.status != WITHDRAWN,
        scope.holds(BOUNDARIES.c[Col.CODE]),
    )
    if connection.scalar(unit) is None:
        raise NotFound(kind="unit")
    return Scope(unit_code=unit_code)
