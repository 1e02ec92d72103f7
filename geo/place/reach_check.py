"""Every metre of a river or shore has exactly one owner at each level: the check, and n/N."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from itertools import pairwise
from typing import Final, NamedTuple

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo.frames import Col, Level
from geo.place.reach import LEVELS, levels_of, owed_pieces
from geo.rate import Rate
from geo.street.along import MILLIMETRES

SLACK: Final = 0.5
"""Metres by which stretches may miss or overlap each other unreported: less than any metre."""


class ReachFault(StrEnum):
    """What is wrong with a stretch: 无主, 重复, 超出全长, 起止颠倒, 没有这条线."""

    GAP = "gap"
    OVERLAP = "overlap"
    BEYOND = "beyond"
    BACKWARDS = "backwards"
    UNKNOWN = "unknown"


class Fault(NamedTuple):
    """One row of the list of faults; metres along the asset."""

    asset_id: str
    level: str
    kind: str
    from_m: float
    to_m: float
    metres: float
    posts: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReachCheck:
    """What a table of stretches covers.

    Attributes
    ----------
    faults : DataFrame
        asset_id, level, kind (a `ReachFault`), from_m, to_m, metres, posts (those involved, "、"
        between); by asset, level and position.
    once : mapping of Level to Rate
        Whole metres with exactly one owner, of all that need one.
    """

    faults: pd.DataFrame
    once: Mapping[Level, Rate]

    @property
    def is_whole(self) -> bool:
        """Whether every metre has exactly one owner at each level."""
        return self.faults.empty


class _Span(NamedTuple):
    begin: int
    end: int
    post: str


def check_reaches(
    reaches: pd.DataFrame,
    assets: gpd.GeoDataFrame,
    boundaries: gpd.GeoDataFrame | None,
    *,
    epsg: int,
    data_date: date,
    boundary_version: str,
    levels: Sequence[Level] = LEVELS,
    slack: float = SLACK,
) -> ReachCheck:
    """Find metres without an owner, with two, and stretches that are none.

    Parameters
    ----------
    reaches : REACHES frame
    assets : ASSETS frame
    boundaries : BOUNDARIES frame, optional
        Metres outside the units need no owner; without it every metre of every asset needs one.
    epsg : int
        The city's metric CRS.
    data_date : date
    boundary_version : str
    levels : sequence of Level
        Those of which the boundaries hold no unit are left out.
    slack : float
        Metres; shorter gaps and overlaps are rounding.
    """
    total = np.rint(shapely.length(assets.geometry.to_crs(epsg).to_numpy()) * MILLIMETRES)
    lengths = dict(zip(assets[Col.ASSET_ID], total.astype(np.int64).tolist(), strict=True))
    owed = {asset: [(0, length)] for asset, length in lengths.items()}
    if boundaries is not None:
        owed = owed_pieces(assets, boundaries, epsg=epsg)
        levels = levels_of(boundaries, levels)
    faults = list(_bad_rows(reaches, lengths))
    once = {}
    for level in levels:
        n_once = n_owed = 0
        spans = _spans(reaches[reaches[Col.LEVEL] == level.value], lengths)
        for asset in lengths:
            of_asset = sorted(spans.get(asset, []))
            found, covered = _sweep(of_asset, owed.get(asset, []))
            n_once += covered
            n_owed += sum(end - begin for begin, end in owed.get(asset, []))
            faults += [
                Fault(asset, level.value, kind, begin, end, round(end - begin, 3), posts)
                for kind, begin, end, posts in found
                if end - begin > slack
            ]
        once[level] = Rate(
            n=n_once // MILLIMETRES,
            total=n_owed // MILLIMETRES,
            data_date=data_date,
            boundary_version=boundary_version,
        )
    frame = pd.DataFrame(faults, columns=list(Fault._fields))
    order = [Col.ASSET_ID, Col.LEVEL, Col.FROM_M]
    return ReachCheck(faults=frame.sort_values(order, ignore_index=True), once=once)


def _bad_rows(reaches: pd.DataFrame, lengths: Mapping[str, int]) -> Iterator[Fault]:
    """Yield the rows that are no stretch of an asset."""
    columns = (Col.ASSET_ID, Col.LEVEL, Col.FROM_M, Col.TO_M, Col.POST)
    for asset, level, begin, end, post in zip(*(reaches[c] for c in columns), strict=True):
        metres = round(end - begin, 3)
        if asset not in lengths:
            yield Fault(asset, level, ReachFault.UNKNOWN.value, begin, end, metres, post)
        elif end <= begin:
            yield Fault(asset, level, ReachFault.BACKWARDS.value, begin, end, metres, post)
        elif begin < 0 or end * MILLIMETRES > lengths[asset] + SLACK * MILLIMETRES:
            over = round(end - lengths[asset] / MILLIMETRES, 3)
            yield Fault(asset, level, ReachFault.BEYOND.value, begin, end, max(over, -begin), post)


def _spans(reaches: pd.DataFrame, lengths: Mapping[str, int]) -> dict[str, list[_Span]]:
    """Return the stretches of each asset in millimetres, cut off at its ends."""
    spans: dict[str, list[_Span]] = {}
    columns = (Col.ASSET_ID, Col.FROM_M, Col.TO_M, Col.POST)
    for asset, begin, end, post in zip(*(reaches[c] for c in columns), strict=True):
        if asset in lengths:
            first = max(round(begin * MILLIMETRES), 0)
            last = min(round(end * MILLIMETRES), lengths[asset])
            if first < last:
                spans.setdefault(asset, []).append(_Span(first, last, post))
    return spans


def _sweep(
    spans: Sequence[_Span], owed: Sequence[tuple[int, int]]
) -> tuple[list[tuple[str, float, float, str]], int]:
    """Return gaps and overlaps of one asset at one level in metres, and millimetres owned once.

    Neighbouring parts with the same fault and posts become one.
    """
    marks = sorted({m for s in spans for m in (s.begin, s.end)} | {m for o in owed for m in o})
    found: list[tuple[str, int, int, str]] = []
    once = 0
    for begin, end in pairwise(marks):
        owners = [span.post for span in spans if span.begin <= begin and end <= span.end]
        needed = any(first <= begin and end <= last for first, last in owed)
        once += (end - begin) * (needed and len(owners) == 1)
        if len(owners) == 1 or not (needed or owners):
            continue
        kind = ReachFault.OVERLAP if owners else ReachFault.GAP
        posts = "、".join(sorted(owners))
        if found and found[-1][0] == kind and found[-1][2] == begin and found[-1][3] == posts:
            begin = found.pop()[1]  # noqa: PLW2901
        found.append((kind.value, begin, end, posts))
    in_metres = [(k, b / MILLIMETRES, e / MILLIMETRES, posts) for k, b, e, posts in found]
    return in_metres, once
