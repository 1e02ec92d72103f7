"""How good a forecast was: what share of later reports lay on a small share of the ground.

PAI (predictive accuracy index): share of reports caught over share of ground taken; 1 is chance.
Chainey, Tompson and Uhlig, Security Journal 21, 2008, doi:10.1057/palgrave.sj.8350066.
PEI (predictive efficiency index): reports caught over the most that any choice of that size could
have caught; 1 is perfect. Hunt, Rand Corporation, 2016; National Institute of Justice, Real-Time
Crime Forecasting Challenge, 2017.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from geo.demand.series import Floats, Ints, Series
from geo.demand.wanted import Wanted, Weeks
from geo.errors import OptionInvalid
from geo.progress import NEVER, Progress, StopToken, silent, stop_if_asked

Method = Callable[[Series, int], Floats]
"""Scores places, highest first, from the weeks before one; it must not look at that week."""

N_RESAMPLES: Final = 500
"""Bootstrap draws of weeks behind a standard error."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Accuracy:
    """A forecast held against the weeks it was made for.

    Attributes
    ----------
    caught, total, best : ndarray of float64, shape (n_weeks,)
        Reports on the ground taken, in all, and the most that ground of that size could hold.
    share : ndarray of float64, shape (n_weeks,)
        Share of the ground taken; at most the share asked for.
    """

    caught: Floats
    total: Floats
    best: Floats
    share: Floats

    @property
    def hit_rate(self) -> float:
        """Share of the reports caught; NaN without a report."""
        return _ratio(self.caught.sum(), self.total.sum())

    @property
    def pai(self) -> float:
        """Predictive accuracy index over all weeks."""
        return _ratio(self.hit_rate, float(self.share.mean()))

    @property
    def pei(self) -> float:
        """Predictive efficiency index over all weeks."""
        return _ratio(self.caught.sum(), self.best.sum())

    def pai_error(self, *, seed: int) -> float:
        """Return the standard error of the PAI: weeks drawn with replacement."""
        draw = np.random.default_rng(seed).integers(
            0, len(self.total), (N_RESAMPLES, len(self.total))
        )
        total = self.total[draw].sum(axis=1)
        hit = self.caught[draw].sum(axis=1)[total > 0] / total[total > 0]
        return float(np.std(hit) / self.share.mean()) if len(hit) else float("nan")

    def lead_over(self, other: "Accuracy", *, seed: int) -> tuple[float, float]:
        """Return by how much the PAI is above another's on the same weeks, and its error.

        The weeks are drawn for both at once, so that good and bad weeks cancel out.
        """
        draw = np.random.default_rng(seed).integers(
            0, len(self.total), (N_RESAMPLES, len(self.total))
        )
        ours = self.caught / self.share.mean() - other.caught / other.share.mean()
        total = np.maximum(self.total[draw].sum(axis=1), 1.0)
        return self.pai - other.pai, float(np.std(ours[draw].sum(axis=1) / total))


def _ratio(part: float, whole: float) -> float:
    return float(part / whole) if whole > 0 else float("nan")


def require_share(share: float) -> None:
    """Refuse a share of the ground that is none.

    Raises
    ------
    OptionInvalid
    """
    if not 0 < share <= 1:
        raise OptionInvalid(option="--share", value=f"{share:g}", expected=Wanted.SHARE)


def take(score: Floats, size: Floats, share: float, *, seed: int) -> Ints:
    """Return the places of highest score whose sizes add up to at most a share of all.

    Ties are broken by a seeded draw: the order of a file would favour one end of the city.
    """
    require_share(share)
    order = np.lexsort((np.random.default_rng(seed).random(len(score)), -score))
    inside = np.cumsum(size[order]) <= share * size.sum() * (1 + 1e-12)
    return np.asarray(order[inside], dtype=np.int64)


def judge(
    series: Series,
    method: Method,
    *,
    weeks: Sequence[int],
    share: float,
    seed: int,
    progress: Progress = silent,
    stop: StopToken = NEVER,
) -> Accuracy:
    """Hold a method against weeks it has not seen.

    Parameters
    ----------
    series : Series
    method : Method
    weeks : sequence of int
        Weeks forecast, each from those before it.
    share : float
        Share of the ground taken.
    seed : int
        Of the draw between equal scores.
    """
    if not weeks or min(weeks) < 1 or max(weeks) >= series.n_weeks:
        expected = Weeks(series.n_weeks - 1, series.n_weeks)
        raise OptionInvalid(option="--test-weeks", value=len(weeks), expected=expected)
    rows = []
    for done, week in enumerate(weeks):
        stop_if_asked(stop, "hot spots")
        seen = np.asarray(series.counts[week].todense(), dtype=np.float64).ravel()
        taken = take(method(series, week), series.size, share, seed=seed + week)
        ideal = take(seen / series.size, series.size, share, seed=seed)
        part = series.size[taken].sum() / series.size.sum()
        rows.append((seen[taken].sum(), seen.sum(), seen[ideal].sum(), part))
        progress(done + 1, len(weeks))
    caught, total, best, part = np.array(rows, dtype=np.float64).T
    return Accuracy(caught=caught, total=total, best=best, share=part)


def last_weeks(series: Series, n: int) -> range:
    """Return the last `n` weeks of a series: the test half of a time split.

    Raises
    ------
    OptionInvalid
        No week would be left to learn from.
    """
    if not 1 <= n < series.n_weeks:
        expected = Weeks(series.n_weeks - 1, series.n_weeks)
        raise OptionInvalid(option="--test-weeks", value=n, expected=expected)
    return range(series.n_weeks - n, series.n_weeks)
