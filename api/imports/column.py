"""Columns that an import compares, and their values as JSON scalars.

A value is compared, kept as history and shown in one form: text, whole number, truth, or ISO 8601
text of a day or hour; None is a blank.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
from sqlalchemy import Date, Table

from api.store.column import Instant
from geo.frames import Col
from geo.units import CITY_ZONE

Objects = npt.NDArray[np.object_]
Truths = npt.NDArray[np.bool_]
Rows = npt.NDArray[np.int64]

HOUR: Final = "hour"
STATUS: Final = "status"

COMPARED: Final[Mapping[str, tuple[str, ...]]] = {
    "boundaries": (
        Col.BOUNDARY_VERSION,
        Col.CODE,
        Col.NAME,
        Col.LEVEL,
        Col.ADMIN_PARENT,
        Col.GRID_ROLE,
        Col.VALID_FROM,
        Col.VALID_TO,
    ),
    "streets": (
        Col.NAME,
        Col.STREET_CLASS,
        Col.ONEWAY,
        Col.BRIDGE,
        Col.LANES,
        Col.MAX_SPEED,
    ),
    "closures": (
        Col.KIND,
        Col.NAME,
        Col.SEGMENT_ID,
        Col.VALID_FROM,
        Col.VALID_TO,
        Col.MODES,
        Col.SPEED_SHARE,
    ),
    "water": (Col.NAME,),
    "buildings": (Col.HOUSEHOLDS,),
    "stations": (Col.NAME, Col.KIND),
    "units": (Col.STATION_ID, Col.HEADCOUNT, Col.MODE),
    "posts": (
        Col.NAME,
        Col.KIND,
        Col.WINDOW_START,
        Col.WINDOW_END,
        Col.DWELL,
        Col.N_UNITS,
    ),
    "venues": (
        Col.NAME,
        Col.KIND,
        Col.TIER,
        Col.LAST_INSPECTION,
        Col.ADDRESS,
        Col.PRECISION,
    ),
    "incidents": (Col.SEGMENT_ID, HOUR, Col.CATEGORY, Col.CHANNEL),
}
"""Columns of each layer's table that its files fill, in the order in which layers build on each
other; what follows from them (ids, codes, due days) is made when they are applied.
"""

IN_ORDER: Final = tuple(COMPARED)
"""Layers, each after those it needs."""


def as_objects(values: Sequence[Any]) -> Objects:
    """Return values as an array of objects, sequences and geometries among them untouched."""
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array


def with_columns(
    frame: pd.DataFrame, columns: Mapping[str, Sequence[Any] | Objects]
) -> pd.DataFrame:
    """Return a frame with some columns put in or replaced, their values as they are.

    pandas would make text with blanks of its own of a plain array.
    """
    added = {
        name: pd.Series(values, dtype=object, index=frame.index) for name, values in columns.items()
    }
    return frame.assign(**added)


def scalars(series: pd.Series) -> Objects:
    """Return a frame's column as JSON scalars."""
    if pd.api.types.is_datetime64_any_dtype(series.dtype):
        if getattr(series.dtype, "tz", None) is None:
            return _each(series, _day_text)
        return _each(series, _instant_text)
    return as_objects(series.astype(object).to_list())


def stored_scalars(table: Table, name: str, values: Sequence[Any]) -> Objects:
    """Return a table's column, as it was read, as JSON scalars; instants are read as seconds."""
    kind = table.c[name].type
    if isinstance(kind, Instant):
        instants = pd.Series(np.array(values, dtype="datetime64[s]"))
        return _each(instants.dt.tz_localize("UTC").dt.tz_convert(CITY_ZONE), _instant_text)
    if isinstance(kind, Date):
        return _each(pd.Series(values, dtype=object), lambda day: day and day.isoformat())
    return as_objects(values)


def to_parameters(table: Table, name: str, values: Sequence[Any]) -> list[Any]:
    """Return JSON scalars as what the table's column takes."""
    kind = table.c[name].type
    read: Callable[[str], Any] | None = None
    if isinstance(kind, Instant):
        read = datetime.fromisoformat
    elif isinstance(kind, Date):
        read = date.fromisoformat
    if read is None:
        return list(values)
    known: dict[str | None, Any] = {None: None}
    known |= {text: read(text) for text in set(values) - {None}}
    return [known[text] for text in values]


def _each(series: pd.Series, text: Callable[[Any], str | None]) -> Objects:
    """Return the text of every value; each distinct one is made once."""
    codes, distinct = pd.factorize(series, use_na_sentinel=True)
    texts = as_objects([*(text(value) for value in distinct), None])
    return texts[codes]


def _day_text(day: pd.Timestamp) -> str:
    return day.date().isoformat()


def _instant_text(instant: pd.Timestamp) -> str:
    return instant.isoformat()
