"""What each place, and all of them together, reach within some minutes."""

from collections.abc import Sequence
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from geo.frames import REACH_COUNTS, Col, Type, empty_frame
from geo.progress import NEVER, Progress, StopToken, silent
from geo.rate import Rate
from geo.units import MINUTE
from routing.travel.coverage.target import Departures, Numbers, Targets


def count_reached(
    departures: Departures,
    targets: Sequence[Targets],
    *,
    minutes: Sequence[int],
    data_date: date,
    boundary_version: str,
    progress: Progress = silent,
    stop: StopToken = NEVER,
) -> pd.DataFrame:
    """Count what each place, and what all of them together, reach within some minutes.

    Parameters
    ----------
    departures : Departures
    targets : sequence of Targets
    minutes : sequence of int
    data_date, boundary_version
        Of the targets; every count carries them.
    progress, stop
        Counted in targets.

    Returns
    -------
    DataFrame
        REACH_COUNTS frame: by target, place (all together last) and minutes ascending.

    Raises
    ------
    StationUnreachable
        A place that lies farther than 500 m from any street.
    Stopped
        A stop was asked for.
    """
    asked = sorted(set(minutes))
    if not departures.places or not targets:
        return pd.DataFrame(empty_frame(REACH_COUNTS))
    parts = []
    for one in targets:
        n = np.zeros((len(departures.places) + 1, len(asked)), np.int64)
        for rows, seconds in departures.seconds_to(one, progress=progress, stop=stop):
            size = one.size[rows]
            for k, limit in enumerate(asked):
                is_reached = seconds <= limit * MINUTE
                n[:-1, k] += is_reached @ size
                n[-1, k] += size[is_reached.any(axis=0)].sum()
        parts.append(_counts(n, departures, asked, one))
    counts = pd.concat(parts, ignore_index=True)
    counts[Col.DATA_DATE] = pd.Series([pd.Timestamp(data_date)] * len(counts), dtype=Type.DAY.value)
    counts[Col.BOUNDARY_VERSION] = pd.Series([boundary_version] * len(counts), dtype="str")
    return counts


def rate_of(count: Any) -> Rate:
    """Return a row of a REACH_COUNTS frame, as `itertuples` gives it, as n of N."""
    return Rate(
        n=int(count.n_reached),
        total=int(count.n_total),
        data_date=count.data_date.date(),
        boundary_version=count.boundary_version,
    )


def _counts(
    n: Numbers, departures: Departures, minutes: Sequence[int], targets: Targets
) -> pd.DataFrame:
    """Return counts, shape (n_places + 1, n_minutes), row by row."""
    mode, word = departures.mode.value, targets.target.value
    ids = np.repeat([place.place_id for place in departures.places] + [""], len(minutes))
    names = np.repeat([place.name for place in departures.places] + [""], len(minutes))
    of_row = np.tile(np.array(minutes, dtype=np.int64), len(n))
    return pd.DataFrame(
        {
            Col.COUNT_ID: pd.Series(
                [f"{i or 'all'}-{mode}-{m}-{word}" for i, m in zip(ids, of_row, strict=True)],
                dtype="str",
            ),
            Col.PLACE_ID: pd.Series(ids, dtype="str"),
            Col.NAME: pd.Series(names, dtype="str"),
            Col.MODE: pd.Series([mode] * len(ids), dtype="str"),
            Col.MINUTES: of_row,
            Col.TARGET: pd.Series([word] * len(ids), dtype="str"),
            Col.N_REACHED: n.ravel(),
            Col.N_TOTAL: np.full(n.size, targets.size.sum(), np.int64),
        }
    )
