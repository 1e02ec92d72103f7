"""Streets for `travel.py`: made up in any size, of the sample city, or from a file.

The grid is like a city's streets: blocks of 100 m, a third of the sides missing, some one-way. The
others are harder on a hierarchy or unlike any city: every block closed (``full``), a triangulation
of random points (``delaunay``: three times as many streets as junctions), a band of eight streets
(``thin``), and thousands of islands around one grid (``islands``).
"""

from datetime import date
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo.frames import Col, StreetClass

CORNER = np.array([115.5, 36.0])

DEFAULT_SIZE = {
    "grid": 80_000,
    "full": 80_000,
    "delaunay": 80_000,
    "thin": 80_000,
    "islands": 80_000,
}
"""Junctions of each made-up network."""


def named_streets(name: str, seed: int) -> gpd.GeoDataFrame:
    """Return the streets of a name: ``KIND`` or ``KIND:JUNCTIONS``, ``sample:SCALE``, or a file."""
    kind, _, size = name.partition(":")
    if kind == "sample":
        from geo.sample import make_city

        sample = make_city(scale=size or "city", seed=seed, data_date=date(2026, 1, 1))
        return sample.layers.streets
    if kind not in DEFAULT_SIZE:
        from geo.io import read_streets

        return read_streets(Path(name)).frame
    rng, n = np.random.default_rng(seed), int(size or DEFAULT_SIZE[kind])
    side = round(n**0.5)
    made = {
        "grid": lambda: lattice(side, side, rng, kept=0.72),
        "full": lambda: lattice(side, side, rng, kept=1.0),
        "thin": lambda: lattice(n // 8, 8, rng, kept=0.9),
        "delaunay": lambda: triangles(n, rng),
        "islands": lambda: islands(n, rng),
    }
    return made[kind]()


def lattice(rows: int, columns: int, rng: np.random.Generator, *, kept: float) -> gpd.GeoDataFrame:
    """Jittered blocks of about 100 m, of whose sides a share is kept."""
    number = np.arange(rows * columns).reshape(rows, columns)
    tail = np.r_[number[:, :-1].ravel(), number[:-1].ravel()]
    head = np.r_[number[:, 1:].ravel(), number[1:].ravel()]
    is_kept = rng.random(len(tail)) < kept
    at = np.stack(np.divmod(np.arange(rows * columns), columns), axis=1) * 0.001
    at = at[:, ::-1] if rows > columns else at
    return frame(at + rng.uniform(-3e-4, 3e-4, at.shape), tail[is_kept], head[is_kept], rng)


def triangles(n: int, rng: np.random.Generator) -> gpd.GeoDataFrame:
    """Every side of a triangulation of random points."""
    from scipy.spatial import Delaunay

    at = rng.random((n, 2)) * 0.001 * n**0.5
    corner = Delaunay(at).simplices
    sides = np.concatenate([corner[:, [0, 1]], corner[:, [1, 2]], corner[:, [0, 2]]])
    tail, head = np.unique(np.sort(sides, axis=1), axis=0).T
    return frame(at, tail, head, rng)


def islands(n: int, rng: np.random.Generator) -> gpd.GeoDataFrame:
    """Half the junctions a grid, the rest in lanes of four that no street joins."""
    side = round((n / 2) ** 0.5)
    city = lattice(side, side, rng, kept=0.72)
    lone = np.arange(n // 8 * 4).reshape(-1, 4)
    at = rng.random((len(lone), 1, 2)) * 0.001 * side + [0.001 * side, 0.0]
    at = at + np.arange(4)[None, :, None] * [1e-4, 1e-5]
    apart = frame(at.reshape(-1, 2), lone[:, :-1].ravel(), lone[:, 1:].ravel(), rng)
    together = pd.concat([city, apart], ignore_index=True)
    together[Col.SEGMENT_ID] = pd.Series([f"g{i}" for i in range(len(together))], dtype="str")
    return gpd.GeoDataFrame(together, crs=4326)


def frame(
    at: np.ndarray, tail: np.ndarray, head: np.ndarray, rng: np.random.Generator
) -> gpd.GeoDataFrame:
    """Straight streets between points in degrees, a seventh of them one-way."""
    xy = np.round(at + CORNER, 7)
    ends = np.stack([xy[tail], xy[head]], axis=1)
    classes = np.array(list(StreetClass)[1:4], dtype=str)
    n = len(ends)
    return gpd.GeoDataFrame(
        {
            Col.SEGMENT_ID: pd.Series([f"g{i}" for i in range(n)], dtype="str"),
            Col.NAME: pd.Series([""] * n, dtype="str"),
            Col.STREET_CLASS: pd.Series(classes[rng.choice(3, n, p=[0.1, 0.2, 0.7])], dtype="str"),
            Col.ONEWAY: pd.Series(rng.random(n) < 0.15, dtype=bool),
            Col.LANES: np.zeros(n, dtype=np.int64),
            Col.MAX_SPEED: np.zeros(n),
        },
        geometry=gpd.GeoSeries(shapely.linestrings(ends), crs=4326),
    )
