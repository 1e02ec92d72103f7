"""What is asked of a file as a whole, beside the city it comes into."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import geopandas as gpd
import numpy as np
import shapely

from geo.boundary import DEPTH
from geo.crs import from_wgs84, likely_datum
from geo.errors import DatumMismatch, OptionInvalid, OutsideBoundary
from geo.frames import Col
from geo.io import Note, Reading
from geo.io.position import lonlat_of
from geo.io.table import header_parts
from geo.privacy.headers import normal_header

INSIDE: Final = ("streets", "buildings", "venues", "incidents", "stations", "posts")
"""Layers that must lie where the boundaries are."""

WITH_DATUM: Final = ("venues", "incidents", "stations")
"""Layers whose datum is compared with the streets."""

_PART: Final = 1 << 20


def file_hash(path: Path) -> str:
    """Return the SHA-256 of a file."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while part := stream.read(_PART):
            digest.update(part)
    return digest.hexdigest()


def require_dropped(reading: Reading, drop: Sequence[str]) -> None:
    """Refuse a header to drop that the file does not have: a slip would let the column in.

    Raises
    ------
    OptionInvalid
    """
    gone = {normal_header(n) for header in reading.dropped for n in (header, *header.split("/"))}
    for header in drop:
        whole, *parts = map(normal_header, header_parts(header))
        if whole not in gone and not (parts and gone.issuperset(parts)):
            raise OptionInvalid(option="--drop", value=header, expected="a header of the file")


def require_inside(geometry: np.ndarray, boundaries: gpd.GeoDataFrame, *, source: str) -> None:
    """Refuse a layer of which nothing lies inside the boundaries.

    Raises
    ------
    OutsideBoundary
    """
    placed = geometry[~shapely.is_missing(geometry)]
    if not len(placed) or not len(boundaries):
        return
    area, names = city_area(boundaries)
    shapely.prepare(area)
    if not shapely.intersects(area, placed).any():
        raise OutsideBoundary(source=source, n=len(placed), boundary=names)


def check_datum(
    reading: Reading,
    *,
    streets: gpd.GeoDataFrame,
    boundaries: gpd.GeoDataFrame,
    epsg: int,
    source: str,
) -> tuple[Note, ...]:
    """Compare a layer of points with the streets under every datum.

    Raises
    ------
    DatumMismatch
        It clearly lies like another datum than stated.
    """
    points = reading.frame.geometry.to_numpy()
    points = points[~shapely.is_missing(points)]
    area = city_area(boundaries)[0] if len(boundaries) else None
    finding = likely_datum(
        from_wgs84(lonlat_of(points), reading.datum),
        streets=streets.geometry.to_numpy(),
        epsg=epsg,
        stated=reading.datum,
        boundary=area,
    )
    if finding.is_mismatch and finding.likely is not None:
        raise DatumMismatch(
            source=source,
            stated=finding.stated.value,
            likely=finding.likely.value,
            offset_m=finding.offset_m,
            remedy=_remedy(reading, finding.likely.value),
        )
    if finding.likely is None:
        params = {"n": finding.n, "stated": finding.stated.value}
        return (Note(source=source, code="note.datum.unknown", params=params),)
    return ()


def city_area(boundaries: gpd.GeoDataFrame) -> tuple[shapely.Geometry, str]:
    """Return the union of the units of the highest level, and their names."""
    depth = boundaries[Col.LEVEL].map(DEPTH)
    units = boundaries[depth == depth.min()]
    names = list(units[Col.NAME])
    shown = "、".join(names[:3]) + (" …" if len(names) > 3 else "")
    return shapely.union_all(units.geometry.to_numpy()), shown


def _remedy(reading: Reading, datum: str) -> str:
    """Return the options to repeat: the datum, and the column that overrides it."""
    stating: list[Any] = [n.params["column"] for n in reading.notes if n.code == "note.datum"]
    dropped = ",".join(map(str, [*reading.dropped, *stating]))
    return f"--datum {datum}" + (f" --drop {dropped}" if dropped else "")
