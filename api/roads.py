"""The streets of the store as travel times: one network, kept in a file beside the store.

Cleaning a city's streets and ordering its hierarchy takes seconds, so it is done once for the
streets as they stand and written to ``network-KEY.npz``; a start later reads it in a moment. An
import of streets makes another key, and the old file goes. Closures are laid on anew whenever one
is imported, begins or ends.
"""

import hashlib
import json
import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from logging import getLogger
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from sqlalchemy import Connection, func, select

from api.store import EVERYWHERE, Store
from api.store.city import CityRow, city_row, moment_of
from api.store.layers import read_frame
from api.store.tables import STREETS
from geo.errors import InputError, LayerMissing, TooMany
from geo.frames import Col
from geo.units import CITY_ZONE

if TYPE_CHECKING:
    import geopandas as gpd

    from routing.hierarchy import Topology
    from routing.model import Mode
    from routing.network import Network, TimeBand
    from routing.travel import Travel

log = getLogger(f"patrolgrid.{__name__}")

WAIT_SECONDS: Final = 30
"""How long a request waits while another one makes the network."""

MOST_KEPT: Final = 8
"""Weighted networks kept ready: a mode, a time of day and a set of closures each, about 15 MB."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """Travel times at one moment, and what they rest on.

    Attributes
    ----------
    travel : Travel
        Of one mode.
    band : TimeBand
    profile : str
        Version of the speeds.
    closure_ids : tuple of str
        Closures that hold.
    data_date : date
    attribution : tuple of str
    """

    travel: "Travel"
    band: "TimeBand"
    profile: str
    closure_ids: tuple[str, ...]
    data_date: date
    attribution: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Moment:
    """What the store holds now: keys of its streets and closures, and the day of its data."""

    streets: str
    closures: str
    data_date: date
    attribution: tuple[str, ...]


@dataclass(slots=True, kw_only=True)
class _Streets:
    """A network, and its travel times by mode before any closure."""

    key: str
    network: "Network"
    topology: "Topology"
    by_mode: "dict[Mode, Travel]" = field(default_factory=dict)

    def travel(self, mode: "Mode") -> "Travel":
        """Return the times of one mode: places are on the nearest street open to it."""
        from routing.travel import Travel  # noqa: PLC0415  heavy: not at start

        if mode not in self.by_mode:
            self.by_mode[mode] = Travel(self.network, (mode,), topology=self.topology)
        return self.by_mode[mode]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Closures:
    """Closures, and the seconds since 1970 at which one begins or ends, ascending."""

    key: str
    frame: "gpd.GeoDataFrame"
    changes: np.ndarray


class Roads:
    """Travel times over the streets of a store.

    Parameters
    ----------
    store : Store
    folder : Path
        Where the network file is kept.
    """

    def __init__(self, store: Store, folder: Path) -> None:
        self._store, self._folder = store, folder
        self._lock = threading.Lock()
        self._streets: _Streets | None = None
        self._closures: _Closures | None = None
        self._ready: OrderedDict[tuple[object, ...], Travel] = OrderedDict()

    def outlook(
        self, mode: "Mode", *, at: datetime, band: "TimeBand | None", with_closures: bool
    ) -> Outlook:
        """Return the travel times of a mode at an instant.

        Parameters
        ----------
        mode : Mode
        at : datetime
            With its zone, in whole seconds; closures that hold then count.
        band : TimeBand, optional
            Part of the day whose speeds count; that of `at` when not given.
        with_closures : bool
            False leaves every street open.

        Raises
        ------
        LayerMissing
            No streets yet.
        NetworkEmpty
            No street is open to the mode.
        TooMany
            Another request is making the network.
        """
        with self._alone():
            with self._store.read() as connection:
                moment = _moment(connection)
                streets = self._streets = self._streets_at(connection, moment)
                closures = self._closures = self._closures_at(connection, moment)
            clock = at.astimezone(CITY_ZONE).time()
            band = streets.network.profile.band_at(clock) if band is None else band
            travel = self._travel(streets, closures if with_closures else None, mode, at, band)
        held = travel.conditions
        return Outlook(
            travel=travel,
            band=band,
            profile=streets.network.profile.version,
            closure_ids=() if held is None else held.closure_ids,
            data_date=moment.data_date,
            attribution=moment.attribution,
        )

    @contextmanager
    def _alone(self) -> Iterator[None]:
        if not self._lock.acquire(timeout=WAIT_SECONDS):
            raise TooMany(seconds=WAIT_SECONDS)
        try:
            yield
        finally:
            self._lock.release()

    def _streets_at(self, connection: Connection, moment: _Moment) -> _Streets:
        if self._streets is not None and self._streets.key == moment.streets:
            return self._streets
        self._ready.clear()
        path = self._folder / f"network-{moment.streets[:16]}.npz"
        found = _read(path)
        if found is None:
            found = _make(connection, moment.data_date, path)
        network, topology = found
        return _Streets(key=moment.streets, network=network, topology=topology)

    def _closures_at(self, connection: Connection, moment: _Moment) -> _Closures:
        if self._closures is not None and self._closures.key == moment.closures:
            return self._closures
        frame = read_frame(connection, "closures")
        ends = [frame[name].dropna() for name in (Col.VALID_FROM, Col.VALID_TO)]
        seconds = [column.astype("int64").to_numpy() for column in ends]
        return _Closures(
            key=moment.closures, frame=frame, changes=np.unique(np.concatenate(seconds))
        )

    def _travel(
        self,
        streets: _Streets,
        closures: _Closures | None,
        mode: "Mode",
        at: datetime,
        band: "TimeBand",
    ) -> "Travel":
        """Return weighted times, from those kept ready where nothing has changed."""
        since = None
        if closures is not None:
            begun = np.searchsorted(closures.changes, at.timestamp(), side="right")
            since = (closures.key, int(begun))
        wish = (mode, band, since)
        if wish not in self._ready:
            self._ready[wish] = _weighted(streets, closures, mode, at, band)
        self._ready.move_to_end(wish)
        while len(self._ready) > MOST_KEPT:
            self._ready.popitem(last=False)
        return self._ready[wish]


def _weighted(
    streets: _Streets,
    closures: _Closures | None,
    mode: "Mode",
    at: datetime,
    band: "TimeBand",
) -> "Travel":
    from routing.network import conditions_at  # noqa: PLC0415  heavy: not at start

    held = None
    if closures is not None and len(closures.frame):
        held = conditions_at(streets.network, closures.frame, start=at, length=1)
    travel = streets.travel(mode).under(conditions=held, band=band)
    travel.engine(mode)
    return travel


def _moment(connection: Connection) -> _Moment:
    """Return what the store holds; the least id tells apart stores filled alike."""
    row = city_row(connection)
    if row is None or row.data_date is None:
        raise LayerMissing(layer="streets")
    closures = moment_of(connection, "closures", EVERYWHERE)
    return _Moment(
        streets=_streets_key(connection, row),
        closures=json.dumps(closures),
        data_date=row.data_date,
        attribution=row.attribution,
    )


def _streets_key(connection: Connection, row: CityRow) -> str:
    from routing.io.network_file import FORMAT  # noqa: PLC0415  heavy: not at start
    from routing.io.profiles import shipped_profile  # noqa: PLC0415

    first_id = connection.scalar(select(func.min(STREETS.c[Col.SEGMENT_ID])))
    facts = [
        FORMAT,
        shipped_profile().version,
        row.epsg,
        str(row.data_date),
        first_id,
        moment_of(connection, "streets", EVERYWHERE),
    ]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()


def _read(path: Path) -> "tuple[Network, Topology] | None":
    """Return what a file holds; None where it is not there or cannot be used."""
    from routing.io.network_file import read_network  # noqa: PLC0415  heavy: not at start

    if not path.exists():
        return None
    try:
        return read_network(path)
    except InputError as error:
        log.warning("%s is made again: %s", path.name, error)
        return None


def _make(connection: Connection, data_date: date, path: Path) -> "tuple[Network, Topology]":
    """Clean the streets, order the hierarchy, and keep both; a full disk does no harm."""
    from routing.io.network_file import (  # noqa: PLC0415  heavy: not at start
        NetworkFile,
        streets_digest,
        write_network,
    )
    from routing.io.profiles import shipped_profile  # noqa: PLC0415
    from routing.network import build_network  # noqa: PLC0415
    from routing.travel import Travel  # noqa: PLC0415

    row, frame = city_row(connection), read_frame(connection, "streets")
    if row is None or frame.empty:
        raise LayerMissing(layer="streets")
    network, report = build_network(frame, epsg=row.epsg, profile=shipped_profile())
    topology = Travel(network).topology
    file = NetworkFile(
        network=network,
        topology=topology,
        report=report,
        source="streets",
        data_date=data_date,
        streets=streets_digest(frame),
    )
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_network(path, file)
        for old in path.parent.glob("network-*.npz"):
            if old != path:
                old.unlink(missing_ok=True)
    except OSError as error:
        log.warning("%s cannot be kept: %s", path.name, error)
    return network, topology
