"""Expected residents' reports per street segment and hour of the shift.

Three steps, each a textbook one:

1. Reports count less with age: half as much every `half_life` days.
2. A segment's rate is shrunk towards its neighbourhood's rate per metre by an empirical-Bayes
   Gamma-Poisson model whose strength is fitted to the data (Clayton and Kaldor, Biometrics 43,
   1987; neighbours as prior: Marshall, Applied Statistics 40, 1991).
3. The hours' shares of a segment are shrunk towards the city's by a Dirichlet-multinomial model,
   its strength fitted likewise.

Then an exploration floor and a cap are applied: no inhabited street is forgotten, none takes all.
Only residents' reports enter; what patrols find themselves never does.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

import geopandas as gpd
import numpy as np
import shapely
from scipy.sparse import csr_array
from scipy.special import gammaln

from geo.demand.inputs import refuse_social
from geo.errors import OptionInvalid
from geo.frames import Channel, Col, StreetClass
from geo.grid.locate import assign_cells
from geo.grid.quality import units_of
from geo.incident import (
    HOURS_PER_DAY,
    StreetGroups,
    days_before,
    hours_of,
    resident_reports,
    shift_hours,
    snap_to_segments,
)
from geo.rate import Rate
from geo.topology import vertex_keys

MIN_LENGTH: Final = 40.0
"""Metres a segment counts as at least: a corner of 5 m is still a corner with people."""

STRENGTHS: Final = np.geomspace(0.05, 50.0, 25)
"""Shapes of the Gamma prior that are tried."""

HOUR_STRENGTHS: Final = np.geomspace(2.0, 5000.0, 25)
"""Pseudo-reports of the city's hours that are tried."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DemandRules:
    """Choices the estimate rests on; recorded with every plan.

    Attributes
    ----------
    half_life : float
        Days after which a report counts half.
    window : int
        Days looked back.
    floor_share : float
        Every inhabited segment keeps this share of the mean of its hour: exploration.
    cap_quantile, cap_multiple : float
        No segment exceeds `cap_multiple` times this quantile of its hour.
    prior_length : float
        Metres at the rate of the street's class mixed into each neighbourhood's.
    """

    half_life: float = 730.0
    window: int = 1095
    floor_share: float = 0.1
    cap_quantile: float = 0.99
    cap_multiple: float = 3.0
    prior_length: float = 1000.0

    def __post_init__(self) -> None:
        fine = (
            self.half_life > 0
            and self.window >= 1
            and 0 <= self.floor_share <= 1
            and 0 < self.cap_quantile <= 1
            and self.cap_multiple >= 1
            and self.prior_length >= 0
        )
        if not fine:
            raise OptionInvalid(
                option="demand rules",
                value=self,
                expected="half-life > 0, window >= 1, floor 0–1, quantile 0–1, multiple >= 1",
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """Expected residents' reports per segment and hour of one shift.

    Attributes
    ----------
    segment_id : ndarray of str, shape (n_segments,)
        In the order of the street frame.
    by_hour : ndarray of float64, shape (n_segments, n_hours)
        Reports expected in that hour of one night; floor and cap applied. Read-only.
    hours : tuple of int
        Hour of day of each column.
    n_reports : ndarray of int64, shape (n_segments,)
        Residents' reports counted on the segment in the shift's hours, undecayed.
    is_inhabited : ndarray of bool, shape (n_segments,)
    used : Rate
        Residents' reports that lie on a street, of all in the window.
    left_out : mapping of Channel to int
        Reports of other channels.
    n_floored, n_capped : int
        Segments that the floor or the cap changed in some hour.
    strength : float
        Fitted shape of the Gamma prior: small where neighbours say little.
    hour_strength : float
        Fitted pseudo-reports of the hours' prior.
    """

    segment_id: np.ndarray
    by_hour: np.ndarray
    hours: tuple[int, ...]
    n_reports: np.ndarray
    is_inhabited: np.ndarray
    used: Rate
    left_out: Mapping[Channel, int]
    n_floored: int
    n_capped: int
    strength: float
    hour_strength: float
    rules: DemandRules
    as_of: date

    def __post_init__(self) -> None:
        self.by_hour.setflags(write=False)


DEFAULT_RULES: Final = DemandRules()


def estimate_demand(
    incidents: gpd.GeoDataFrame,
    streets: gpd.GeoDataFrame,
    cells: gpd.GeoDataFrame,
    *,
    epsg: int,
    shift_start_hour: int,
    n_hours: int,
    as_of: date,
    rules: DemandRules = DEFAULT_RULES,
    groups: StreetGroups | None = None,
) -> Demand:
    """Estimate the residents' reports of each street segment in each hour of a shift.

    Parameters
    ----------
    incidents, streets, cells : GeoDataFrame
        Frames in EPSG:4326; `cells` says which streets are inhabited.
    epsg : int
        Metric CRS.
    shift_start_hour, n_hours : int
        The shift's first hour of day and its length; it may pass midnight.
    as_of : date
        Reports of this day and later are not looked at.
    groups : StreetGroups, optional
        Segments with too few addresses, rolled up: the reports of a group are shared out over its
        segments by length, so that none of them points at one home.

    Raises
    ------
    DemandInputRefused
        A column of the inputs tells who lives at a place.
    """
    for layer, frame in (("incidents", incidents), ("streets", streets), ("cells", cells)):
        refuse_social(frame.columns, source=layer)
    hours = shift_hours(shift_start_hour, n_hours)
    reports = _collect(incidents, streets, epsg=epsg, as_of=as_of, window=rules.window)
    length = np.maximum(streets.geometry.to_crs(epsg).length.to_numpy(), MIN_LENGTH)
    counts = _count(reports, length, rules, groups)
    per_day, strength = shrink_rates(counts.total, counts.days, length, streets, rules)
    share, hour_strength = shrink_hours(counts.by_hour)
    tonight = reports.segment[np.isin(reports.hour, hours)]
    n_reports = np.bincount(tonight, minlength=len(streets)).astype(np.int64)
    if groups is not None:
        n_reports = groups.shared_whole(n_reports, length)
    lived_in = inhabited(streets, cells, epsg=epsg) | (n_reports > 0)
    raw = per_day[:, None] * share[:, list(hours)]
    by_hour, n_floored, n_capped = bound(raw, lived_in, rules)
    return Demand(
        segment_id=streets[Col.SEGMENT_ID].to_numpy(dtype=str),
        by_hour=by_hour,
        hours=hours,
        n_reports=n_reports,
        is_inhabited=lived_in,
        used=Rate(
            n=len(reports.segment),
            total=reports.n_residents,
            data_date=as_of,
            boundary_version=str(cells[Col.BOUNDARY_VERSION].iloc[0]),
        ),
        left_out=reports.left_out,
        n_floored=n_floored,
        n_capped=n_capped,
        strength=strength,
        hour_strength=hour_strength,
        rules=rules,
        as_of=as_of,
    )


@dataclass(frozen=True, slots=True)
class _Reports:
    """Residents' reports of the window that lie on a street.

    Attributes
    ----------
    segment, hour, days_ago : ndarray of int64, shape (n,)
        Row of the street frame, hour of day, whole days before the day asked about.
    n_residents : int
        Residents' reports of the window, on a street or not.
    left_out : mapping of Channel to int
    """

    segment: np.ndarray
    hour: np.ndarray
    days_ago: np.ndarray
    n_residents: int
    left_out: Mapping[Channel, int]


def _collect(
    incidents: gpd.GeoDataFrame,
    streets: gpd.GeoDataFrame,
    *,
    epsg: int,
    as_of: date,
    window: int,
) -> _Reports:
    residents = resident_reports(incidents)
    days_ago = days_before(residents.frame, np.datetime64(as_of, "D"))
    recent = (days_ago >= 1) & (days_ago <= window)
    reports = residents.frame[recent]
    segment = snap_to_segments(reports, streets, epsg=epsg).row
    on_street = segment >= 0
    return _Reports(
        segment=segment[on_street],
        hour=hours_of(reports)[on_street],
        days_ago=days_ago[recent][on_street],
        n_residents=len(reports),
        left_out=residents.left_out,
    )


@dataclass(frozen=True, slots=True)
class _Counts:
    """Decayed counts, scaled so that their variance is again about their mean.

    A sum of weights w has mean proportional to sum(w) and variance to sum(w²); multiplied by
    sum(w)/sum(w²) it behaves like a Poisson count of that size.
    """

    by_hour: np.ndarray
    total: np.ndarray
    days: float


def _count(
    reports: _Reports, length: np.ndarray, rules: DemandRules, groups: StreetGroups | None
) -> _Counts:
    n = len(length)
    n_days = int(reports.days_ago.max(initial=1))
    daily = 0.5 ** (np.arange(1, n_days + 1) / rules.half_life)
    scale = daily.sum() / (daily**2).sum()
    weight = 0.5 ** (reports.days_ago / rules.half_life) * scale
    slot = reports.segment * HOURS_PER_DAY + reports.hour
    by_hour = np.bincount(slot, weight, minlength=n * HOURS_PER_DAY).reshape(n, HOURS_PER_DAY)
    if groups is not None:
        by_hour = groups.shared(by_hour.astype(np.float64), length)
    return _Counts(by_hour, by_hour.sum(axis=1), float(daily.sum() * scale))


def neighbours(streets: gpd.GeoDataFrame) -> csr_array:
    """Return which segments meet at a junction, as a 0/1 matrix without the diagonal."""
    lines = streets.geometry.to_numpy()
    ends = np.concatenate(
        [
            shapely.get_coordinates(shapely.get_point(lines, 0)),
            shapely.get_coordinates(shapely.get_point(lines, -1)),
        ]
    )
    _, node = np.unique(vertex_keys(ends), return_inverse=True)
    n = len(lines)
    incidence = csr_array(
        (np.ones(2 * n), (np.tile(np.arange(n), 2), node)), shape=(n, int(node.max(initial=0)) + 1)
    )
    meet = (incidence @ incidence.T).tocsr()
    meet.setdiag(0)
    meet.eliminate_zeros()
    meet.data[:] = 1.0
    return meet


def shrink_rates(
    count: np.ndarray,
    days: float,
    length: np.ndarray,
    streets: gpd.GeoDataFrame,
    rules: DemandRules,
) -> tuple[np.ndarray, float]:
    """Return each segment's reports per day, shrunk towards its neighbourhood, and the strength.

    Parameters
    ----------
    count : ndarray of float64, shape (n,)
        Poisson-like counts.
    days : float
        Days they stand for.
    length : ndarray of float64, shape (n,)
        Metres.

    Notes
    -----
    Prior of segment s: Gamma with mean m_s = length x rate per metre of the segments at most two
    junctions away (itself left out, `prior_length` metres of its street class mixed in) and shape
    a. Posterior mean (count + a) / (days + a / m_s). The shape a maximises the negative-binomial
    likelihood.
    """
    prior = length * _rate_around(count, length, streets, rules)
    if count.sum() <= 0:
        return length / length.sum() / max(days, 1.0), float(STRENGTHS[-1])
    prior = np.maximum(prior, 1e-3 * count.sum() * length / length.sum())
    fits = [_negative_binomial(count, prior, shape) for shape in STRENGTHS]
    shape = float(STRENGTHS[int(np.argmax(fits))])
    return (count + shape) / (1.0 + shape / prior) / days, shape


def _rate_around(
    count: np.ndarray, length: np.ndarray, streets: gpd.GeoDataFrame, rules: DemandRules
) -> np.ndarray:
    """Return the reports per metre of the period around each segment, itself left out."""
    kind = streets[Col.STREET_CLASS].astype("category").cat.codes.to_numpy()
    of_class = np.bincount(kind, count) / np.bincount(kind, length)
    base = of_class[kind] * rules.prior_length
    meet = neighbours(streets)
    near = (meet @ meet + meet).tocsr()
    near.setdiag(0)
    near.eliminate_zeros()
    near.data[:] = 1.0
    return np.asarray((near @ count + base) / (near @ length + rules.prior_length))


def _negative_binomial(count: np.ndarray, mean: np.ndarray, shape: float) -> float:
    """Return the log likelihood of counts whose rates are Gamma with this mean and shape."""
    like = gammaln(count + shape) - gammaln(shape) - (count + shape) * np.log1p(mean / shape)
    return float((like + count * np.log(mean / shape)).sum())


def shrink_hours(by_hour: np.ndarray) -> tuple[np.ndarray, float]:
    """Return each segment's share of reports by hour of day, shrunk towards the city's.

    Parameters
    ----------
    by_hour : ndarray of float64, shape (n, 24)

    Returns
    -------
    share : ndarray of float64, shape (n, 24)
        Rows sum to 1.
    strength : float
        Pseudo-reports with the city's hours that each segment starts with; it maximises the
        Dirichlet-multinomial likelihood.
    """
    city = by_hour.sum(axis=0)
    if city.sum() <= 0:
        return np.full(by_hour.shape, 1.0 / by_hour.shape[1]), float(HOUR_STRENGTHS[-1])
    city = (city + 1.0) / (city + 1.0).sum()
    total = by_hour.sum(axis=1)
    row, hour = np.nonzero(by_hour)
    seen = by_hour[row, hour]

    def fit(strength: float) -> float:
        whole = gammaln(strength) - gammaln(total + strength)
        parts = gammaln(seen + strength * city[hour]) - gammaln(strength * city[hour])
        return float(whole.sum() + parts.sum())

    strength = float(HOUR_STRENGTHS[int(np.argmax([fit(s) for s in HOUR_STRENGTHS]))])
    return (by_hour + strength * city) / (total + strength)[:, None], strength


def inhabited(streets: gpd.GeoDataFrame, cells: gpd.GeoDataFrame, *, epsg: int) -> np.ndarray:
    """Return which segments run where people live: bool, shape (n,).

    A segment counts when its middle lies in a cell with households, or in a unit whose households
    are not known; expressways never do.
    """
    middle = gpd.GeoDataFrame(
        geometry=shapely.line_interpolate_point(streets.geometry.to_numpy(), 0.5, normalized=True),
        crs=streets.crs,
    )
    known = cells.groupby(units_of(cells))[Col.HOUSEHOLDS].transform("sum") > 0
    lived_in = cells.loc[(cells[Col.HOUSEHOLDS] > 0) | ~known, Col.CELL_ID]
    in_cell = assign_cells(middle, cells, epsg=epsg).isin(lived_in).to_numpy()
    fast = (streets[Col.STREET_CLASS] == StreetClass.EXPRESSWAY.value).to_numpy()
    return np.asarray(in_cell & ~fast)


def bound(raw: np.ndarray, lived_in: np.ndarray, rules: DemandRules) -> tuple[np.ndarray, int, int]:
    """Return rates between floor and cap, and how many segments each of them changed."""
    if not lived_in.any():
        return raw.copy(), 0, 0
    floor = rules.floor_share * raw[lived_in].mean(axis=0)
    cap = np.maximum(
        rules.cap_multiple * np.quantile(raw[lived_in], rules.cap_quantile, axis=0), floor
    )
    out = np.minimum(raw, cap)
    n_capped = int((raw > cap).any(axis=1).sum())
    low = lived_in[:, None] & (out < floor)
    return np.where(low, floor, out), int(low.any(axis=1).sum()), n_capped
