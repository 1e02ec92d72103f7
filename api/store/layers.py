"""Layers of the store: which table keeps a layer, and a layer read back as a frame."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import geopandas as gpd
import pandas as pd
from sqlalchemy import Column, ColumnElement, Connection, Table, and_, select, true

from api.store import tables
from api.store.frame import make_frame, read_columns
from api.store.incidents import read_incidents, unix_seconds
from api.store.scope import EVERYWHERE, Scope
from api.store.tables import CITY, WITHDRAWN
from geo import frames
from geo.frames import Col, Schema, Type


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredLayer:
    """A layer's frame and its table.

    Attributes
    ----------
    schema : Schema
        What `read_frame` gives back.
    table : Table
    prefix : str
        Beginning of our ids; "" where the key is a code that everybody uses.
    renamed : mapping of str to str
        Frame column to table column, where the two differ.
    refers : mapping of str to str
        Frame column to the layer whose ids it holds; where it may be blank, "" is none.
    """

    schema: Schema
    table: Table
    prefix: str = ""
    renamed: Mapping[str, str] = field(default_factory=dict)
    refers: Mapping[str, str] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """The table's column of our id."""
        return self.renamed.get(self.schema.key, self.schema.key)

    @property
    def has_geometry(self) -> bool:
        """Whether the table keeps a geometry."""
        return "geom" in self.table.c

    def column(self, name: str) -> Column[Any]:
        """Return the table's column of a frame's column."""
        return self.table.c[self.renamed.get(name, name)]


LAYERS: Final[Mapping[str, StoredLayer]] = {
    "boundaries": StoredLayer(schema=frames.BOUNDARIES, table=tables.BOUNDARIES),
    "streets": StoredLayer(schema=frames.STREETS, table=tables.STREETS, prefix="segment"),
    "closures": StoredLayer(
        schema=frames.CLOSURES,
        table=tables.CLOSURES,
        prefix="closure",
        refers={Col.SEGMENT_ID: "streets"},
    ),
    "water": StoredLayer(
        schema=frames.WATER, table=tables.WATER, prefix="water", renamed={Col.CODE: "water_id"}
    ),
    "buildings": StoredLayer(schema=frames.BUILDINGS, table=tables.BUILDINGS, prefix="building"),
    "venues": StoredLayer(schema=frames.VENUES, table=tables.VENUES, prefix="venue"),
    "incidents": StoredLayer(
        schema=frames.INCIDENTS,
        table=tables.INCIDENTS,
        renamed={Col.INCIDENT_ID: "external_id", Col.OCCURRED_AT: "hour"},
    ),
    "stations": StoredLayer(schema=frames.STATIONS, table=tables.STATIONS, prefix="station"),
    "units": StoredLayer(
        schema=frames.UNITS,
        table=tables.UNITS,
        prefix="unit",
        refers={Col.STATION_ID: "stations"},
    ),
    "posts": StoredLayer(schema=frames.POSTS, table=tables.POSTS, prefix="post"),
}
"""Every layer of `geo.frames.Layers` and the closures by its name, which is also its table's."""


def read_frame(
    connection: Connection,
    layer: str,
    scope: Scope = EVERYWHERE,
    *,
    where: ColumnElement[bool] | None = None,
) -> gpd.GeoDataFrame | pd.DataFrame:
    """Return a layer's live rows as a frame, with our ids as keys, in the order they came.

    Boundaries are those of the current version. Venues whose place is not known have no geometry
    and are left out; incidents stand in the middle of their segment at the hour's beginning.

    Parameters
    ----------
    connection : Connection
    layer : str
        Name of the layer, one of `LAYERS`.
    scope : Scope
    where : ColumnElement of bool, optional
        A further condition on the layer's table.
    """
    condition = live(layer, scope) if where is None else and_(live(layer, scope), where)
    if layer == "incidents":
        return read_incidents(connection, condition)[0]
    stored = LAYERS[layer]
    names = list(stored.schema.columns)
    wanted: list[ColumnElement[Any]] = [
        unix_seconds(stored.column(name)) if column.dtype is Type.INSTANT else stored.column(name)
        for name, column in stored.schema.columns.items()
    ]
    if stored.has_geometry:
        wanted.append(stored.table.c.geom)
    if stored.has_geometry and stored.schema.is_placed:
        condition = and_(condition, stored.table.c.geom.is_not(None))
    found = select(*wanted).where(condition).order_by(stored.table.c.fid)
    columns = read_columns(connection, found)
    geometry = columns.pop() if stored.has_geometry else None
    return make_frame(stored.schema, dict(zip(names, columns, strict=True)), geometry)


def live(layer: str, scope: Scope) -> ColumnElement[bool]:
    """Return the condition that a row counts: in the scope, not withdrawn, of today's version."""
    table = LAYERS[layer].table
    counts = and_(table.c.status != WITHDRAWN, scope.holds(table.c.unit_code))
    return and_(counts, _is_current(table) if layer == "boundaries" else true())


def _is_current(boundaries: Table) -> ColumnElement[bool]:
    current = select(CITY.c[Col.BOUNDARY_VERSION]).scalar_subquery()
    return boundaries.c[Col.BOUNDARY_VERSION] == current
