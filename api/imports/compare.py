"""A file's rows laid beside the store's: which are new, changed, moved, missing or the same."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from api.imports.column import COMPARED, STATUS, Objects, Rows, Truths
from api.imports.stored import EXTERNAL_ID, GEOM
from api.store.tables import CURRENT, WITHDRAWN
from geo.frames import Col

MOVED_METRES: Final = 1.0
"""Metres by which a point must differ to have moved: registers round their coordinates."""

_METRES_PER_DEGREE: Final = 111_320.0


class Change(StrEnum):
    """What an import does to a row."""

    ADDED = "added"
    CHANGED = "changed"
    MOVED = "moved"
    MISSING = "missing"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """A file's rows and the store's, side by side.

    A row counts once: one that came back from being withdrawn is added, one that changed and
    moved is changed, and only a row that did nothing but move is moved.

    Attributes
    ----------
    incoming, stored : DataFrame
    at : ndarray of int64, shape (n_incoming,)
        Row of `stored` that is the same thing, -1 where there is none.
    added, changed, moved : ndarray of bool, shape (n_incoming,)
        Exclusive of each other.
    differs : mapping of str to ndarray of bool, shape (n_incoming,)
        Columns that differ from the stored row.
    shifted : ndarray of bool, shape (n_incoming,)
        Rows whose geometry differs, whatever else does.
    missing : ndarray of int64
        Rows of `stored` that counted and are not in the file.
    """

    incoming: pd.DataFrame
    stored: pd.DataFrame
    at: Rows
    added: Truths
    changed: Truths
    moved: Truths
    differs: Mapping[str, Truths]
    shifted: Truths
    missing: Rows

    @property
    def counts(self) -> dict[str, int]:
        """Rows of each kind, and those that stay as they are."""
        n = {
            Change.ADDED.value: int(self.added.sum()),
            Change.CHANGED.value: int(self.changed.sum()),
            Change.MOVED.value: int(self.moved.sum()),
            Change.MISSING.value: len(self.missing),
        }
        seen = n["added"] + n["changed"] + n["moved"]
        return n | {"unchanged": len(self.incoming) - seen}


def compare(
    layer: str,
    stored: pd.DataFrame,
    incoming: pd.DataFrame,
    *,
    unstated: Iterable[str] = (),
    expected: Truths | None = None,
) -> Comparison:
    """Compare a file's rows with the store's by external id.

    Parameters
    ----------
    layer : str
    stored : DataFrame
        As `api.imports.stored.read_stored` gives it.
    incoming : DataFrame
        external_id, source, the compared columns as JSON scalars, geom where the layer has one.
    unstated : iterable of str
        Columns the file does not have: rows that are known keep theirs.
    expected : ndarray of bool, shape (n_stored,), optional
        Rows the file should hold: only these can be missing. All by default.
    """
    at: Rows = _index(stored).get_indexer(pd.Index(incoming[EXTERNAL_ID], dtype=object))
    status = stored[STATUS].to_numpy(dtype=object)
    known = at >= 0
    known[known] = status[at[known]] != WITHDRAWN
    skipped = set(unstated)
    names = [name for name in (*COMPARED[layer], Col.SOURCE) if name not in skipped]
    differs = {name: _differ(name, stored, incoming, at, known) for name in names}
    differs[STATUS] = known.copy()
    differs[STATUS][known] = status[at[known]] != CURRENT
    shifted = _shifted(stored, incoming, at, known)
    changed = np.logical_or.reduce(list(differs.values()))
    absent = (status == CURRENT) & (True if expected is None else expected)
    absent[at[at >= 0]] = False
    return Comparison(
        incoming=incoming,
        stored=stored,
        at=at,
        added=~known,
        changed=changed,
        moved=shifted & ~changed,
        differs=differs,
        shifted=shifted,
        missing=np.flatnonzero(absent).astype(np.int64),
    )


def geometries_differ(before: Objects, after: Objects) -> Truths:
    """Tell which geometries differ: points by more than a metre, areas whatever their first vertex.

    A street drawn the other way round differs: one-way traffic runs along it.
    """
    one_is_missing = shapely.is_missing(before) != shapely.is_missing(after)
    kinds = shapely.get_type_id(before)
    points = (kinds == 0) & (shapely.get_type_id(after) == 0)
    differ: Truths = np.zeros(len(before), dtype=bool)
    differ[points] = _metres(before[points], after[points]) > MOVED_METRES
    areas = np.isin(kinds, (3, 6))
    if areas.any():
        before, after = before.copy(), after.copy()
        before[areas] = shapely.normalize(before[areas])
        after[areas] = shapely.normalize(after[areas])
    others = ~points & ~one_is_missing & ~shapely.is_missing(before)
    differ[others] = ~shapely.equals_identical(before[others], after[others])
    differ |= one_is_missing
    return differ


def _index(stored: pd.DataFrame) -> "pd.Index[Any]":
    """Return the store's external ids; of an id used again, only the row that lives counts."""
    ids = stored[EXTERNAL_ID].to_numpy(dtype=object).copy()
    index: pd.Index[Any] = pd.Index(ids, dtype=object)
    if not index.is_unique:
        lives = (stored[STATUS] != WITHDRAWN).to_numpy()
        order = np.argsort(~lives, kind="stable")
        again = np.empty(len(ids), dtype=bool)
        again[order] = pd.Series(ids[order]).duplicated().to_numpy()
        ids[again] = [("", number) for number in np.flatnonzero(again)]
        index = pd.Index(ids, dtype=object)
    return index


def _differ(
    name: str, stored: pd.DataFrame, incoming: pd.DataFrame, at: Rows, known: Truths
) -> Truths:
    differ: Truths = np.zeros(len(incoming), dtype=bool)
    before = stored[name].to_numpy(dtype=object)[at[known]]
    differ[known] = before != incoming[name].to_numpy(dtype=object)[known]
    return differ


def _shifted(stored: pd.DataFrame, incoming: pd.DataFrame, at: Rows, known: Truths) -> Truths:
    shifted: Truths = np.zeros(len(incoming), dtype=bool)
    if GEOM in stored:
        before = stored[GEOM].to_numpy(dtype=object)[at[known]]
        shifted[known] = geometries_differ(before, incoming[GEOM].to_numpy(dtype=object)[known])
    return shifted


def _metres(one: Objects, other: Objects) -> npt.NDArray[np.float64]:
    lat = np.radians(shapely.get_y(one))
    east = (shapely.get_x(other) - shapely.get_x(one)) * np.cos(lat)
    north = shapely.get_y(other) - shapely.get_y(one)
    metres: npt.NDArray[np.float64] = _METRES_PER_DEGREE * np.hypot(east, north)
    return metres
