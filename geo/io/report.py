"""What a reader gives back: the frame, the rows it refused and what it noted."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from geo.crs import Datum


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """One row left out, and why.

    Attributes
    ----------
    source : str
        File name.
    row : int
        Data row, counted from 1; a header line is not counted.
    column : str
        Column of the schema that was at fault.
    code : str
        Message code ``refusal.*``; its text is in the catalogue.
    params : mapping
        Values of the message. Columns that could hold personal values are screened before.
    key : str
        The row's id, "" where that is at fault itself: the thing is in the file all the same.
    """

    source: str
    row: int
    column: str
    code: str
    params: Mapping[str, object] = field(default_factory=dict)
    key: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """Something a reader assumed, repaired or left out, said once per file.

    Attributes
    ----------
    code : str
        Message code ``note.*``.
    """

    source: str
    code: str
    params: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A layer as read.

    Attributes
    ----------
    frame : GeoDataFrame in EPSG:4326, or DataFrame for units
        Checked against its schema.
    refused : tuple of Refusal
    notes : tuple of Note
    dropped : tuple of str
        Headers left out because the caller asked to.
    datum : Datum
        What the positions came in, as stated by the caller or by the file.
    attribution : tuple of str
        Lines that everything showing the layer prints.
    """

    frame: Any  # geopandas has no stubs; the schema in geo.frames says what is in it
    refused: tuple[Refusal, ...] = ()
    notes: tuple[Note, ...] = ()
    dropped: tuple[str, ...] = ()
    datum: Datum = Datum.WGS84
    attribution: tuple[str, ...] = ()
