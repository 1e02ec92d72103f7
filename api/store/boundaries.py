"""Boundary versions side by side: which one counts, where old codes went, who holds a point."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from typing import Any, Final, Literal, get_args

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely
from sqlalchemy import (
    ColumnElement,
    Connection,
    Table,
    and_,
    bindparam,
    delete,
    exists,
    func,
    insert,
    select,
    update,
)

from api.store import tables
from api.store.city import city_row
from api.store.frame import make_frame, read_columns
from api.store.geometry import meets_box
from api.store.layers import LAYERS
from api.store.tables import BOUNDARIES, BOUNDARY_MERGES, BOUNDARY_VERSIONS, CITY, WITHDRAWN
from geo import frames
from geo.boundary import depths
from geo.errors import NotFound, ValueInvalid
from geo.frames import Col
from geo.grid.locate import build_index, locate
from geo.topology import LATTICE

Relation = Literal["same", "renamed", "merged", "unresolved"]


@dataclass(frozen=True, slots=True, kw_only=True)
class BoundaryVersion:
    """One state of the boundaries.

    Attributes
    ----------
    boundary_version : str
        Its name, for example ``2023-06``.
    valid_from, valid_to : date, optional
    source : str
    n_units : int
        Units in it.
    is_current : bool
        Whether scopes and rates are counted on it.
    """

    boundary_version: str
    valid_from: date | None
    valid_to: date | None
    source: str
    n_units: int
    is_current: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Merge:
    """Where a unit of one version went in another.

    Attributes
    ----------
    from_version, old_code, to_version : str
    new_code : str, optional
        None where it is not known: the relation is unresolved then.
    relation : str
    evidence : str
        What says so: a notice, a list, equal names.
    confidence : float
        From 0 to 1.
    """

    from_version: str
    old_code: str
    to_version: str
    new_code: str | None
    relation: Relation
    evidence: str
    confidence: float

    def __post_init__(self) -> None:
        is_unresolved = self.relation == "unresolved"
        if self.relation not in get_args(Relation) or is_unresolved != (self.new_code is None):
            self._refuse("relation", self.relation, "a new code, or unresolved without one")
        if not 0 <= self.confidence <= 1:
            self._refuse("confidence", self.confidence, "0 to 1")

    def _refuse(self, column: str, value: object, expected: str) -> None:
        raise ValueInvalid(
            source="boundary_merges", row="–", column=column, value=value, expected=expected
        )


def boundary_versions(connection: Connection) -> list[BoundaryVersion]:
    """Return the versions in the store, in the order they came."""
    row = city_row(connection)
    current = None if row is None else row.boundary_version
    table = BOUNDARY_VERSIONS
    n_units = (
        select(func.count())
        .where(_in_version(table.c[Col.BOUNDARY_VERSION]))
        .select_from(BOUNDARIES)
        .scalar_subquery()
    )
    columns = (
        table.c[name] for name in (Col.BOUNDARY_VERSION, Col.VALID_FROM, Col.VALID_TO, Col.SOURCE)
    )
    found = connection.execute(select(*columns, n_units.label("n_units")).order_by(table.c.fid))
    return [
        BoundaryVersion(**one, is_current=one[Col.BOUNDARY_VERSION] == current)
        for one in found.mappings()
    ]


def add_version(
    connection: Connection,
    boundary_version: str,
    *,
    source: str,
    valid_from: date | None = None,
    valid_to: date | None = None,
    import_id: str | None = None,
) -> None:
    """Enter a version; one that is there already stays as it is."""
    table = BOUNDARY_VERSIONS
    is_there = select(table.c.fid).where(table.c[Col.BOUNDARY_VERSION] == boundary_version)
    if connection.scalar(is_there) is None:
        row = {
            Col.BOUNDARY_VERSION: boundary_version,
            Col.VALID_FROM: valid_from,
            Col.VALID_TO: valid_to,
            Col.SOURCE: source,
            "import_id": import_id,
            "created_at": datetime.now(UTC),
        }
        connection.execute(insert(table).values(row))


def read_version(connection: Connection, boundary_version: str) -> gpd.GeoDataFrame:
    """Return the units of a version, whether it counts now or not."""
    return _read(connection, _in_version(boundary_version))


def switch_version(connection: Connection, boundary_version: str) -> int:
    """Make a version the one that counts, and give every row the unit that holds it there.

    Returns
    -------
    int
        Rows whose unit changed.

    Raises
    ------
    NotFound
        No unit of this version is in the store, or no city yet.
    """
    has_units = exists().where(_in_version(boundary_version))
    switched = update(CITY).values({Col.BOUNDARY_VERSION: boundary_version}).where(has_units)
    if not connection.execute(switched).rowcount:
        raise NotFound(kind="boundary_version")
    return assign_units(connection)


def add_merges(connection: Connection, merges: Iterable[Merge]) -> int:
    """Keep where units went, each in place of what was known of it before; return how many."""
    table = BOUNDARY_MERGES
    rows = [asdict(merge) for merge in merges]
    if rows:
        key = ("from_version", "old_code", "to_version")
        same = and_(*(table.c[name] == bindparam(f"the_{name}") for name in key))
        connection.execute(
            delete(table).where(same), [{f"the_{name}": row[name] for name in key} for row in rows]
        )
        connection.execute(insert(table), rows)
    return len(rows)


def read_merges(connection: Connection, *, from_version: str, to_version: str) -> list[Merge]:
    """Return where the units of one version went in another, by old code."""
    table = BOUNDARY_MERGES
    between = and_(table.c.from_version == from_version, table.c.to_version == to_version)
    return _merges(connection, between)


def where_went(connection: Connection, version: str, code: str) -> tuple[Merge, ...]:
    """Return the steps by which a unit of an older version came to the one that counts now.

    Returns
    -------
    tuple of Merge
        Oldest first, the fewest steps there are; it ends at the current version, at an unresolved
        step, or where the map ends. Empty for a unit the map does not know, or of the current
        version.
    """
    row = city_row(connection)
    goal = None if row is None else row.boundary_version
    longest: tuple[Merge, ...] = ()
    paths: list[tuple[Merge, ...]] = [()]
    seen = {version}
    while paths:
        path = paths.pop(0)
        longest = max(longest, path, key=len)
        at, here = (path[-1].to_version, path[-1].new_code) if path else (version, code)
        if at == goal:
            return path
        table = BOUNDARY_MERGES
        onward = and_(table.c.from_version == at, table.c.old_code == here)
        for step in _merges(connection, onward):
            if step.to_version not in seen:
                seen.add(step.to_version)
                paths.append((*path, step))
    return longest


def unit_of_point(connection: Connection, lon: float, lat: float) -> str:
    """Return the smallest unit that holds a point; "" outside of all."""
    reach = 2 * LATTICE  # the rule reaches 1 cm beyond a border, one step and a bit
    near = (lon - reach, lat - reach, lon + reach, lat + reach)
    names = (Col.CODE, Col.LEVEL, Col.ADMIN_PARENT)
    wanted = [*(BOUNDARIES.c[name] for name in names), BOUNDARIES.c.geom]
    found = select(*wanted).where(_counts(), meets_box(BOUNDARIES.c.geom, *near))
    # no frame: its checks take longer than all the rest, and others wait for the writer
    *columns, shapes = read_columns(connection, found)
    units = pd.DataFrame(dict(zip(names, columns, strict=True)))
    return str(_locate(units, np.array(shapes, dtype=object), np.array([[lon, lat]]))[0])


def units_of_points(
    connection: Connection, lonlat: npt.NDArray[np.float64]
) -> npt.NDArray[np.object_]:
    """Return the smallest unit that holds each point.

    A point on a border follows the one rule of `geo.grid.locate`: the unit just east of it, within
    1 cm of the outer border the nearest; one inside an enclave belongs to the enclave.

    Parameters
    ----------
    connection : Connection
    lonlat : ndarray of float64, shape (n, 2)
        EPSG:4326.

    Returns
    -------
    ndarray of str, shape (n,)
        "" outside of all units.
    """
    if not len(lonlat):
        return np.zeros(0, dtype=object)
    units = _read(connection, _counts())
    return _locate(units, units.geometry.to_numpy(), lonlat)


def anchors(geometries: Sequence[Any] | npt.NDArray[np.object_]) -> npt.NDArray[np.float64]:
    """Return the point by which each geometry belongs to a unit.

    A point itself, the middle of a line, a point inside an area; shape (n, 2).
    """
    shapes = np.empty(len(geometries), dtype=object)
    shapes[:] = geometries
    is_line = shapely.get_type_id(shapes) == shapely.GeometryType.LINESTRING
    points = shapely.point_on_surface(shapes)
    points[is_line] = shapely.line_interpolate_point(shapes[is_line], 0.5, normalized=True)
    return np.asarray(shapely.get_coordinates(points))


def assign_units(connection: Connection, layers: Iterable[str] = tuple(LAYERS)) -> int:
    """Give the rows of layers the unit that holds them in the current version.

    Returns
    -------
    int
        Rows whose unit changed; their version counts up.
    """
    wanted = set(layers) - {"boundaries"}
    units = _read(connection, _counts())
    n_changed = 0
    for layer in sorted(wanted):
        if LAYERS[layer].has_geometry:
            n_changed += _assign_by_place(connection, LAYERS[layer].table, units)
    for layer, (owner, key) in _FOLLOWS.items():
        if layer in wanted:
            n_changed += _assign_by_owner(connection, LAYERS[layer].table, owner, key)
    return n_changed


_FOLLOWS: Final[Mapping[str, tuple[Table, str]]] = {
    "incidents": (tables.STREETS, Col.SEGMENT_ID),
    "units": (tables.STATIONS, Col.STATION_ID),
}
"""Layers without a geometry: their rows lie where another layer's row lies, by its id."""


