"""A town of straight streets drawn in metres, for tests of the network."""

from collections.abc import Sequence

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pyproj import Transformer

from geo.frames import CLOSURES, STREETS, Col, StreetClass, require
from geo.units import CITY_ZONE, LIAOCHENG_EPSG

CORNER = np.array([400_000.0, 4_030_000.0])
"""Corner of the test towns, metres of EPSG:32650."""

ART, LANE, PATH = StreetClass.ARTERIAL, StreetClass.LANE, StreetClass.PATH
_TO_LONLAT = Transformer.from_crs(LIAOCHENG_EPSG, 4326, always_xy=True)


def lonlat(points: Sequence[tuple[float, float]]) -> np.ndarray:
    """Degrees, 7 decimals, of points in metres from the corner."""
    xy = np.array(points, dtype=float).reshape(-1, 2) + CORNER
    return np.round(np.stack(_TO_LONLAT.transform(*xy.T), axis=1), 7)


def street_frame(rows: Sequence[tuple], **columns: Sequence[object]) -> gpd.GeoDataFrame:
    """Rows of id, name, class, one-way and points in metres from the town's corner."""
    n = len(rows)
    text = {
        name: pd.Series([row[k] for row in rows], dtype="str")
        for k, name in enumerate((Col.SEGMENT_ID, Col.NAME, Col.STREET_CLASS))
    }
    frame = gpd.GeoDataFrame(
        {
            **text,
            Col.ONEWAY: pd.Series([row[3] for row in rows], dtype=bool),
            Col.BRIDGE: pd.Series(columns.get(Col.BRIDGE, [False] * n), dtype=bool),
            Col.LANES: pd.Series(columns.get(Col.LANES, [0] * n), dtype="int64"),
            Col.MAX_SPEED: pd.Series(columns.get(Col.MAX_SPEED, [0.0] * n), dtype="float64"),
            Col.SOURCE: pd.Series(["synthetic"] * n, dtype="str"),
        },
        geometry=[shapely.LineString(lonlat(row[4])) for row in rows],
        crs=4326,
    )
    require(frame, STREETS, source="streets")
    return frame


def closure_frame(*rows: dict) -> gpd.GeoDataFrame:
    """Closures in metres from the corner: at (a shapely geometry), segment, start, end …"""

    def instants(key: str) -> pd.Series:
        stated = pd.to_datetime([r.get(key) for r in rows], utc=True, format="ISO8601")
        return pd.Series(stated).dt.tz_convert(CITY_ZONE).astype(pd.DatetimeTZDtype("s", CITY_ZONE))

    def text(key: str, default: str) -> pd.Series:
        return pd.Series([r.get(key, default) for r in rows], dtype="str")

    shapes = [shapely.transform(r["at"], lonlat) if "at" in r else None for r in rows]
    frame = gpd.GeoDataFrame(
        {
            Col.CLOSURE_ID: pd.Series(
                [r.get("id", f"c{i}") for i, r in enumerate(rows)], dtype="str"
            ),
            Col.KIND: text("kind", "closure"),
            Col.NAME: text("name", ""),
            Col.SEGMENT_ID: text("segment", ""),
            Col.VALID_FROM: instants("start"),
            Col.VALID_TO: instants("end"),
            Col.MODES: text("modes", ""),
            Col.SPEED_SHARE: pd.Series([r.get("share", 0.0) for r in rows], dtype="float64"),
            Col.SOURCE: text("source", "synthetic"),
        },
        geometry=gpd.GeoSeries(shapes, crs=4326),
    )
    require(frame, CLOSURES, source="closures", allow_empty=True)
    return frame
