"""Offset map datums: WGS-84 <-> GCJ-02 <-> BD-09, and the check that finds them out.

Chinese maps and geocoders give GCJ-02 (offset by some 500 m) or BD-09 (offset once more). Readers
convert at the edge to WGS-84, which CGCS2000 equals within decimetres.

References
----------
The GCJ-02 offset is not published; its series is the one of the ``WGStoGCJ`` sources in public use
since 2013 (``github.com/googollee/eviltransform``), on the Krasovsky 1940 ellipsoid. BD-09 is the
published rotation and shift of Baidu's coordinate service as given there.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np
import pyproj
import shapely

from geo.errors import OptionInvalid
from geo.units import LONLAT_EPSG

KRASOVSKY_A: Final = 6378245.0
"""Semi-major axis of the Krasovsky 1940 ellipsoid, metres."""

KRASOVSKY_EE: Final = 0.00669342162296594323
"""Squared first eccentricity of the Krasovsky 1940 ellipsoid."""

CHINA_BOX: Final = (72.004, 0.8293, 137.8347, 55.8271)
"""West, south, east, north; outside it the offset datums equal WGS-84."""

GCJ02_ROUNDS: Final = 3
BD09_ROUNDS: Final = 4
"""Rounds of the inverses by fixed-point iteration; the last leaves less than 0.3 mm in China."""

SCALE_OFF: Final = 0.005
"""By how much a length may be off in the city's metric CRS; UTM is 0.0004 off at its middle."""

MIN_POINTS: Final = 50
"""Fewer points than this cannot tell one datum from another."""

MAX_POINTS: Final = 4000
"""Points looked at; more are thinned evenly."""

DECISIVE: Final = 5.0
"""Standard errors by which another datum must fit the streets better before it is called likely."""

NEAR, FAR = 5.0, 250.0
"""Metres between which a distance to the nearest street tells something."""


class Datum(StrEnum):
    """Datums that coordinates arrive in; WGS-84 stands for CGCS2000 too."""

    WGS84 = "WGS-84"
    GCJ02 = "GCJ-02"
    BD09 = "BD-09"


_DATUM_WORDS: Final = {
    "wgs84": Datum.WGS84,
    "cgcs2000": Datum.WGS84,
    "国家2000": Datum.WGS84,
    "gps": Datum.WGS84,
    "gcj02": Datum.GCJ02,
    "火星": Datum.GCJ02,
    "高德": Datum.GCJ02,
    "腾讯": Datum.GCJ02,
    "bd09": Datum.BD09,
    "bd09ll": Datum.BD09,
    "百度": Datum.BD09,
}


def datum_of(text: str) -> Datum:
    """Return the datum a word stands for: WGS-84, CGCS2000, GCJ-02, 高德, BD-09, 百度.

    Raises
    ------
    OptionInvalid
        Not a datum we know.
    """
    word = "".join(ch for ch in text.lower() if ch not in " -_.坐标系")
    found = _DATUM_WORDS.get(word) or _DATUM_WORDS.get(text.strip())
    if found is None:
        raise OptionInvalid(option="--datum", value=text, expected=", ".join(Datum))
    return found


def is_metric_for(epsg: int, boundary: shapely.Geometry) -> bool:
    """Tell whether an EPSG code is a projection in metres made for where a boundary lies.

    Parameters
    ----------
    epsg : int
    boundary : shapely geometry
        WGS-84 degrees.

    Returns
    -------
    bool
        False where the code is unknown, not projected, not in metres, not for the middle of the
        boundary, or more than `SCALE_OFF` off in length there (as Pseudo-Mercator is).
    """
    try:
        crs = pyproj.CRS.from_epsg(epsg)
    except pyproj.exceptions.CRSError:
        return False
    west, south, east, north = shapely.bounds(boundary).tolist()
    lon, lat = (west + east) / 2, (south + north) / 2
    area = crs.area_of_use
    if not crs.is_projected or any(axis.unit_name != "metre" for axis in crs.axis_info):
        return False
    if area is None or not (area.west <= lon <= area.east and area.south <= lat <= area.north):
        return False
    factors = pyproj.Proj(crs).get_factors(lon, lat)
    scales = np.array([factors.meridional_scale, factors.parallel_scale])
    return bool(np.isfinite(scales).all() and (np.abs(scales - 1.0) <= SCALE_OFF).all())


def wgs84_to_gcj02(lonlat: np.ndarray) -> np.ndarray:
    """Shift WGS-84 degrees, shape (n, 2), to GCJ-02."""
    shifted: np.ndarray = lonlat + _gcj02_offset(lonlat)
    return shifted


