"""Squares of 100 m that several tests of coverages share.

a b     four squares inside one parent of 200 m
c d
"""

import geopandas as gpd
import shapely

from geo.frames import Col

EPSG = 32650
LON, LAT = 115.9, 36.4
EAST, NORTH = 1.1153e-5, 0.9011e-5
"""Degrees of a metre near there, good to 0.1 %."""


def at(x, y):
    return round(LON + x * EAST, 7), round(LAT + y * NORTH, 7)


def box(x0, y0, x1, y1):
    return shapely.Polygon([at(x0, y0), at(x1, y0), at(x1, y1), at(x0, y1)])


A, B, C, D = (0, 100, 100, 200), (100, 100, 200, 200), (0, 0, 100, 100), (100, 0, 200, 100)
TOWN = (0, 0, 200, 200)


def frame(*shapes, codes=None):
    shapes = [shape if isinstance(shape, shapely.Geometry) else box(*shape) for shape in shapes]
    codes = codes or [chr(ord("a") + k) for k in range(len(shapes))]
    return gpd.GeoDataFrame({Col.CODE: codes}, geometry=shapes, crs=4326)


def nested(**changes):
    """One county, two townships, four villages; a school inside village 1."""
    rows = {
        "371599": ("county", "", "none", TOWN),
        "371599101": ("township", "371599", "supervision", (0, 100, 200, 200)),
        "371599102": ("township", "371599", "supervision", (0, 0, 200, 100)),
        "371599101201": ("village", "371599101", "responsibility", A),
        "371599101202": ("village", "371599101", "responsibility", B),
        "371599102201": ("village", "371599102", "responsibility", C),
        "371599102202": ("village", "371599102", "responsibility", D),
        "37159910120101": ("village", "371599101201", "independent", (20, 120, 60, 160)),
    }
    rows = {code: (*row[:3], changes.get(f"u{code}", row[3])) for code, row in rows.items()}
    names = (Col.LEVEL, Col.ADMIN_PARENT, Col.GRID_ROLE)
    columns = {name: [row[k] for row in rows.values()] for k, name in enumerate(names)}
    return gpd.GeoDataFrame(
        {Col.CODE: list(rows), **columns, Col.SOURCE: "synthetic"},
        geometry=[box(*row[3]) for row in rows.values()],
        crs=4326,
    )
