"""A file's rows as text, whatever its format: the one form that readers work on."""

import math
import re
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from geo.io.report import Note
from geo.privacy.headers import normal_header
from geo.privacy.shown import column_names, column_shown


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Rows of one file before anything is checked.

    Attributes
    ----------
    source : str
        File name, as messages show it.
    cells : DataFrame of str
        Every cell as text, blanks as "": codes keep their zeros and never turn into floats.
    wkb : ndarray of object, optional
        Geometry as WKB (None where a row has none); absent for plain tables.
    crs : str, optional
        CRS of `wkb` as pyproj reads it; None when the file states none.
    layer : str
        Name of the layer inside the file.
    has_short_headers : bool
        Whether the format cuts headers to 10 bytes.
    notes : tuple of Note
    metadata : dict
        Key and text pairs the file carries about itself.
    """

    source: str
    cells: pd.DataFrame
    wkb: np.ndarray | None = None
    crs: str | None = None
    layer: str = ""
    has_short_headers: bool = False
    notes: tuple[Note, ...] = ()
    metadata: dict[str, str] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.cells)

    def without(self, headers: tuple[str, ...]) -> tuple["Table", tuple[str, ...]]:
        """Return the table without columns of these names, and the names it had.

        A header that is itself a personal value goes by its position from here on.
        """
        unwanted = {normal_header(part) for header in headers for part in header_parts(header)}
        headers = tuple(map(str, self.cells.columns))
        names = [column_shown(name, number) for number, name in enumerate(headers, start=1)]
        cells = self.cells.set_axis(names, axis="columns")
        gone = [
            number
            for number, name in enumerate(names)
            if any(normal_header(n) in unwanted for n in (headers[number], *column_names(name)))
        ]
        if not gone:
            return replace(self, cells=cells), ()
        kept = [number for number in range(len(names)) if number not in gone]
        return replace(self, cells=cells.iloc[:, kept]), tuple(names[k] for k in gone)


def header_parts(header: str) -> tuple[str, ...]:
    """Return a header to drop, and the headers it lists between ``,``, ``，`` or ``、``."""
    parts = [part.strip() for part in re.split("[,，、]", header)]
    return (header.strip(), *parts) if len(parts) > 1 else (header.strip(),)


def text_frame(columns: dict[str, pd.Series]) -> pd.DataFrame:
    """Return columns of any type as text with blanks as ""."""
    return pd.DataFrame({name: as_text(series) for name, series in columns.items()})


def as_text(series: pd.Series) -> pd.Series:
    """Return a column as text: whole floats without ".0", instants in ISO 8601, blanks as ""."""
    values = series.reset_index(drop=True)
    if pd.api.types.is_bool_dtype(values.dtype):
        return values.map({True: "true", False: "false"}).astype("str")
    if pd.api.types.is_float_dtype(values.dtype):
        return values.map(_float_text).astype("str")
    if pd.api.types.is_datetime64_any_dtype(values.dtype):
        return values.map(_instant_text).astype("str")
    if isinstance(values.dtype, pd.StringDtype):
        return values.fillna("").astype("str")
    if values.dtype == object:
        return values.map(_cell_text).astype("str")
    return values.astype("str")


def _float_text(value: float) -> str:
    if math.isnan(value):
        return ""
    return str(int(value)) if value.is_integer() and abs(value) < 2**53 else repr(value)


def _instant_text(value: Any) -> str:
    return "" if value is pd.NaT else str(value.isoformat())


def _cell_text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return _float_text(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
