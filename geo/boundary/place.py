"""Whether two layers lie at one place, and whether one of them is in another datum than stated."""

from dataclasses import dataclass
from typing import Final

import geopandas as gpd
import numpy as np
import pyproj
import shapely

from geo.crs import Datum, from_wgs84, to_wgs84
from geo.errors import DatumMismatch, OutsideBoundary
from geo.frames import Col

FITS: Final = 0.98
"""Mean share of area in common from which nothing is asked: layers drawn apart have that."""

FITS_MOVED: Final = 0.8
"""Mean share that another datum must reach to be called likely."""

EXPLAINED: Final = 0.6
"""Share of what is not in common that another datum must explain to be called likely: a layer of
villages moved 490 m east and 90 m north without the series has 0.54 in common, 0.87 moved back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """A layer as it was read.

    Attributes
    ----------
    frame : GeoDataFrame
        BOUNDARIES frame, EPSG:4326.
    source : str
        File name.
    datum : Datum
        What its coordinates were stated to be in.
    """

    frame: gpd.GeoDataFrame
    source: str
    datum: Datum = Datum.WGS84


def require_one_place(units: Placed, others: Placed) -> None:
    """Refuse two layers of one city that lie apart.

    Units are compared with the unit of the same code, and with their parent.

    Raises
    ------
    DatumMismatch
        One of the layers meets the other only as coordinates of another datum than stated.
    OutsideBoundary
        No unit meets any of the others.
    """
    one, other = _pairs(units.frame, others.frame)
    mine, theirs = units.frame.geometry.to_numpy(), others.frame.geometry.to_numpy()
    mine, theirs = _sound(mine), _sound(theirs)
    if len(one):
        _require_datum(units, mine[one], theirs[other])
        _require_datum(others, theirs[other], mine[one])
    meets = shapely.STRtree(theirs).query(mine, predicate="intersects")[0]
    if len(meets) == 0:
        raise OutsideBoundary(source=units.source, n=len(mine), boundary=others.source)


def _sound(shapes: np.ndarray) -> np.ndarray:
    """Return shapes with invalid ones repaired: they are only compared."""
    bad = ~shapely.is_valid(shapes)
    sound = shapes.copy()
    sound[bad] = shapely.make_valid(shapes[bad])
    return sound


def _pairs(units: gpd.GeoDataFrame, others: gpd.GeoDataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Return rows of units and of what they should lie in: the same code, else the parent."""
    row = {code: k for k, code in enumerate(others[Col.CODE])}
    codes = zip(units[Col.CODE], units[Col.ADMIN_PARENT], strict=True)
    found = np.array([row.get(code, row.get(above, -1)) for code, above in codes], dtype=np.int64)
    one = np.flatnonzero(found >= 0)
    return one, found[one]


def _require_datum(layer: Placed, shapes: np.ndarray, others: np.ndarray) -> None:
    fit = _fit(shapes, others)
    if fit >= FITS:
        return
    fits: dict[Datum, float] = {}
    moved: dict[Datum, np.ndarray] = {}
    for datum in Datum:
        if datum is not layer.datum:
            moved[datum] = _as_datum(shapes, layer.datum, datum)
            fits[datum] = _fit(moved[datum], others)
    likely = max(fits, key=lambda datum: fits[datum])
    is_likely = fits[likely] >= FITS_MOVED and fits[likely] - fit >= EXPLAINED * (1 - fit)
    if is_likely:
        raise DatumMismatch(
            source=layer.source,
            stated=layer.datum.value,
            likely=likely.value,
            offset_m=round(_metres(shapes, moved[likely])),
            remedy=f"patrolgrid convert {layer.source} OUT --layer boundaries --datum {likely}",
        )


def _fit(shapes: np.ndarray, others: np.ndarray) -> float:
    """Return the mean share of the smaller one's area that pairs have in common."""
    common = shapely.area(shapely.intersection(shapes, others))
    smaller = np.minimum(shapely.area(shapes), shapely.area(others))
    return float(np.mean(common / np.maximum(smaller, np.finfo(float).tiny)))


def _as_datum(shapes: np.ndarray, stated: Datum, datum: Datum) -> np.ndarray:
    """Return shapes as they lie if the file's coordinates are in another datum than stated."""
    moved = shapely.transform(shapes, lambda lonlat: to_wgs84(from_wgs84(lonlat, stated), datum))
    return _sound(moved)


def _metres(shapes: np.ndarray, moved: np.ndarray) -> float:
    """Return how far the middle of a layer moves."""
    before, after = (shapely.get_coordinates(one).mean(axis=0) for one in (shapes, moved))
    return float(pyproj.Geod(ellps="WGS84").inv(*before, *after)[2])
