"""Places worth a stop tonight: hot spots spread over the city, and a share of exploration."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, TypeVar

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from scipy.spatial import cKDTree

from geo.demand.estimate import Demand
from geo.demand.names import StreetNames, make_unique
from geo.errors import OptionInvalid
from geo.frames import PLACES, Col, StreetClass
from geo.grid.locate import assign_cells
from geo.units import LONLAT_DECIMALS, LONLAT_EPSG

HOTSPOT: Final = "hotspot"
EXPLORATION: Final = "exploration"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceRules:
    """How places are chosen.

    Attributes
    ----------
    share_exploration : float
        Share of places drawn at random among the rest, against chasing old reports for ever.
    min_distance : float
        Metres between two places at least.
    reach : float
        Metres around a place whose streets a stop there covers.
    share_teams : float
        Share of an area's places that goes by its teams; the rest goes by its demand.
    """

    share_exploration: float = 0.1
    min_distance: float = 150.0
    reach: float = 100.0
    share_teams: float = 0.3

    def __post_init__(self) -> None:
        fine = 0 <= self.share_exploration <= 1 and 0 <= self.share_teams <= 1
        if not fine or self.min_distance < 0 or self.reach < 0:
            raise OptionInvalid(
                option="place rules", value=self, expected="shares 0–1, distances of 0 m or more"
            )


DEFAULT_RULES: Final = PlaceRules()

K = TypeVar("K", str, int)


def choose_places(
    demand: Demand,
    streets: gpd.GeoDataFrame,
    cells: gpd.GeoDataFrame,
    *,
    epsg: int,
    n_places: int,
    seed: int,
    teams: Mapping[str, float] | None = None,
    rules: PlaceRules = DEFAULT_RULES,
) -> tuple[gpd.GeoDataFrame, np.ndarray]:
    """Choose the places that patrols may visit tonight.

    Parameters
    ----------
    demand : Demand
        Of the same street frame.
    streets, cells : GeoDataFrame
        Frames in EPSG:4326.
    n_places : int
        Places wanted; fewer come back where the streets hold no more.
    seed : int
        Of the draw of exploration places.
    teams : mapping of str to float, optional
        Teams on duty per township (or county where there are no townships). Default: the same
        everywhere.

    Returns
    -------
    places : GeoDataFrame
        PLACES frame in EPSG:4326: middles of inhabited segments, never of an expressway; hot
        spots by falling demand, then exploration. Areas are never ranked.
    by_hour : ndarray of float64, shape (n, n_hours)
        Reports expected per hour within `reach` of each place; a street counts for its nearest
        place only.
    """
    if n_places < 1:
        raise OptionInvalid(option="n_places", value=n_places, expected="1 or more")
    lines = streets.geometry.to_crs(epsg).to_numpy()
    xy = shapely.get_coordinates(shapely.line_interpolate_point(lines, 0.5, normalized=True))
    cell_row = _cell_rows(xy, cells, epsg)
    area = _areas(cells, cell_row)
    score = _score(cKDTree(xy), demand, rules.reach)
    n_explore = round(n_places * rules.share_exploration)
    quota = _quotas(area, demand, n_places - n_explore, teams, rules.share_teams)
    fast = (streets[Col.STREET_CLASS] == StreetClass.EXPRESSWAY.value).to_numpy()
    spread = _Spread(xy, fast | ~demand.is_inhabited, rules.min_distance)
    hot = spread.take(np.argsort(-score, kind="stable"), area, quota)
    draw = _draw(shapely.length(lines), demand, seed)
    explored = spread.take(draw, np.zeros(len(xy), dtype=np.int64), {0: n_explore})
    chosen = np.concatenate([hot, explored])
    by_hour, n_reports = _gather(xy, chosen, demand, rules.reach)
    names = StreetNames(streets, epsg=epsg)
    row = cell_row[chosen]
    frame = gpd.GeoDataFrame(
        {
            Col.PLACE_ID: _texts("p-" + demand.segment_id[chosen].astype(object)),
            Col.NAME: _texts(make_unique([names.name(int(s)) for s in chosen])),
            Col.KIND: _texts([HOTSPOT] * len(hot) + [EXPLORATION] * len(explored)),
            Col.SEGMENT_ID: _texts(demand.segment_id[chosen]),
            Col.CELL_ID: _texts(_at(cells[Col.CELL_ID], row)),
            Col.TOWNSHIP_CODE: _texts(_at(cells[Col.TOWNSHIP_CODE], row)),
            Col.N_REPORTS: n_reports,
        },
        geometry=_written_points(xy[chosen], epsg),
    )
    return frame[[*PLACES.columns, Col.GEOMETRY]], by_hour


def _written_points(xy: np.ndarray, epsg: int) -> gpd.GeoSeries:
    """Return points in longitude and latitude with 7 decimals."""
    lonlat = gpd.GeoSeries(shapely.points(xy), crs=epsg).to_crs(LONLAT_EPSG)
    rounded = np.round(shapely.get_coordinates(lonlat.to_numpy()), LONLAT_DECIMALS)
    return gpd.GeoSeries(shapely.points(rounded), crs=LONLAT_EPSG)


def _texts(values: object) -> pd.Series:
    return pd.Series(list(values), dtype="str")  # type: ignore[call-overload]


def _at(column: pd.Series, row: np.ndarray) -> np.ndarray:
    """Return the values of rows, "" for row -1."""
    return np.asarray(np.append(column.to_numpy(dtype=object), "")[row])


def _cell_rows(xy: np.ndarray, cells: gpd.GeoDataFrame, epsg: int) -> np.ndarray:
    points = gpd.GeoDataFrame(geometry=gpd.points_from_xy(*xy.T), crs=epsg).to_crs(LONLAT_EPSG)
    code = assign_cells(points, cells, epsg=epsg)
    row = pd.Series(np.arange(len(cells)), index=cells[Col.CELL_ID].to_numpy())
    return np.asarray(row.reindex(code.to_numpy()).fillna(-1).to_numpy(dtype=np.int64))


def _areas(cells: gpd.GeoDataFrame, row: np.ndarray) -> np.ndarray:
    """Return the township of each row of cells, the county where there is no township."""
    township = cells[Col.TOWNSHIP_CODE]
    return _at(township.where(township != "", cells[Col.COUNTY_CODE]), row)


def _score(tree: cKDTree, demand: Demand, reach: float) -> np.ndarray:
    """Return the reports per shift expected within reach of each segment's middle."""
    total = demand.by_hour.sum(axis=1)
    pairs = tree.query_pairs(reach, output_type="ndarray")
    score: np.ndarray = total.copy()
    np.add.at(score, pairs[:, 0], total[pairs[:, 1]])
    np.add.at(score, pairs[:, 1], total[pairs[:, 0]])
    return score


