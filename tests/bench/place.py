"""Bench: streets audited by grid, planted junction faults, rivers, night zones, patrol teams.

    python tests/bench/place.py --scale city --json out.jsonl
    python tests/bench/place.py --roads FILE            any file of streets, grids of 500 m over it

Answers are checked: grids sum to the whole, every planted fault is found where it was put and
nowhere else, every metre of a river has one owner at each level, no two zones overlap. Times are
CPU seconds of one core. There is no peer: geopandas' overlay is run beside the metres by grid.
"""

import argparse
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from report import Line, append_json, peak_mib

from geo.boundary import lowest_units
from geo.frames import RESOURCES, Col, Layers, Level
from geo.io.resources import shipped_night_rules, shipped_resource_rules
from geo.place import (
    check_reaches,
    counted_units,
    propose_reaches,
    propose_zones,
    report_resources,
    water_assets,
)
from geo.street import cut_along, find_junctions
from geo.street.audit import SUMMED, audit_streets
from geo.units import LIAOCHENG_EPSG, LONLAT_EPSG

DAY = date(2026, 11, 20)


def timed(work: Callable[[], object]) -> tuple[object, float]:
    began = time.process_time()
    result = work()
    return result, time.process_time() - began


def line(case: str, value: float, cpu: float, n: int, *, engine: str = "patrolgrid") -> Line:
    peak = peak_mib()
    return Line("place", case, engine, value, None, cpu, peak, n)


def bench_audit(
    streets: gpd.GeoDataFrame, cells: gpd.GeoDataFrame, epsg: int, peers: set[str]
) -> list[Line]:
    def work() -> object:
        return audit_streets(streets, cells, epsg=epsg, data_date=DAY, boundary_version="bench")

    found, cpu = timed(work)
    sums = found.by_cell[list(SUMMED)].sum()
    counts = found.junctions[Col.KIND].value_counts()
    assert sums["n_dead_ends"] == counts.get("end", 0)
    share = found.unnamed.n / found.unnamed.total
    lines = [line("unnamed share by grid", share, cpu, len(streets))]
    pieces, cpu = timed(lambda: cut_along(streets, cells, epsg=epsg))
    whole = streets.geometry.to_crs(epsg).length.sum()
    assert abs(pieces.length.sum() - whole) < 0.001 * len(streets)
    lines.append(line("metres by grid, km", pieces.length.sum() / 1000, cpu, len(streets)))
    if "geopandas" in peers:
        metric = streets[[Col.SEGMENT_ID, Col.GEOMETRY]].to_crs(epsg)
        areas = cells.to_crs(epsg)
        over, cpu = timed(
            lambda: gpd.overlay(metric, areas, how="intersection", keep_geom_type=True)
        )
        km = over.length.sum() / 1000
        lines.append(line("metres by grid, km", km, cpu, len(streets), engine="geopandas overlay"))
    return lines


