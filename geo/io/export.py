"""One layer as one file of any format people send, written so that it reads back equal.

What a format cannot hold is refused before anything is written, never cut: areas in a table,
metres in KML, two kinds of geometry or long texts in a Shapefile.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pyproj
import shapely

from geo.crs import is_metric_for
from geo.errors import OptionInvalid, ValueInvalid
from geo.frames import Col
from geo.io.field_names import SIDE_SUFFIX, short_names, write_side_table
from geo.io.hints import Hint
from geo.io.placemark import write_kml
from geo.io.position import lonlat_of
from geo.io.spreadsheet import write_workbook
from geo.io.write import declared_type, plain_frame, staging, write_csv, write_geopackage
from geo.units import LONLAT_DECIMALS, LONLAT_EPSG

CGCS2000_EPSG: Final = 4490
"""China Geodetic Coordinate System 2000, degrees; equal to WGS-84 to the decimetre."""

CGCS2000_CM117_EPSG: Final = 4548
"""CGCS2000, Gauss-Krüger, 3-degree zone on 117 E, metres: what plans of the city are drawn in."""

DEGREES: Final = (LONLAT_EPSG, CGCS2000_EPSG)

TABLES: Final = (".csv", ".xlsx")
SUFFIXES: Final = (".gpkg", ".geojson", ".fgb", ".shp", ".kml", *TABLES)
"""Formats written."""

SHAPES: Final = tuple(suffix for suffix in SUFFIXES if suffix not in TABLES)
"""Formats that hold lines and areas."""

TEXT_BYTES: Final = 254
"""Longest text of a .dbf field."""

_METRE_DECIMALS: Final = 4
_SPARE_DECIMALS: Final = 3
_INDEXES: Final = (".qix", ".sbn", ".sbx")
_DATUM: Final = "datum"

Writer = Callable[..., None]


def write_file(
    frame: pd.DataFrame,
    path: Path | str,
    *,
    layer: str,
    epsg: int = LONLAT_EPSG,
    headers: Mapping[str, str] | None = None,
    attribution: Sequence[str] = (),
) -> tuple[Path, ...]:
    """Write one layer into a file whose suffix says the format; all of its files appear, or none.

    Parameters
    ----------
    frame : GeoDataFrame in EPSG:4326, or DataFrame
    path : Path or str
        ``.gpkg``, ``.geojson``, ``.fgb``, ``.shp``, ``.kml``, ``.csv`` or ``.xlsx``; files of the
        same name are replaced.
    layer : str
        Name of the layer inside the file.
    epsg : int
        4326, 4490 (CGCS2000 degrees), 4548 (CGCS2000, 3-degree zone on 117 E), or another system
        in metres that is made for where the layer lies. Tables take degrees only, KML 4326 only.
    headers : mapping of str to str, optional
        Column of ours -> header in the file.
    attribution : sequence of str
        Lines that everything showing the layer prints; kept inside a GeoPackage or KML.

    Returns
    -------
    tuple of Path
        What was written; of a Shapefile every part, and the table of its whole field names.

    Raises
    ------
    OptionInvalid
        A format or coordinate system that cannot hold the layer.
    ValueInvalid
        A text that the format cannot hold.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise OptionInvalid(option="--out", value=path.name, expected=", ".join(SUFFIXES))
    _require_room(frame, suffix, path.name)
    _require_system(frame, epsg, suffix)
    named = plain_frame(frame).rename(columns=dict(headers or {}))
    placed = named if epsg == LONLAT_EPSG or suffix in TABLES else _in_system(named, epsg)
    with staging(path.parent) as stage:
        target = stage / path.name
        _WRITERS[suffix](placed, target, layer=layer, epsg=epsg, attribution=attribution)
        written = tuple(path.parent / file.name for file in sorted(stage.iterdir()))
    if suffix == ".shp":
        _drop_stale(path, written)
    return written


def _require_room(frame: pd.DataFrame, suffix: str, name: str) -> None:
    """Refuse a geometry that the format has no room for."""
    if not isinstance(frame, gpd.GeoDataFrame):
        if suffix not in TABLES:
            raise OptionInvalid(option="--out", value=name, expected=Hint.TABLE_ONLY)
        return
    kinds = shapely.get_type_id(frame.geometry.to_numpy())
    if suffix in TABLES and (kinds > 0).any():
        raise OptionInvalid(option="--out", value=name, expected=Hint.NO_SHAPES_IN_TABLES)
    families = set(shapely.get_dimensions(frame.geometry.to_numpy()[kinds >= 0]).tolist())
    if suffix == ".shp" and len(families) > 1:
        raise OptionInvalid(option="--out", value=name, expected=Hint.ONE_KIND_OF_SHAPE)


def _require_system(frame: pd.DataFrame, epsg: int, suffix: str) -> None:
    """Refuse a coordinate system that is not offered, or not in this format."""
    fits = epsg in DEGREES
    if not fits and isinstance(frame, gpd.GeoDataFrame) and len(frame):
        fits = is_metric_for(epsg, shapely.box(*frame.total_bounds))
    if not fits:
        raise OptionInvalid(option="--epsg", value=epsg, expected=Hint.SYSTEMS)
    if suffix == ".kml" and epsg != LONLAT_EPSG:
        raise OptionInvalid(option="--epsg", value=epsg, expected=Hint.KML_DEGREES)
    if suffix in TABLES and epsg not in DEGREES:
        raise OptionInvalid(option="--epsg", value=epsg, expected=Hint.TABLE_DEGREES)


