"""Venues of a register: where those without coordinates lie, and when they were last inspected."""

from dataclasses import replace
from typing import Final

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from sqlalchemy import Connection, func, select

from api.imports.column import STATUS, Objects, Truths, as_objects, with_columns
from api.imports.compare import geometries_differ
from api.imports.incoming import REASON, Incoming
from api.imports.stored import CHANGED_BY, EXTERNAL_ID, GEOM
from api.store.frame import read_columns, read_parts
from api.store.layers import read_frame
from api.store.tables import IMPORT_CHANGES, IMPORTS, VENUES, VISITS, WITHDRAWN
from geo.address import locate_addresses
from geo.frames import Col, Precision
from geo.io import Reading
from geo.units import LONLAT_EPSG

INSPECTED: Final = ("done", "hazard")
"""Outcomes of a visit that count as an inspection."""

IMPORTED: Final = "import"
"""Who changed a row that an import changed."""

ON_MAP: Final = "map"
"""Who changed a venue that was placed by hand."""

_RANK: Final = {
    Precision.NONE: 0,
    Precision.VILLAGE: 1,
    Precision.STREET: 2,
    Precision.POINT: 3,
}


def place_venues(
    connection: Connection, reading: Reading, incoming: Incoming, *, epsg: int
) -> Incoming:
    """Place venues without coordinates by street and number, else by village, else nowhere.

    Why a venue lies where it does, or nowhere, is said by a message code ``address.*``.
    """
    frame = incoming.frame
    shapes: Objects = frame[GEOM].to_numpy(dtype=object).copy()
    lost = shapely.is_missing(shapes)
    precision = np.where(lost, Precision.NONE.value, Precision.POINT.value).astype(object)
    reason = np.full(len(frame), None, dtype=object)
    if lost.any():
        where = reading.frame.loc[lost]
        located = locate_addresses(
            where[Col.ADDRESS],
            where[Col.VILLAGE],
            streets=read_frame(connection, "streets"),
            boundaries=read_frame(connection, "boundaries"),
            known=_known(connection, frame),
            epsg=epsg,
            townships=where[Col.TOWNSHIP],
        )
        shapes[lost], precision[lost] = located.geometry, located.precision
        reason[lost] = located.reason
    frame = with_columns(frame, {Col.PRECISION: precision, GEOM: shapes, REASON: reason})
    unstated = tuple(name for name in incoming.unstated if name != Col.PRECISION)
    counts = {one.value: int((precision == one.value).sum()) for one in Precision}
    return replace(incoming, frame=frame, unstated=unstated).noting((), precision=counts)


def _known(connection: Connection, frame: pd.DataFrame) -> gpd.GeoDataFrame:
    """Return venues whose point is known with their addresses: the file's, then the store's."""
    placed = (~shapely.is_missing(frame[GEOM].to_numpy(dtype=object))) & (frame[Col.ADDRESS] != "")
    columns = (VENUES.c.external_id, VENUES.c[Col.ADDRESS], VENUES.c.geom)
    has_point = (VENUES.c[Col.PRECISION] == Precision.POINT.value) & (VENUES.c[Col.ADDRESS] != "")
    found = select(*columns).where(has_point, VENUES.c.status != WITHDRAWN)
    external, address, shapes = read_columns(connection, found.order_by(VENUES.c.fid))
    others = ~pd.Series(external, dtype=object).isin(frame.loc[placed, EXTERNAL_ID]).to_numpy()
    addresses = [*frame.loc[placed, Col.ADDRESS], *as_objects(address)[others]]
    geometry = [*frame.loc[placed, GEOM], *as_objects(shapes)[others]]
    text = pd.Series(addresses, dtype="str")
    return gpd.GeoDataFrame({Col.ADDRESS: text}, geometry=geometry, crs=LONLAT_EPSG)


def last_visits(connection: Connection) -> dict[str, str]:
    """Return the day of each venue's last inspection that was recorded here, by external id."""
    newest = (
        select(VENUES.c.external_id, func.max(VISITS.c.day))
        .join(VISITS, VISITS.c[Col.VENUE_ID] == VENUES.c[Col.VENUE_ID])
        .where(VISITS.c.outcome.in_(INSPECTED))
        .group_by(VENUES.c.external_id)
    )
    return {external_id: day.isoformat() for external_id, day in connection.execute(newest)}