def gcj02_to_wgs84(lonlat: np.ndarray) -> np.ndarray:
    """Shift GCJ-02 degrees, shape (n, 2), to WGS-84 by fixed-point iteration."""
    wgs84 = lonlat
    for _ in range(GCJ02_ROUNDS):
        wgs84 = lonlat - _gcj02_offset(wgs84)
    return wgs84


def gcj02_to_bd09(lonlat: np.ndarray) -> np.ndarray:
    """Shift GCJ-02 degrees, shape (n, 2), to BD-09."""
    shifted: np.ndarray = lonlat + _bd09_offset(lonlat)
    return shifted


def bd09_to_gcj02(lonlat: np.ndarray) -> np.ndarray:
    """Shift BD-09 degrees, shape (n, 2), to GCJ-02 by fixed-point iteration."""
    gcj02 = lonlat
    for _ in range(BD09_ROUNDS):
        gcj02 = lonlat - _bd09_offset(gcj02)
    return gcj02


def to_wgs84(lonlat: np.ndarray, datum: Datum) -> np.ndarray:
    """Return degrees of `datum`, shape (n, 2), in WGS-84."""
    match datum:
        case Datum.WGS84:
            return lonlat
        case Datum.GCJ02:
            return gcj02_to_wgs84(lonlat)
        case Datum.BD09:
            return gcj02_to_wgs84(bd09_to_gcj02(lonlat))


def from_wgs84(lonlat: np.ndarray, datum: Datum) -> np.ndarray:
    """Return WGS-84 degrees, shape (n, 2), in `datum`."""
    match datum:
        case Datum.WGS84:
            return lonlat
        case Datum.GCJ02:
            return wgs84_to_gcj02(lonlat)
        case Datum.BD09:
            return gcj02_to_bd09(wgs84_to_gcj02(lonlat))


def _gcj02_offset(lonlat: np.ndarray) -> np.ndarray:
    """Return GCJ-02 minus WGS-84 in degrees at WGS-84 `lonlat`, shape (n, 2)."""
    x, y = lonlat[:, 0] - 105.0, lonlat[:, 1] - 35.0
    root = np.sqrt(np.abs(x))
    common = 20.0 * (np.sin(6.0 * np.pi * x) + np.sin(2.0 * np.pi * x))
    north = -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * root
    north += (common + _waves(y, 160.0, 320.0)) * 2.0 / 3.0
    east = 300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * root
    east += (common + _waves(x, 150.0, 300.0)) * 2.0 / 3.0
    phi = np.radians(lonlat[:, 1])
    magic = 1.0 - KRASOVSKY_EE * np.sin(phi) ** 2
    d_lon = np.degrees(east * np.sqrt(magic) / (KRASOVSKY_A * np.cos(phi)))
    d_lat = np.degrees(north * magic**1.5 / (KRASOVSKY_A * (1.0 - KRASOVSKY_EE)))
    return np.where(_in_china(lonlat)[:, None], np.column_stack([d_lon, d_lat]), 0.0)


def _waves(t: np.ndarray, slow: float, slowest: float) -> np.ndarray:
    """Return the four sine terms of one axis, metres."""
    fast = 20.0 * np.sin(np.pi * t) + 40.0 * np.sin(np.pi * t / 3.0)
    return fast + slow * np.sin(np.pi * t / 12.0) + slowest * np.sin(np.pi * t / 30.0)


def _bd09_offset(lonlat: np.ndarray) -> np.ndarray:
    """Return BD-09 minus GCJ-02 in degrees at GCJ-02 `lonlat`, shape (n, 2)."""
    lon, lat = lonlat[:, 0], lonlat[:, 1]
    k = np.pi * 3000.0 / 180.0
    radius = np.hypot(lon, lat) + 0.00002 * np.sin(lat * k)
    angle = np.arctan2(lat, lon) + 0.000003 * np.cos(lon * k)
    bd09 = np.column_stack([radius * np.cos(angle) + 0.0065, radius * np.sin(angle) + 0.006])
    return np.where(_in_china(lonlat)[:, None], bd09 - lonlat, 0.0)


def _in_china(lonlat: np.ndarray) -> np.ndarray:
    west, south, east, north = CHINA_BOX
    lon, lat = lonlat[:, 0], lonlat[:, 1]
    inside: np.ndarray = (lon >= west) & (lon <= east) & (lat >= south) & (lat <= north)
    return inside