def _assign_by_place(connection: Connection, table: Table, units: gpd.GeoDataFrame) -> int:
    placed = select(table.c.fid, table.c.unit_code, table.c.geom)
    fids, old, shapes = read_columns(connection, placed.where(table.c.geom.is_not(None)))
    if not fids:
        return 0
    new = _locate(units, units.geometry.to_numpy(), anchors(shapes))
    rows = [
        {"row": fid, "unit": code}
        for fid, before, code in zip(fids, old, new, strict=True)
        if before != code
    ]
    if rows:
        changed = update(table).where(table.c.fid == bindparam("row"))
        values = {"unit_code": bindparam("unit"), "version": table.c.version + 1}
        connection.execute(changed.values(values), rows)
    return len(rows)


def _assign_by_owner(connection: Connection, table: Table, owner: Table, key: str) -> int:
    theirs = select(owner.c.unit_code).where(owner.c[key] == table.c[key]).scalar_subquery()
    moved = update(table).where(table.c.unit_code != theirs)
    values = {"unit_code": theirs, "version": table.c.version + 1}
    return connection.execute(moved.values(values)).rowcount


def _in_version(boundary_version: Any) -> ColumnElement[bool]:
    live = BOUNDARIES.c.status != WITHDRAWN
    return and_(BOUNDARIES.c[Col.BOUNDARY_VERSION] == boundary_version, live)


