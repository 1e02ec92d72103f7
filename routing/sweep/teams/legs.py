"""A divided sweep as layers: what each team rides and sweeps in order, and what is left out."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any, Final

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray

from geo.frames import BLANKABLE, TEXT, Col, Column, Schema, Type, empty_frame, require
from geo.units import LONLAT_EPSG
from routing.network import Network
from routing.sweep.model import SweepProblem, Tour
from routing.sweep.plan import MILLISECONDS, Cause, SweepPlan

_COUNT: Final = Column(dtype=Type.INT)

AROUND_M: Final = 150.0
"""Metres of surroundings on every side of a sweep's map: about a block."""

MOST_AROUND: Final = 5000
"""Streets of surroundings beyond which a page is heavy and its lines run into each other."""

SWEEP_LEGS: Final = Schema(
    layer="sweep",
    key=Col.LEG_ID,
    geometry=("LineString",),
    columns={
        Col.LEG_ID: TEXT,
        Col.TEAM: _COUNT,
        Col.ORDER: _COUNT,
        Col.IS_SERVICE: Column(dtype=Type.BOOL),
        Col.NAME: BLANKABLE,
        Col.DEPART: _COUNT,
        Col.ARRIVE: _COUNT,
        Col.DEPART_CLOCK: BLANKABLE,
        Col.ARRIVE_CLOCK: BLANKABLE,
        Col.LENGTH: Column(dtype=Type.FLOAT),
        Col.SOURCE: TEXT,
    },
)
"""What each team does, by team and order from 1: a street swept, or a way without service.

Depart and arrive are seconds from the moment the team leaves its station, and the same as clock
times ``HH:MM:SS`` where that moment is known; each leg departs when the one before arrives.
Length is in metres; the line runs in the direction of travel. Planned, not recorded.
"""

SWEEP_LEFT: Final = Schema(
    layer="sweep_left",
    key=Col.SEGMENT_ID,
    geometry=("LineString",),
    columns={
        Col.SEGMENT_ID: TEXT,
        Col.NAME: BLANKABLE,
        Col.PASSES: _COUNT,
        Col.REASON: Column(values=Cause),
        Col.LENGTH: Column(dtype=Type.FLOAT),
        Col.SOURCE: TEXT,
    },
)
"""Streets asked for that are not, or not wholly, swept: passes missing and why."""


def sweep_legs(
    plan: SweepPlan,
    problem: SweepProblem,
    network: Network,
    *,
    source: str,
    start: datetime | None = None,
) -> gpd.GeoDataFrame:
    """Return what each team does as `SWEEP_LEGS`, EPSG:4326.

    Arcs in a row that are of one street, and all swept or all not, are one leg. `start` is when the
    teams leave their stations; without it the clock times are blank.
    """
    rows = [
        row
        for team, tour in enumerate(plan.routes, 1)
        for row in _legs(tour, problem, network, team)
    ]
    for row in rows:
        row[Col.DEPART_CLOCK] = _clock(start, row[Col.DEPART])
        row[Col.ARRIVE_CLOCK] = _clock(start, row[Col.ARRIVE])
    return _frame(rows, SWEEP_LEGS, source)


def tour_line(tour: Tour, network: Network) -> shapely.LineString:
    """Return a tour that has arcs as one line in the direction of travel, EPSG:4326."""
    return shapely.LineString(_points(tour.arcs, network))


def left_streets(plan: SweepPlan, network: Network, *, source: str) -> gpd.GeoDataFrame:
    """Return what is left out as `SWEEP_LEFT`, EPSG:4326; of two causes of one street the first."""
    rows = [
        {
            Col.SEGMENT_ID: network.segment_id[one.segment],
            Col.NAME: network.names[network.name[one.segment]],
            Col.PASSES: one.passes,
            Col.REASON: one.cause.value,
            Col.LENGTH: round(float(network.length[one.segment]), 1),
            Col.GEOMETRY: shapely.LineString(_points(np.array([2 * one.segment]), network)),
        }
        for one in {one.segment: one for one in reversed(plan.left_out)}.values()
    ]
    return _frame(rows[::-1], SWEEP_LEFT, source)


