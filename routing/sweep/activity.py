"""A sweep as one activity of a night plan: a long stop at a street corner.

A closed walk from a junction ends where it began. For the night's planner it is therefore a post:
one team is at the junction at a stated time, stays as long as the walk takes, and goes on from
there. Which team, and what it does before and after, the planner decides.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo.errors import OptionInvalid
from geo.frames import POSTS, Col, PostKind, require
from geo.progress import NEVER, StopToken
from geo.units import LONLAT_EPSG, MINUTE
from routing.hierarchy import FAR
from routing.model import Shift
from routing.network import Network
from routing.sweep.cover import cover_streets
from routing.sweep.model import Ints, SweepProblem, Tour
from routing.sweep.plan import MILLISECONDS, SweepPlan


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepPosts:
    """Sweeps as posts of a night.

    Attributes
    ----------
    posts : GeoDataFrame
        `geo.frames.POSTS`: a fixed post at the junction each walk begins and ends at.
    tours : tuple of Tour
        The walks, in the order of the posts.
    """

    posts: gpd.GeoDataFrame
    tours: tuple[Tour, ...]


def sweep_posts(
    plan: SweepPlan,
    problem: SweepProblem,
    network: Network,
    *,
    shift: Shift,
    begins: Sequence[int],
    label: str,
    source: str,
    stop: StopToken = NEVER,
) -> SweepPosts:
    """Turn each team's part of a sweep into a post of a night plan.

    Parameters
    ----------
    plan : SweepPlan
    problem : SweepProblem
    network : Network
        The problem's.
    shift : Shift
        The night the posts are for.
    begins : sequence of int
        Seconds from the shift's start at which each walk begins, in the order of the teams that
        have something to sweep; the last one stands for all after it. Whole minutes.
    label : str
        What the sweep is called; the post's name is this, a number and the street it begins on.
    source : str

    Raises
    ------
    OptionInvalid
        A walk that does not end within the shift.
    """
    tours = [_walk(tour, problem, stop) for tour in plan.routes if bool(tour.is_service.any())]
    if tours and not begins:
        raise OptionInvalid(option="sweep begins", value="", expected="at least one time")
    at = [begins[min(k, len(begins) - 1)] for k in range(len(tours))]
    rows = [
        _post(f"{label} {k}".strip(), tour, network, shift, begin) | {Col.POST_ID: f"sweep-{k:02d}"}
        for k, (tour, begin) in enumerate(zip(tours, at, strict=True), 1)
    ]
    return SweepPosts(posts=_frame(rows, source), tours=tuple(tours))


def _walk(route: Tour, problem: SweepProblem, stop: StopToken) -> Tour:
    """Return the best closed walk over a team's streets from where the team begins to sweep."""
    served = route.arcs[route.is_service]
    corner = int(problem.tail[served[0]])
    return cover_streets(_part(problem, served), start_node=corner, stop=stop).tour


def _part(problem: SweepProblem, served: Ints) -> SweepProblem:
    """Pose the passes of one team: one of two sides keeps its direction."""
    segment = served >> 1
    passes = np.bincount(segment, minlength=problem.n_segments).astype(np.int8)
    one_side = served[(passes[segment] == 1) & (problem.passes[segment] > 1)]
    service = problem.service.copy()
    service[one_side ^ 1] = FAR
    return replace(problem, passes=passes, service=service)


def _post(label: str, tour: Tour, network: Network, shift: Shift, begin: int) -> dict[str, object]:
    dwell = -(-tour.milliseconds // MILLISECONDS)
    first = int(tour.arcs[0])
    street = network.names[network.name[first >> 1]]
    name = f"{label} {street}".strip()
    if begin % MINUTE or not 0 <= begin <= shift.length - dwell:
        raise OptionInvalid(
            option=f"sweep {name}",
            value=f"{shift.start + timedelta(seconds=begin):%H:%M} + {-(-dwell // MINUTE)} min",
            expected=f"whole minutes, over by {shift.end:%H:%M}",
        )
    offsets = network.offsets[first >> 1 : (first >> 1) + 2]
    lon, lat = network.lonlat[offsets[1] - 1 if first & 1 else offsets[0]]
    return {
        Col.NAME: name,
        Col.KIND: PostKind.FIXED.value,
        Col.WINDOW_START: f"{shift.at(begin):%H:%M}",
        Col.WINDOW_END: f"{shift.at(begin + dwell):%H:%M}",
        Col.DWELL: dwell,
        Col.N_UNITS: 1,
        Col.GEOMETRY: shapely.Point(lon, lat),
    }


def _frame(rows: Sequence[dict[str, object]], source: str) -> gpd.GeoDataFrame:
    table = pd.DataFrame(
        {
            name: pd.Series(
                [source if name == Col.SOURCE else row[name] for row in rows],
                dtype=column.dtype.value,
            )
            for name, column in POSTS.columns.items()
        }
    )
    points = [row[Col.GEOMETRY] for row in rows]
    frame = gpd.GeoDataFrame(table, geometry=points, crs=LONLAT_EPSG)
    require(frame, POSTS, source="sweep", allow_empty=True)
    return frame