def bench_faults(
    streets: gpd.GeoDataFrame, epsg: int, *, seed: int, n: int, buffer: float = 3.0
) -> list[Line]:
    """Pull ends of segments 1 m back, and lay lanes across others without a vertex."""
    random = np.random.default_rng(seed)
    before, cpu = timed(lambda: find_junctions(streets, epsg=epsg))
    metric = streets.geometry.to_crs(epsg).to_numpy().copy()
    nodes = before[before[Col.N_ENDS] >= 3].geometry.to_crs(epsg).to_numpy()
    ends = shapely.get_point(metric, -1)
    joined = np.zeros(len(metric), dtype=bool)
    near, _ = shapely.STRtree(nodes).query(ends, predicate="dwithin", distance=0.05)
    joined[near] = True
    flat = ~streets[Col.BRIDGE].to_numpy() & (shapely.length(metric) > 40)
    pulled = random.choice(np.flatnonzero(joined & flat), n, replace=False)
    planted = ends[pulled]
    metric[pulled] = [
        shapely.LineString([*shapely.get_coordinates(one)[:-1], last])
        for one, last in zip(
            metric[pulled],
            shapely.get_coordinates(shapely.line_interpolate_point(metric[pulled], -1.0)),
            strict=True,
        )
    ]
    alone = flat & _is_alone(metric, reach=15.0)
    crossed = random.choice(np.setdiff1d(np.flatnonzero(alone), pulled), n, replace=False)
    middle = shapely.get_coordinates(
        shapely.line_interpolate_point(metric[crossed], 0.5, normalized=True)
    )
    along = middle - shapely.get_coordinates(
        shapely.line_interpolate_point(metric[crossed], shapely.length(metric[crossed]) / 2 - 1)
    )
    across = np.stack([-along[:, 1], along[:, 0]], axis=1) * 6
    lanes = shapely.linestrings(np.stack([middle - across, middle + across], axis=1))
    spoiled = pd.concat([streets, streets.iloc[crossed]], ignore_index=True)
    shapes = gpd.GeoSeries(np.concatenate([metric, lanes]), crs=epsg).to_crs(LONLAT_EPSG)
    spoiled = spoiled.set_geometry(shapes)
    spoiled.loc[len(streets) :, Col.BRIDGE] = False
    after, again = timed(lambda: find_junctions(spoiled, epsg=epsg))
    lines = [line("junctions found", float(len(before)), cpu, len(streets))]
    for kind, where in (("short", planted), ("uncut", shapely.points(middle))):
        old = before[before[Col.KIND] == kind].geometry.to_crs(epsg).to_numpy()
        new = after[after[Col.KIND] == kind].geometry.to_crs(epsg).to_numpy()
        hit, _ = shapely.STRtree(new).query(where, predicate="dwithin", distance=buffer)
        known = np.concatenate([where, old])
        told, _ = shapely.STRtree(known).query(new, predicate="dwithin", distance=buffer)
        false = len(new) - len(np.unique(told))
        lines.append(line(f"planted {kind} found", len(np.unique(hit)) / n, again, n))
        lines.append(line(f"planted {kind} false", float(false), again, len(new)))
    return lines


def _is_alone(lines: np.ndarray, reach: float) -> np.ndarray:
    """Tell which segments have no other street around their middle."""
    middle = shapely.line_interpolate_point(lines, 0.5, normalized=True)
    row, _ = shapely.STRtree(lines).query(middle, predicate="dwithin", distance=reach)
    alone: np.ndarray = np.bincount(row, minlength=len(lines)) == 1
    return alone


def bench_reaches(layers: Layers, epsg: int, n_rivers: int, seed: int) -> list[Line]:
    """Lay winding rivers across the city and give every metre an owner."""
    random = np.random.default_rng(seed)
    west, south, east, north = layers.boundaries.total_bounds
    t = np.linspace(0, 1, 400)
    rivers = []
    for _ in range(n_rivers):
        a, b = random.uniform(0, 1, 2)
        wave = 0.02 * np.sin(random.uniform(10, 40) * t + random.uniform(0, 6))
        x, y = west + (east - west) * t, south + (north - south) * (a + (b - a) * t) + wave
        rivers.append(shapely.LineString(np.round(np.stack([x, y], axis=1), 7)))
    codes = pd.Series([f"r{k}" for k in range(n_rivers)], dtype="str")
    water = gpd.GeoDataFrame(
        {Col.CODE: codes, Col.NAME: codes, Col.SOURCE: codes}, geometry=rivers, crs=LONLAT_EPSG
    )
    assets = water_assets(water)
    made, cpu = timed(
        lambda: propose_reaches(assets, layers.boundaries, epsg=epsg, source="proposed")
    )
    check, again = timed(
        lambda: check_reaches(
            made.reaches,
            assets,
            layers.boundaries,
            epsg=epsg,
            data_date=DAY,
            boundary_version="bench",
        )
    )
    lines = [line("stretches proposed", float(len(made.reaches)), cpu, n_rivers)]
    for level, rate in check.once.items():
        share = rate.n / max(rate.total, 1)
        lines.append(line(f"metres with one owner, {level}", share, again, rate.total))
    lines.append(line("faults of the proposal", float(len(check.faults)), again, n_rivers))
    return lines


