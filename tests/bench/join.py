"""Bench: points joined to basic grids, one point looked up, the index; beside geopandas, shapely.

    python tests/bench/join.py                            57,000 made-up grids in real counties
    python tests/bench/join.py --grids 20000 --points 75276,1000000 --peers geopandas,shapely
    python tests/bench/join.py --cells FILE --points-file FILE --json out.jsonl

Made-up grids are Voronoi cells with bent sides, about 20 vertices each; points lie in clusters
round random places, as homes do. Answers are checked against GEOS off the borders, and every inner
vertex of the grids for its one owner. Times are the least CPU seconds of `--repeat` runs side by
side, kernels warm; the peers keep their own index over the grids too.
"""

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from report import Line, append_json, peak_mib

from geo.frames import Col
from geo.grid.locate import Index, build_index, find_owners, join_points, look_up
from geo.grid.locate.rule import OWNED, _side
from geo.io.place_layers import read_cell_areas
from geo.topology import to_lattice

ROOT = Path(__file__).resolve().parents[2]
COUNTIES = ROOT / "data" / "boundaries" / "counties_371500.geojson"
N_LOOK_UPS = 20_000


def bend(lonlat: np.ndarray) -> np.ndarray:
    """Move points smoothly by up to some ten metres, so that straight sides become bent."""
    x, y = lonlat.T * 2 * np.pi / 0.004
    moved = lonlat + 1e-4 * np.column_stack([np.sin(y + np.cos(x)), np.cos(x - np.sin(y))])
    return np.round(moved, 7)


def make_cells(n: int, seed: int) -> gpd.GeoDataFrame:
    """Return about `n` edge-matched grids in the box of the counties, dense where homes are."""
    random = np.random.default_rng(seed)
    west, south, east, north = gpd.read_file(COUNTIES).total_bounds
    spots = make_points(n, random, (west, south, east, north))
    frame = shapely.box(west, south, east, north)
    edges = shapely.voronoi_polygons(shapely.multipoints(spots), extend_to=frame, only_edges=True)
    inside = shapely.get_parts(shapely.intersection(shapely.get_parts(edges), frame))
    lines = [*shapely.get_parts(shapely.union_all(inside)), shapely.boundary(frame)]
    noded = shapely.get_parts(shapely.node(shapely.geometrycollections(lines)))
    bent = shapely.transform(shapely.segmentize(noded, 1.3e-3), bend)
    cells = shapely.get_parts(shapely.polygonize(bent))
    codes = pd.Series([f"{k:015d}" for k in range(len(cells))], dtype="str")
    return gpd.GeoDataFrame({Col.CELL_ID: codes}, geometry=cells, crs=4326)


