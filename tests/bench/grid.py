"""Bench: cutting basic grids, and joining points to them beside geopandas and shapely.

    python tests/bench/grid.py --scale city --points 1000000 --json out.jsonl
    python tests/bench/grid.py --layers DIR          a directory written by `patrolgrid sample DIR`

The cut is checked by its segments (each inner one occurs exactly twice), the joins against
GEOS point by point off the borders. Times are CPU seconds of one core, numba kernels warm.
"""

import argparse
import json
import resource
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path

import geopandas as gpd
import numpy as np
import shapely

from geo.frames import Col, Layers
from geo.grid import assign_cells, cut_cells, measure_cells
from geo.topology import coverage_faults
from geo.units import LIAOCHENG_EPSG


@dataclass(frozen=True)
class Line:
    """One row of the table and of the JSON lines."""

    subject: str
    case: str
    engine: str
    value: float
    gap: float | None
    cpu_s: float
    wall_s: float
    peak_rss_mb: float
    n: int


def load(args: argparse.Namespace) -> Layers:
    if args.layers is None:
        from geo.sample import make_city

        return make_city(scale=args.scale, seed=args.seed, data_date=date(2026, 11, 20)).layers
    from geo.io import FILES, LayerPaths, read_layers

    paths = LayerPaths(**{layer: args.layers / name for layer, name in FILES.items()})
    return read_layers(paths, epsg=args.epsg, data_date=date(2026, 11, 20))[0]


def timed(work: Callable[[], object]) -> tuple[object, float, float]:
    cpu, wall = time.process_time(), time.perf_counter()
    result = work()
    return result, time.process_time() - cpu, time.perf_counter() - wall


def peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def bench_cut(layers: Layers, epsg: int) -> tuple[gpd.GeoDataFrame, list[Line]]:
    def work() -> gpd.GeoDataFrame:
        return cut_cells(
            layers.boundaries, layers.streets, layers.water, layers.buildings, epsg=epsg
        )

    work()
    cells, cpu, wall = timed(work)
    quality = measure_cells(cells, epsg=epsg, data_date=layers.data_date)
    whole = shapely.union_all(layers.boundaries.geometry.to_numpy())
    n_faults = len(coverage_faults(cells, epsg=epsg, outer=whole))
    households = cells[Col.HOUSEHOLDS]
    in_aim = float(households[households > 0].between(80, 120).mean())
    values = {
        "cells": float(len(cells)),
        "share of 50-150 households": (quality.in_band.percent or 0.0) / 100,
        "share of 80-120 households": in_aim,
        "variation of households": quality.variation,
        "Polsby-Popper": quality.compactness,
        "faulty segments": float(n_faults),
        "multipart cells": float((cells.geom_type != "Polygon").sum()),
    }
    return cells, [
        Line("grid", case, "patrolgrid", value, None, cpu, wall, peak(), len(cells))
        for case, value in values.items()
    ]


def by_geopandas(points: gpd.GeoDataFrame, cells: gpd.GeoDataFrame) -> np.ndarray:
    joined = gpd.sjoin(points, cells[[Col.CELL_ID, Col.GEOMETRY]], predicate="within", how="left")
    return joined[~joined.index.duplicated()][Col.CELL_ID].fillna("").to_numpy(dtype=object)


def by_shapely(points: gpd.GeoDataFrame, cells: gpd.GeoDataFrame) -> np.ndarray:
    tree = shapely.STRtree(points.geometry.to_numpy())
    cell, point = tree.query(cells.geometry.to_numpy(), predicate="intersects")
    out = np.full(len(points), "", dtype=object)
    out[point[::-1]] = cells[Col.CELL_ID].to_numpy(dtype=object)[cell[::-1]]
    return out


def bench_join(layers: Layers, cells: gpd.GeoDataFrame, args: argparse.Namespace) -> list[Line]:
    random = np.random.default_rng(args.seed)
    rows = random.integers(0, len(layers.buildings), args.points)
    home = shapely.get_coordinates(layers.buildings.geometry.to_numpy())[rows]
    lonlat = np.round(home + random.normal(0, 3e-4, home.shape), 7)
    points = gpd.GeoDataFrame(geometry=gpd.points_from_xy(*lonlat.T), crs=4326)
    engines: dict[str, Callable[[], object]] = {
        "patrolgrid": lambda: assign_cells(points, cells, epsg=args.epsg).to_numpy(dtype=object),
        "geopandas sjoin within": lambda: by_geopandas(points, cells),
        "shapely STRtree of points": lambda: by_shapely(points, cells),
    }
    engines["patrolgrid"]()
    lines, answers = [], {}
    for name, work in engines.items():
        answers[name], cpu, wall = timed(work)
        differs = float((answers[name] != answers["patrolgrid"]).sum())
        lines.append(
            Line("join", "points that differ", name, differs, None, cpu, wall, peak(), args.points)
        )
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--layers", type=Path)
    parser.add_argument("--scale", choices=("district", "city"), default="district")
    parser.add_argument("--epsg", type=int, default=LIAOCHENG_EPSG)
    parser.add_argument("--points", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    layers = load(args)
    cells, lines = bench_cut(layers, args.epsg)
    lines += bench_join(layers, cells, args)
    for line in lines:
        print(
            f"{line.subject:6} {line.case:30} {line.engine:28} {line.value:12.4f}"
            f" {line.cpu_s:8.2f} cpu s {line.peak_rss_mb:7.0f} MiB  n {line.n:,}"
        )
    if args.json:
        with args.json.open("a", encoding="utf-8") as out:
            out.writelines(json.dumps(asdict(line), ensure_ascii=False) + "\n" for line in lines)


if __name__ == "__main__":
    main()
