"""Bench: groups of 10 to 30 households inside basic grids, beside k-means.

    python tests/bench/groups.py --scale city --json out.jsonl
    python tests/bench/groups.py --cells FILE --buildings FILE --peers kmeans

Grids are cut from the sample, or read with their buildings. Groups are checked: segments that do
not occur twice, pieces, households kept, area outside their grid. `--peers kmeans` clusters the
same buildings (scipy, one start); its groups are counted over whole buildings, without polygons.
Times are CPU seconds of one core, kernels warm.
"""

import argparse
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import geopandas as gpd
import numpy as np
import shapely
from report import Line, append_json, peak_mib
from scipy.cluster.vq import kmeans2

from geo.frames import Col, GridRole
from geo.grid.groups import BAND, TARGET, cut_groups, measure_groups
from geo.grid.locate import assign_cells
from geo.topology import coverage_faults
from geo.units import LIAOCHENG_EPSG

DATA_DATE = date(2026, 11, 20)


def load(args: argparse.Namespace) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame]:
    """Return grids and buildings."""
    if args.cells is not None:
        from geo.io import read_buildings
        from geo.io.place_layers import read_cell_areas

        cells = read_cell_areas(args.cells).frame
        roles = {Col.GRID_ROLE: GridRole.BASIC.value, Col.BOUNDARY_VERSION: "–", Col.SOURCE: "–"}
        return cells.assign(**roles), read_buildings(args.buildings).frame
    from geo.grid import cut_cells
    from geo.sample import make_city

    city = make_city(scale=args.scale, seed=args.seed, data_date=DATA_DATE).layers
    cells = cut_cells(city.boundaries, city.streets, city.water, city.buildings, epsg=args.epsg)
    return cells, city.buildings


def bench_own(
    cells: gpd.GeoDataFrame, buildings: gpd.GeoDataFrame, args: argparse.Namespace
) -> Iterator[Line]:
    """Yield the figures of `cut_groups`, every answer checked."""
    cut_groups(cells.iloc[:20], buildings, epsg=args.epsg)
    begun = time.process_time()
    groups = cut_groups(cells, buildings, epsg=args.epsg)
    cpu, memory = time.process_time() - begun, peak_mib()
    quality = measure_groups(groups, data_date=DATA_DATE)
    basic = cells[cells[Col.GRID_ROLE] == GridRole.BASIC]
    inside = assign_cells(buildings, basic, epsg=args.epsg) != ""
    lost = buildings.loc[inside, Col.HOUSEHOLDS].sum() - groups[Col.HOUSEHOLDS].sum()
    whole = shapely.union_all(basic.geometry.to_numpy())
    moved = groups[Col.AREA].sum() - float(basic.geometry.to_crs(args.epsg).area.sum())
    values = {
        "share in 10-30": quality.in_band.n / max(quality.in_band.total, 1),
        "divided by count": quality.n_by_count / len(groups),
        "not one polygon": float((groups.geom_type != "Polygon").sum()),
        "invalid polygons": float((~groups.geometry.is_valid).sum()),
        "faulty segments": float(len(coverage_faults(groups, epsg=args.epsg, outer=whole))),
        "households lost": float(lost),
        "m2 more than the grids": moved,
        **{f"exception: {k.value}": float(n) for k, n in quality.n_by_reason.items()},
    }
    for case, value in values.items():
        yield Line("groups", case, "patrolgrid", value, None, cpu, memory, len(groups))


def by_kmeans(
    cells: gpd.GeoDataFrame, buildings: gpd.GeoDataFrame, args: argparse.Namespace
) -> Line:
    """Return the share in band of weighted k-means over whole buildings."""
    cell = assign_cells(buildings, cells, epsg=args.epsg).to_numpy(dtype=object)
    metric = shapely.get_coordinates(buildings.geometry.to_crs(args.epsg).to_numpy())
    households = buildings[Col.HOUSEHOLDS].to_numpy()
    begun, n_in, n_all = time.process_time(), 0, 0
    order = np.argsort(cell, kind="stable")
    for rows in np.split(order, np.flatnonzero(cell[order][1:] != cell[order][:-1]) + 1):
        wanted = min(max(1, round(households[rows].sum() / TARGET)), len(rows))
        if cell[rows[0]] == "" or households[rows].sum() == 0:
            continue
        copies = np.repeat(metric[rows], households[rows], axis=0)
        centres, _ = kmeans2(copies, wanted, minit="++", seed=args.seed, missing="warn")
        nearest = np.argmin(((metric[rows][:, None] - centres[None]) ** 2).sum(axis=2), axis=1)
        load = np.bincount(nearest, households[rows])
        load = load[load > 0]
        n_in += int(((load >= BAND[0]) & (load <= BAND[1])).sum())
        n_all += len(load)
    cpu = time.process_time() - begun
    return Line("groups", "share in 10-30", "kmeans", n_in / n_all, None, cpu, peak_mib(), n_all)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cells", type=Path, help="grids: code and outline")
    parser.add_argument("--buildings", type=Path, help="buildings with households")
    parser.add_argument("--scale", choices=("district", "city"), default="district")
    parser.add_argument("--epsg", type=int, default=LIAOCHENG_EPSG)
    parser.add_argument("--peers", default="")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    cells, buildings = load(args)
    lines = list(bench_own(cells, buildings, args))
    if "kmeans" in args.peers.split(","):
        lines.append(by_kmeans(cells, buildings, args))
    for line in lines:
        print(
            f"{line.case:28} {line.engine:12} {line.value:12.4f} {line.cpu_s:8.2f} cpu s"
            f" {line.peak_rss_mb:7.0f} MiB  n {line.n:,}"
        )
    append_json(args.json, lines)


if __name__ == "__main__":
    main()
