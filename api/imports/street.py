"""Streets of a new extract under the ids of those they are."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from sqlalchemy import Connection, insert, select

from api.imports.column import Objects, as_objects, with_columns
from api.imports.incoming import Incoming
from api.imports.stored import EXTERNAL_ID, GEOM, read_stored
from api.store.tables import CURRENT, STREET_ALIASES, STREETS, WITHDRAWN
from geo.frames import Col
from geo.street import match_segments
from geo.units import LONLAT_EPSG

ALIASES: Final = "aliases"
"""Fact of an import of streets: [other id, external id of the segment, share]."""


def match_streets(connection: Connection, incoming: Incoming, *, epsg: int) -> Incoming:
    """Return an extract's segments under the external ids of those they are.

    What they are called or how they are cut in this extract goes into the aliases.
    """
    stored = read_stored(connection, "streets", more=(Col.SEGMENT_ID,))
    if not len(stored):
        return incoming
    live = stored[stored["status"] != WITHDRAWN].reset_index(drop=True)
    named = incoming.frame[EXTERNAL_ID].to_numpy(dtype=object)
    gone = stored[stored["status"] == WITHDRAWN]
    if not len(live):
        ids = _revived(np.full(len(named), None, dtype=object), incoming.frame, gone)
        ids = _fresh(ids, named, set(stored[EXTERNAL_ID]))
        return replace(incoming, frame=with_columns(incoming.frame, {EXTERNAL_ID: ids}))
    matching = match_segments(_frame(live), _frame(incoming.frame), epsg=epsg)
    external = dict(zip(live[Col.SEGMENT_ID], live[EXTERNAL_ID], strict=True))
    ids = as_objects([external.get(kept) for kept in matching.segment_id])
    ids = _revived(ids, incoming.frame, gone)
    ids = _fresh(ids, named, set(stored[EXTERNAL_ID]))
    renamed = [[n, i, 1.0] for n, i in zip(named, ids, strict=True) if n != i]
    cut = [
        [alias, ids[row], share]
        for alias, row, share in matching.aliases.itertuples(index=False, name=None)
    ]
    facts: dict[str, Any] = {
        ALIASES: renamed + cut,
        "matching": {
            "n_same": matching.n_same,
            "n_kept": matching.n_kept,
            "n_cut": matching.n_cut,
            "n_joined": matching.n_joined,
            "n_vanished": len(matching.vanished),
            "n_old": matching.n_old,
            "n_new": matching.n_new,
        },
    }
    frame = with_columns(incoming.frame, {EXTERNAL_ID: ids})
    return replace(incoming, frame=frame, facts=incoming.facts | facts)


def live_segments(connection: Connection) -> gpd.GeoDataFrame:
    """Return segments in use: segment_id and geometry, those of the newest extract first."""
    stored = read_stored(
        connection, "streets", STREETS.c.status != WITHDRAWN, more=(Col.SEGMENT_ID,)
    )
    in_use = stored.sort_values("status", key=lambda s: s != CURRENT, kind="stable")
    return _frame(in_use.reset_index(drop=True))


def _frame(rows: pd.DataFrame) -> gpd.GeoDataFrame:
    ids = rows[Col.SEGMENT_ID] if Col.SEGMENT_ID in rows else rows[EXTERNAL_ID]
    columns = {Col.SEGMENT_ID: ids.astype("str"), Col.NAME: rows[Col.NAME].astype("str")}
    return gpd.GeoDataFrame(columns, geometry=rows[GEOM].to_numpy(), crs=LONLAT_EPSG)


def _revived(ids: Objects, incoming: pd.DataFrame, gone: pd.DataFrame) -> Objects:
    """Give new segments the ids of withdrawn ones of exactly their course."""
    if not len(gone):
        return ids
    courses: dict[bytes, list[str]] = {}
    for course, external_id in zip(_courses(gone), gone[EXTERNAL_ID], strict=True):
        courses.setdefault(course, []).append(external_id)
    ids = ids.copy()
    new = np.flatnonzero(ids == np.array(None))
    for row, course in zip(new, _courses(incoming.iloc[new]), strict=True):
        if courses.get(course):
            ids[row] = courses[course].pop(0)
    return ids


def _courses(rows: pd.DataFrame) -> list[bytes]:
    return list(shapely.to_wkb(rows[GEOM].to_numpy(dtype=object)))


def _fresh(ids: Objects, named: Objects, taken: set[str]) -> Objects:
    """Give segments that are new their own name, marked where another segment has it."""
    ids = ids.copy()
    for row in np.flatnonzero(ids == np.array(None)):
        name, number = named[row], 1
        while name in taken:
            number += 1
            name = f"{named[row]}~{number}"
        taken.add(name)
        ids[row] = name
    return ids


def put_aliases(
    connection: Connection, import_id: str, aliases: Sequence[tuple[str, str, float]]
) -> None:
    """Keep what else the segments of an extract are called; what is known already stays."""
    found = connection.execute(select(STREETS.c.external_id, STREETS.c[Col.SEGMENT_ID]))
    ours: dict[str, str] = dict(found.all())
    table = STREET_ALIASES
    known = set(connection.execute(select(table.c.alias_id, table.c[Col.SEGMENT_ID])))
    rows = {(alias, ours[external]): share for alias, external, share in aliases}
    new = [
        {"alias_id": alias, Col.SEGMENT_ID: segment, "share": share, "import_id": import_id}
        for (alias, segment), share in rows.items()
        if (alias, segment) not in known and alias != segment
    ]
    if new:
        connection.execute(insert(table), new)