def _in_system(frame: gpd.GeoDataFrame, epsg: int) -> gpd.GeoDataFrame:
    """Return the frame in another system: degrees with 7 decimals, metres with 4."""
    transformer = pyproj.Transformer.from_crs(LONLAT_EPSG, epsg, always_xy=True)
    decimals = LONLAT_DECIMALS if epsg in DEGREES else _METRE_DECIMALS

    def project(lonlat: np.ndarray) -> np.ndarray:
        xy = np.column_stack(transformer.transform(lonlat[:, 0], lonlat[:, 1]))
        return np.round(xy, decimals)

    shapes = shapely.transform(frame.geometry.to_numpy(), project)
    return frame.set_geometry(gpd.GeoSeries(shapes, index=frame.index, crs=epsg))


def _as_geopackage(
    frame: Any, path: Path, *, layer: str, attribution: Sequence[str], **_: Any
) -> None:
    metadata = {"attribution": "\n".join(attribution)} if attribution else None
    write_geopackage(frame, path, layer=layer, metadata=metadata)


def _as_geojson(frame: Any, path: Path, *, layer: str, epsg: int, **_: Any) -> None:
    """Write GeoJSON; RFC 7946 has WGS-84 only, so that other systems are named in a crs member.

    GDAL takes 115.7999991 with 7 decimals for a rounding error of 115.8; with some decimals more,
    which are zeros and are not written, it lets it stand.
    """
    is_standard = epsg == LONLAT_EPSG
    decimals = LONLAT_DECIMALS if epsg in DEGREES else _METRE_DECIMALS
    pyogrio.write_dataframe(
        frame,
        path,
        layer=layer,
        driver="GeoJSON",
        RFC7946="YES" if is_standard else "NO",
        COORDINATE_PRECISION=decimals + _SPARE_DECIMALS,
    )


def _as_flatgeobuf(frame: Any, path: Path, *, layer: str, **_: Any) -> None:
    """Write FlatGeobuf without its index, which would put the rows in another order."""
    pyogrio.write_dataframe(
        frame,
        path,
        layer=layer,
        driver="FlatGeobuf",
        geometry_type=declared_type(frame),
        promote_to_multi=False,
        SPATIAL_INDEX="NO",
    )


def _as_shapefile(frame: Any, path: Path, **_: Any) -> None:
    """Write a Shapefile in UTF-8 with its .cpg, names cut between characters, and their table."""
    _refuse_long_texts(frame, path.name)
    short = short_names([str(name) for name in frame.columns if name != Col.GEOMETRY])
    pyogrio.write_dataframe(
        frame.rename(columns=short), path, driver="ESRI Shapefile", encoding="UTF-8"
    )
    write_side_table(path, short)


def _refuse_long_texts(frame: pd.DataFrame, source: str) -> None:
    for name in frame.columns:
        if not isinstance(frame[name].dtype, pd.StringDtype):
            continue
        long = np.array([len(text.encode()) > TEXT_BYTES for text in frame[name].astype("str")])
        if long.any():
            raise ValueInvalid(
                source=source,
                row=int(long.argmax()) + 1,
                column=name,
                value=f"a text of more than {TEXT_BYTES} bytes",
                expected=Hint.LONG_TEXT,
            )


def _drop_stale(path: Path, written: Sequence[Path]) -> None:
    """Remove what described a Shapefile that was replaced: its names and its indexes."""
    for suffix in (SIDE_SUFFIX, *_INDEXES):
        side = path.with_suffix(suffix)
        if side not in written:
            side.unlink(missing_ok=True)


def _as_kml(frame: Any, path: Path, *, layer: str, attribution: Sequence[str], **_: Any) -> None:
    write_kml(frame, path, title=layer, description="\n".join(attribution))


def _as_csv(frame: Any, path: Path, *, epsg: int, **_: Any) -> None:
    write_csv(_with_datum(frame, epsg), path)


def _as_workbook(frame: Any, path: Path, *, layer: str, epsg: int, **_: Any) -> None:
    table = pd.DataFrame(_with_datum(frame, epsg).drop(columns=Col.GEOMETRY, errors="ignore"))
    if isinstance(frame, gpd.GeoDataFrame):
        lonlat = lonlat_of(frame.geometry.to_numpy())
        table = table.assign(lon=lonlat[:, 0], lat=lonlat[:, 1])
    write_workbook(table, path, title=layer)


def _with_datum(frame: Any, epsg: int) -> Any:
    """Return the table with the column that states CGCS2000, where that was asked for."""
    return frame.assign(**{_DATUM: "CGCS2000"}) if epsg == CGCS2000_EPSG else frame


_WRITERS: Final[dict[str, Writer]] = {
    ".gpkg": _as_geopackage,
    ".geojson": _as_geojson,
    ".fgb": _as_flatgeobuf,
    ".shp": _as_shapefile,
    ".kml": _as_kml,
    ".csv": _as_csv,
    ".xlsx": _as_workbook,
}
