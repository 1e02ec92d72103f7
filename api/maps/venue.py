"""Venues as packed columns in the order of small map squares, and the townships' overdue share."""

from datetime import date

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from api.maps.pack import Lattice, pack_ints, pack_lines, pack_names, pack_points, rings
from geo.frames import Col, DueState, Tier, VenueKind
from geo.privacy import Audience, suppress
from routing.model import Schedule

NO_DAY = -32768
"""Day of a venue without one; fits the script's 16-bit columns."""

STATES = tuple(DueState)
"""A due state travels as its row in this order; the script knows the same order."""


def pack_venues(
    venues: gpd.GeoDataFrame,
    cells: gpd.GeoDataFrame,
    lattice: Lattice,
    *,
    night: date,
    planned: dict[str, date],
) -> dict[str, object]:
    """Return venues: position, tier, kind, state, days to due and planned, cell row, name.

    Parameters
    ----------
    night : date
        Days are counted from it.
    planned : mapping of venue id to date
        Day of the planned inspection, of those that have one.
    """
    lonlat = shapely.get_coordinates(venues.geometry.to_numpy())
    steps = lattice.steps(lonlat)
    rows = np.lexsort([steps[:, 0], steps[:, 1] // 200])
    venues, lonlat = venues.iloc[rows], lonlat[rows]
    cell = {code: k for k, code in enumerate(cells[Col.CELL_ID])}
    due = (venues[Col.DUE] - pd.Timestamp(night)).dt.days.fillna(NO_DAY).astype(np.int64)
    days = [(planned[v] - night).days if v in planned else NO_DAY for v in venues[Col.VENUE_ID]]
    return {
        "n": len(venues),
        "at": pack_points(lonlat, lattice),
        "tier": _codes(venues[Col.TIER], tuple(Tier)),
        "kind": _codes(venues[Col.KIND], tuple(VenueKind)),
        "state": _codes(venues[Col.DUE_STATE], STATES),
        "due": pack_ints(due.to_numpy()),
        "planned": pack_ints(days),
        "cell": pack_ints([cell.get(code, -1) for code in venues[Col.CELL_ID]]),
        "name": pack_names(venues[Col.NAME].tolist()),
        "id": pack_names(venues[Col.VENUE_ID].tolist()),
    }


def _codes(series: pd.Series, members: tuple[str, ...]) -> str:
    order = [str(member) for member in members]
    return pack_ints(pd.Categorical(series, categories=order).codes.astype(np.int64))


def planned_days(schedule: Schedule) -> dict[str, date]:
    """Return the day of every planned inspection, by venue id."""
    return {item.venue_id: tour.day for tour in schedule.rounds for item in tour.inspections}


def pack_townships(
    townships: gpd.GeoDataFrame | None,
    venues: gpd.GeoDataFrame,
    cells: gpd.GeoDataFrame,
    lattice: Lattice,
    audience: Audience,
) -> dict[str, object]:
    """Return township rings (head: row) and per row the overdue venues and those with a record.

    A row whose numbers are too small for the audience is 0 of 0, and is not painted.
    """
    if townships is None:
        return {"rings": "", "overdue": []}
    of_cell = dict(zip(cells[Col.CELL_ID], cells[Col.TOWNSHIP_CODE], strict=True))
    code = venues[Col.CELL_ID].map(of_cell)
    known = venues[Col.DUE_STATE] != DueState.UNKNOWN.value
    late = venues[Col.DUE_STATE] == DueState.OVERDUE.value
    n_known, n_late = known.groupby(code).sum(), late.groupby(code).sum()
    polygons = townships.geometry.to_crs(4326).to_numpy()
    parts = [rings(polygon) for polygon in polygons]
    heads = np.repeat(np.arange(len(parts)), [len(part) for part in parts])
    return {
        "rings": pack_lines(np.concatenate(parts), heads[:, None], lattice),
        "overdue": [
            _share(int(n_late.get(c, 0)), int(n_known.get(c, 0)), audience)
            for c in townships[Col.CODE]
        ],
    }


def _share(n: int, total: int, audience: Audience) -> list[int]:
    hidden = suppress(n, audience) is None or suppress(total - n, audience) is None
    return [0, 0] if hidden else [n, total]