@dataclass(frozen=True, slots=True, kw_only=True)
class DatumFinding:
    """What a layer's points say about their datum.

    Attributes
    ----------
    stated : Datum
        Datum the points came with.
    likely : Datum or None
        Datum they lie like; None when it cannot be told: fewer than 50 points, or no datum
        fits clearly better than another.
    n : int
        Points that were compared.
    offset_m : int
        Median distance in metres between the stated and the best fitting reading.
    """

    stated: Datum
    likely: Datum | None
    n: int
    offset_m: int

    @property
    def is_mismatch(self) -> bool:
        """Whether the points clearly lie like another datum than stated."""
        return self.likely is not None and self.likely != self.stated


def likely_datum(
    lonlat: np.ndarray,
    *,
    streets: np.ndarray,
    epsg: int,
    stated: Datum = Datum.WGS84,
    boundary: shapely.Geometry | None = None,
) -> DatumFinding:
    """Find the datum under which points lie nearest to the streets.

    Every datum is tried as the one the points are in. For each point the logarithm of its
    distance to the nearest street (held between 5 and 250 m) is compared with that under the
    stated datum; another datum is likely when the mean gain is above five standard errors.
    Shops and stations stand some 5–20 m off a street, so the right reading wins by far; points
    that have nothing to do with streets win nowhere and give no answer.

    Parameters
    ----------
    lonlat : ndarray of float64, shape (n, 2)
        Degrees as they were written, in whatever datum they are.
    streets : ndarray of shapely lines
        WGS-84 degrees.
    epsg : int
        The city's metric CRS.
    stated : Datum
        What the points are said to be in.
    boundary : shapely geometry, optional
        WGS-84 degrees; points outside it under every datum are left out.

    Returns
    -------
    DatumFinding
    """
    points = lonlat[np.isfinite(lonlat).all(axis=1)]
    points = points[:: max(1, -(-len(points) // MAX_POINTS))]
    readings = {datum: to_wgs84(points, datum) for datum in Datum}
    if boundary is not None:
        shapely.prepare(boundary)
        inside = [shapely.contains_xy(boundary, xy[:, 0], xy[:, 1]) for xy in readings.values()]
        keep = np.logical_or.reduce(inside)
        readings = {datum: xy[keep] for datum, xy in readings.items()}
    n = len(readings[stated])
    if n < MIN_POINTS or len(streets) == 0:
        return DatumFinding(stated=stated, likely=None, n=n, offset_m=0)
    return _compare(readings, stated, streets, epsg)


def _compare(
    readings: dict[Datum, np.ndarray], stated: Datum, streets: np.ndarray, epsg: int
) -> DatumFinding:
    """Compare the readings by their distance to the nearest street."""
    transformer = pyproj.Transformer.from_crs(LONLAT_EPSG, epsg, always_xy=True)

    def project(lonlat: np.ndarray) -> np.ndarray:
        return np.column_stack(transformer.transform(lonlat[:, 0], lonlat[:, 1]))

    metric = {datum: project(lonlat) for datum, lonlat in readings.items()}
    tree = shapely.STRtree(shapely.transform(streets, project))
    logs = {datum: _log_distance(tree, xy) for datum, xy in metric.items()}
    gains = {d: _standard_errors(logs[stated] - logs[d]) for d in Datum if d != stated}
    beaten = [datum for datum, gain in gains.items() if gain > DECISIVE]
    best = min(beaten or gains, key=lambda datum: float(logs[datum].mean()))
    holds = all(gain < -DECISIVE for gain in gains.values())
    return DatumFinding(
        stated=stated,
        likely=best if beaten else stated if holds else None,
        n=len(metric[stated]),
        offset_m=round(float(np.median(np.hypot(*(metric[best] - metric[stated]).T)))),
    )


def _log_distance(tree: shapely.STRtree, xy: np.ndarray) -> np.ndarray:
    """Return the logarithm of each point's distance to the nearest street, held to NEAR..FAR."""
    (rows, _), distances = tree.query_nearest(
        shapely.points(xy), all_matches=False, return_distance=True
    )
    metres = np.full(len(xy), FAR)
    metres[rows] = np.clip(distances, NEAR, FAR)
    logs: np.ndarray = np.log(metres)
    return logs


def _standard_errors(gain: np.ndarray) -> float:
    """Return the mean gain in standard errors of the mean; 0 when nothing differs."""
    spread = float(gain.std(ddof=1))
    return float(gain.mean()) / (spread / len(gain) ** 0.5) if spread > 0.0 else 0.0
