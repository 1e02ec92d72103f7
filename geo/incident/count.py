"""Counts of reports by street group and hour bin, small ones suppressed where they must be."""

from collections.abc import Sequence
from enum import StrEnum

import geopandas as gpd
import numpy as np
import pandas as pd

from geo.errors import OptionInvalid
from geo.frames import Channel, Col
from geo.incident.report import HOURS_PER_DAY
from geo.incident.roll import StreetGroups
from geo.privacy import MIN_COUNT, Audience
from geo.units import CITY_ZONE


class Wanted(StrEnum):
    """English phrases of what an option should have been; the catalogue has each."""

    HOURS = "hours of day, rising, such as 2,8,14,20"

    @property
    def code(self) -> str:
        """Message code of the phrase."""
        return f"incident.wanted.{self.name.lower()}"


DEFAULT_BINS = (2, 8, 14, 20)
"""Hours at which bins begin: 02–08, 08–14, 14–20, 20–02."""


def count_reports(
    reports: pd.DataFrame,
    streets: gpd.GeoDataFrame,
    groups: StreetGroups,
    *,
    audience: Audience,
    bins: Sequence[int] = DEFAULT_BINS,
) -> pd.DataFrame:
    """Count residents' reports by street group and hour bin.

    Parameters
    ----------
    reports : DataFrame
        SEGMENT_REPORTS frame.
    streets : GeoDataFrame
        STREETS frame the groups were made of.
    groups : StreetGroups
    audience : Audience
        Partner and public see no count of 1 to 4. Where a single small one would follow from the
        sum of its bin, the next smallest goes with it; nobody but command and teams is told sums.
    bins : sequence of int
        Hours of day at which bins begin, rising.

    Returns
    -------
    DataFrame
        Columns segment_id (the group's first), n_segments, hours (``20:00-02:00``), n_reports
        (Int64, missing where suppressed) and is_suppressed; one row per group and bin with any
        report, groups in the order of the streets.
    """
    names = _bin_names(bins)
    row = pd.Series(np.arange(len(streets)), index=streets[Col.SEGMENT_ID].to_numpy())
    residents = reports[reports[Col.CHANNEL] == Channel.RESIDENT.value]
    at = row.reindex(residents[Col.SEGMENT_ID].to_numpy()).dropna().astype("int64")
    if len(at) < len(residents):
        raise OptionInvalid(option="streets", value="", expected="every segment of the reports")
    hour = residents[Col.OCCURRED_AT].dt.tz_convert(CITY_ZONE).dt.hour.to_numpy()
    n_groups = len(groups.n_addresses)
    slot = groups.group[at.to_numpy()] * len(bins) + _bin_of(bins)[hour]
    count = np.bincount(slot, minlength=n_groups * len(bins)).reshape(n_groups, len(bins))
    hidden = _hidden(count, audience)
    first = np.full(n_groups, len(streets), dtype=np.int64)
    np.minimum.at(first, groups.group, np.arange(len(streets)))
    order = np.argsort(first, kind="stable")
    group, part = np.nonzero(count[order] > 0)
    group = order[group]
    n_reports = pd.array(count[group, part], dtype="Int64")
    n_reports[hidden[group, part]] = pd.NA
    return pd.DataFrame(
        {
            Col.SEGMENT_ID: streets[Col.SEGMENT_ID].to_numpy()[first[group]],
            Col.N_SEGMENTS: np.bincount(groups.group, minlength=n_groups)[group],
            Col.HOURS: [names[k] for k in part],
            Col.N_REPORTS: n_reports,
            Col.IS_SUPPRESSED: hidden[group, part],
        }
    )


def _hidden(count: np.ndarray, audience: Audience) -> np.ndarray:
    """Return which counts are not shown; never exactly one of a bin."""
    if audience not in {Audience.PARTNER, Audience.PUBLIC}:
        return np.zeros(count.shape, dtype=bool)
    hidden = (count > 0) & (count < MIN_COUNT)
    for column in np.flatnonzero(hidden.sum(axis=0) == 1):
        shown = np.where(hidden[:, column] | (count[:, column] == 0), np.inf, count[:, column])
        if np.isfinite(shown).any():
            hidden[np.argmin(shown), column] = True
    return np.asarray(hidden)


def _bin_of(bins: Sequence[int]) -> np.ndarray:
    """Return the bin of each hour of the day."""
    hours = np.arange(HOURS_PER_DAY)
    return np.asarray((np.searchsorted(bins, hours, side="right") - 1) % len(bins))


def _bin_names(bins: Sequence[int]) -> list[str]:
    fine = all(0 <= hour < HOURS_PER_DAY for hour in bins) and list(bins) == sorted(set(bins))
    if not bins or not fine:
        value = ",".join(map(str, bins))
        raise OptionInvalid(option="--bins", value=value, expected=Wanted.HOURS)
    return [f"{a:02d}:00-{b:02d}:00" for a, b in zip(bins, [*bins[1:], bins[0]], strict=True)]