def make_points(
    n: int, random: np.random.Generator, box: tuple[float, float, float, float]
) -> np.ndarray:
    """Return points in clusters: a third of them within 1 km of 60 towns, the rest everywhere."""
    west, south, east, north = box
    towns = random.uniform((west, south), (east, north), (60, 2))
    near = towns[random.integers(0, 60, n // 3)] + random.normal(0, 0.01, (n // 3, 2))
    spread = random.uniform((west, south), (east, north), (n - len(near), 2))
    lonlat = np.round(np.concatenate([near, spread]), 7)
    lonlat = lonlat.clip((west + 1e-4, south + 1e-4), (east - 1e-4, north - 1e-4))
    return random.permutation(lonlat)


def least(work: Callable[[], object], repeat: int) -> tuple[object, float]:
    """Return the answer and the least CPU seconds."""
    spent = []
    for _ in range(repeat):
        begun = time.process_time()
        answer = work()
        spent.append(time.process_time() - begun)
    return answer, min(spent)


def by_geopandas(points: gpd.GeoDataFrame, cells: gpd.GeoDataFrame) -> np.ndarray:
    joined = gpd.sjoin(points, cells[[Col.CELL_ID, Col.GEOMETRY]], predicate="within", how="left")
    return joined[~joined.index.duplicated()][Col.CELL_ID].fillna("").to_numpy(dtype=object)


def by_shapely(points: gpd.GeoDataFrame, cells: gpd.GeoDataFrame) -> np.ndarray:
    tree = shapely.STRtree(points.geometry.to_numpy())
    cell, point = tree.query(cells.geometry.to_numpy(), predicate="intersects")
    out = np.full(len(points), "", dtype=object)
    out[point[::-1]] = cells[Col.CELL_ID].to_numpy(dtype=object)[cell[::-1]]
    return out


PEERS = {"geopandas": by_geopandas, "shapely": by_shapely}


def bench_index(cells: gpd.GeoDataFrame, args: argparse.Namespace) -> list[Line]:
    polygons = cells.geometry.to_numpy()
    index, cpu = least(lambda: build_index(polygons), args.repeat)
    assert isinstance(index, Index)
    size = sum(part.nbytes for part in index if isinstance(part, np.ndarray)) / 2**20
    corners = np.unique(shapely.get_coordinates(polygons), axis=0)
    odd = wrong_vertices(index, polygons, corners)
    some = corners[:: max(1, len(corners) // N_LOOK_UPS)].tolist()
    _, spent = least(lambda: [look_up(index, *point) for point in some], args.repeat)
    n, micro = len(cells), spent / len(some) * 1e6
    return [
        Line("join", "index, MiB", "patrolgrid", size, None, cpu, peak_mib(), n),
        Line(
            "join", "inner vertices without one owner", "patrolgrid", odd, None, 0.0, peak_mib(), n
        ),
        Line("join", "one point, us", "patrolgrid", micro, None, spent, peak_mib(), n),
    ]


def wrong_vertices(index: Index, polygons: np.ndarray, corners: np.ndarray) -> float:
    """Return how many vertices off the outer border no polygon, or more than one, owns."""
    point, polygon = shapely.STRtree(polygons).query(shapely.points(corners))
    steps = to_lattice(corners)
    owned = [
        bool(_side(index, p, x, y) & OWNED)
        for p, (x, y) in zip(polygon.tolist(), steps[point].tolist(), strict=True)
    ]
    times = np.bincount(point[np.array(owned)], minlength=len(corners))
    outer = shapely.boundary(shapely.union_all(polygons))
    shapely.prepare(outer)
    off = ~shapely.dwithin(outer, shapely.points(corners), 1e-6)
    return float((times[off] != 1).sum())


def bench_points(
    points: gpd.GeoDataFrame, cells: gpd.GeoDataFrame, args: argparse.Namespace
) -> list[Line]:
    n = len(points)
    index = build_index(cells.geometry.to_numpy())
    joined, cpu = least(lambda: join_points(points, cells, index=index), args.repeat)
    own = joined.cell_id.to_numpy(dtype=object)
    plain = find_owners(index, shapely.get_coordinates(points.geometry.to_numpy())).is_plain
    case = f"{n:,} points, differ off borders"
    lines = [Line("join", case, "patrolgrid with audit", 0.0, 0.0, cpu, peak_mib(), n)]
    for name in args.peers.split(",") if args.peers else ():
        answer, spent = least(lambda work=PEERS[name]: work(points, cells), args.repeat)
        differ = float((np.asarray(answer)[plain] != own[plain]).sum())
        lines.append(Line("join", case, name, differ, spent / cpu - 1, spent, peak_mib(), n))
    listed = float(len(joined.audit))
    lines.append(
        Line("join", f"{n:,} points, listed", "patrolgrid", listed, None, cpu, peak_mib(), n)
    )
    return lines


def read_points(path: Path) -> gpd.GeoDataFrame:
    table = pd.read_csv(path, usecols=["lon", "lat"]).dropna()
    return gpd.GeoDataFrame(geometry=gpd.points_from_xy(table["lon"], table["lat"]), crs=4326)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cells", type=Path, help="grids: code and outline")
    parser.add_argument("--grids", type=int, default=57_000, help="made-up grids")
    parser.add_argument("--points-file", type=Path, help="CSV with lon and lat, WGS-84")
    parser.add_argument("--points", default="75276,1000000", help="numbers of made-up points")
    parser.add_argument("--peers", default="geopandas,shapely")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    made = args.cells is None
    cells = make_cells(args.grids, args.seed) if made else read_cell_areas(args.cells).frame
    look_up(build_index(cells.geometry.to_numpy()[:1]), 0.0, 0.0)
    lines = bench_index(cells, args)
    if args.points_file is not None:
        lines += bench_points(read_points(args.points_file), cells, args)
    random = np.random.default_rng(args.seed + 1)
    for n in map(int, args.points.split(",")):
        lonlat = make_points(n, random, tuple(cells.total_bounds))
        points = gpd.GeoDataFrame(geometry=gpd.points_from_xy(*lonlat.T), crs=4326)
        join_points(points[:100], cells)
        lines += bench_points(points, cells, args)
    for line in lines:
        print(
            f"{line.case:36} {line.engine:22} {line.value:12.3f} {line.cpu_s:8.3f} cpu s"
            f" {line.peak_rss_mb:7.0f} MiB  n {line.n:,}"
        )
    append_json(args.json, lines)


if __name__ == "__main__":
    main()
