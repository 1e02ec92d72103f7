"""What became of the units of an older register: same, renamed, merged into one, or unresolved."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Final

import numpy as np
import pandas as pd

from geo.boundary.evidence import (
    CONFIDENCE,
    Link,
    Siblings,
    link_family,
    moved_links,
)
from geo.boundary.listing import Listing, listing_of
from geo.boundary.overlap import are_apart, area_links, area_shares, has_polygons
from geo.boundary.wanted import Wanted
from geo.errors import ValueInvalid
from geo.frames import SUCCESSION, Col, Evidence, Level, Relation, require
from geo.privacy import shown

APART: Final = 0.1
"""How far codes and names of units are trusted whose polygons do not meet."""

SURE: Final = 0.8
"""Confidence from which a unit counts as resolved."""


def match_versions(
    old: pd.DataFrame,
    new: pd.DataFrame,
    *,
    table: pd.DataFrame | None = None,
    epsg: int | None = None,
    sure: float = SURE,
    source: str = "table",
) -> pd.DataFrame:
    """Match the units of two registers or boundary layers, the older to the newer.

    From the top down: units are compared only inside what their parents became.

    Parameters
    ----------
    old, new : DataFrame or GeoDataFrame
        Registers (`geo.io.read_register`) or BOUNDARIES frames: level, code, name, and
        `admin_parent` where the parent does not follow from the code.
    table : DataFrame of str, optional
        What the user knows: `old_code`, `new_code` ("" for a unit whose heir must stay open). It
        overrides everything else.
    epsg : int, optional
        Metric CRS. With it, and polygons on both sides, the share of area that lies in one newer
        unit decides; where the two do not meet at all, code and name decide nothing.
    sure : float
        Confidence from which a unit is resolved; below, it is unresolved and the likeliest newer
        unit offered.
    source : str
        What the user calls `table`.

    Returns
    -------
    DataFrame
        SUCCESSION frame, one row per unit of `old`, in its order.

    Raises
    ------
    ValueInvalid
        The table names a code that is in neither listing, or one older code twice.

    Notes
    -----
    Without polygons or a table, a village that was merged into one of another name leaves no
    trace in a register: it ends unresolved. One that kept code and name is *same* even where
    others were added to it; its lines, if anybody has them, say so.
    """
    before, after = listing_of(old), listing_of(new)
    links: dict[int, Link] = {}
    doubtful: dict[int, Link] = {}
    has_areas = epsg is not None and has_polygons(old) and has_polygons(new)
    if epsg is not None and has_areas:
        links, doubtful = area_links(area_shares(old, new, epsg=epsg), sure=sure)
    links |= _table_links(before, after, table, source=source)
    for depth in range(_n_depths(before)):
        for siblings, trust in _families(before, after, links, depth):
            link_family(siblings)
            links |= {row: link.capped(trust) for row, link in siblings.found.items()}
    links |= moved_links(before, after, links)
    links |= {row: held for row, held in doubtful.items() if _is_elsewhere(links.get(row), held)}
    if has_areas:
        links |= {row: links[row].capped(APART) for row in are_apart(old, new, links)}
    return _frame(before, after, links, sure=sure)


def count_relations(succession: pd.DataFrame) -> pd.DataFrame:
    """Return how many units of each level ended in each relation.

    Returns
    -------
    DataFrame
        Columns level, relation, n and n_total, every relation of every level there is.
    """
    total = Counter(succession[Col.LEVEL])
    n = Counter(zip(succession[Col.LEVEL], succession[Col.RELATION], strict=True))
    levels = [level.value for level in Level if level in total]
    rows = [
        (level, relation.value, n[level, relation.value], total[level])
        for level in levels
        for relation in Relation
    ]
    return pd.DataFrame(rows, columns=[Col.LEVEL, Col.RELATION, "n", Col.N_TOTAL])


def _is_elsewhere(named: Link | None, held: Link) -> bool:
    """Tell whether a name says another unit than the area does; then neither is believed."""
    by_table = named is not None and named.evidence is Evidence.TABLE
    return not by_table and (named is None or named.new != held.new)


def _n_depths(listing: Listing) -> int:
    return 1 + max((listing.depth(row) for row in range(len(listing))), default=-1)


def _families(
    old: Listing, new: Listing, links: dict[int, Link], depth: int
) -> Iterator[tuple[Siblings, float]]:
    """Yield the units of a depth without a link, by what their parents became.

    Beside each family stands how far its parents' links are trusted.
    """
    families: dict[tuple[int, str, Level], list[int]] = defaultdict(list)
    for row in range(len(old)):
        up = old.parent[row]
        if row in links or old.depth(row) != depth or (up >= 0 and links.get(up, Link()).new < 0):
            continue
        target, above = (links[up].new, "") if up >= 0 else (-1, old.above[row])
        families[target, above, old.levels[row]].append(row)
    for (target, above, level), rows in families.items():
        free = _candidates(new, target, above, level)
        trust = min((links[old.parent[row]].confidence for row in rows if target >= 0), default=1.0)
        yield Siblings(old, new, rows, free, _expected(old, new, rows, target)), trust


def _candidates(new: Listing, target: int, above: str, level: Level) -> list[int]:
    """Return newer units of a level under a parent; where it is not listed, under its code."""
    rows = [row for row in new.children.get(target, ()) if new.levels[row] == level]
    under = [row for row in rows if new.above[row] == above]
    return under if target < 0 and under else rows


def _expected(old: Listing, new: Listing, rows: list[int], target: int) -> dict[int, int]:
    """Return the newer unit with the code each older one would have kept.

    Where two parents became one, only the one whose code it has hands its units' codes on.
    """
    parents = {old.above[row] for row in rows}
    code = new.codes[target] if target >= 0 else ""
    kept = {}
    for row in rows:
        if target < 0:
            expected = old.codes[row]
        elif old.tail(row) and (len(parents) == 1 or old.above[row] == code):
            expected = code + old.tail(row)
        else:
            continue
        if expected in new.row_of:
            kept[row] = new.row_of[expected]
    return kept


def _table_links(
    old: Listing, new: Listing, table: pd.DataFrame | None, *, source: str
) -> dict[int, Link]:
    """Return what the user's table says.

    Raises
    ------
    ValueInvalid
    """
    links: dict[int, Link] = {}
    if table is None:
        return links
    pairs = zip(table[Col.OLD_CODE], table[Col.NEW_CODE], strict=True)
    for number, (old_code, new_code) in enumerate(pairs, start=1):
        if old_code not in old.row_of:
            raise _refused(source, number, Col.OLD_CODE, old_code, Wanted.OLDER_CODE)
        if new_code and new_code not in new.row_of:
            raise _refused(source, number, Col.NEW_CODE, new_code, Wanted.NEWER_CODE)
        row = old.row_of[old_code]
        if row in links:
            raise _refused(source, number, Col.OLD_CODE, old_code, Wanted.OLDER_ONCE)
        confidence = CONFIDENCE[Evidence.TABLE] if new_code else 0.0
        links[row] = Link(new.row_of.get(new_code, -1), Evidence.TABLE, confidence)
    return links


def _refused(source: str, row: int, column: str, value: str, expected: Wanted) -> ValueInvalid:
    return ValueInvalid(
        source=source, row=row, column=column, value=shown(value, code=True), expected=expected
    )


def _frame(old: Listing, new: Listing, links: dict[int, Link], *, sure: float) -> pd.DataFrame:
    """Return the SUCCESSION frame of links."""
    every = [links.get(row, Link()) for row in range(len(old))]
    is_sure = [link.new >= 0 and link.confidence >= sure for link in every]
    code = [new.codes[link.new] if link.new >= 0 else "" for link in every]
    name = [new.names[link.new] if link.new >= 0 else "" for link in every]
    columns = {
        Col.LEVEL: [level.value for level in old.levels],
        Col.OLD_CODE: list(old.codes),
        Col.OLD_NAME: list(old.names),
        Col.NEW_CODE: [text if good else "" for text, good in zip(code, is_sure, strict=True)],
        Col.NEW_NAME: [text if good else "" for text, good in zip(name, is_sure, strict=True)],
        Col.RELATION: [relation.value for relation in _relations(old, new, every, is_sure)],
        Col.EVIDENCE: [link.evidence.value for link in every],
        Col.OFFERED_CODE: ["" if good else text for text, good in zip(code, is_sure, strict=True)],
    }
    frame = pd.DataFrame({name: pd.Series(cells, dtype="str") for name, cells in columns.items()})
    frame[Col.CONFIDENCE] = np.array([link.confidence for link in every], dtype=np.float64)
    frame = frame[list(SUCCESSION.columns)]
    require(frame, SUCCESSION, source=SUCCESSION.layer)
    return frame


def _relations(
    old: Listing, new: Listing, links: list[Link], is_sure: list[bool]
) -> Iterator[Relation]:
    """Yield what each unit became.

    Merged where several went to one, or where a unit has another code under a parent that lost
    units nobody knows the heirs of: it then is the one of them that gave its name. Same where code
    and own name stand.
    """
    n_into = Counter(link.new for link, good in zip(links, is_sure, strict=True) if good)
    shrunk = _shrunk(old, new, links, is_sure)
    for row, (link, good) in enumerate(zip(links, is_sure, strict=True)):
        if not good:
            yield Relation.UNRESOLVED
            continue
        is_moved = old.tail(row) != new.tail(link.new)
        mine, theirs = old.own[row], new.own[link.new]
        is_called = mine.stem == theirs.stem and mine.is_urban == theirs.is_urban
        if n_into[link.new] > 1 or (is_moved and new.parent[link.new] in shrunk):
            yield Relation.MERGED
        elif is_called and old.codes[row] == new.codes[link.new]:
            yield Relation.SAME
        else:
            yield Relation.RENAMED


def _shrunk(old: Listing, new: Listing, links: list[Link], is_sure: list[bool]) -> set[int]:
    """Return newer parents with fewer units than before, of which some are unresolved."""
    goals = [links[up].new if up >= 0 else -1 for up in old.parent]
    before, after = Counter(goals), Counter(new.parent)
    is_open = {goal for goal, good in zip(goals, is_sure, strict=True) if not good and goal >= 0}
    return {goal for goal in is_open if after[goal] < before[goal]}