def bench_zones(layers: Layers, epsg: int) -> list[Line]:
    rules = shipped_night_rules()
    zones, cpu = timed(lambda: propose_zones(layers.venues, rules, epsg=epsg, source="proposed"))
    shapes = zones.geometry.to_crs(epsg).to_numpy()
    one, other = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    common = shapely.area(shapely.intersection(shapes[one], shapes[other]))[one < other].sum()
    return [
        line("night zones", float(len(zones)), cpu, len(layers.venues)),
        line("overlap of zones, m2", float(common), cpu, len(zones)),
    ]


def bench_resources(layers: Layers, seed: int, n_lacking: int = 7) -> list[Line]:
    """Two teams in every township but some, which the report must name."""
    codes = counted_units(layers.boundaries, Level.TOWNSHIP)[Col.CODE].to_numpy()
    lacking = np.random.default_rng(seed).choice(codes, min(n_lacking, len(codes)), replace=False)
    rows = [
        (f"{code}-{k}", code, f"{k}", "own", 6, "foot", "19:00", "03:00", "bench")
        for code in codes
        for k in range(2)
        if k == 0 or code not in lacking
    ]
    teams = pd.DataFrame(rows, columns=list(RESOURCES.columns))
    report, cpu = timed(
        lambda: report_resources(
            teams,
            layers.boundaries,
            shipped_resource_rules(),
            data_date=DAY,
            boundary_version="bench",
        )
    )
    named = report.missing[report.missing["rule"] == "township_teams"][Col.CODE]
    assert set(named) == set(lacking)
    rate = report.met["township_teams"]
    return [line("townships with two teams", rate.n / rate.total, cpu, rate.total)]


def load(args: argparse.Namespace) -> Layers:
    if args.layers is None:
        from geo.sample import make_city

        return make_city(scale=args.scale, seed=args.seed, data_date=DAY).layers
    from geo.io import FILES, LayerPaths, read_layers

    paths = LayerPaths(**{layer: args.layers / name for layer, name in FILES.items()})
    return read_layers(paths, epsg=args.epsg, data_date=DAY)[0]


def squares(streets: gpd.GeoDataFrame, epsg: int, side: float = 500.0) -> gpd.GeoDataFrame:
    west, south, east, north = streets.geometry.to_crs(epsg).total_bounds
    x, y = np.meshgrid(np.arange(west, east, side), np.arange(south, north, side))
    boxes = shapely.box(x.ravel(), y.ravel(), x.ravel() + side, y.ravel() + side)
    codes = pd.Series([f"{k:06d}" for k in range(len(boxes))], dtype="str")
    frame = gpd.GeoDataFrame({Col.CELL_ID: codes}, geometry=boxes, crs=epsg).to_crs(LONLAT_EPSG)
    lonlat = shapely.transform(frame.geometry.to_numpy(), lambda xy: np.round(xy, 7))
    return frame.set_geometry(gpd.GeoSeries(lonlat, crs=LONLAT_EPSG))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--layers", type=Path)
    parser.add_argument("--roads", type=Path)
    parser.add_argument("--scale", choices=("district", "city"), default="district")
    parser.add_argument("--epsg", type=int, default=LIAOCHENG_EPSG)
    parser.add_argument("--faults", type=int, default=200)
    parser.add_argument("--rivers", type=int, default=30)
    parser.add_argument("--peers", default="")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    peers = set(args.peers.split(","))
    if args.roads is not None:
        from geo.io import read_streets

        streets = read_streets(args.roads).frame
        cells, lines = squares(streets, args.epsg), []
    else:
        layers = load(args)
        streets, cells = layers.streets, lowest_units(layers.boundaries).reset_index(drop=True)
        cells = cells[[Col.CODE, Col.GEOMETRY]].rename(columns={Col.CODE: Col.CELL_ID})
        lines = bench_reaches(layers, args.epsg, args.rivers, args.seed)
        lines += bench_zones(layers, args.epsg) + bench_resources(layers, args.seed)
    lines += bench_audit(streets, cells, args.epsg, peers)
    lines += bench_faults(streets, args.epsg, seed=args.seed, n=args.faults)
    for one in lines:
        print(
            f"{one.subject:6} {one.case:34} {one.engine:18} {one.value:12.4f}"
            f" {one.cpu_s:8.2f} cpu s {one.peak_rss_mb:7.0f} MiB  n {one.n:,}"
        )
    append_json(args.json, lines)


if __name__ == "__main__":
    main()
