"""Reports counted by place and week: what hot-spot methods forecast from.

A place is a square of a regular grid or a street segment. Both know which places they touch and
how readily heat would flow between them, so that every method runs on either.
"""

from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Final

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import shapely
from scipy.sparse import csc_array, csr_array, diags_array
from scipy.sparse.linalg import SuperLU, splu

from geo.demand.estimate import MIN_LENGTH, neighbours
from geo.demand.wanted import Wanted
from geo.errors import OptionInvalid, ValueInvalid
from geo.frames import Col
from geo.incident import days_before, resident_reports, snap_to_segments
from geo.units import LONLAT_EPSG

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

WEEK: Final = 7
"""Days of a period."""

MARGIN: Final = 2
"""Squares around every report that belong to the study area: 300 m with sides of 150 m."""

SMALLEST_SIDE: Final = 10.0
LARGEST_SIDE: Final = 10_000.0
"""Metres of a square, at least and at most."""

EULER_STEPS: Final = 4
"""Backward Euler steps of the heat equation; 1 gives a peaked kernel, 4 are nearly Gaussian."""

ROOK: Final = ((-1, 0), (0, -1), (0, 1), (1, 0))
QUEEN: Final = (*ROOK, (-1, -1), (-1, 1), (1, -1), (1, 1))