def _quotas(
    area: np.ndarray,
    demand: Demand,
    n_places: int,
    teams: Mapping[str, float] | None,
    share_teams: float,
) -> dict[str, int]:
    """Return the places each area gets: by demand and teams, largest remainders, at least one."""
    inside = demand.is_inhabited & (area != "")
    names, of = np.unique(area[inside].astype(str), return_inverse=True)
    if len(names) == 0:
        return {}
    weight = np.bincount(of, demand.by_hour.sum(axis=1)[inside])
    force = np.array([1.0 if teams is None else teams.get(name, 0.0) for name in names])
    if force.sum() <= 0:
        force = np.ones(len(names))
    share = (1 - share_teams) * weight / weight.sum() + share_teams * force / force.sum()
    least = 1 if n_places >= len(names) else 0
    exact = share * (n_places - least * len(names))
    quota = np.floor(exact).astype(np.int64)
    spare = n_places - least * len(names) - int(quota.sum())
    quota[np.argsort(-(exact - quota), kind="stable")[:spare]] += 1
    return dict(zip(names.tolist(), (quota + least).tolist(), strict=True))


class _Spread:
    """Segments taken one by one, none nearer to another than a distance."""

    def __init__(self, xy: np.ndarray, barred: np.ndarray, distance: float) -> None:
        self._tree = cKDTree(xy)
        self._xy = xy
        self._barred = barred.copy()
        self._distance = distance

    def take(self, order: np.ndarray, area: np.ndarray, quota: Mapping[K, int]) -> np.ndarray:
        """Return the first segments in `order` that keep their distance, `quota` of each area."""
        left = dict(quota)
        open_places = sum(left.values())
        taken = []
        for row in order:
            if open_places == 0:
                break
            if self._barred[row] or left.get(area[row], 0) == 0:
                continue
            left[area[row]] -= 1
            open_places -= 1
            taken.append(row)
            self._barred[self._tree.query_ball_point(self._xy[row], self._distance)] = True
        return np.array(taken, dtype=np.int64)


def _draw(length: np.ndarray, demand: Demand, seed: int) -> np.ndarray:
    """Return segments in the order of a weighted draw, the less known the likelier.

    The chance is proportional to length / (1 + reports). Keys log(u)/w: Efraimidis and Spirakis,
    Information Processing Letters 97, 2006.
    """
    weight = length / (1.0 + demand.n_reports)
    key = np.log(np.random.default_rng(seed).random(len(length))) / weight
    return np.argsort(-key, kind="stable")


def _gather(
    xy: np.ndarray, chosen: np.ndarray, demand: Demand, reach: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return demand by hour and reports of the segments nearest to each place, within reach."""
    if len(chosen) == 0:
        return np.zeros((0, len(demand.hours))), np.zeros(0, dtype=np.int64)
    found = cKDTree(xy[chosen]).query(xy, distance_upper_bound=reach)
    distance, place = np.asarray(found[0]), np.asarray(found[1])
    covered = np.isfinite(distance) & demand.is_inhabited
    by_hour = np.zeros((len(chosen), len(demand.hours)))
    np.add.at(by_hour, place[covered], demand.by_hour[covered])
    n_reports = np.zeros(len(chosen), dtype=np.int64)
    np.add.at(n_reports, place[covered], demand.n_reports[covered])
    return by_hour, n_reports
