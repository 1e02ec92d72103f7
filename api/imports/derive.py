"""Columns that follow from others: units, due days, ids, call-signs."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import numpy as np
import shapely
from sqlalchemy import Connection, select

from api.imports.column import Objects, as_objects
from api.imports.stored import GEOM
from api.store.boundaries import anchors, units_of_points
from api.store.ids import new_ids
from api.store.layers import LAYERS
from api.store.tables import STATIONS, STREETS
from api.store.units import new_call_signs
from geo.frames import Col, Tier
from geo.venue import CADENCE, add_months

UNIT_CODE: Final = "unit_code"
NUMBER: Final = "number"
STATION_CODE: Final = "code"
CADENCE_VERSION: Final = "cadence_version"

FOLLOWS: Final[Mapping[str, str]] = {"incidents": Col.SEGMENT_ID, "units": Col.STATION_ID}
"""Layers whose rows lie where another layer's row lies, and the column that names it."""

_MONTHS: Final = {tier.value: CADENCE.months[tier] for tier in Tier}


def our_ids(layer: str, n: int) -> dict[str, list[str]]:
    """Return new ids of our own by the column that holds them; none where the layer has none."""
    stored = LAYERS[layer]
    return {stored.key: new_ids(stored.prefix, n)} if stored.prefix else {}


class UnitCodes:
    """The smallest unit that holds each row of a layer, as the boundaries are now."""

    def __init__(self, connection: Connection, layer: str) -> None:
        self._connection = connection
        self._layer = layer
        self._owners: dict[str, str] = {}
        owner = {"incidents": STREETS, "closures": STREETS, "units": STATIONS}.get(layer)
        if owner is not None:
            key = FOLLOWS.get(layer, Col.SEGMENT_ID)
            found = connection.execute(select(owner.c[key], owner.c.unit_code))
            self._owners = dict(found.all())

    def of(self, columns: Mapping[str, Sequence[Any]]) -> list[str]:
        """Return the unit of each row, "" outside of all."""
        if self._layer == "boundaries":
            return list(columns[Col.CODE])
        if self._layer in FOLLOWS:
            return [self._owners.get(owner, "") for owner in columns[FOLLOWS[self._layer]]]
        shapes = as_objects(columns[GEOM])
        codes = self._at(shapes)
        if self._layer == "closures" and Col.SEGMENT_ID in columns:
            by_street = [self._owners.get(segment, "") for segment in columns[Col.SEGMENT_ID]]
            codes = np.where(shapely.is_missing(shapes), as_objects(by_street), codes)
        return list(codes)

    def _at(self, shapes: Objects) -> Objects:
        codes = as_objects([""] * len(shapes))
        placed = ~shapely.is_missing(shapes)
        if placed.any():
            codes[placed] = units_of_points(self._connection, anchors(shapes[placed]))
        return codes


def due_days(last_inspection: Sequence[Any], tier: Sequence[str]) -> list[Any]:
    """Return the day each venue is due by `geo.venue`'s cadence; None where none is known.

    Parameters
    ----------
    last_inspection : sequence of str or None
        ISO 8601 days.
    tier : sequence of str
    """
    last = np.array([day or "NaT" for day in last_inspection], dtype="datetime64[D]")
    months = np.array([_MONTHS[one] for one in tier], dtype=np.int64)
    return [None if np.isnat(day) else day.item() for day in add_months(last, months)]


def call_signs(connection: Connection, station_ids: Sequence[str]) -> dict[str, list[Any]]:
    """Return the next number of each new team's station, and its call-sign; none is used twice."""
    signs: dict[str, Iterator[tuple[int, str]]] = {
        station_id: iter(new_call_signs(connection, station_id, n))
        for station_id, n in Counter(station_ids).items()
    }
    given = [next(signs[station_id]) for station_id in station_ids]
    return {NUMBER: [number for number, _ in given], Col.CALL_SIGN: [sign for _, sign in given]}
