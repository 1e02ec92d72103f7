"""KML and KMZ: placemarks with their names, extended data and simple geometry."""

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
import shapely
from defusedxml import ElementTree
from defusedxml.common import DefusedXmlException

from geo.errors import FileUnreadable
from geo.io.hints import Hint
from geo.io.limits import MAX_VERTICES, check_archive, extract_flat
from geo.io.table import Table

_SIMPLE: Final = {"Point", "LineString", "Polygon"}
_COLLECTED: Final[dict[str, Callable[[list[Any]], shapely.Geometry]]] = {
    "Point": shapely.MultiPoint,
    "LineString": shapely.MultiLineString,
    "Polygon": shapely.MultiPolygon,
}
_IGNORED: Final = {"Schema", "Style", "StyleMap", "LookAt", "Camera"}


def read_kml(path: Path) -> Table:
    """Read the placemarks of a KML file; its coordinates are WGS-84 by definition.

    Raises
    ------
    FileUnreadable
        Not well formed, with entities, or a geometry that is not simple.

    References
    ----------
    OGC 12-007r2 (KML 2.3).
    """
    rows, shapes = [], []
    for values, geometry in _placemarks(path):
        rows.append(values)
        shapes.append(geometry)
    names = list(dict.fromkeys(name for row in rows for name in row))
    cells = pd.DataFrame(
        {name: pd.Series([row.get(name, "") for row in rows], dtype="str") for name in names},
        index=range(len(rows)),
    )
    wkb: np.ndarray = shapely.to_wkb(np.array(shapes, dtype=object))
    return Table(source=path.name, cells=cells, wkb=wkb, crs="EPSG:4326", layer=path.stem)


def read_kmz(path: Path) -> Table:
    """Read the one KML file of a KMZ archive."""
    with (
        check_archive(path, expected="KMZ") as archive,
        tempfile.TemporaryDirectory(prefix="patrolgrid-") as folder,
    ):
        found = [file for file in extract_flat(archive, Path(folder)) if file.suffix == ".kml"]
        if len(found) != 1:
            raise FileUnreadable(source=path.name, expected="KMZ", hint=Hint.ONE_KML)
        return read_kml(found[0])


def _placemarks(path: Path) -> Iterator[tuple[dict[str, str], shapely.Geometry | None]]:
    """Yield the values and the geometry of each placemark."""
    try:
        for _, element in ElementTree.iterparse(path, events=("end",), forbid_dtd=True):
            if _tag(element) == "Placemark":
                yield _values(element), _geometry(element, path.name)
                element.clear()
    except (ElementTree.ParseError, DefusedXmlException, ValueError) as error:
        raise FileUnreadable(source=path.name, expected="KML", hint=Hint.DAMAGED_XML) from error


def _tag(element: Any) -> str:
    return str(element.tag).rpartition("}")[2]


def _values(placemark: Any) -> dict[str, str]:
    """Return the name and the extended data of a placemark."""
    values: dict[str, str] = {}
    for element in placemark.iter():
        match _tag(element):
            case "SimpleData":
                values[str(element.get("name", ""))] = (element.text or "").strip()
            case "Data":
                value = next((child.text for child in element if _tag(child) == "value"), "")
                values[str(element.get("name", ""))] = (value or "").strip()
            case "description" if (element.text or "").strip():
                values["description"] = str(element.text).strip()
    for child in placemark:
        if _tag(child) == "name" and (child.text or "").strip():
            values.setdefault("name", str(child.text).strip())
    return values


def _geometry(placemark: Any, source: str) -> shapely.Geometry | None:
    """Return the geometry: one simple shape, or one level of shapes of one kind."""
    for element in placemark:
        if _tag(element) in _SIMPLE:
            return _shape(element, source)
        if _tag(element) == "MultiGeometry":
            parts = [child for child in element if _tag(child) in _SIMPLE]
            kinds = {_tag(part) for part in parts}
            if len(kinds) != 1 or len(parts) != len(element):
                return None
            return _COLLECTED[kinds.pop()]([_shape(part, source) for part in parts])
    return None


def _shape(element: Any, source: str) -> shapely.Geometry:
    rings = [_coordinates(e.text, source) for e in element.iter() if _tag(e) == "coordinates"]
    match _tag(element):
        case "Point":
            return shapely.Point(rings[0][0])
        case "LineString":
            return shapely.LineString(rings[0])
        case _:
            return shapely.Polygon(rings[0], rings[1:])


def _coordinates(text: str | None, source: str) -> np.ndarray:
    """Return lon, lat pairs of a coordinates element; altitude is left out."""
    tuples = [part.split(",")[:2] for part in (text or "").split()]
    if not tuples or len(tuples) > MAX_VERTICES or any(len(part) != 2 for part in tuples):
        raise FileUnreadable(source=source, expected="KML", hint=Hint.NO_COORDINATES)
    return np.array(tuples, dtype=np.float64)