def streets_around(legs: gpd.GeoDataFrame, network: Network) -> gpd.GeoDataFrame:
    """Return name and line of the streets in the box around `legs`, to find one's way by.

    Returns
    -------
    GeoDataFrame
        EPSG:4326; the box is `AROUND_M` wider on every side, and no street is in it where there
        are more than `MOST_AROUND`: so wide a map shows no single street.
    """
    if legs.empty:
        return gpd.GeoDataFrame({Col.NAME: []}, geometry=[], crs=LONLAT_EPSG)
    corners = legs.to_crs(network.epsg).total_bounds
    low, high = (
        reduce.reduceat(network.xy, network.offsets[:-1]) for reduce in (np.minimum, np.maximum)
    )
    meets = (high > corners[:2] - AROUND_M) & (low < corners[2:] + AROUND_M)
    near = np.flatnonzero(meets.all(axis=1))
    near = near[: len(near) * (len(near) <= MOST_AROUND)]
    owner = np.repeat(np.arange(network.n_segments), np.diff(network.offsets))
    rows = np.isin(owner, near)
    lines = shapely.linestrings(network.lonlat[rows], indices=np.searchsorted(near, owner[rows]))
    names = [network.names[code] for code in network.name[near]]
    return gpd.GeoDataFrame({Col.NAME: names}, geometry=lines, crs=LONLAT_EPSG)


def _legs(
    tour: Tour, problem: SweepProblem, network: Network, team: int
) -> Iterator[dict[str, Any]]:
    name = network.name[tour.arcs >> 1]
    time = np.where(tour.is_service, problem.service[tour.arcs], problem.travel[tour.arcs])
    # Rounded up, so that a leg departs when the one before it arrives.
    until = -(-np.concatenate([[0], np.cumsum(time, dtype=np.int64)]) // MILLISECONDS)
    # A way without service is one leg whatever streets it takes.
    keys = zip(tour.is_service.tolist(), np.where(tour.is_service, name, -1).tolist(), strict=True)
    first = 0
    for order, ((is_service, code), run) in enumerate(groupby(keys), 1):
        last = first + len(list(run))
        arcs = tour.arcs[first:last]
        yield {
            Col.LEG_ID: f"{team:02d}-{order:03d}",
            Col.TEAM: team,
            Col.ORDER: order,
            Col.IS_SERVICE: is_service,
            Col.NAME: network.names[code] if is_service else "",
            Col.DEPART: int(until[first]),
            Col.ARRIVE: int(until[last]),
            Col.LENGTH: round(float(network.length[arcs >> 1].sum()), 1),
            Col.GEOMETRY: shapely.LineString(_points(arcs, network)),
        }
        first = last


def _clock(start: datetime | None, second: int) -> str:
    return "" if start is None else f"{start + timedelta(seconds=second):%H:%M:%S}"


def _points(arcs: NDArray[np.integer], network: Network) -> NDArray[np.float64]:
    """Return the points that arcs in a row pass, each once; two at least."""
    parts = []
    for arc in arcs.tolist():
        rows = network.lonlat[network.offsets[arc >> 1] : network.offsets[(arc >> 1) + 1]]
        parts.append(rows[::-1] if arc & 1 else rows)
    points = np.concatenate(parts)
    differs = np.concatenate([[True], (points[1:] != points[:-1]).any(axis=1)])
    line: NDArray[np.float64] = points[differs]
    return line


def _frame(rows: list[dict[str, Any]], schema: Schema, source: str) -> gpd.GeoDataFrame:
    """Return a checked frame in the schema's column order."""
    if not rows:
        return empty_frame(schema)
    told = [{**row, Col.SOURCE: source} for row in rows]
    columns = {name: np.array([row[name] for row in told], dtype=object) for name in schema.columns}
    lines = [row[Col.GEOMETRY] for row in rows]
    frame = gpd.GeoDataFrame(columns, geometry=lines, crs=LONLAT_EPSG)
    frame = frame.astype({name: column.dtype.value for name, column in schema.columns.items()})
    require(frame, schema, source=schema.layer)
    return frame
