"""GeoJSON, GeoPackage, FlatGeobuf and Shapefile through GDAL, as WKB and text."""

import tempfile
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
import pyogrio
from pyogrio.errors import DataLayerError, DataSourceError, FeatureError, GeometryError

from geo.errors import FileUnreadable
from geo.io.field_names import read_side_table
from geo.io.geopackage import plain_tables
from geo.io.hints import Hint
from geo.io.json_text import check_json
from geo.io.limits import check_archive, extract_flat
from geo.io.report import Note
from geo.io.shapefile import require_whole
from geo.io.table import Table, text_frame

_BYTES: Final = "ISO-8859-1"
"""Decodes every byte to one character, so that text can be decoded again once it is understood."""

_GDAL_ERRORS: Final = (DataSourceError, DataLayerError, FeatureError, GeometryError)

_FLATGEOBUF_MARK: Final = b"fgb\x03fgb"
"""First bytes of version 3, the only one in use."""

_ENCODINGS: Final = ("utf-8", "gb18030")
"""Tried in this order: GBK text is practically never valid UTF-8."""


def read_geojson(path: Path) -> Table:
    """Read GeoJSON in UTF-8, or in GBK against its standard.

    Raises
    ------
    FileUnreadable
        Not GeoJSON, in another encoding, or nested too deep.
    """
    with path.open("rb") as stream:
        is_utf8 = check_json(stream, source=path.name)
    if is_utf8:
        return _read(path, source=path.name, expected="GeoJSON")
    try:
        data = path.read_bytes().decode("gb18030").encode()
    except UnicodeDecodeError as error:
        raise FileUnreadable(source=path.name, expected="GeoJSON", hint=Hint.DAMAGED) from error
    return _read(data, source=path.name, expected="GeoJSON")


def read_geopackage(path: Path, *, layer: str) -> Table:
    """Read one layer of a GeoPackage: the one called `layer`, else the first.

    Raises
    ------
    FileUnreadable
        No GeoPackage, a truncated one, or a layer that is a view.
    """
    plain = plain_tables(path)
    with _gdal(path.name, "GeoPackage"):
        names = [str(name) for name, _ in pyogrio.list_layers(path)]
    if not names:
        raise FileUnreadable(source=path.name, expected="GeoPackage", hint=Hint.NO_LAYER)
    chosen = layer if layer in names else names[0]
    if chosen not in plain:
        raise FileUnreadable(source=path.name, expected="GeoPackage", hint=Hint.IS_VIEW)
    notes: tuple[Note, ...] = ()
    if len(names) > 1:
        others = tuple(name for name in names if name != chosen)
        params = {"read": chosen, "others": others}
        notes = (Note(source=path.name, code="note.sheet", params=params),)
    return _read(path, source=path.name, expected="GeoPackage", layer=chosen, notes=notes)


def read_flatgeobuf(path: Path) -> Table:
    """Read a FlatGeobuf file.

    Raises
    ------
    FileUnreadable
        Damaged, truncated, or not what its name says.
    """
    with path.open("rb") as stream:
        is_marked = stream.read(len(_FLATGEOBUF_MARK)) == _FLATGEOBUF_MARK
    if not is_marked:
        raise FileUnreadable(source=path.name, expected="FlatGeobuf", hint=Hint.DAMAGED)
    return _read(path, source=path.name, expected="FlatGeobuf")


def read_shapefile(path: Path, *, source: str | None = None) -> Table:
    """Read a Shapefile whose text may be UTF-8, GBK or GB18030, whatever its side files say.

    GDAL believes the .cpg file or the language byte of the .dbf and is often misled: GBK without
    a .cpg comes out as mojibake, and a field name cut inside a character cannot be decoded. So
    all text is read as bytes, and decoded by the first encoding that fits all of it. Where our
    own table of whole field names lies beside it, the names are those.

    Raises
    ------
    FileMissing
        The .dbf or .shx beside it is missing.
    FileUnreadable
        Damaged, cut short, or in no known encoding.
    """
    require_whole(path, source=source or path.name)
    table = _read(path, source=source or path.name, expected="Shapefile", encoding=_BYTES)
    return replace(table, cells=table.cells.rename(columns=read_side_table(path)))