LARGEST_INDEX: Final = 1 << 30
"""Squares in a row or column of the grid at most: the key of a square fits 64 bits."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Series:
    """Residents' reports by week and place.

    Attributes
    ----------
    place_id : ndarray of str, shape (n,)
        ``column_row`` of a square, or the segment's id.
    counts : csr_array of float64, shape (n_weeks, n)
        The last week ends with the day before `as_of`.
    size : ndarray of float64, shape (n,)
        Area of a square in m2, length of a segment in m.
    near : csr_array of float64, shape (n, n)
        1 where two places touch; no diagonal.
    flow : csr_array of float64, shape (n, n)
        Conductance between touching places: width of the contact over the distance of the middles.
    as_of : date
        Day after the last one counted.
    n_reports, n_total : int
        Residents' reports counted, and those of the weeks in all, on a place or not.
    geometry : ndarray of Geometry, shape (n,)
        Squares or lines in the metric CRS.
    """

    place_id: npt.NDArray[np.str_]
    counts: csr_array
    size: Floats
    near: csr_array
    flow: csr_array
    as_of: date
    n_reports: int
    n_total: int
    geometry: npt.NDArray[np.object_]
    _spread: dict[float, SuperLU] = field(default_factory=dict, init=False, repr=False)

    @property
    def n_weeks(self) -> int:
        """Weeks counted."""
        return int(self.counts.shape[0])

    def decayed(self, week: int, half_life: float) -> Floats:
        """Return the reports of all weeks before `week`, a week weighing half per `half_life`.

        Parameters
        ----------
        half_life : float
            Days; infinity counts every week alike.
        """
        ago = np.arange(week - 1, -1, -1)
        return np.asarray(self.counts[:week].T @ 0.5 ** (ago * WEEK / half_life))

    def window(self, week: int, n_days: int) -> Floats:
        """Return the plain counts of the `n_days` before `week`."""
        first = max(0, week - max(1, n_days // WEEK))
        return np.asarray(self.counts[first:week].sum(axis=0), dtype=np.float64).ravel()

    def diffused(self, mass: Floats, bandwidth: float) -> Floats:
        """Return a mass spread by the heat equation: its density, per m2 or m, shape (n,).

        Mass flows between touching places until its standard deviation along one direction is
        `bandwidth` metres; nothing leaves the study area. On streets this is kernel density
        estimation along the network.

        References
        ----------
        McSwiggan, Baddeley and Nair, Scandinavian Journal of Statistics 44, 2017,
        doi:10.1111/sjos.12255.
        """
        if bandwidth not in self._spread:
            step = bandwidth**2 / 2 / EULER_STEPS
            loss = diags_array(np.asarray(self.flow.sum(axis=1)).ravel())
            matrix = diags_array(self.size) + step * (loss - self.flow)
            self._spread[bandwidth] = splu(csc_array(matrix))
        density = np.asarray(mass, dtype=np.float64) / self.size
        for _ in range(EULER_STEPS):
            density = self._spread[bandwidth].solve(self.size * density)
        return density


def require_side(side: float) -> None:
    """Refuse squares smaller than a building or larger than a township.

    Raises
    ------
    OptionInvalid
    """
    if not SMALLEST_SIDE <= side <= LARGEST_SIDE:
        raise OptionInvalid(option="--side", value=f"{side:g}", expected=Wanted.SIDE)


def count_in_squares(
    incidents: gpd.GeoDataFrame,
    *,
    epsg: int,
    side: float = 150.0,
    as_of: date | None = None,
    within: gpd.GeoDataFrame | None = None,
    source: str = "incidents",
) -> Series:
    """Count residents' reports in the squares of a regular grid.

    Parameters
    ----------
    incidents : GeoDataFrame
        INCIDENTS frame, EPSG:4326.
    epsg : int
        Metric CRS; grid lines lie on whole multiples of `side` in it.
    side : float
        Metres.
    as_of : date, optional
        Reports of this day and later are not looked at; by default the day after the last one.
    within : GeoDataFrame, optional
        Areas whose squares (by their middle) are the study area; by default every square at most
        `MARGIN` squares from a report.
    source : str
        Name of the file, for messages.

    Raises
    ------
    OptionInvalid
        Not a side.
    ValueInvalid
        Residents' reports of less than a week.
    """
    require_side(side)
    reports, week, as_of = _by_week(incidents, as_of, source=source)
    xy = shapely.get_coordinates(reports.geometry.to_crs(epsg).to_numpy())
    key = _keys(np.floor(xy / side).astype(np.int64))
    known = _study_area(key, side=side, epsg=epsg, within=within)
    place = _find(known, key)
    column, row = _columns_rows(known)
    return Series(
        place_id=np.array([f"{x}_{y}" for x, y in zip(column, row, strict=True)], dtype=np.str_),
        counts=_counts(week, place, len(known)),
        size=np.full(len(known), side * side),
        near=_touching(known, QUEEN),
        flow=_touching(known, ROOK),
        as_of=as_of,
        n_reports=int((place >= 0).sum()),
        n_total=len(place),
        geometry=shapely.box(column * side, row * side, (column + 1) * side, (row + 1) * side),
    )


def count_on_segments(
    incidents: gpd.GeoDataFrame,
    streets: gpd.GeoDataFrame,
    *,
    epsg: int,
    as_of: date | None = None,
    source: str = "incidents",
) -> Series:
    """Count residents' reports on street segments, within 100 m; see `count_in_squares`."""
    reports, week, as_of = _by_week(incidents, as_of, source=source)
    place = snap_to_segments(reports, streets, epsg=epsg).row
    lines = streets.geometry.to_crs(epsg).to_numpy()
    size = np.maximum(shapely.length(lines), MIN_LENGTH)
    near = neighbours(streets)
    flow = near.tocoo()
    apart = (size[flow.row] + size[flow.col]) / 2
    return Series(
        place_id=streets[Col.SEGMENT_ID].to_numpy(dtype=np.str_),
        counts=_counts(week, place, len(lines)),
        size=size,
        near=near,
        flow=csr_array((1.0 / apart, (flow.row, flow.col)), shape=near.shape),
        as_of=as_of,
        n_reports=int((place >= 0).sum()),
        n_total=len(place),
        geometry=lines,
    )


