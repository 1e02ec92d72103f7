"""The rows that say what an import changes: the preview, and the history once it is applied."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import numpy as np
import pandas as pd

from api.imports.bulk import json_texts
from api.imports.column import COMPARED, STATUS, Objects, Rows, Truths, as_objects
from api.imports.compare import Change, Comparison
from api.imports.incoming import REASON, ROW
from api.imports.stored import CHANGED_BY, EXTERNAL_ID, FID, GEOM, GIVEN, IMPORT_ID, VERSION
from api.store.tables import CURRENT, TO_CHECK
from geo.frames import Col
from geo.io import Refusal

_GIVEN: Final = tuple(name for names in GIVEN.values() for name in names)

_WAS: Final = (FID, VERSION, IMPORT_ID, CHANGED_BY, *_GIVEN)
"""What a change remembers of the row it changes, so that it can be undone."""

WRITTEN: Final = ("params", "before", "after")
"""Columns of the account that come as JSON text."""

_Columns = dict[str, Objects]
_Part = tuple[_Columns, Mapping[str, str]]


def change_columns(
    layer: str, comparison: Comparison, refused: Sequence[Refusal]
) -> Iterator[_Part]:
    """Yield an import's rows of the table of changes: columns, and what is equal in all rows."""
    if comparison.added.any():
        yield _added(layer, comparison), {"change": Change.ADDED.value}
    for change, rows in ((Change.CHANGED, comparison.changed), (Change.MOVED, comparison.moved)):
        for columns in _altered(rows, comparison):
            yield columns, {"change": change.value}
    if len(comparison.missing):
        yield _missing(comparison), {"change": Change.MISSING.value}
    if refused:
        yield _refused(refused), {"change": Change.REFUSED.value, EXTERNAL_ID: ""}


def _added(layer: str, comparison: Comparison) -> _Columns:
    """Return rows that are new; one that was withdrawn before says which row it was."""
    rows = np.flatnonzero(comparison.added)
    frame = comparison.incoming
    names = [name for name in (*COMPARED[layer], Col.SOURCE) if name in frame]
    at = comparison.at[rows]
    was = np.full(len(rows), None, dtype=object)
    was[at >= 0] = _was(comparison, at[at >= 0])
    columns = {
        **_heads(frame, rows),
        "params": was,
        "after": _texts(names, [_values(frame, name, rows) for name in names]),
    }
    return columns | ({"geom_after": _values(frame, GEOM, rows)} if GEOM in frame else {})


def _altered(chosen: Truths, comparison: Comparison) -> Iterator[_Columns]:
    """Yield rows that differ from the store's, those of one set of differing columns at a time."""
    differs = {name: truths for name, truths in comparison.differs.items() if truths.any()}
    bits = np.zeros(len(chosen), dtype=np.int64)
    for number, truths in enumerate(differs.values()):
        bits |= truths.astype(np.int64) << number
    for pattern in np.unique(bits[chosen]):
        names = [name for number, name in enumerate(differs) if pattern >> number & 1]
        yield _differences(comparison, np.flatnonzero(chosen & (bits == pattern)), names)


def _differences(comparison: Comparison, rows: Rows, names: Sequence[str]) -> _Columns:
    incoming, stored, at = comparison.incoming, comparison.stored, comparison.at[rows]
    columns = {**_heads(incoming, rows), "params": _was(comparison, at)}
    if names:
        after = [
            as_objects([CURRENT] * len(rows)) if name == STATUS else _values(incoming, name, rows)
            for name in names
        ]
        columns["before"] = _texts(names, [_values(stored, name, at) for name in names])
        columns["after"] = _texts(names, after)
    if GEOM in incoming:
        stays = ~comparison.shifted[rows]
        for name, frame, which in (
            ("geom_before", stored, at),
            ("geom_after", incoming, rows),
        ):
            columns[name] = _values(frame, GEOM, which)
            columns[name][stays] = None
    return columns


def _missing(comparison: Comparison) -> _Columns:
    rows = comparison.missing
    before, after = (as_objects([status] * len(rows)) for status in (CURRENT, TO_CHECK))
    return {
        EXTERNAL_ID: _values(comparison.stored, EXTERNAL_ID, rows),
        "params": _was(comparison, rows),
        "before": _texts([STATUS], [before]),
        "after": _texts([STATUS], [after]),
    }


def _refused(refused: Sequence[Refusal]) -> _Columns:
    names = sorted({name for refusal in refused for name in refusal.params})
    params = [
        as_objects([_plain(refusal.params.get(name)) for refusal in refused]) for name in names
    ]
    return {
        ROW: as_objects([refusal.row for refusal in refused]),
        "column": as_objects([refusal.column for refusal in refused]),
        "code": as_objects([refusal.code for refusal in refused]),
        "params": _texts(names, params) if names else as_objects(["{}"] * len(refused)),
    }


def _heads(frame: pd.DataFrame, rows: Rows) -> _Columns:
    """Return what every row of the file has in the account."""
    columns = {name: _values(frame, name, rows) for name in (ROW, EXTERNAL_ID)}
    return columns | ({"code": _values(frame, REASON, rows)} if REASON in frame else {})


def _was(comparison: Comparison, at: Rows) -> Objects:
    names = [name for name in _WAS if name in comparison.stored]
    return _texts(names, [_values(comparison.stored, name, at) for name in names])


def _values(frame: pd.DataFrame, name: str, rows: Rows) -> Objects:
    values: Objects = frame[name].to_numpy(dtype=object)[rows]
    return values


def _texts(names: Sequence[str], columns: Sequence[Objects]) -> Objects:
    return as_objects(json_texts(names, columns))


def _plain(value: object) -> object:
    return value if isinstance(value, str | int | float | bool | None) else str(value)