def read_zipped(path: Path) -> Table:
    """Read the one Shapefile, GeoJSON, GeoPackage or FlatGeobuf inside a zip archive.

    Raises
    ------
    FileUnreadable
        No archive, beyond the limits, or without exactly one such file.
    """
    with (
        check_archive(path, expected="zip") as archive,
        tempfile.TemporaryDirectory(prefix="patrolgrid-") as folder,
    ):
        files = extract_flat(archive, Path(folder))
        found = [f for f in files if f.suffix in {".shp", ".geojson", ".json", ".gpkg", ".fgb"}]
        if len(found) != 1:
            raise FileUnreadable(source=path.name, expected="zip", hint=Hint.ONE_LAYER_FILE)
        match found[0].suffix:
            case ".shp":
                return read_shapefile(found[0], source=path.name)
            case ".gpkg":
                return read_geopackage(found[0], layer="")
            case ".fgb":
                return read_flatgeobuf(found[0])
            case _:
                return read_geojson(found[0])


def _read(
    where: Path | bytes,
    *,
    source: str,
    expected: str,
    layer: str | None = None,
    encoding: str | None = None,
    notes: tuple[Note, ...] = (),
) -> Table:
    with _gdal(source, expected):
        info = pyogrio.read_info(where, layer=layer, encoding=encoding)
        meta, _, wkb, fields = pyogrio.raw.read(where, layer=layer, encoding=encoding)
    names, columns = [str(name) for name in meta["fields"]], list(fields)
    if encoding == _BYTES:
        names, columns, used = _decode(names, columns, source=source)
        if used != "utf-8":
            note = Note(source=source, code="note.encoding", params={"encoding": "GBK/GB18030"})
            notes = (*notes, note)
    n_rows = len(wkb) if wkb is not None else int(info["features"])
    cells = text_frame({name: _series(values) for name, values in zip(names, columns, strict=True)})
    return Table(
        source=source,
        cells=cells if columns else pd.DataFrame(index=range(n_rows)),
        wkb=wkb,
        crs=meta["crs"],
        layer=str(layer or info.get("layer_name") or ""),
        has_short_headers=encoding == _BYTES,
        notes=notes,
        metadata={str(k): str(v) for k, v in (info.get("layer_metadata") or {}).items()},
    )


@contextmanager
def _gdal(source: str, expected: str) -> Iterator[None]:
    """Say GDAL's errors in one sentence, and not its remarks on columns that are not read.

    A file of which GDAL makes no layer at all is an IndexError in pyogrio.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        try:
            yield
        except (*_GDAL_ERRORS, UnicodeDecodeError, ValueError, IndexError) as error:
            raise FileUnreadable(source=source, expected=expected, hint=Hint.DAMAGED) from error


def _series(values: np.ndarray) -> pd.Series:
    return pd.Series(values, dtype=object if values.dtype == object else None)


def _decode(
    names: Sequence[str], columns: Sequence[np.ndarray], *, source: str
) -> tuple[list[str], list[np.ndarray], str]:
    """Decode names and values that were read as bytes, by the first encoding that fits all."""
    for encoding in _ENCODINGS:
        try:
            decoded = [_decode_text(name, encoding) for name in names]
            values = [_decode_column(column, encoding) for column in columns]
        except UnicodeDecodeError:
            continue
        return decoded, values, encoding
    raise FileUnreadable(source=source, expected="Shapefile", hint=Hint.UNKNOWN_ENCODING)


def _decode_column(column: np.ndarray, encoding: str) -> np.ndarray:
    if column.dtype != object:
        return column
    known: dict[Any, Any] = {}
    for value in column:
        if isinstance(value, str) and value not in known:
            known[value] = _decode_text(value, encoding)
    return np.array([known.get(value, value) for value in column], dtype=object)


def _decode_text(text: str, encoding: str) -> str:
    """Decode bytes of a fixed-width field, whose last character may be cut in the middle."""
    data = text.encode(_BYTES)
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        longest = 4
        if error.start >= max(1, len(data) - longest) and error.end >= len(data):
            return data[: error.start].decode(encoding)
        raise