def _by_week(
    incidents: gpd.GeoDataFrame, as_of: date | None, *, source: str
) -> tuple[gpd.GeoDataFrame, Ints, date]:
    """Return residents' reports of whole weeks, the week of each, and the day after the last.

    Weeks are counted back from `as_of`, so that the newest days are never cut off.
    """
    residents = resident_reports(incidents).frame
    if as_of is None and len(residents):
        newest = residents[Col.OCCURRED_AT].max()
        as_of = newest.date() + timedelta(days=1)
    ago = days_before(residents, np.datetime64(as_of, "D")) if as_of is not None else np.zeros(0)
    n_weeks = int(ago.max(initial=0)) // WEEK
    if as_of is None or n_weeks == 0:
        raise ValueInvalid(
            source=source,
            row="–",
            column=Col.OCCURRED_AT,
            value=_span(residents),
            expected=Wanted.WEEK,
        )
    used = (ago >= 1) & (ago <= n_weeks * WEEK)
    week = n_weeks - 1 - (ago[used] - 1) // WEEK
    return residents[used], week.astype(np.int64), as_of


def _span(reports: gpd.GeoDataFrame) -> str:
    """Return the first and last day of reports; a dash where there are none."""
    if reports.empty:
        return "–"
    days = reports[Col.OCCURRED_AT]
    return f"{days.min():%Y-%m-%d} – {days.max():%Y-%m-%d}"


def _counts(week: Ints, place: Ints, n: int) -> csr_array:
    on = place >= 0
    shape = (int(week.max(initial=0)) + 1, n)
    return csr_array((np.ones(int(on.sum())), (week[on], place[on])), shape=shape)


def _study_area(key: Ints, *, side: float, epsg: int, within: gpd.GeoDataFrame | None) -> Ints:
    """Return the squares that are ranked, as sorted keys."""
    if within is None:
        reach = range(-MARGIN, MARGIN + 1)
        ever = np.unique(key)
        return np.unique(np.concatenate([ever + _offset(x, y) for x in reach for y in reach]))
    area = shapely.union_all(within.geometry.to_crs(epsg).to_numpy())
    west, south, east, north = np.floor(np.array(area.bounds) / side).astype(np.int64)
    x, y = np.meshgrid(np.arange(west, east + 1), np.arange(south, north + 1), indexing="ij")
    shapely.prepare(area)
    inside = shapely.contains_xy(area, (x.ravel() + 0.5) * side, (y.ravel() + 0.5) * side)
    return np.sort(_keys(np.column_stack([x.ravel(), y.ravel()])[inside]))


def _keys(column_row: Ints) -> Ints:
    """Return one integer per square; neighbours differ by a constant."""
    return column_row[:, 0] * (4 * LARGEST_INDEX) + column_row[:, 1]


def _offset(columns: int, rows: int) -> int:
    return columns * 4 * LARGEST_INDEX + rows


def _columns_rows(key: Ints) -> tuple[Ints, Ints]:
    column = np.floor_divide(key + 2 * LARGEST_INDEX, 4 * LARGEST_INDEX)
    return column, key - column * (4 * LARGEST_INDEX)


def _find(known: Ints, key: Ints) -> Ints:
    """Return the position of each key among the sorted known ones, -1 where absent."""
    if len(known) == 0:
        return np.full(len(key), -1, dtype=np.int64)
    at = np.minimum(np.searchsorted(known, key), len(known) - 1)
    return np.where(known[at] == key, at, -1).astype(np.int64)


def _touching(known: Ints, moves: tuple[tuple[int, int], ...]) -> csr_array:
    """Return which squares touch by one of the moves, as a 0/1 matrix."""
    n = len(known)
    here, there = [], []
    for x, y in moves:
        other = _find(known, known + _offset(x, y))
        rows = np.flatnonzero(other >= 0)
        here.append(rows)
        there.append(other[rows])
    rows, columns = np.concatenate(here), np.concatenate(there)
    return csr_array((np.ones(len(rows)), (rows, columns)), shape=(n, n))


def places_frame(series: Series, rows: Ints, *, epsg: int) -> gpd.GeoSeries:
    """Return the geometry of places in EPSG:4326."""
    return gpd.GeoSeries(series.geometry[rows], crs=epsg).to_crs(LONLAT_EPSG)
