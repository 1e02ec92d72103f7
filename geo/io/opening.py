"""One door to every tabular format: the suffix says the format, the reader checks the content."""

from pathlib import Path
from typing import Final

from geo.errors import FileBlank, FileEmpty, FileMissing, FileUnreadable
from geo.io.delimited import read_delimited
from geo.io.hints import Hint
from geo.io.kml import read_kml, read_kmz
from geo.io.table import Table
from geo.io.vector import (
    read_flatgeobuf,
    read_geojson,
    read_geopackage,
    read_shapefile,
    read_zipped,
)
from geo.io.workbook import old_workbook, read_workbook

MAX_BYTES: Final = 1 << 30
"""Size of a file that is opened at all; a million incidents are 90 MB."""

MAX_STREET_BYTES: Final = 4 << 30
"""Size of a file of streets: an extract of OpenStreetMap is read as a stream."""

MAX_KML_BYTES: Final = 256 << 20
"""Size of a KML file; XML is slow to read."""


def open_table(path: Path, *, layer: str = "") -> Table:
    """Read a file of any tabular format as text and WKB.

    Parameters
    ----------
    path : Path
    layer : str
        Layer to prefer in a file of several.

    Raises
    ------
    FileMissing, FileEmpty, FileUnreadable
    """
    check_file(path)
    match path.suffix.lower():
        case ".csv" | ".txt" | ".tsv":
            table = read_delimited(path)
        case ".xlsx" | ".xlsm":
            table = read_workbook(path)
        case ".geojson" | ".json":
            table = read_geojson(path)
        case ".gpkg":
            table = read_geopackage(path, layer=layer)
        case ".fgb":
            table = read_flatgeobuf(path)
        case ".shp":
            table = read_shapefile(path)
        case ".zip":
            table = read_zipped(path)
        case ".kml":
            check_file(path, most=MAX_KML_BYTES)
            table = read_kml(path)
        case ".kmz":
            table = read_kmz(path)
        case ".xls" | ".xlsb" | ".et" | ".ett" | ".wps":
            raise old_workbook(path)
        case _:
            raise FileUnreadable(source=path.name, expected=Hint.A_LAYER, hint=Hint.KNOWN_SUFFIXES)
    if len(table) == 0:
        raise FileEmpty(source=path.name)
    return table


def check_file(path: Path, *, most: int = MAX_BYTES) -> None:
    """Refuse what is no file, empty, or larger than is opened.

    Raises
    ------
    FileMissing, FileBlank, FileUnreadable
    """
    if not path.is_file():
        raise FileMissing(source=str(path))
    size = path.stat().st_size
    if size == 0:
        raise FileBlank(source=path.name)
    if size > most:
        raise FileUnreadable(source=path.name, expected=Hint.A_LAYER, hint=Hint.TOO_LARGE)
