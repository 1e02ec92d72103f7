"""A file's rows in the columns of their layer's table, before they are compared."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np
import pandas as pd
import shapely

from api.imports.column import COMPARED, HOUR, Objects, Truths, as_objects, scalars, with_columns
from api.imports.stored import EXTERNAL_ID, GEOM
from api.store.layers import LAYERS
from geo.frames import Col
from geo.io import Note, Reading, Refusal

ROW: Final = "row"
REASON: Final = "reason"
"""Message code of why a row lies where it does."""

NATURAL: Final[Mapping[str, tuple[str, ...]]] = {
    "closures": (Col.KIND, Col.NAME, Col.SEGMENT_ID, Col.VALID_FROM, Col.MODES),
    "water": (Col.NAME,),
    "buildings": (),
    "stations": (Col.NAME,),
    "units": (Col.STATION_ID,),
    "posts": (Col.NAME, Col.KIND, Col.WINDOW_START),
    "venues": (Col.NAME, Col.KIND, Col.ADDRESS),
    "incidents": (Col.SEGMENT_ID, HOUR, Col.CATEGORY),
}
"""Columns that tell rows apart where a file has no ids of its own; its place does so beside them,
but for incidents.
"""

_BLANK: Final[Mapping[str, tuple[object, ...]]] = {Col.LANES: (0,), Col.MAX_SPEED: (0.0,)}
"""What a column without a single value holds, where it is neither None nor ""."""

_NATURAL_DECIMALS: Final = 4
"""Decimals of a degree of a place in such an id: some ten metres."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Incoming:
    """A file as its layer's table will have it.

    Attributes
    ----------
    frame : DataFrame
        row, external_id, source, the compared columns as JSON scalars, and geom where the layer
        has one.
    refused : tuple of Refusal
    notes : tuple of Note
    unstated : tuple of str
        Compared columns the file does not have.
    facts : dict
        What is kept with the import: what it says of the city, and what applying it needs.
    """

    frame: pd.DataFrame
    refused: tuple[Refusal, ...]
    notes: tuple[Note, ...]
    unstated: tuple[str, ...] = ()
    facts: dict[str, Any] = field(default_factory=dict)

    def noting(self, notes: Sequence[Note], **facts: Any) -> "Incoming":
        """Return the same with more notes and facts."""
        return replace(self, notes=(*self.notes, *notes), facts=self.facts | facts)

    def refuse(self, rows: Truths, refusals: Sequence[Refusal]) -> "Incoming":
        """Return the same without some rows, which are refused."""
        kept = self.frame[~rows].reset_index(drop=True)
        return replace(self, frame=kept, refused=(*self.refused, *refusals))


def take_in(layer: str, reading: Reading, *, file_name: str, source: str = "") -> Incoming:
    """Return a reading's rows in the columns of its layer's table.

    Parameters
    ----------
    layer : str
    reading : Reading
    file_name : str
        What readers take as the source of rows whose file states none.
    source : str
        What is taken instead.
    """
    frame, stored = reading.frame, LAYERS[layer]
    columns: dict[str, Any] = {ROW: _row_numbers(layer, reading)}
    columns[EXTERNAL_ID] = scalars(frame[stored.schema.key])
    names_of = {stored.renamed.get(name, name): name for name in frame.columns}
    for name in COMPARED[layer]:
        if name in names_of:
            values = frame[names_of[name]]
            columns[name] = scalars(values.dt.floor("h") if name == HOUR else values)
    columns[Col.SOURCE], has_sources = _sources(frame, file_name, source)
    if stored.has_geometry:
        columns[GEOM] = as_objects(frame.geometry.to_numpy())
    table = pd.DataFrame({name: pd.Series(v, dtype=object) for name, v in columns.items()})
    unstated = _unstated(reading, layer, table)
    return Incoming(
        frame=table,
        refused=reading.refused,
        notes=reading.notes,
        unstated=unstated if has_sources else (*unstated, Col.SOURCE),
        facts={"attribution": list(reading.attribution)},
    )


def natural_ids(layer: str, incoming: Incoming) -> Incoming:
    """Return rows of a file without ids under ids made from what they are.

    Row numbers would make another thing of a row as soon as one is put in before it. Rows that
    are all the same are numbered.
    """
    if not any(note.code == "note.id" for note in incoming.notes):
        return incoming
    frame = incoming.frame
    parts = [frame[name].astype(str) for name in NATURAL[layer] if name in frame]
    if GEOM in frame and layer != "incidents":
        parts.append(_places(frame[GEOM].to_numpy(dtype=object)))
    whats = zip(*parts, strict=True)
    ids = [hashlib.sha256("\n".join(what).encode()).hexdigest()[:16] for what in whats]
    again = pd.Series(ids).groupby(pd.Series(ids), sort=False).cumcount()
    numbered = [i if n == 0 else f"{i}-{n + 1}" for i, n in zip(ids, again, strict=True)]
    return replace(incoming, frame=with_columns(frame, {EXTERNAL_ID: as_objects(numbered)}))


def _row_numbers(layer: str, reading: Reading) -> Objects:
    """Return the file's row of each row of the frame; None where the reader cut or merged some."""
    n = len(reading.frame)
    if layer in {"streets", "boundaries"}:
        return np.full(n, None, dtype=object)
    refused = {refusal.row for refusal in reading.refused}
    numbers = np.setdiff1d(np.arange(1, n + len(refused) + 1), list(refused))
    return numbers[:n].astype(object)


def _sources(frame: pd.DataFrame, file_name: str, source: str) -> tuple[Objects, bool]:
    """Return the source of each row, and whether the file states it."""
    stated = frame[Col.SOURCE]
    if (stated == file_name).all():
        return as_objects([source or file_name] * len(frame)), False
    return scalars(stated), True


def _unstated(reading: Reading, layer: str, table: pd.DataFrame) -> tuple[str, ...]:
    """Return the columns the file does not have, or has without a single value."""
    defaulted = {str(n.params["column"]) for n in reading.notes if n.code == "note.default"}
    blank = [
        name
        for name in COMPARED[layer]
        if name in table and len(table) and table[name].isin(_BLANK.get(name, (None, ""))).all()
    ]
    absent = [name for name in COMPARED[layer] if name not in table]
    wanted = {*defaulted, *blank, *absent}
    return tuple(name for name in COMPARED[layer] if name in wanted)


def _places(geometry: Objects) -> pd.Series:
    middle = shapely.centroid(geometry)
    lon = np.round(shapely.get_x(middle), _NATURAL_DECIMALS)
    lat = np.round(shapely.get_y(middle), _NATURAL_DECIMALS)
    return pd.Series([f"{x},{y}" for x, y in zip(lon, lat, strict=True)])
