"""KML written: one placemark per row, every column as extended data.

References
----------
OGC 12-007r2 (KML 2.3); coordinates are WGS-84 longitude, latitude.
"""

import re
from pathlib import Path
from typing import Final
from xml.sax.saxutils import escape, quoteattr

import geopandas as gpd
import pandas as pd
import shapely
from shapely.geometry.base import BaseGeometry

from geo.errors import ValueInvalid
from geo.frames import Col
from geo.io.table import as_text
from geo.units import LONLAT_DECIMALS

_FORBIDDEN: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
"""Characters that XML 1.0 has no way to write."""

_HEAD: Final = """<?xml version="1.0" encoding="UTF-8"?>
<kml xmlns="http://www.opengis.net/kml/2.2"><Document><name>{title}</name>
<description>{description}</description>
"""
_FOOT: Final = "</Document></kml>\n"


def write_kml(frame: gpd.GeoDataFrame, path: Path, *, title: str, description: str = "") -> None:
    """Write placemarks; a column called name is also what a globe shows.

    Parameters
    ----------
    frame : GeoDataFrame
        WGS-84 degrees: KML knows no other system.
    path : Path
    title, description : str
        Of the document.

    Raises
    ------
    ValueInvalid
        A text with a character that XML cannot hold.
    """
    names = [str(name) for name in frame.columns if name != Col.GEOMETRY]
    table = pd.DataFrame({name: as_text(frame[name]) for name in names})
    _refuse_controls(table, path.name)
    with path.open("w", encoding="utf-8", newline="\n") as stream:
        stream.write(_HEAD.format(title=escape(title), description=escape(description)))
        rows = table.itertuples(index=False, name=None)
        for row, geometry in zip(rows, frame.geometry, strict=True):
            stream.write(_placemark(dict(zip(names, row, strict=True)), geometry))
        stream.write(_FOOT)


def _refuse_controls(table: pd.DataFrame, source: str) -> None:
    for name in table.columns:
        bad = table[name].str.contains(_FORBIDDEN).to_numpy(dtype=bool)
        if bad.any():
            raise ValueInvalid(
                source=source,
                row=int(bad.argmax()) + 1,
                column=name,
                value="a control character",
                expected="text without control characters",
            )


def _placemark(values: dict[str, str], geometry: BaseGeometry | None) -> str:
    data = "".join(
        f"<Data name={quoteattr(name)}><value>{escape(value)}</value></Data>"
        for name, value in values.items()
    )
    named = escape(values.get(Col.NAME, ""))
    shape = "" if geometry is None else _shape(geometry)
    return (
        f"<Placemark><name>{named}</name><ExtendedData>{data}</ExtendedData>{shape}</Placemark>\n"
    )


def _shape(geometry: BaseGeometry) -> str:
    match geometry.geom_type:
        case "Point" | "LineString":
            kind = geometry.geom_type
            return f"<{kind}>{_coordinates(geometry)}</{kind}>"
        case "Polygon":
            outer, *inner = (
                f"<LinearRing>{_coordinates(ring)}</LinearRing>"
                for ring in shapely.get_rings(geometry)
            )
            holes = "".join(f"<innerBoundaryIs>{ring}</innerBoundaryIs>" for ring in inner)
            return f"<Polygon><outerBoundaryIs>{outer}</outerBoundaryIs>{holes}</Polygon>"
        case _:
            parts = "".join(_shape(part) for part in shapely.get_parts(geometry))
            return f"<MultiGeometry>{parts}</MultiGeometry>"


def _coordinates(line: BaseGeometry) -> str:
    lonlat = shapely.get_coordinates(line).tolist()
    pairs = (f"{lon:.{LONLAT_DECIMALS}f},{lat:.{LONLAT_DECIMALS}f}" for lon, lat in lonlat)
    return f"<coordinates>{' '.join(pairs)}</coordinates>"
