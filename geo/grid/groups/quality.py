"""How good groups are, counted from the groups alone."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from geo.frames import Col, GroupReason
from geo.grid.groups.cut import BAND
from geo.rate import Rate


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupQuality:
    """Figures of a division into groups.

    Attributes
    ----------
    in_band : Rate
        Groups of 10 to 30 households among those that have any.
    n_by_count : int
        Groups that share a building with another, by number alone.
    n_by_reason : mapping of GroupReason to int
        Groups outside the band, by reason; those without any known household among them.
    """

    in_band: Rate
    n_by_count: int
    n_by_reason: Mapping[GroupReason, int]


def measure_groups(
    groups: pd.DataFrame, *, data_date: date, band: tuple[int, int] = BAND
) -> GroupQuality:
    """Return the figures of groups."""
    households = groups.loc[groups[Col.HOUSEHOLDS] > 0, Col.HOUSEHOLDS].to_numpy()
    versions = groups[Col.BOUNDARY_VERSION].unique()
    return GroupQuality(
        in_band=Rate(
            n=int(np.count_nonzero((households >= band[0]) & (households <= band[1]))),
            total=len(households),
            data_date=data_date,
            boundary_version=", ".join(map(str, versions)),
        ),
        n_by_count=int(groups[Col.BY_COUNT].sum()),
        n_by_reason={
            reason: int((groups[Col.REASON] == reason).sum())
            for reason in GroupReason
            if (groups[Col.REASON] == reason).any()
        },
    )


def group_notes(quality: GroupQuality) -> tuple[tuple[str, Mapping[str, object]], ...]:
    """Return what a reader should know of groups: message codes and parameters."""
    notes: list[tuple[str, Mapping[str, object]]] = [
        ("group.size", {"rate": str(quality.in_band)}),
    ]
    if quality.n_by_count:
        notes.append(("group.by_count", {"n": quality.n_by_count}))
    notes += [
        (f"group.reason.{reason.value}", {"n": n}) for reason, n in quality.n_by_reason.items()
    ]
    return tuple(notes)
