"""Hot-spot methods: each scores places from the weeks before one.

All are small on purpose. On the real file of the bench no method was ahead of decayed counts with
a long half-life; the others are here to be compared with, and because files differ.
"""

from dataclasses import dataclass
from typing import Final

import geopandas as gpd
import numpy as np
import pandas as pd
from scipy.optimize import nnls
from scipy.sparse import csr_array

from geo.demand.accuracy import Method, take
from geo.demand.series import Floats, Series, places_frame
from geo.demand.wanted import Wanted
from geo.errors import OptionInvalid
from geo.frames import HOT_SPOTS, Col, require

YEAR: Final = 365
"""Days of the plain baseline."""


def _require_positive(option: str, value: float) -> None:
    if not value > 0:
        raise OptionInvalid(option=option, value=value, expected=Wanted.POSITIVE)


@dataclass(frozen=True, slots=True)
class LastYear:
    """Plain counts of the last year: what a planner has without any method."""

    n_days: int = YEAR

    def __call__(self, series: Series, week: int) -> Floats:
        """Return reports per m2 or m of the days before."""
        return series.window(week, self.n_days) / series.size


@dataclass(frozen=True, slots=True)
class DecayedCounts:
    """Counts that weigh half per half-life; long ones keep what lasts.

    Attributes
    ----------
    half_life : float
        Days.
    """

    half_life: float = 730.0

    def __post_init__(self) -> None:
        _require_positive("half_life", self.half_life)

    def __call__(self, series: Series, week: int) -> Floats:
        """Return decayed reports per m2 or m."""
        return series.decayed(week, self.half_life) / series.size


@dataclass(frozen=True, slots=True)
class KernelDensity:
    """Decayed counts spread to their surroundings: planar on squares, along the streets on them.

    Attributes
    ----------
    bandwidth : float
        Metres, standard deviation of the kernel.
    half_life : float
        Days.
    """

    bandwidth: float = 75.0
    half_life: float = 730.0

    def __post_init__(self) -> None:
        _require_positive("bandwidth", self.bandwidth)
        _require_positive("half_life", self.half_life)

    def __call__(self, series: Series, week: int) -> Floats:
        """Return smoothed reports per m2 or m."""
        return series.diffused(series.decayed(week, self.half_life), self.bandwidth)


@dataclass(frozen=True, slots=True)
class GiStar:
    """Getis and Ord's Gi*: how far a place and its neighbours stand out from the city's mean."""

    n_days: int = YEAR

    def __call__(self, series: Series, week: int) -> Floats:
        """Return z-scores of last year's counts."""
        return gi_star(series.window(week, self.n_days), series.near)


@dataclass(frozen=True, slots=True)
class Blend:
    """Short and long memory, sharp and smoothed, mixed by what forecast the last weeks best.

    Weights are at least 0 and minimise the squared error over the last `n_weeks` weeks before the
    one forecast, each report's variance taken as its mean (non-negative least squares).

    Attributes
    ----------
    half_lives : tuple of float
        Days.
    bandwidths : tuple of float
        Metres; 0 leaves a count where it is.
    n_weeks : int
        Weeks the weights are fitted to.
    """

    half_lives: tuple[float, ...] = (91.0, 730.0)
    bandwidths: tuple[float, ...] = (0.0, 75.0, 300.0)
    n_weeks: int = 8

    def __call__(self, series: Series, week: int) -> Floats:
        """Return mixed reports per m2 or m."""
        known = max(1, week - self.n_weeks)
        past = self._features(series, known)
        seen = series.window(week, (week - known) * 7) / series.size
        weight = 1.0 / np.sqrt(past.mean(axis=1) + past.mean())
        share, _ = nnls(past * weight[:, None], seen * weight)
        if share.sum() <= 0:
            share[:] = 1.0
        mixed: Floats = self._features(series, week) @ share
        return mixed

    def _features(self, series: Series, week: int) -> Floats:
        columns = []
        for half_life in self.half_lives:
            count = series.decayed(week, half_life)
            for bandwidth in self.bandwidths:
                is_sharp = bandwidth == 0.0
                columns.append(
                    count / series.size if is_sharp else series.diffused(count, bandwidth)
                )
        return np.column_stack(columns)


METHODS: Final[dict[str, Method]] = {
    "decayed": DecayedCounts(),
    "kernel": KernelDensity(),
    "gi_star": GiStar(),
    "blend": Blend(),
    "last_year": LastYear(),
}
"""Methods by the name a user gives; the first is the default, the last the plain baseline."""

BASELINE: Final = "last_year"


def gi_star(x: Floats, near: csr_array) -> Floats:
    """Return Gi* of every place: z-score of the sum over it and its neighbours, binary weights.

    Parameters
    ----------
    x : ndarray of float64, shape (n,)
    near : csr_array, shape (n, n)
        0/1, no diagonal; a place is always its own neighbour.

    Notes
    -----
    ``(sum_j w_ij x_j - mean W_i) / (s sqrt((n S_i - W_i^2) / (n - 1)))`` with W the sum of a row's
    weights and S the sum of their squares; 0 where the denominator is.

    References
    ----------
    Ord and Getis, Geographical Analysis 27, 1995, doi:10.1111/j.1538-4632.1995.tb00912.x.
    """
    n = len(x)
    weights = 1.0 + np.asarray(near.sum(axis=1)).ravel()  # binary: the squares add up to the same
    spread = x.std() * np.sqrt(np.maximum(n * weights - weights**2, 0.0) / max(n - 1, 1))
    above = near @ x + x - x.mean() * weights
    z: Floats = np.divide(above, spread, out=np.zeros(n), where=spread > 0)
    return z


def method_named(name: str) -> Method:
    """Return a method by its name.

    Raises
    ------
    OptionInvalid
        Not one of `METHODS`.
    """
    if name not in METHODS:
        raise OptionInvalid(option="--method", value=name, expected=", ".join(METHODS))
    return METHODS[name]


def hot_spots(
    series: Series,
    method: Method,
    *,
    epsg: int,
    share: float,
    seed: int,
    name: str,
    source: str = "patrolgrid",
) -> gpd.GeoDataFrame:
    """Return the places forecast for the week that begins with the series' `as_of`.

    Parameters
    ----------
    share : float
        Share of the ground taken.
    name : str
        Of the method, written into every row.
    source : str
        Written into every row: ``synthetic`` where the reports are made up.

    Returns
    -------
    GeoDataFrame
        HOT_SPOTS frame in EPSG:4326, highest score first; its audience is command.
    """
    score = method(series, series.n_weeks)
    taken = take(score, series.size, share, seed=seed)
    n_reports = series.window(series.n_weeks, YEAR)[taken]
    frame = gpd.GeoDataFrame(
        {
            Col.PLACE_ID: pd.Series(series.place_id[taken].tolist(), dtype="str"),
            Col.ORDER: np.arange(1, len(taken) + 1, dtype=np.int64),
            Col.SCORE: score[taken],
            Col.N_REPORTS: n_reports.astype(np.int64),
            Col.METHOD: pd.Series([name] * len(taken), dtype="str"),
            Col.SOURCE: pd.Series([source] * len(taken), dtype="str"),
        },
        geometry=places_frame(series, taken, epsg=epsg),
    )
    require(frame, HOT_SPOTS, source="hot spots", allow_empty=True)
    return frame
