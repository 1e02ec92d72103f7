"""The city as a whole: the one row of facts, all layers for a plan, and a hash of both."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any, Final

import geopandas as gpd
import pandas as pd
from sqlalchemy import ColumnElement, Connection, and_, delete, func, insert, not_, select

from api.store.calendar import read_calendar
from api.store.frame import make_series, read_columns
from api.store.incidents import read_incidents
from api.store.layers import LAYERS, live, read_frame
from api.store.scope import EVERYWHERE, Scope
from api.store.tables import CITY, VENUES
from geo.errors import LayerMissing
from geo.frames import Col, Layers, Type
from geo.io import derive_units
from geo.units import UNITS_PER_STATION

NEEDED: Final = ("boundaries", "streets", "stations")
"""Layers without which nothing can be planned."""

PLACED: Final = ("point", "street")
"""Precisions good enough to send a team to."""

IN_USE: Final = ("open", "not_found")
"""States of a venue that still has to be inspected: closed and exempt ones have not."""

WEIGHTS: Final = 65_521
"""Rows are weighted by their key up to this prime."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CityRow:
    """What holds for the whole store.

    Attributes
    ----------
    epsg : int
        The city's one metric CRS.
    data_date : date, optional
        Day the data was true.
    boundary_version : str, optional
        Version that counts now.
    synthetic : bool
        Whether any layer is made up.
    attribution : tuple of str
        Lines every map and card prints.
    """

    epsg: int
    data_date: date | None = None
    boundary_version: str | None = None
    synthetic: bool = False
    attribution: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredCity:
    """All layers of a scope, and what could not be put on the map.

    Attributes
    ----------
    layers : Layers
        Venues in use whose place is known to the point or the street, and all other layers.
    unplaced : DataFrame
        Venues in use that are known by village or not at all: venue_id, name, kind, tier,
        last_inspection, precision, unit_code. They are due like all others.
    closures : GeoDataFrame
        CLOSURES frame of the whole city, whatever the scope: teams drive through other units too.
    n_unplaced_incidents : int
        Incidents whose segment is not in the store.
    notes : tuple of (code, params)
        What was assumed.
    """

    layers: Layers
    unplaced: pd.DataFrame
    closures: gpd.GeoDataFrame
    n_unplaced_incidents: int = 0
    notes: tuple[tuple[str, Mapping[str, object]], ...] = ()


def city_row(connection: Connection) -> CityRow | None:
    """Return what holds for the whole store; None before the first import."""
    found = connection.execute(select(CITY)).mappings().one_or_none()
    if found is None:
        return None
    return CityRow(
        epsg=found["epsg"],
        data_date=found["data_date"],
        boundary_version=found[Col.BOUNDARY_VERSION],
        synthetic=found["synthetic"],
        attribution=tuple(found["attribution"]),
    )


def set_city_row(connection: Connection, row: CityRow) -> None:
    """Keep what holds for the whole store, in place of what held before."""
    connection.execute(delete(CITY))
    connection.execute(insert(CITY).values(fid=1, **asdict(row)))


def read_city(connection: Connection, scope: Scope = EVERYWHERE) -> StoredCity:
    """Return all layers of a scope for `routing.pipeline`.

    Raises
    ------
    LayerMissing
        No boundaries, streets or stations yet.
    """
    row = city_row(connection)
    if row is None or row.boundary_version is None or row.data_date is None:
        raise LayerMissing(layer=NEEDED[0])
    frames: dict[str, Any] = {
        layer: read_frame(connection, layer, scope)
        for layer in LAYERS
        if layer not in {"venues", "incidents", "closures"}
    }
    for layer in NEEDED:
        if not len(frames[layer]):
            raise LayerMissing(layer=layer)
    in_use = VENUES.c.state.in_(IN_USE)
    placed = and_(VENUES.c.precision.in_(PLACED), VENUES.c.geom.is_not(None))
    frames["venues"] = read_frame(connection, "venues", scope, where=and_(in_use, placed))
    frames["incidents"], n_lost = read_incidents(connection, live("incidents", scope))
    notes: list[tuple[str, Mapping[str, object]]] = []
    if not len(frames["units"]):
        frames["units"] = derive_units(frames["stations"])
        params = {"source": "units", "n": len(frames["units"]), "per_station": UNITS_PER_STATION}
        notes.append(("note.units", params))
    return StoredCity(
        layers=Layers(**frames, **{**asdict(row), "attribution": row.attribution}),
        unplaced=_unplaced(connection, and_(live("venues", scope), in_use, not_(placed))),
        closures=read_frame(connection, "closures"),
        n_unplaced_incidents=n_lost,
        notes=tuple(notes),
    )


def _unplaced(connection: Connection, where: ColumnElement[bool]) -> pd.DataFrame:
    names = (Col.VENUE_ID, Col.NAME, Col.KIND, Col.TIER, "precision", "unit_code")
    wanted = [VENUES.c[name] for name in (*names, Col.LAST_INSPECTION)]
    found = select(*wanted).where(where).order_by(VENUES.c.fid)
    *texts, days = read_columns(connection, found)
    frame = pd.DataFrame(
        {name: make_series(values, Type.TEXT) for name, values in zip(names, texts, strict=True)}
    )
    return frame.assign(**{Col.LAST_INSPECTION: make_series(days, Type.DAY)})


def city_hash(connection: Connection, scope: Scope = EVERYWHERE) -> str:
    """Return a hash of everything a plan is made from: it changes when any of it changes.

    Rows are only ever added or changed, each change counts a row's version up, and so counts and
    weighted sums of versions tell two moments of one store apart. It says nothing of two stores.
    """
    row = city_row(connection)
    days = [one for year in read_calendar(connection).years for one in year.days]
    found = {
        "city": None if row is None else {**asdict(row), "data_date": str(row.data_date)},
        "scope": scope.unit_code,
        "calendar": [[one.day.isoformat(), one.is_working] for one in days],
        "layers": {
            layer: moment_of(connection, layer, EVERYWHERE if layer == "closures" else scope)
            for layer in LAYERS
        },
    }
    written = json.dumps(found, ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(written.encode()).hexdigest()


def moment_of(connection: Connection, layer: str, scope: Scope) -> list[int]:
    """Return figures of a layer's rows that no change leaves as they are."""
    table = LAYERS[layer].table
    weight = table.c.fid % WEIGHTS + 1
    figures = (
        func.count(),
        func.coalesce(func.max(table.c.fid), 0),
        func.coalesce(func.sum(table.c.version), 0),
        func.coalesce(func.sum(table.c.version * weight), 0),
    )
    found = connection.execute(select(*figures).where(live(layer, scope))).one()
    return [int(figure) for figure in found]