def _counts() -> ColumnElement[bool]:
    return _in_version(select(CITY.c[Col.BOUNDARY_VERSION]).scalar_subquery())


def _read(connection: Connection, where: ColumnElement[bool]) -> gpd.GeoDataFrame:
    """Return units as a frame, in the order of their codes."""
    names = list(frames.BOUNDARIES.columns)
    wanted = [*(BOUNDARIES.c[name] for name in names), BOUNDARIES.c.geom]
    found = select(*wanted).where(where, BOUNDARIES.c.geom.is_not(None))
    *columns, shapes = read_columns(connection, found.order_by(BOUNDARIES.c[Col.CODE]))
    return make_frame(frames.BOUNDARIES, dict(zip(names, columns, strict=True)), shapes)


def _locate(
    units: pd.DataFrame, shapes: npt.NDArray[np.object_], lonlat: npt.NDArray[np.float64]
) -> npt.NDArray[np.object_]:
    """Return the deepest unit that owns each point, "" where none does."""
    if not len(units):
        return np.full(len(lonlat), "", dtype=object)
    row = locate(build_index(shapes, rank=-depths(units)), lonlat)
    return np.asarray(np.append(units[Col.CODE].to_numpy(dtype=object), "")[row])


def _merges(connection: Connection, where: ColumnElement[bool]) -> list[Merge]:
    names = Merge.__dataclass_fields__
    columns = (BOUNDARY_MERGES.c[name] for name in names)
    found = connection.execute(
        select(*columns).where(where).order_by(BOUNDARY_MERGES.c.old_code, BOUNDARY_MERGES.c.fid)
    )
    return [Merge(**one) for one in found.mappings()]