def keep_visits(last_inspection: Objects, external_id: Objects, visits: dict[str, str]) -> Objects:
    """Return last inspections, none older than the visit that was recorded here."""
    if not visits:
        return last_inspection
    recorded = as_objects([visits.get(one, "") for one in external_id])
    stated = as_objects([day or "" for day in last_inspection])
    return as_objects([max(pair) or None for pair in zip(recorded, stated, strict=True)])


def keep_places(incoming: pd.DataFrame, stored: pd.DataFrame) -> pd.DataFrame:
    """Return a register's rows, those that know less of a place than the store with its place.

    A file without coordinates takes no point back that was set or confirmed here since, and no
    place at all as long as the address is the same: what is found by an address moves a little
    whenever more addresses are known.

    Parameters
    ----------
    incoming, stored : DataFrame
        As they are compared.
    """
    if not len(stored):
        return incoming
    at = pd.Index(stored[EXTERNAL_ID], dtype=object).get_indexer(
        pd.Index(incoming[EXTERNAL_ID], dtype=object)
    )
    beside = stored.take(at)
    known = (at >= 0) & (beside[STATUS] != WITHDRAWN).to_numpy()
    rank = incoming[Col.PRECISION].map(_RANK).to_numpy(dtype=np.int64)
    rank_here = beside[Col.PRECISION].map(_RANK).to_numpy(dtype=np.int64)
    address = incoming[Col.ADDRESS].to_numpy(dtype=object)
    same = (address == "") | (beside[Col.ADDRESS].to_numpy(dtype=object) == address)
    by_hand = ~beside[CHANGED_BY].isin([IMPORTED, None]).to_numpy()
    finer = (rank_here >= _RANK[Precision.STREET]) & (rank <= rank_here)
    kept = known & finer & (rank < _RANK[Precision.POINT]) & (same | by_hand)
    return _as_stored(incoming, beside, kept)


def keep_corrections(
    connection: Connection, incoming: pd.DataFrame, stored: pd.DataFrame
) -> pd.DataFrame:
    """Return a register's rows, those set on the map with their place there.

    They stay until the register says something else than it said before: it repeats a wrong
    coordinate every month.

    Parameters
    ----------
    connection : Connection
    incoming, stored : DataFrame
        As they are compared.
    """
    by_hand = stored[(stored[CHANGED_BY] != IMPORTED) & (stored[STATUS] != WITHDRAWN)]
    if not len(by_hand):
        return incoming
    said = _last_said(connection, set(by_hand[EXTERNAL_ID]) & set(incoming[EXTERNAL_ID]))
    at = pd.Index(by_hand[EXTERNAL_ID], dtype=object).get_indexer(
        pd.Index(incoming[EXTERNAL_ID], dtype=object)
    )
    before = as_objects([said.get(one) for one in incoming[EXTERNAL_ID]])
    shapes = incoming[GEOM].to_numpy(dtype=object)
    repeated = (at >= 0) & ~shapely.is_missing(before) & ~geometries_differ(before, shapes)
    return _as_stored(incoming, by_hand.take(at), repeated)


def _last_said(connection: Connection, wanted: set[str]) -> dict[str, shapely.Geometry]:
    """Return the place the register gave venues last, by external id."""
    table = IMPORT_CHANGES
    found = (
        select(table.c.external_id, table.c.geom_after)
        .join(IMPORTS, IMPORTS.c.import_id == table.c.import_id)
        .where(IMPORTS.c.layer == "venues", IMPORTS.c.state == "applied")
        .where(table.c.geom_after.is_not(None))
        .order_by(table.c.fid)
    )
    rows = read_parts(connection, found)
    return {
        external_id: shape
        for ids, shapes in rows
        for external_id, shape in zip(ids, shapes, strict=True)
        if external_id in wanted
    }


def _as_stored(incoming: pd.DataFrame, beside: pd.DataFrame, kept: Truths) -> pd.DataFrame:
    """Return a register's rows, some of them at the place they have in the store."""
    columns = {}
    for name in (Col.PRECISION, GEOM):
        values = incoming[name].to_numpy(dtype=object).copy()
        values[kept] = beside[name].to_numpy(dtype=object)[kept]
        columns[name] = values
    return with_columns(incoming, columns)
